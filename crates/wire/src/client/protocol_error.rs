//! What the log says of bytes that are no request (spec: interface 1.3).

use vedette_core::{LogLevel, Now};
use vedette_resp::ProtocolError;

use super::Client;
use super::facts::Told;
use super::line::REDACTED;
use crate::Dialect;

/// Bytes shown at either end of a query buffer that is longer than both together.
const SHOWN_AT_EITHER_END: usize = 64;

impl Client {
    pub(super) fn log_protocol_error(&mut self, problem: ProtocolError, now: Now) {
        let rejected = self.decoder.take_rejected();
        let (name, line) = (log_name(problem), self.log_line(now));
        let what = match (self.facts.told, self.facts.dialect) {
            (Told::Nothing, _) | (_, Dialect::Valkey) => "Query buffer",
            (Told::Names | Told::Everything, Dialect::Redis) => {
                "Query buffer during protocol error"
            }
        };
        let query = match self.facts.told {
            Told::Nothing | Told::Names => format!("{what}: {REDACTED}"),
            Told::Everything => format!("{what}: {}", shown(&rejected)),
        };
        let text = format!("Protocol error ({name}) from client: {line}. {query}");
        self.log(LogLevel::Verbose, text);
    }
}

/// The reference has other words for its log than for its replies.
const fn log_name(problem: ProtocolError) -> &'static str {
    match problem {
        ProtocolError::TooBigInline => "too big inline request",
        ProtocolError::UnbalancedQuotes => "unbalanced quotes in inline request",
        ProtocolError::TooBigMultibulkCount => "too big mbulk count string",
        ProtocolError::InvalidMultibulkLength => "invalid mbulk count",
        ProtocolError::TooBigBulkCount => "too big bulk count string",
        ProtocolError::ExpectedDollar(_) => "expected $ but got something else",
        ProtocolError::InvalidBulkLength => "invalid bulk length",
        ProtocolError::InvalidLineEnd => "invalid CRLF in request",
        ProtocolError::UnauthenticatedMultibulkLength => "unauth mbulk count",
        ProtocolError::UnauthenticatedBulkLength => "unauth bulk length",
    }
}

/// Both ends of what was in the query buffer; dots stand for what cannot be printed.
fn shown(bytes: &[u8]) -> String {
    let printed = |bytes: &[u8]| -> String {
        let is_shown = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
        bytes.iter().map(|byte| if is_shown(byte) { char::from(*byte) } else { '.' }).collect()
    };
    let Some(hidden) = bytes.len().checked_sub(2 * SHOWN_AT_EITHER_END) else {
        return format!("'{}'", printed(bytes));
    };
    let (head, rest) = bytes.split_at(SHOWN_AT_EITHER_END);
    let tail = &rest[hidden..];
    format!("'{}' (... more {hidden} bytes ...) '{}'", printed(head), printed(tail))
}

#[cfg(test)]
mod tests {
    use super::shown;

    /// As Redis 7.0.15 and Valkey 9.1 show them.
    #[test]
    fn long_buffers_are_shown_by_their_ends() {
        assert_eq!(shown(b"x\"\\'\t\x07\x80yy\r\n"), "'x\"\\'...yy..'");
        let buffer = |len: usize| [&b"x"[..], &vec![b'z'; len - 1]].concat();
        assert_eq!(shown(&buffer(127)), format!("'x{}'", "z".repeat(126)));
        let [head, tail] = ["z".repeat(63), "z".repeat(64)];
        assert_eq!(shown(&buffer(128)), format!("'x{head}' (... more 0 bytes ...) '{tail}'"));
        assert_eq!(shown(&buffer(129)), format!("'x{head}' (... more 1 bytes ...) '{tail}'"));
    }
}
