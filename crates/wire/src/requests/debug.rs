//! `SENTINEL DEBUG <name> <ms> …` (spec: interface 2.19).

use bytes::Bytes;
use vedette_core::{Request, Span, Tunable};
use vedette_resp::parse_integer;

use super::Parsed;
use crate::replies::settings::tunable_name;
use crate::reply::error_with;

/// At least one pair.
///
/// # Errors
/// The complaint about the first pair that is wrong.
pub fn parse(words: &[Bytes]) -> Parsed {
    let mut values = Vec::new();
    for pair in words.chunks(2) {
        let name = &pair[0];
        let (Some(tunable), [_, value]) = (find(name), pair) else {
            return Err(error_with(&[
                b"ERR Unknown option or number of arguments for SENTINEL DEBUG '",
                name,
                b"'",
            ]));
        };
        let millis = parse_integer(value).filter(|millis| *millis > 0).ok_or_else(|| {
            error_with(&[b"ERR Invalid argument '", value, b"' for SENTINEL DEBUG '", name, b"'"])
        })?;
        values.push((tunable, Span(millis.unsigned_abs())));
    }
    Ok(Request::Tune(values))
}

fn find(name: &[u8]) -> Option<Tunable> {
    let is = |tunable: &Tunable| tunable_name(*tunable).as_bytes().eq_ignore_ascii_case(name);
    Tunable::ALL.iter().map(|(tunable, _)| *tunable).find(is)
}
