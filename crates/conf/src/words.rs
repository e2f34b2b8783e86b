//! Words and quotes of one line, both ways (spec: interface 8.1, 9.3).

/// A quote that is not closed, or not followed by a blank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Unbalanced quotes in configuration line")]
pub struct Unbalanced;

/// Takes blanks, tabs and line ends off both sides.
#[must_use]
pub fn trim(line: &[u8]) -> &[u8] {
    let outer = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let start = line.iter().position(|byte| !outer(byte)).unwrap_or(line.len());
    let end = line.iter().rposition(|byte| !outer(byte)).map_or(start, |last| last + 1);
    &line[start..end]
}

/// Splits a line into words.
///
/// # Errors
/// [`Unbalanced`] if a quote stays open or its end is followed by anything but a blank.
pub fn split(line: &[u8]) -> Result<Vec<Vec<u8>>, Unbalanced> {
    let mut rest = Cursor(line);
    let mut words = Vec::new();
    loop {
        while rest.peek().is_some_and(is_blank) {
            rest.next();
        }
        if rest.peek().is_none() {
            return Ok(words);
        }
        words.push(word(&mut rest)?);
    }
}

fn word(rest: &mut Cursor<'_>) -> Result<Vec<u8>, Unbalanced> {
    let mut word = Vec::new();
    while let Some(byte) = rest.peek() {
        // A vertical tab or a form feed separates words and does not end one, as in the reference.
        if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            break;
        }
        rest.next();
        match byte {
            b'"' => return double_quoted(rest, word),
            b'\'' => return single_quoted(rest, word),
            plain => word.push(plain),
        }
    }
    Ok(word)
}

fn double_quoted(rest: &mut Cursor<'_>, mut word: Vec<u8>) -> Result<Vec<u8>, Unbalanced> {
    loop {
        match rest.next().ok_or(Unbalanced)? {
            b'"' => return rest.at_word_end().then_some(word).ok_or(Unbalanced),
            b'\\' => word.push(escape(rest)?),
            plain => word.push(plain),
        }
    }
}

fn single_quoted(rest: &mut Cursor<'_>, mut word: Vec<u8>) -> Result<Vec<u8>, Unbalanced> {
    loop {
        match rest.next().ok_or(Unbalanced)? {
            b'\'' => return rest.at_word_end().then_some(word).ok_or(Unbalanced),
            b'\\' if rest.peek() == Some(b'\'') => {
                rest.next();
                word.push(b'\'');
            }
            plain => word.push(plain),
        }
    }
}

fn escape(rest: &mut Cursor<'_>) -> Result<u8, Unbalanced> {
    if let [b'x', high, low, ..] = *rest.0
        && let (Some(high), Some(low)) = (hex(high), hex(low))
    {
        rest.0 = &rest.0[3..];
        return Ok(high << 4 | low);
    }
    Ok(match rest.next().ok_or(Unbalanced)? {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'a' => 7,
        other => other,
    })
}

/// The word in double quotes with escapes, as the reference writes text values.
#[must_use]
pub fn quote(word: &[u8]) -> Vec<u8> {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut quoted = vec![b'"'];
    for &byte in word {
        match byte {
            b'"' | b'\\' => quoted.extend([b'\\', byte]),
            b'\n' => quoted.extend(b"\\n"),
            b'\r' => quoted.extend(b"\\r"),
            b'\t' => quoted.extend(b"\\t"),
            7 => quoted.extend(b"\\a"),
            8 => quoted.extend(b"\\b"),
            b' '..=b'~' => quoted.push(byte),
            _ => {
                let digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
                quoted.extend(b"\\x");
                quoted.extend(digits);
            }
        }
    }
    quoted.push(b'"');
    quoted
}

/// The word as it stands if it reads back as itself, else in quotes (spec: holes H24). Readable
/// text beyond ASCII stays readable: every reference reads it back.
#[must_use]
pub fn quote_if_needed(word: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| !matches!(byte, 0..=b' ' | 127 | b'"' | b'\'');
    let readable = std::str::from_utf8(word).is_ok_and(|text| !text.chars().any(char::is_control));
    let bare = !word.is_empty() && readable && word.iter().all(plain);
    if bare { word.to_vec() } else { quote(word) }
}

/// What separates words: the C library's white space.
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 11 | 12)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn at_word_end(&self) -> bool {
        self.peek().is_none_or(is_blank)
    }
}
