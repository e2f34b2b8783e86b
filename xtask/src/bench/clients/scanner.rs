//! Counts replies in a stream of bytes without keeping them: the load must cost less than what is
//! measured.

/// Where in a stream of replies one is.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    /// Values that the present reply still lacks.
    missing: usize,
    /// Bytes of a bulk string that are still to come, its line end included.
    skip: usize,
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
}

/// What some bytes completed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Scanned {
    pub(super) replies: u64,
    /// How many of them were errors.
    pub(super) errors: u64,
}

impl Scanner {
    /// Takes the next bytes.
    pub(super) fn take(&mut self, mut bytes: &[u8]) -> Scanned {
        let mut scanned = Scanned::default();
        while !bytes.is_empty() {
            let skipped = self.skip.min(bytes.len());
            if skipped > 0 {
                (self.skip, bytes) = (self.skip - skipped, &bytes[skipped..]);
            } else if let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
                self.line.extend_from_slice(&bytes[..end]);
                bytes = &bytes[end + 1..];
                scanned.errors += u64::from(self.missing == 0 && self.line.first() == Some(&b'-'));
                self.take_line();
                self.line.clear();
            } else {
                self.line.extend_from_slice(bytes);
                break;
            }
            scanned.replies += u64::from(self.missing == 0 && self.skip == 0);
        }
        scanned
    }

    fn take_line(&mut self) {
        let digits = self.line.iter().skip(1).take_while(|byte| byte.is_ascii_digit());
        let number = digits.fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'));
        let is_null = self.line.get(1) == Some(&b'-');
        self.missing = self.missing.max(1) - 1;
        match self.line.first() {
            Some(b'*') => self.missing += number * usize::from(!is_null),
            Some(b'$') if !is_null => self.skip = number + 2,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLIES: &[u8] =
        b"+OK\r\n-ERR no\r\n*2\r\n$3\r\na\r\n\r\n*2\r\n:1\r\n$-1\r\n*-1\r\n*0\r\n$0\r\n\r\n";

    #[test]
    fn replies_are_counted_however_they_are_cut() {
        for size in 1..=REPLIES.len() {
            let mut scanner = Scanner::default();
            let scanned = REPLIES.chunks(size).map(|chunk| scanner.take(chunk));
            let all = scanned.fold((0, 0), |sum, one| (sum.0 + one.replies, sum.1 + one.errors));
            assert_eq!(all, (6, 1), "in pieces of {size}");
        }
    }

    #[test]
    fn a_reply_counts_when_its_last_byte_has_come() {
        let mut scanner = Scanner::default();
        assert_eq!(scanner.take(b"*2\r\n$2\r\nab\r\n$2\r\ncd\r").replies, 0);
        assert_eq!(scanner.take(b"\n").replies, 1);
    }
}
