//! Hellos: any payload is survived; what is one is written as it came; what is written is read
//! back or is none, never something else unless it was too long.
//!
//! Input: a payload; the same bytes as a tape are the fields of a hello.

use vedette_core::{Endpoint, Hello};
use vedette_wire::hello::{HELLO_MAX, parse_hello, render_hello};
use vedette_wire::requests::monitor::NAME_MAX;

use crate::{Tape, shown};

/// Longest host name that DNS allows, and more than any address.
const HOST_MAX: usize = 255;

/// The trial.
pub fn run(data: &[u8]) {
    if let Some(hello) = parse_hello(data) {
        assert_eq!(shown(&render_hello(&hello)), shown(data));
    }
    let mut tape = Tape::new(data);
    let hello = Hello {
        sentinel: endpoint(&mut tape),
        id: tape.id(),
        current_epoch: tape.epoch(),
        address: endpoint(&mut tape),
        config_epoch: tape.epoch(),
        master: tape.text().into(),
    };
    let payload = render_hello(&hello);
    assert!(payload.len() <= HELLO_MAX);
    let read = parse_hello(&payload);
    if is_sound(&hello) {
        assert_eq!(read.as_ref(), Some(&hello), "{}", shown(&payload));
    } else if payload.len() < HELLO_MAX {
        // One that was cut off, as the reference does, may have lost digits of its last epoch.
        assert!(read.is_none_or(|read| read == hello), "{}", shown(&payload));
    }
}

fn endpoint(tape: &mut Tape<'_>) -> Endpoint {
    let host = match tape.below(3) {
        0 => format!("10.0.0.{}", tape.byte()),
        1 => format!("sentinel-{}.svc", tape.byte()),
        _ => tape.text(),
    };
    Endpoint::new(&host, u16::from_be_bytes([tape.byte(), tape.byte()]))
}

/// Whether the names are such as operators may give.
fn is_sound(hello: &Hello) -> bool {
    let host = |host: &str| {
        let fine = |c: char| c.is_ascii_alphanumeric() || ".:-_%".contains(c);
        (1..=HOST_MAX).contains(&host.len()) && host.chars().all(fine)
    };
    host(&hello.sentinel.host)
        && host(&hello.address.host)
        && hello.master.len() <= NAME_MAX
        && !hello.master.contains(',')
}
