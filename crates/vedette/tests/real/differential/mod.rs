//! The same commands to a reference and to ours, which watch the same nodes: the same answers.

mod spelling;

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use bytes::BytesMut;
use vedette::lab::{GroupSpec, Lab, Template};
use vedette_resp::{Frame, ReplyDecoder, ReplyLimits, encode_command, split_words};

use vedette_wire::Dialect;

use crate::group::{redis_sentinel, speaking, spec, start, valkey_sentinel};
use spelling::{Mask, spell};

const COMMANDS: &str = include_str!("commands.txt");
/// A command that neither knows: its refusal ends what came before it.
const MARKER: &str = "MARKER";
/// Longest wait for an answer where none may come.
const SILENCE: Duration = Duration::from_millis(400);

/// A line of the list.
struct Case {
    line: String,
    /// Why the answers differ, if they must.
    differs: Option<String>,
}

impl Case {
    /// `! [R:|V:]<reason>, … | <command>`: it differs, from both references or from one.
    fn parse(line: &str, dialect: Dialect) -> Self {
        let Some((reasons, line)) = line.strip_prefix("! ").and_then(|it| it.split_once(" | "))
        else {
            return Self { line: line.to_owned(), differs: None };
        };
        let ours = match dialect {
            Dialect::Redis => "V:",
            Dialect::Valkey => "R:",
        };
        let binding = reasons.split(", ").filter(|reason| !reason.starts_with(ours));
        let binding: Vec<&str> = binding.collect();
        let differs = (!binding.is_empty()).then(|| binding.join(", "));
        Self { line: line.to_owned(), differs }
    }
}

fn cases(master_port: u16, dialect: Dialect) -> Vec<Case> {
    let lines = COMMANDS.lines().filter(|line| !line.is_empty() && !line.starts_with("# "));
    let port = master_port.to_string();
    lines.map(|line| Case::parse(&line.replace("$MASTER", &port), dialect)).collect()
}

/// What a Sentinel answers to the steps of a line, each spelled and masked.
fn answers(port: u16, line: &str, mask: &Mask) -> Vec<Vec<String>> {
    let mut talk = Talk::open(port).unwrap();
    line.split(" ;; ").map(|step| talk.step(step.trim(), mask)).collect()
}

/// One connection.
struct Talk {
    stream: TcpStream,
    decoder: ReplyDecoder,
    /// It may be silent from now on.
    is_muted: bool,
}

impl Talk {
    fn open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let decoder = ReplyDecoder::new(ReplyLimits::default());
        Ok(Self { stream, decoder, is_muted: false })
    }

    fn step(&mut self, step: &str, mask: &Mask) -> Vec<String> {
        // A protocol error closes the connection: what cannot be written any more shows as its end.
        let _ = self.stream.write_all(&bytes_of(step));
        self.is_muted = step.starts_with("CLIENT REPLY");
        if self.is_muted {
            self.stream.set_read_timeout(Some(SILENCE)).unwrap();
        } else {
            let _ = self.stream.write_all(&command(&[MARKER]));
        }
        let mut lines = Vec::new();
        loop {
            match self.receive() {
                Ok(Some(frame)) => {
                    let mut spelled = Vec::new();
                    spell(&frame, &mut spelled);
                    if !self.is_muted && is_marker(&spelled) {
                        break;
                    }
                    lines.extend(spelled);
                }
                Ok(None) => {
                    lines.push("closed".to_owned());
                    break;
                }
                Err(_) => {
                    lines.push("silent".to_owned());
                    break;
                }
            }
        }
        self.stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        mask.apply(step, lines)
    }

    fn receive(&mut self) -> io::Result<Option<Frame>> {
        let mut chunk = [0; 16 * 1024];
        loop {
            if let Ok(Some(frame)) = self.decoder.next() {
                return Ok(Some(frame));
            }
            match self.stream.read(&mut chunk) {
                Ok(0) => return Ok(None),
                Ok(len) => self.decoder.feed(&chunk[..len]),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }
}

fn is_marker(spelled: &[String]) -> bool {
    spelled.len() == 1 && spelled[0].starts_with('-') && spelled[0].to_uppercase().contains(MARKER)
}

fn bytes_of(step: &str) -> Vec<u8> {
    if let Some(line) = step.strip_prefix("INLINE") {
        return format!("{}\r\n", line.trim_start()).into_bytes();
    }
    if let Some(raw) = step.strip_prefix("RAW ") {
        return raw.replace("\\r", "\r").replace("\\n", "\n").into_bytes();
    }
    let words = split_words(step.as_bytes()).expect("balanced quotes in commands.txt");
    command(&words)
}

fn command<T: AsRef<[u8]>>(words: &[T]) -> Vec<u8> {
    let words: Vec<&[u8]> = words.iter().map(AsRef::as_ref).collect();
    let mut bytes = BytesMut::new();
    encode_command(&mut bytes, &words);
    bytes.to_vec()
}

/// The lines in which the two differ, and those in which they should.
fn compare(lab: &Lab, dialect: Dialect) -> Vec<String> {
    let [reference, ours] = [&lab.sentinels[0], &lab.sentinels[1]].map(|sentinel| sentinel.port());
    let mask = Mask::new([reference, ours]);
    let master = lab.shards[0].nodes[0].port();
    let mut findings = Vec::new();
    for case in cases(master, dialect) {
        let (theirs, mine) =
            (answers(reference, &case.line, &mask), answers(ours, &case.line, &mask));
        match (&case.differs, theirs == mine) {
            (None, false) => {
                let (theirs, mine) = first_difference(&theirs, &mine);
                findings.push(format!("{}\n  reference {theirs}\n  ours      {mine}", case.line));
            }
            (Some(reason), true) => {
                findings.push(format!("{} does not differ any more: {reason}", case.line));
            }
            (None, true) | (Some(_), false) => {}
        }
    }
    findings
}

/// From where on the answers differ, and a little more.
fn first_difference(theirs: &[Vec<String>], mine: &[Vec<String>]) -> (String, String) {
    let (theirs, mine) = (theirs.concat(), mine.concat());
    let same = theirs.iter().zip(&mine).take_while(|(theirs, mine)| theirs == mine).count();
    let from = |lines: &[String]| {
        let rest: Vec<_> = lines.iter().skip(same).take(8).collect();
        format!("{same}: {rest:?}")
    };
    (from(&theirs), from(&mine))
}

#[test]
fn commands_are_answered_as_by_redis() {
    let Some(reference) = redis_sentinel() else { return };
    check(Dialect::Redis, reference);
}

#[test]
fn commands_are_answered_as_by_valkey() {
    let Some(reference) = valkey_sentinel() else { return };
    check(Dialect::Valkey, reference);
}

fn check(dialect: Dialect, reference: Template) {
    let lab = start(GroupSpec {
        sentinels: vec![reference, speaking(dialect)],
        quorum: 1,
        replicas: 1,
        down_after_ms: 30_000,
        ..spec()
    });
    let findings = compare(&lab, dialect);
    assert!(findings.is_empty(), "{} differ:\n{}", findings.len(), findings.join("\n"));
}
