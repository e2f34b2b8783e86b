//! The control port: faults on command, as text lines or as a Redis client sends them.

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use vedette_node::{Fault, Input, Revival};
use vedette_resp::{
    Frame, Protocol, Request, RequestDecoder, RequestError, RequestLimits, encode_frame,
};

use super::host::{Event, Host, Hosted};

const HELP: &[&str] = &[
    "KILL <port>             reset all connections, refuse new ones",
    "REVIVE <port>           start again with the data and the rewritten configuration",
    "REVIVE <port> EMPTY     the same without the data",
    "REVIVE <port> SAME      as if the host had only been cut off",
    "HANG <port>             read nothing, answer nothing",
    "RESUME <port>           end HANG",
    "REFUSE <port>           refuse new connections, keep the others",
    "ACCEPT <port>           end REFUSE",
    "LOADING <port> <ms>     answer -LOADING for so long",
    "BUSY <port>             answer -BUSY until SCRIPT KILL",
    "LAG <port> <ms>         delay what comes from the master; 0 ends it",
    "STALL <port>            stop what comes from the master; LAG <port> 0 ends it",
    "LIST                    all nodes",
    "COUNT                   commands that all nodes have processed",
    "GAPS                    ms: the longest wait between two PINGs of a connection since GAPS",
    "SHUTDOWN                end the process",
    "QUIT                    close this connection",
];

/// Accepts operators for ever.
pub(super) async fn serve(listener: TcpListener, events: mpsc::Sender<Event>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(converse(stream, events.clone()));
            }
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
        }
    }
}

async fn converse(mut stream: TcpStream, events: mpsc::Sender<Event>) {
    let mut decoder = RequestDecoder::new(RequestLimits::default(), false);
    let mut chunk = [0; 1024];
    loop {
        let (out, goes_on) = answer_all(&mut decoder, &events).await;
        if stream.write_all(&out).await.is_err() || !goes_on {
            return;
        }
        match stream.read(&mut chunk).await {
            Ok(len) if len > 0 => decoder.feed(&chunk[..len]),
            Ok(_) | Err(_) => return,
        }
    }
}

/// Answers every whole command; says whether to go on.
async fn answer_all(
    decoder: &mut RequestDecoder,
    events: &mpsc::Sender<Event>,
) -> (BytesMut, bool) {
    let mut out = BytesMut::new();
    loop {
        let frame = match decoder.next() {
            Ok(None) => return (out, true),
            Ok(Some(request)) if request.name().eq_ignore_ascii_case(b"quit") => {
                encode_frame(&mut out, &Frame::OK, Protocol::Resp2);
                return (out, false);
            }
            Ok(Some(request)) => ask(events, request).await,
            Err(RequestError::Protocol(error)) => {
                encode_frame(&mut out, &Frame::error(error.reply_text()), Protocol::Resp2);
                return (out, false);
            }
            Err(RequestError::QueryBufferFull) => return (out, false),
        };
        encode_frame(&mut out, &frame, Protocol::Resp2);
    }
}

async fn ask(events: &mpsc::Sender<Event>, request: Request) -> Frame {
    let (answer, answered) = oneshot::channel();
    // Both fail only at the end of the process.
    let _ = events.send(Event::Commanded { request, answer }).await;
    answered.await.unwrap_or(Frame::OK)
}

/// Executes one command on the nodes.
pub(super) async fn execute(host: &mut Host, request: &Request) -> Frame {
    let words: Vec<String> =
        request.args.iter().map(|word| String::from_utf8_lossy(word).to_lowercase()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["help"] => lines(HELP.iter().map(|line| (*line).to_owned())),
        ["list"] => lines(host.nodes.iter().map(Hosted::describe)),
        ["count"] => {
            let counts = host.nodes.iter().map(|hosted| hosted.node.commands_processed());
            Frame::Integer(i64::try_from(counts.sum::<u64>()).unwrap_or(i64::MAX))
        }
        ["gaps"] => {
            let gaps = host.nodes.iter_mut().map(|hosted| hosted.node.take_longest_ping_gap());
            Frame::Integer(i64::try_from(gaps.max().unwrap_or(0)).unwrap_or(i64::MAX))
        }
        ["shutdown"] => {
            host.is_ending = true;
            Frame::OK
        }
        // What redis-cli says of its own accord.
        ["command", ..] => Frame::Array(vec![]),
        ["ping"] => Frame::simple("PONG"),
        [verb, port, ref rest @ ..] => match (fault(verb, rest), find(host, port)) {
            (Some(fault), Some(node)) => {
                host.input(node, Input::Faulted(fault)).await;
                Frame::OK
            }
            (Some(_), None) => Frame::error(format!("ERR no node on port {port}; try LIST")),
            (None, _) => unknown(),
        },
        _ => unknown(),
    }
}

fn unknown() -> Frame {
    Frame::error(&b"ERR unknown command; try HELP"[..])
}

fn lines(lines: impl Iterator<Item = String>) -> Frame {
    Frame::Array(lines.map(|line| Frame::Bulk(Bytes::from(line))).collect())
}

fn find(host: &Host, port: &str) -> Option<usize> {
    let port: u16 = port.parse().ok()?;
    host.nodes.iter().position(|hosted| hosted.node.config().port == port)
}

fn fault(verb: &str, rest: &[&str]) -> Option<Fault> {
    let ms = || rest.first()?.parse().ok().filter(|_| rest.len() == 1);
    Some(match (verb, rest) {
        ("kill", []) => Fault::Killed,
        ("revive", []) => Fault::Revived(Revival::WithData),
        ("revive", ["empty"]) => Fault::Revived(Revival::Empty),
        ("revive", ["same"]) => Fault::Revived(Revival::SameProcess),
        ("hang", []) => Fault::Hung,
        ("resume", []) => Fault::Resumed,
        ("refuse", []) => Fault::ConnectionsRefused,
        ("accept", []) => Fault::ConnectionsAccepted,
        ("busy", []) => Fault::ScriptStarted { has_written: false },
        ("stall", []) => Fault::ReplicationPaused,
        ("loading", _) => Fault::LoadingStarted { ms: ms()? },
        ("lag", _) => Fault::ReplicationLagged { ms: ms()? },
        _ => return None,
    })
}
