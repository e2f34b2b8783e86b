//! A client's connection: any bytes in any pieces give the replies that they give as a whole, every
//! reply is whole, and a stranger learns nothing.
//!
//! Input: options, cuts, then what the client sends.

use crate::host::{AUTH_PASS, Host, Outcome, PASSWORD};
use crate::{Cuts, Tape, frames, shown};

/// The trial.
pub fn run(data: &[u8]) {
    let mut tape = Tape::new(data);
    let has_password = tape.flag();
    let cuts = Cuts::new(tape.byte());
    let stream = tape.rest();

    let whole = sent(has_password, &[stream]);
    let pieces: Vec<&[u8]> = cuts.of(stream).collect();
    let cut = sent(has_password, &pieces);
    // The sizes in client lines are those of the moment.
    if !contains(&whole.written, b"qbuf=") && !contains(&cut.written, b"qbuf=") {
        assert_eq!(shown(&cut.written), shown(&whole.written), "{}", shown(data));
        assert_eq!(cut.warnings, whole.warnings);
    }
    assert_eq!(cut.ended, whole.ended);

    // Decoded: every reply is whole, in whichever protocol.
    let replies = frames::read_all(&whole.written);
    if has_password && !contains(stream, PASSWORD.as_bytes()) {
        let ok = vedette_resp::Frame::OK;
        // QUIT is the one command that a stranger may use.
        let told = replies.iter().find(|reply| !reply.is_error() && **reply != ok);
        assert_eq!(told, None, "a stranger was told something: {}", shown(data));
        assert!(!contains(&whole.written, PASSWORD.as_bytes()));
    }
    if !contains(stream, AUTH_PASS.as_bytes()) {
        assert!(!contains(&whole.written, AUTH_PASS.as_bytes()), "{}", shown(data));
    }
}

/// Everything that comes of pieces one after the other.
fn sent(has_password: bool, pieces: &[&[u8]]) -> Outcome {
    let mut host = Host::new(has_password);
    let mut client = host.client();
    let mut all = Outcome::default();
    for piece in pieces {
        let outcome = host.run(&mut client, piece);
        assert!(!(all.ended && (outcome.ended || !outcome.written.is_empty())), "after the end");
        all.written.extend(outcome.written);
        all.warnings.extend(outcome.warnings);
        all.ended |= outcome.ended;
    }
    all
}

/// Whether some bytes stand in others.
pub(crate) fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
