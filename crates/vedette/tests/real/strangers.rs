//! What a client hears that has not given its password, and what INFO counts of it.

use std::io::{BufRead as _, BufReader, Write as _};

use vedette_wire::Dialect;

use crate::process::alike;

#[test]
fn strangers_are_answered_as_by_the_references() {
    let lines = [
        "nope a",
        "get a",
        "sentinel",
        "sentinel nope",
        "sentinel master",
        "client id x",
        "subscribe",
        "ping a b c",
        "ping",
        "auth",
        "auth a b c d",
        "hello x",
        "hello 3 auth",
        "auth nobody bad",
        "auth bad",
        "auth secret",
        "nope",
        "ping",
    ];
    alike("requirepass secret\n", |setting| {
        let _process = setting.start();
        let mut stream = BufReader::new(setting.connect());
        let mut ask = |line: &str| {
            stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_line(&mut answer).unwrap();
            answer
        };
        let mut told = lines.map(&mut ask).to_vec();
        // Redis 7.0 counts no refusals.
        stream.get_mut().write_all(b"INFO stats\r\nPING END\r\n").unwrap();
        for line in stream.lines().map(Result::unwrap).take_while(|line| line != "END") {
            let of_both = line.starts_with("total_error_replies:");
            let of_valkey = line.starts_with("acl_access_denied_auth:");
            if of_both || of_valkey && setting.dialect == Dialect::Valkey {
                told.push(line);
            }
        }
        told
    });
}
