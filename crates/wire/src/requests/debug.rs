//! `SENTINEL DEBUG <name> <ms> …` (spec: interface 2.19).

use bytes::Bytes;
use vedette_core::{Request, Span, Tunable};
use vedette_resp::parse_integer;

use crate::replies::settings::tunable_name;
use crate::reply::{Reply, error_with};

/// At least one pair. What to tune, and the reply once that is done: a pair that is wrong ends the
/// list, and those before it count, as by the references.
///
/// # Errors
/// The complaint about the first pair: nothing changes.
pub fn parse(words: &[Bytes]) -> Result<(Request, Reply), Reply> {
    let mut values = Vec::new();
    for words in words.chunks(2) {
        match pair(words) {
            Ok(value) => values.push(value),
            Err(complaint) if values.is_empty() => return Err(complaint),
            Err(complaint) => return Ok((Request::Tune(values), complaint)),
        }
    }
    Ok((Request::Tune(values), Reply::OK))
}

fn pair(words: &[Bytes]) -> Result<(Tunable, Span), Reply> {
    let name = &words[0];
    let (Some(tunable), [_, value]) = (find(name), words) else {
        return Err(error_with(&[
            b"ERR Unknown option or number of arguments for SENTINEL DEBUG '",
            name,
            b"'",
        ]));
    };
    let millis = parse_integer(value).filter(|millis| *millis > 0).ok_or_else(|| {
        error_with(&[b"ERR Invalid argument '", value, b"' for SENTINEL DEBUG '", name, b"'"])
    })?;
    Ok((tunable, Span(millis.unsigned_abs())))
}

fn find(name: &[u8]) -> Option<Tunable> {
    let is = |tunable: &Tunable| tunable_name(*tunable).as_bytes().eq_ignore_ascii_case(name);
    Tunable::ALL.iter().map(|(tunable, _)| *tunable).find(is)
}
