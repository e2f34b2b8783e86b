//! Model nodes on real ports, alone and under a reference Sentinel.

use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use vedette_node::NodeConfig;
use vedette_resp::{Frame, ReplyDecoder, encode_command};

use super::host::Host;
use super::layout::Layout;

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// How long anything may take; a reference Sentinel repoints an old master after ten seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ports that were free a moment ago.
fn free_ports(count: usize) -> Vec<u16> {
    let bind = |_| TcpListener::bind((LOCALHOST, 0)).expect("a free port");
    let listeners: Vec<TcpListener> = (0..count).map(bind).collect();
    listeners.iter().map(|socket| socket.local_addr().expect("an address").port()).collect()
}

/// A master on the second port, replicas on those after it; the first is the control port.
fn layout(ports: &[u16]) -> Layout {
    let config = |&port: &u16| {
        let replica_of = (port != ports[1]).then(|| (LOCALHOST.to_string(), ports[1]));
        Arc::new(NodeConfig { port, replica_of, ..NodeConfig::default() })
    };
    Layout {
        bind: LOCALHOST,
        control_port: Some(ports[0]),
        seed: 1,
        nodes: ports[1..].iter().map(config).collect(),
    }
}

async fn ask(port: u16, words: &str) -> std::io::Result<Frame> {
    let mut stream = TcpStream::connect((LOCALHOST, port)).await?;
    let words: Vec<&[u8]> = words.split(' ').map(str::as_bytes).collect();
    let mut out = BytesMut::new();
    encode_command(&mut out, &words);
    stream.write_all(&out).await?;
    let mut decoder = ReplyDecoder::default();
    loop {
        if let Some(frame) = decoder.next().expect("a server speaks the protocol") {
            return Ok(frame);
        }
        if stream.read_buf(decoder.buffer_mut()).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// Asks until the answer contains a text.
async fn wait_for(port: u16, words: &str, wanted: &str) {
    let start = Instant::now();
    loop {
        let answer = format!("{:?}", ask(port, words).await);
        if answer.contains(wanted) {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{words} never said {wanted}: {answer}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn run<F: Future<Output = ()>>(ports: &[u16], test: F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let mut host = Host::start(layout(ports)).await.expect("free ports");
        tokio::select! {
            () = host.run() => unreachable!("nobody ends the host"),
            () = test => {}
        }
    });
}

#[test]
fn nodes_replicate_and_fail_over_real_sockets() {
    let ports = free_ports(4);
    let [control, master, first, second] = ports[..] else { unreachable!("four ports") };
    run(&ports, async move {
        for replica in [first, second] {
            wait_for(replica, "INFO replication", "master_link_status:up").await;
        }
        assert_eq!(ask(master, "SET a 1").await.expect("an answer"), Frame::OK);
        wait_for(second, "GET a", "\"1\"").await;

        let mut open = TcpStream::connect((LOCALHOST, master)).await.expect("a connection");
        assert_eq!(ask(control, &format!("KILL {master}")).await.expect("an answer"), Frame::OK);
        let end = open.read(&mut [0]).await.map_err(|error| error.kind());
        assert_eq!(end, Err(std::io::ErrorKind::ConnectionReset));
        assert!(ask(master, "PING").await.is_err());
        wait_for(first, "INFO replication", "master_link_status:down").await;

        ask(control, &format!("REVIVE {master}")).await.expect("an answer");
        wait_for(master, "GET a", "\"1\"").await;
        wait_for(first, "INFO replication", "master_link_status:up").await;
        wait_for(control, "LIST", &format!("{master} up master")).await;
        wait_for(control, "KILL 1", "no node on port 1").await;
    });
}

/// A reference Sentinel; it ends with this value.
struct Sentinel(Child, #[expect(dead_code, reason = "removed when dropped")] tempfile::TempDir);

impl Sentinel {
    fn start(port: u16, master: u16) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("sentinel.conf");
        let text = format!(
            "port {port}\nbind 127.0.0.1\nsentinel monitor m 127.0.0.1 {master} 1\n\
             sentinel down-after-milliseconds m 3000\nsentinel failover-timeout m 10000\n"
        );
        std::fs::write(&file, text).expect("a file");
        let program =
            std::env::var_os("VEDETTE_REDIS_SERVER").map_or("redis-server".into(), PathBuf::from);
        let process = Command::new(program)
            .arg(file)
            .arg("--sentinel")
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server: install it, or set VEDETTE_REDIS_SERVER to one");
        Self(process, folder)
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_reference_sentinel_takes_model_nodes_for_real_ones() {
    let ports = free_ports(5);
    let [sentinel, nodes @ ..] = &ports[..] else { unreachable!("five ports") };
    let (sentinel, nodes) = (*sentinel, nodes.to_vec());
    let [control, master, first, second] = nodes[..] else { unreachable!("four ports") };
    run(&nodes.clone(), async move {
        let _process = Sentinel::start(sentinel, master);
        for replica in [first, second] {
            wait_for(sentinel, "SENTINEL REPLICAS m", &format!("127.0.0.1:{replica}")).await;
        }
        wait_for(sentinel, "SENTINEL REPLICAS m", "\"ok\"").await;
        ask(master, "SET a 1").await.expect("an answer");
        for replica in [first, second] {
            wait_for(replica, "GET a", "\"1\"").await;
        }
        ask(control, &format!("KILL {master}")).await.expect("an answer");
        wait_for(sentinel, "SENTINEL MASTER m", "failover_in_progress").await;
        let start = Instant::now();
        let promoted = loop {
            let answer = ask(sentinel, "SENTINEL GET-MASTER-ADDR-BY-NAME m").await;
            let answer = format!("{answer:?}");
            if let Some(port) =
                [first, second].iter().find(|port| answer.contains(&port.to_string()))
            {
                break *port;
            }
            assert!(start.elapsed() < PATIENCE, "no switch: {answer}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        wait_for(promoted, "ROLE", "master").await;
        wait_for(promoted, "INFO replication", "connected_slaves:1").await;
        // The old master comes back as a master; the Sentinel makes it a replica.
        ask(control, &format!("REVIVE {master}")).await.expect("an answer");
        wait_for(promoted, "INFO replication", "connected_slaves:2").await;
        wait_for(master, "INFO replication", "master_link_status:up").await;
        wait_for(master, "GET a", "\"1\"").await;
    });
}
