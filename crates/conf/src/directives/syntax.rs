//! The forms that the value of a general directive can have, with the reference's error texts
//! (spec: interface 8.1, 8.2).

use std::net::{Ipv4Addr, Ipv6Addr};

/// What a directive takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// `yes` or `no`, any case.
    YesNo,
    /// A whole number between two limits, both allowed.
    Integer(i64, i64),
    /// Bytes with an optional unit, between two limits, both allowed.
    Memory(u64, u64),
    /// Bytes, or a part of the whole as `5%`.
    MemoryOrPercent,
    /// Octal digits up to 777.
    Octal,
    /// One word of a list, any case.
    Choice(&'static [&'static str]),
    /// Words of a list, any number, also in one quoted word.
    Choices(&'static [&'static str]),
    /// Any single word.
    Text,
    /// A word that is no path; the text names the directive in messages.
    FileName(&'static str, &'static str),
    /// Letters, digits, hyphens and dots.
    HostName,
    /// An IPv4 address or nothing.
    Ipv4,
    /// An IPv6 address or nothing.
    Ipv6,
    /// A number of words, each an integer between two limits, also in one quoted word.
    Integers(usize, i64, i64),
    /// Numbers from 0 to 100.
    Percentiles,
    /// Pairs of seconds and changes, or nothing.
    SavePoints,
    /// Letters of event classes.
    EventClasses,
    /// A host and a port.
    HostPort,
    /// Obsolete: one word, whatever it is.
    Obsolete,
}

/// A value that its syntax accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Flag(bool),
    Number(i64),
    Bytes(u64),
    Choice(&'static str),
    Text(&'a [u8]),
    /// Checked, and of no further interest.
    Checked,
}

/// Two numbers that most directives share as their limits.
pub(crate) const INT_MAX: i64 = i32::MAX as i64;
pub(crate) const MEMORY_MAX: u64 = i64::MAX as u64;

const BAD_DIRECTIVE: &str = "Bad directive or wrong number of arguments";
const WRONG_NUMBER: &str = "wrong number of arguments";
const NO_INTEGER: &str = "argument couldn't be parsed into an integer";
const NO_MEMORY: &str = "argument must be a memory value";

impl Syntax {
    /// Checks the words after the directive's name.
    pub(crate) fn read<'a>(&self, words: &'a [Vec<u8>]) -> Result<Value<'a>, String> {
        match self {
            Self::Choices(allowed) => choices(&spread(words)?, allowed),
            Self::Integers(count, min, max) => integers(&spread(words)?, *count, *min, *max),
            Self::Percentiles => percentiles(&spread(words)?),
            Self::SavePoints => save_points(&spread(words)?),
            Self::HostPort => host_port(&spread(words)?),
            _ => match words {
                [word] => self.read_one(word),
                _ if *self == Self::Obsolete => Err(BAD_DIRECTIVE.into()),
                _ => Err(WRONG_NUMBER.into()),
            },
        }
    }

    fn read_one<'a>(&self, word: &'a [u8]) -> Result<Value<'a>, String> {
        match self {
            Self::YesNo => {
                yes_no(word).map(Value::Flag).ok_or("argument must be 'yes' or 'no'".into())
            }
            Self::Integer(min, max) => integer(word, *min, *max).map(Value::Number),
            Self::Memory(min, max) => bounded_memory(word, *min, *max).map(Value::Bytes),
            Self::MemoryOrPercent => memory_or_percent(word),
            Self::Octal => octal(word).map(Value::Number),
            Self::Choice(allowed) => one_of(word, allowed).map(Value::Choice),
            Self::FileName(name, kind) => file_name(word, name, kind),
            Self::HostName => host_name(word),
            Self::Ipv4 => address::<Ipv4Addr>(word, "Invalid IPv4 address"),
            Self::Ipv6 => address::<Ipv6Addr>(word, "Invalid IPv6 address"),
            Self::EventClasses => event_classes(word),
            Self::Text => Ok(Value::Text(word)),
            Self::Obsolete
            | Self::Choices(_)
            | Self::Integers(..)
            | Self::Percentiles
            | Self::SavePoints
            | Self::HostPort => Ok(Value::Checked),
        }
    }
}

/// The words of a directive that takes several; all of them may stand in one quoted word.
pub(crate) fn spread(words: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, String> {
    match words {
        [single] => crate::words::split(single).map_err(|unbalanced| unbalanced.to_string()),
        _ => Ok(words.to_vec()),
    }
}

pub(crate) fn yes_no(word: &[u8]) -> Option<bool> {
    let yes = word.eq_ignore_ascii_case(b"yes");
    (yes || word.eq_ignore_ascii_case(b"no")).then_some(yes)
}

fn integer(word: &[u8], min: i64, max: i64) -> Result<i64, String> {
    let number = strict_integer(word).ok_or(NO_INTEGER)?;
    if (min..=max).contains(&number) { Ok(number) } else { Err(out_of_range(min, max)) }
}

/// The message of a number beyond its limits.
pub(crate) fn out_of_range(min: impl std::fmt::Display, max: impl std::fmt::Display) -> String {
    format!("argument must be between {min} and {max} inclusive")
}

/// A decimal number in its one canonical spelling.
fn strict_integer(word: &[u8]) -> Option<i64> {
    let text = str::from_utf8(word).ok()?;
    let number: i64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// Bytes with an optional unit: `k` is 1000, `kb` 1024, and so on.
pub(crate) fn memory(word: &[u8]) -> Option<u64> {
    let text = str::from_utf8(word).ok()?.to_ascii_lowercase();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "" | "b" => 1,
        "k" => 1000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    let number: u64 = if number.is_empty() && unit.is_empty() { 0 } else { number.parse().ok()? };
    number.checked_mul(factor)
}

fn bounded_memory(word: &[u8], min: u64, max: u64) -> Result<u64, String> {
    let bytes = memory(word).ok_or(NO_MEMORY)?;
    if (min..=max).contains(&bytes) { Ok(bytes) } else { Err(out_of_range(min, max)) }
}

fn memory_or_percent(word: &[u8]) -> Result<Value<'_>, String> {
    const NEITHER: &str = "argument must be a memory or percent value";
    let Some(percent) = word.strip_suffix(b"%") else {
        return memory(word).map(Value::Bytes).ok_or(NEITHER.into());
    };
    match strict_integer(percent).ok_or(NEITHER)? {
        ..0 => Err(NEITHER.into()),
        0..=100 => Ok(Value::Checked),
        _ => Err("percentage argument must be less or equal to 100".into()),
    }
}

fn octal(word: &[u8]) -> Result<i64, String> {
    const NO_OCTAL: &str = "argument couldn't be parsed as an octal number";
    const MODE_MAX: i64 = 0o777;
    let text = str::from_utf8(word).map_err(|_| NO_OCTAL)?;
    let number =
        if text.is_empty() { 0 } else { i64::from_str_radix(text, 8).map_err(|_| NO_OCTAL)? };
    if (0..=MODE_MAX).contains(&number) { Ok(number) } else { Err(out_of_range(0, "777")) }
}

fn one_of(word: &[u8], allowed: &'static [&'static str]) -> Result<&'static str, String> {
    let found = allowed.iter().find(|name| word.eq_ignore_ascii_case(name.as_bytes()));
    found
        .copied()
        .ok_or_else(|| format!("argument(s) must be one of the following: {}", allowed.join(", ")))
}

fn choices(words: &[Vec<u8>], allowed: &'static [&'static str]) -> Result<Value<'static>, String> {
    let none = [Vec::new()];
    let words = if words.is_empty() { &none } else { words };
    let chosen: Vec<_> =
        words.iter().map(|word| one_of(word, allowed)).collect::<Result<_, _>>()?;
    if chosen.contains(&"save") && chosen.contains(&"nosave") {
        return Err("shutdown options SAVE and NOSAVE can't be used simultaneously".into());
    }
    Ok(Value::Checked)
}

fn file_name<'a>(word: &'a [u8], name: &str, kind: &str) -> Result<Value<'a>, String> {
    if word.contains(&b'/') {
        return Err(format!("{name} can't be a path, just a {kind}"));
    }
    // The references differ on whether `dbfilename` may be empty; the lenient one decides.
    if word.is_empty() && name != "dbfilename" {
        return Err(format!("{name} can't be empty"));
    }
    Ok(Value::Text(word))
}

fn host_name(word: &[u8]) -> Result<Value<'_>, String> {
    let fine = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    if word.iter().all(fine) {
        return Ok(Value::Checked);
    }
    Err("Hostnames may only contain alphanumeric characters, hyphens or dots".into())
}

fn address<'a, T: std::str::FromStr>(word: &'a [u8], message: &str) -> Result<Value<'a>, String> {
    let parsed = str::from_utf8(word).is_ok_and(|text| text.parse::<T>().is_ok());
    if word.is_empty() || parsed { Ok(Value::Text(word)) } else { Err(message.into()) }
}

fn integers(words: &[Vec<u8>], count: usize, min: i64, max: i64) -> Result<Value<'static>, String> {
    if words.len() != count {
        return Err(WRONG_NUMBER.into());
    }
    let fine = |word: &Vec<u8>| integer(word, min, max).is_ok();
    if words.iter().all(fine) {
        return Ok(Value::Checked);
    }
    Err(format!("Invalid oom-score-adj-values, elements must be between {min} and {max}."))
}

fn percentiles(words: &[Vec<u8>]) -> Result<Value<'static>, String> {
    for word in words {
        let number = str::from_utf8(word).ok().and_then(|text| text.parse::<f64>().ok());
        match number {
            Some(number) if (0.0..=100.0).contains(&number) => {}
            Some(_) => {
                return Err("latency-tracking-info-percentiles parameters should sit between \
                            [0.0,100.0]"
                    .into());
            }
            None => return Err("Invalid latency-tracking-info-percentiles parameters".into()),
        }
    }
    Ok(Value::Checked)
}

fn save_points(words: &[Vec<u8>]) -> Result<Value<'static>, String> {
    let fine = |(index, word): (usize, &Vec<u8>)| {
        let least = if index % 2 == 0 { 1 } else { 0 };
        integer(word, least, INT_MAX).is_ok()
    };
    if words.len().is_multiple_of(2) && words.iter().enumerate().all(fine) {
        return Ok(Value::Checked);
    }
    Err("Invalid save parameters".into())
}

fn event_classes(word: &[u8]) -> Result<Value<'_>, String> {
    if word.iter().all(|byte| b"Ag$lshzxeKEtmdnSTIVoc".contains(byte)) {
        return Ok(Value::Checked);
    }
    Err("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.".into())
}

fn host_port(words: &[Vec<u8>]) -> Result<Value<'static>, String> {
    let [host, port] = words else { return Err(WRONG_NUMBER.into()) };
    let nobody = host.eq_ignore_ascii_case(b"no") && port.eq_ignore_ascii_case(b"one");
    if nobody || integer(port, 0, i64::from(u16::MAX)).is_ok() {
        return Ok(Value::Checked);
    }
    Err("Invalid master port".into())
}
