//! Somebody who answers like a fellow Sentinel, says that every master is down, and votes for
//! nobody.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use vedette_resp::{RequestDecoder, RequestLimits};

/// Its answer to `SENTINEL IS-MASTER-DOWN-BY-ADDR`.
const DOWN_WITHOUT_A_VOTE: &[u8] = b"*3\r\n:1\r\n$1\r\n*\r\n:0\r\n";

/// Answers until the test ends; the port.
pub(super) fn start() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    port
}

fn answer(mut stream: TcpStream) {
    let mut decoder = RequestDecoder::new(RequestLimits::default(), true);
    let mut chunk = [0; 4096];
    while let Ok(len @ 1..) = stream.read(&mut chunk) {
        decoder.feed(&chunk[..len]);
        while let Ok(Some(request)) = decoder.next() {
            let reply: &[u8] = match request.name().to_ascii_lowercase().as_slice() {
                b"ping" => b"+PONG\r\n",
                b"sentinel" => DOWN_WITHOUT_A_VOTE,
                b"publish" => b":1\r\n",
                _ => b"+OK\r\n",
            };
            if stream.write_all(reply).is_err() {
                return;
            }
        }
    }
}
