//! `CLIENT TRACKING` where it is about other clients: REDIRECT, `CLIENT LIST` and the totals of
//! INFO. What one connection sees of its own stands in `differential/tracking.txt`.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use vedette::lab::{BOUND, until};

use crate::process::alike;

/// All that is answered to a line.
fn ask(stream: &mut TcpStream, line: &str) -> String {
    const END: &str = "\r\n$3\r\nEND\r\n";
    stream.write_all(format!("{line}\r\nPING END\r\n").as_bytes()).unwrap();
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    while !answer.ends_with(END.as_bytes()) {
        let len = stream.read(&mut chunk).unwrap();
        assert!(len > 0, "{line}: closed");
        answer.extend(&chunk[..len]);
    }
    String::from_utf8(answer).unwrap().replace(END, "")
}

fn id_of(stream: &mut TcpStream) -> String {
    ask(stream, "CLIENT ID").trim_start_matches(':').to_owned()
}

/// What INFO and `CLIENT LIST` tell of tracking.
fn shown(stream: &mut TcpStream) -> Vec<String> {
    let text = ask(stream, "INFO everything") + &ask(stream, "CLIENT LIST");
    let of_tracking =
        |word: &&str| ["tracking_", "flags=", "redir="].iter().any(|start| word.starts_with(start));
    text.split_whitespace().filter(of_tracking).map(str::to_owned).collect()
}

/// The numbers of the connections by their names, after `mark`.
fn mask(mark: &str, text: String, places: &[(&str, String)]) -> String {
    places.iter().fold(text, |text, (name, id)| text.replace(&format!("{mark}{id}"), name))
}

#[test]
fn redirections_and_totals_are_those_of_the_references() {
    let lines = [
        "CLIENT TRACKING on redirect $OWN",
        "CLIENT TRACKING on redirect $OTHER noloop",
        "CLIENT TRACKING on redirect $OTHER redirect $OTHER",
        "CLIENT TRACKING on redirect $OTHER redirect abc",
        "CLIENT TRACKING on redirect $OTHER redirect",
        "CLIENT TRACKING on redirect $OTHER foo",
        "CLIENT TRACKING on redirect $OTHER optin optout",
        "CLIENT TRACKING foo redirect $OTHER",
        "CLIENT TRACKING on redirect 99999999",
        "CLIENT TRACKING on",
        "CLIENT TRACKING off redirect $OTHER",
        "CLIENT TRACKING on bcast redirect $OTHER prefix a prefix b",
        "CLIENT TRACKING on bcast prefix c",
    ];
    alike("", |setting| {
        let _process = setting.start();
        let [mut own, mut other] = [setting.connect(), setting.connect()];
        let places = [("$OWN", id_of(&mut own)), ("$OTHER", id_of(&mut other))];
        let mut told = Vec::new();
        for line in lines {
            let filled =
                places.iter().fold(line.to_owned(), |line, (name, id)| line.replace(name, id));
            let mut answers = vec![ask(&mut own, &filled)];
            answers.push(ask(&mut own, "CLIENT TRACKINGINFO"));
            answers.push(ask(&mut own, "CLIENT GETREDIR"));
            let masked = answers.into_iter().map(|answer| mask(":", answer, &places));
            let mut all: Vec<String> = masked.collect();
            all.extend(shown(&mut other).into_iter().map(|word| mask("redir=", word, &places)));
            told.push((line, all));
        }
        // A second one shares a prefix; then both go.
        told.push(("shared", vec![ask(&mut other, "CLIENT TRACKING on bcast prefix a prefix d")]));
        told.push(("both", shown(&mut own)));
        drop(own);
        let left = until("one left", BOUND, || {
            let shown = shown(&mut other);
            let clients = shown.iter().filter(|word| word.starts_with("redir=")).count();
            let is_alone = shown.contains(&"tracking_clients:1".to_owned()) && clients == 1;
            is_alone.then_some(shown)
        });
        told.push(("left", left.unwrap()));
        told
    });
}

/// What was said of the next command is used up by a request of nothing.
#[test]
fn empty_requests_end_like_commands_as_by_the_references() {
    let tracking = "CLIENT TRACKING on OPTIN\r\nCLIENT CACHING yes\r\n";
    alike("", |setting| {
        let _process = setting.start();
        ["", "\r\n", "\n", "  \r\n", "*0\r\n", "*-1\r\n"].map(|nothing| {
            let mut stream = setting.connect();
            let shown = ask(&mut stream, &format!("{tracking}{nothing}CLIENT TRACKINGINFO"));
            (shown, ask(&mut stream, &format!("CLIENT REPLY SKIP\r\n{nothing}PING\r\nPING")))
        })
    });
}
