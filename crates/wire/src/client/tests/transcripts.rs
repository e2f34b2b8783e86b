//! What references answered, byte by byte.

use bytes::BytesMut;
use vedette_resp::encode_command;

use super::stand_in::Host;

/// Replays every connection of a transcript. Lines: `>` words between bars, `!` raw bytes, `<` the
/// reply; an empty line starts a connection.
fn check(transcript: &str, requirepass: Option<&str>) {
    let mut wrong = Vec::new();
    for connection in transcript.split("\n\n") {
        let mut host = Host::new(requirepass);
        let mut client = host.client();
        let lines: Vec<_> = connection.lines().filter(|line| !line.starts_with('#')).collect();
        for pair in lines.chunks(2) {
            let [asked, told] = pair else { panic!("{pair:?}") };
            let reply = host.run(&mut client, &request(asked));
            let reply = escape(&reply);
            let expected = masked(told.strip_prefix("< ").unwrap_or(told).trim_end_matches('<'));
            if masked(&reply) != expected {
                wrong.push(format!("{asked}\n  recorded {expected}\n  ours     {reply}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What differs on purpose or by chance: versions, connection numbers.
fn masked(reply: &str) -> String {
    let mut reply = reply.replace("$6\\r\\n7.0.15", "$5\\r\\n7.4.2");
    reply = reply.replace("$6\\r\\nvalkey", "$5\\r\\nredis").replace("9.1.2", "7.4.2");
    if let Some((before, after)) = reply.split_once("$2\\r\\nid\\r\\n:")
        && let Some((_, after)) = after.split_once("\\r\\n")
    {
        reply = format!("{before}$2\\r\\nid\\r\\n:7\\r\\n{after}");
    }
    reply
}

fn request(line: &str) -> Vec<u8> {
    if let Some(raw) = line.strip_prefix("! ") {
        return unescape(raw);
    }
    let words: Vec<_> = line.strip_prefix("> ").expect("a request").split('|').collect();
    let words: Vec<_> = words.into_iter().map(str::as_bytes).collect();
    let mut bytes = BytesMut::new();
    encode_command(&mut bytes, &words);
    bytes.to_vec()
}

fn escape(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.replace('\\', "\\\\").replace('\r', "\\r").replace('\n', "\\n")
}

fn unescape(text: &str) -> Vec<u8> {
    text.replace("\\r", "\r").replace("\\n", "\n").replace("\\0", "\0").into_bytes()
}

#[test]
fn answers_are_those_of_redis_7_0() {
    check(include_str!("../transcripts/redis-7.0.15.txt"), None);
}

#[test]
fn newer_commands_answer_as_valkey_9_1() {
    check(include_str!("../transcripts/valkey-9.1.2.txt"), None);
}

#[test]
fn strangers_are_turned_away_as_by_redis_7_0() {
    check(include_str!("../transcripts/requirepass.txt"), Some("sesame"));
}
