//! Inline commands: one line of words with quotes.

use bytes::Bytes;
use thiserror::Error;

/// A quote is not closed, or a closing quote is not followed by a blank or the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("unbalanced quotes")]
pub struct UnbalancedQuotes;

/// Splits a line into words (spec: interface 8.1, 1.2). A NUL byte ends the line, as it does in
/// the reference.
pub fn split_words(line: &[u8]) -> Result<Vec<Bytes>, UnbalancedQuotes> {
    let end = memchr::memchr(0, line).unwrap_or(line.len());
    let mut rest = &line[..end];
    let mut words = Vec::new();
    loop {
        let blanks = rest.iter().take_while(|byte| is_blank(**byte)).count();
        rest = &rest[blanks..];
        if rest.is_empty() {
            return Ok(words);
        }
        let (word, after) = take_word(rest)?;
        words.push(word.into());
        rest = after;
    }
}

/// C's `isspace`.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

fn take_word(line: &[u8]) -> Result<(Vec<u8>, &[u8]), UnbalancedQuotes> {
    let mut word = Vec::new();
    let mut rest = line;
    while let [byte, after @ ..] = rest {
        match byte {
            // Vertical tab and form feed separate words but do not end one.
            b' ' | b'\t' | b'\n' | b'\r' => return Ok((word, rest)),
            b'"' => return double_quoted(word, after),
            b'\'' => return single_quoted(word, after),
            _ => {
                word.push(*byte);
                rest = after;
            }
        }
    }
    Ok((word, rest))
}

/// The rest of a word after an opening double quote; the closing quote ends the word.
fn double_quoted(mut word: Vec<u8>, line: &[u8]) -> Result<(Vec<u8>, &[u8]), UnbalancedQuotes> {
    let mut rest = line;
    loop {
        rest = match rest {
            [b'"', after @ ..] => return closed(word, after),
            [b'\\', b'x', high, low, after @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                word.push(hex(*high) << 4 | hex(*low));
                after
            }
            [b'\\', escaped, after @ ..] => {
                word.push(unescape(*escaped));
                after
            }
            [byte, after @ ..] => {
                word.push(*byte);
                after
            }
            [] => return Err(UnbalancedQuotes),
        };
    }
}

/// The rest of a word after an opening single quote; the closing quote ends the word.
fn single_quoted(mut word: Vec<u8>, line: &[u8]) -> Result<(Vec<u8>, &[u8]), UnbalancedQuotes> {
    let mut rest = line;
    loop {
        rest = match rest {
            [b'\\', b'\'', after @ ..] => {
                word.push(b'\'');
                after
            }
            [b'\'', after @ ..] => return closed(word, after),
            [byte, after @ ..] => {
                word.push(*byte);
                after
            }
            [] => return Err(UnbalancedQuotes),
        };
    }
}

fn closed(word: Vec<u8>, rest: &[u8]) -> Result<(Vec<u8>, &[u8]), UnbalancedQuotes> {
    match rest.first() {
        Some(byte) if !is_blank(*byte) => Err(UnbalancedQuotes),
        _ => Ok((word, rest)),
    }
}

fn unescape(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}

/// The value of a digit already known to be hexadecimal.
fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit.wrapping_sub(b'A').wrapping_add(10),
    }
}

#[cfg(test)]
mod tests {
    use super::{UnbalancedQuotes, split_words};

    #[test]
    fn words_follow_the_quoting_rules() {
        let cases: &[(&[u8], &[&[u8]])] = &[
            (b"", &[]),
            (b"  \t ", &[]),
            (b"PING", &[b"PING"]),
            (b" set  a b\r", &[b"set", b"a", b"b"]),
            (br#"echo "a b""#, &[b"echo", b"a b"]),
            (br#"echo """#, &[b"echo", b""]),
            (br#"echo "\x41\n\r\t\b\a\q\\""#, &[b"echo", b"A\n\r\t\x08\x07q\\"]),
            (br#"echo "\xZZ""#, &[b"echo", b"xZZ"]),
            (br"echo 'a\'b\n'", &[b"echo", br"a'b\n"]),
            (br#"echo ab"cd""#, &[b"echo", b"abcd"]),
            (b"echo a\0b", &[b"echo", b"a"]),
            (b"echo a\x0bb \x0bc", &[b"echo", b"a\x0bb", b"c"]),
        ];
        for (line, words) in cases {
            let found = split_words(line).expect("balanced");
            assert_eq!(found, words.to_vec(), "{:?}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn quotes_must_balance() {
        for line in [r#"echo "a"#, r#"echo "a"b"#, "echo 'a", "echo 'a'b", r#"echo "a\"#] {
            assert_eq!(split_words(line.as_bytes()), Err(UnbalancedQuotes), "{line}");
        }
    }
}
