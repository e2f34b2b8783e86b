//! How a line of the log is spelled: the classic form, or Valkey's key-value forms
//! (spec: behaviour 12.5).

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use vedette_conf::{LogFormat, LogTimestamps};
use vedette_core::{LogLevel, WallTime};

/// Longest text of a line, as in the reference.
const MAX_TEXT_BYTES: usize = 1023;

/// The form of the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) format: LogFormat,
    pub(crate) timestamps: LogTimestamps,
}

impl Default for Form {
    fn default() -> Self {
        Self { format: LogFormat::Legacy, timestamps: LogTimestamps::Legacy }
    }
}

impl Form {
    /// A line of the present moment, without its end.
    pub(super) fn line(self, level: LogLevel, text: &str) -> String {
        let (pid, time) = (std::process::id(), self.timestamp());
        match self.format {
            LogFormat::Legacy => format!("{pid}:X {time} {} {text}", mark(level)),
            LogFormat::Logfmt => format!(
                "pid={pid} role=sentinel timestamp=\"{time}\" level={} message=\"{}\"",
                name(level),
                text.replace('"', "'")
            ),
            LogFormat::Json => format!(
                "{{\"pid\":{pid},\"role\":\"sentinel\",\"timestamp\":\"{time}\",\"level\":\"{}\",\
                 \"message\":\"{}\"}}",
                name(level),
                text.replace('\\', "\\\\").replace('"', "\\\"")
            ),
        }
    }

    fn timestamp(self) -> String {
        let now = Zoned::now();
        match self.timestamps {
            LogTimestamps::Legacy => now.strftime("%d %b %Y %H:%M:%S%.3f").to_string(),
            LogTimestamps::Iso8601 => now.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string(),
            LogTimestamps::Milliseconds => now.timestamp().as_millisecond().to_string(),
        }
    }
}

/// What a signal caused, in the format of the reference's handlers (spec: interface 10.1).
pub(super) fn signal_line(text: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}:signal-handler ({}) {text}", std::process::id(), now.as_secs())
}

/// A moment as `ctime` spells it, without its line end: `Sat Nov 23 04:21:14 2024`.
pub(crate) fn local_date(at: WallTime) -> String {
    let moment = i64::try_from(at.0).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let local = moment.unwrap_or_default().to_zoned(TimeZone::system());
    local.strftime("%a %b %e %H:%M:%S %Y").to_string()
}

/// The text of a line: one line stays one line, whatever names or errors it quotes.
pub(super) fn tidy(text: &str) -> String {
    let end = text.floor_char_boundary(MAX_TEXT_BYTES);
    text[..end].replace(char::is_control, " ")
}

fn mark(level: LogLevel) -> char {
    match level {
        LogLevel::Debug => '.',
        LogLevel::Verbose => '-',
        LogLevel::Notice => '*',
        LogLevel::Warning | LogLevel::Nothing => '#',
    }
}

fn name(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Debug => "debug",
        LogLevel::Verbose => "info",
        LogLevel::Notice => "notice",
        LogLevel::Warning | LogLevel::Nothing => "warning",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classic_lines_look_as_the_references() {
        let line = Form::default().line(LogLevel::Warning, "+sdown master m 127.0.0.1 6379");
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(words[0], format!("{}:X", std::process::id()));
        let lengths = [words[1], words[2], words[3], words[4]].map(str::len);
        assert_eq!(lengths, [2, 3, 4, 12], "{line}");
        assert_eq!(words[5..].join(" "), "# +sdown master m 127.0.0.1 6379");
    }

    #[test]
    fn key_value_lines_quote_the_text() {
        let form = |format| Form { format, timestamps: LogTimestamps::Milliseconds };
        let line = form(LogFormat::Logfmt).line(LogLevel::Notice, "a \"b\"");
        assert!(line.ends_with("level=notice message=\"a 'b'\""), "{line}");
        let line = form(LogFormat::Json).line(LogLevel::Verbose, "a \"b\"");
        assert!(line.ends_with("\"level\":\"info\",\"message\":\"a \\\"b\\\"\"}"), "{line}");
    }

    #[test]
    fn a_text_stays_one_line_of_bounded_length() {
        assert_eq!(tidy("a\r\nb"), "a  b");
        assert_eq!(tidy(&"ä".repeat(600)).len(), 1022);
    }

    #[test]
    fn dates_are_spelled_as_ctime_does() {
        let words = local_date(WallTime(1_732_335_674_000));
        assert!(words.starts_with("Sat Nov 23 ") && words.ends_with(" 2024"), "{words}");
    }
}
