//! A strict reader of RESP2 and RESP3, written apart from `vedette-resp` on purpose: every byte
//! that a Sentinel sends must make sense to it. It keeps no values, only where it is.

/// Longest line of a type that has no length of its own.
const LINE_MAX: usize = 64 * 1024;

/// How far a stream was read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Speech {
    /// Elements still owed, innermost aggregate last.
    owed: Vec<u64>,
    state: State,
    line: Vec<u8>,
    /// Values that were completed at the top level.
    pub(crate) values: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Type,
    Line,
    LineFeed,
    /// Bytes of a bulk that are still to come, its end included.
    Bulk(u64),
}

impl Speech {
    /// Reads on.
    pub(crate) fn read(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        while let Some((first, rest)) = bytes.split_first() {
            match self.state {
                State::Type => {
                    self.line.clear();
                    self.line.push(*first);
                    self.state = State::Line;
                    bytes = rest;
                }
                State::Line => bytes = self.read_line(bytes)?,
                State::LineFeed => {
                    expect(*first == b'\n', "a carriage return alone")?;
                    bytes = rest;
                    self.end_line()?;
                }
                State::Bulk(left) => bytes = self.read_bulk(left, bytes)?,
            }
        }
        Ok(())
    }

    fn read_line<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], String> {
        let end = bytes.iter().position(|byte| *byte == b'\r' || *byte == b'\n');
        let taken = end.unwrap_or(bytes.len());
        self.line.extend_from_slice(&bytes[..taken]);
        expect(self.line.len() <= LINE_MAX, "a line without end")?;
        if let Some(end) = end {
            expect(bytes[end] == b'\r', "a line feed alone")?;
            self.state = State::LineFeed;
            return Ok(&bytes[end + 1..]);
        }
        Ok(&[])
    }

    fn read_bulk<'a>(&mut self, left: u64, bytes: &'a [u8]) -> Result<&'a [u8], String> {
        let taken = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        for (offset, byte) in bytes[..taken].iter().enumerate() {
            match left - offset as u64 {
                2 => expect(*byte == b'\r', "a bulk that is longer than it said")?,
                1 => expect(*byte == b'\n', "a bulk that is longer than it said")?,
                _ => {}
            }
        }
        let left = left - taken as u64;
        self.state = State::Bulk(left);
        if left == 0 {
            self.end_value();
        }
        Ok(&bytes[taken..])
    }

    fn end_line(&mut self) -> Result<(), String> {
        self.state = State::Type;
        let line = std::mem::take(&mut self.line);
        let (kind, rest) = (line[0], &line[1..]);
        match kind {
            b'+' | b'-' | b',' | b'(' | b'_' | b'#' => self.end_value(),
            b':' => {
                number(rest)?;
                self.end_value();
            }
            b'$' | b'=' | b'!' => match number(rest)? {
                -1 if kind == b'$' => self.end_value(),
                length => {
                    let length = u64::try_from(length).map_err(|_| "a bulk below zero")?;
                    self.state = State::Bulk(length + 2);
                }
            },
            b'*' | b'~' | b'>' | b'%' => {
                let count = number(rest)?;
                let each = if kind == b'%' { 2 } else { 1 };
                match u64::try_from(count) {
                    Ok(0) => self.end_value(),
                    Ok(count) => self.owed.push(count * each),
                    Err(_) if count == -1 && kind == b'*' => self.end_value(),
                    Err(_) => return Err("an aggregate below zero".into()),
                }
            }
            other => return Err(format!("a value that begins with byte {other}")),
        }
        self.line = line;
        Ok(())
    }

    fn end_value(&mut self) {
        self.state = State::Type;
        while let Some(owed) = self.owed.last_mut() {
            *owed -= 1;
            if *owed > 0 {
                return;
            }
            self.owed.pop();
        }
        self.values += 1;
    }

    /// Whether the stream stands between two values.
    #[cfg(test)]
    fn is_at_rest(&self) -> bool {
        self.state == State::Type && self.owed.is_empty()
    }
}

fn expect(fine: bool, otherwise: &str) -> Result<(), String> {
    if fine { Ok(()) } else { Err(otherwise.to_owned()) }
}

fn number(digits: &[u8]) -> Result<i64, String> {
    let text = str::from_utf8(digits).map_err(|_| "a number that is no text")?;
    let value: i64 = text.parse().map_err(|_| format!("no number: {text:?}"))?;
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    // A plus, leading zeros, a zero below zero.
    let usual = unsigned != "0" && unsigned.starts_with(|first| matches!(first, '1'..='9'));
    expect(usual || text == "0", "a number in an unusual form")?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::Speech;

    fn read(text: &str) -> Result<Speech, String> {
        let mut speech = Speech::default();
        text.as_bytes().chunks(3).try_for_each(|chunk| speech.read(chunk))?;
        Ok(speech)
    }

    #[test]
    fn whole_values_are_counted() {
        let speech = read("+OK\r\n*2\r\n$4\r\nPI\r\n\r\n:-12\r\n%1\r\n+a\r\n*0\r\n$-1\r\n_\r\n");
        let speech = speech.expect("fine");
        assert!(speech.is_at_rest());
        assert_eq!(speech.values, 5);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in
            ["PING\r\n", "+a\nb\r\n", "$3\r\nabcd\r\n", "*-2\r\n", ":1a\r\n", ":01\r\n", ":-0\r\n"]
        {
            assert!(read(text).is_err(), "{text:?}");
        }
    }
}
