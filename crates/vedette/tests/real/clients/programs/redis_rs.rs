//! The `redis` crate. One argument as README.md in this folder says.

#![allow(clippy::unwrap_used, reason = "the test that started this program sees it end")]

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    ClientTlsConfig, Commands as _, Connection, ConnectionAddr, RedisResult, TlsCertificates,
    TlsMode,
};
use serde_json::Value;

const PAUSE: Duration = Duration::from_millis(5);
const TIMEOUT: Duration = Duration::from_secs(1);

fn say(verb: &str, what: &str) {
    let line = format!("{verb} {}\n", what.replace('\n', " "));
    std::io::stdout().write_all(line.as_bytes()).unwrap();
}

fn certificates(order: &Value) -> Option<TlsCertificates> {
    let file = |which: &str| std::fs::read(order["tls"][which].as_str()?).ok();
    let client_tls = ClientTlsConfig { client_cert: file("cert")?, client_key: file("key")? };
    Some(TlsCertificates { client_tls: Some(client_tls), root_cert: file("ca") })
}

fn sentinels(order: &Value) -> impl Iterator<Item = ConnectionAddr> {
    let addresses = order["sentinels"].as_array().unwrap().iter();
    addresses.map(|address| {
        let port = address[1].as_u64().and_then(|port| port.try_into().ok()).unwrap();
        let host = address[0].as_str().unwrap().to_owned();
        match order["tls"].is_null() {
            true => ConnectionAddr::Tcp(host, port),
            false => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
        }
    })
}

fn client(order: &Value) -> SentinelClient {
    let master = order["master"].as_str().unwrap();
    let kind = SentinelServerType::Master;
    let mut builder = SentinelClientBuilder::new(sentinels(order), master, kind).unwrap();
    if let Some(password) = order["password"].as_str() {
        builder = builder.set_client_to_redis_password(password);
    }
    if let Some(password) = order["sentinel_password"].as_str() {
        builder = builder.set_client_to_sentinel_password(password);
    }
    if let Some(certificates) = certificates(order) {
        builder = builder
            .set_client_to_redis_tls_mode(TlsMode::Secure)
            .set_client_to_redis_certificates(certificates.clone())
            .set_client_to_sentinel_tls_mode(TlsMode::Secure)
            .set_client_to_sentinel_certificates(certificates);
    }
    builder.build().unwrap()
}

fn listen(order: &Value) {
    let mut connection = client(order).get_sentinel_client().unwrap().get_connection().unwrap();
    let mut subscription = connection.as_pubsub();
    subscription.subscribe("+switch-master").unwrap();
    say("ready", "");
    while let Ok(message) = subscription.get_message() {
        say("switch", &message.get_payload::<String>().unwrap());
    }
}

fn connect(client: &mut SentinelClient) -> RedisResult<Connection> {
    let connection = client.get_connection()?;
    connection.set_read_timeout(Some(TIMEOUT))?;
    connection.set_write_timeout(Some(TIMEOUT))?;
    Ok(connection)
}

/// A connection is kept while it works, and asked for anew after an error: an application's part.
fn write(order: &Value, is_over: &AtomicBool) {
    let counter = order["counter"].as_str().unwrap();
    let mut client = client(order);
    let mut connection: Option<Connection> = None;
    while !is_over.load(Ordering::Relaxed) {
        let held = connection.take().map_or_else(|| connect(&mut client), Ok);
        let outcome = held.and_then(|mut held| {
            let value: u64 = held.incr(counter, 1)?;
            Ok((held, value))
        });
        match outcome {
            Ok((held, value)) => {
                say("ok", &value.to_string());
                connection = Some(held);
            }
            Err(error) => say("err", &error.to_string()),
        }
        std::thread::sleep(PAUSE);
    }
}

fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let order: Value = serde_json::from_str(&std::env::args().nth(1).unwrap()).unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let seen = is_over.clone();
    let listens = order["listen"].as_bool().unwrap();
    let work = std::thread::spawn(move || match listens {
        true => listen(&order),
        false => write(&order, &seen),
    });
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    is_over.store(true, Ordering::Relaxed);
    if !listens {
        work.join().unwrap();
    }
    say("end", "");
}
