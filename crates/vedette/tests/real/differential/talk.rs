//! A connection that hears all that a command brings about, and no more.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use bytes::BytesMut;
use vedette_resp::{Frame, ReplyDecoder, ReplyLimits, encode_command, split_words};

use super::spelling::spell;

/// A command that neither knows: its refusal ends what came before it.
const MARKER: &str = "MARKER";
/// Where no answer may come: how long one is awaited. One that comes later is taken for the answer
/// to the next step, so that it is found all the same.
const SILENCE: Duration = Duration::from_millis(100);
/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a Sentinel answers to the steps of a line: the step, and its answer element by element.
pub(super) fn answers(port: u16, line: &str) -> Vec<(String, Vec<String>)> {
    let mut talk = Talk::open(port).unwrap();
    let steps = line.split(" ;; ").map(str::trim);
    steps.map(|step| (step.to_owned(), talk.step(step))).collect()
}

/// One connection.
struct Talk {
    stream: TcpStream,
    decoder: ReplyDecoder,
}

impl Talk {
    fn open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, decoder: ReplyDecoder::new(ReplyLimits::default()) })
    }

    /// `SILENT` before a step: neither it nor what follows is answered.
    fn step(&mut self, step: &str) -> Vec<String> {
        let muted = step.strip_prefix("SILENT ");
        let step = muted.unwrap_or(step);
        let mut bytes = bytes_of(step);
        if muted.is_some() {
            self.stream.set_read_timeout(Some(SILENCE)).unwrap();
        } else {
            bytes.extend(command(&[MARKER]));
        }
        // A protocol error closes the connection: what cannot be written any more shows as its end.
        let _ = self.stream.write_all(&bytes);
        let mut lines = Vec::new();
        loop {
            match self.receive() {
                Ok(Some(frame)) => {
                    let mut spelled = Vec::new();
                    spell(step, &frame, &mut spelled);
                    if muted.is_none() && is_marker(&spelled) {
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
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        lines
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

/// `INLINE text` and `RAW text` are sent as they are, the latter without an end of line and with
/// `\r`, `\n`, `\0` and `\xHH`; all else as an array of words.
fn bytes_of(step: &str) -> Vec<u8> {
    if let Some(line) = step.strip_prefix("INLINE") {
        return format!("{}\r\n", line.trim_start()).into_bytes();
    }
    if let Some(raw) = step.strip_prefix("RAW ") {
        return unescaped(raw);
    }
    let words = split_words(step.as_bytes()).expect("balanced quotes in a list");
    command(&words)
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'\\' {
            bytes.push(first);
            continue;
        }
        let (&letter, after) = rest.split_first().expect("a letter after a backslash");
        rest = after;
        if letter == b'x' {
            let (digits, after) = rest.split_at(2);
            rest = after;
            let digits = std::str::from_utf8(digits).unwrap();
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
        } else {
            let known = [(b'r', b'\r'), (b'n', b'\n'), (b't', b'\t'), (b'0', 0), (b'\\', b'\\')];
            let byte = known.into_iter().find(|(known, _)| *known == letter);
            bytes.push(byte.expect("a known letter after a backslash").1);
        }
    }
    bytes
}

fn command<T: AsRef<[u8]>>(words: &[T]) -> Vec<u8> {
    let words: Vec<&[u8]> = words.iter().map(AsRef::as_ref).collect();
    let mut bytes = BytesMut::new();
    encode_command(&mut bytes, &words);
    bytes.to_vec()
}
