//! One line on its way through the loader.

use vedette_core::{Endpoint, read_ip};

use crate::directives::{INT_MAX, out_of_range};
use crate::document::Origin;
use crate::error::{BadLine, ConfigError, UNRESOLVED};

/// A line, split.
#[derive(Clone)]
pub(super) struct Statement {
    pub(super) origin: Origin,
    pub(super) number: usize,
    /// Trimmed.
    pub(super) text: Vec<u8>,
    pub(super) words: Vec<Vec<u8>>,
}

impl Statement {
    pub(super) fn bad(&self, message: impl Into<String>) -> ConfigError {
        ConfigError::Line(BadLine {
            origin: self.origin.clone(),
            number: self.number,
            text: self.text.clone(),
            message: message.into(),
        })
    }

    pub(super) fn place(&self) -> (Origin, usize) {
        (self.origin.clone(), self.number)
    }

    /// A word as text.
    pub(super) fn text_of(&self, index: usize) -> Result<&str, String> {
        str::from_utf8(&self.words[index]).map_err(|_| "argument must be valid UTF-8 text".into())
    }

    /// A word as text that may be empty for "not set".
    pub(super) fn optional_text(
        &self,
        index: usize,
    ) -> Result<Option<std::sync::Arc<str>>, String> {
        let text = self.text_of(index)?;
        Ok((!text.is_empty()).then(|| text.into()))
    }

    /// Host and port of an instance (spec: behaviour 13.3, 14.2).
    pub(super) fn endpoint(&self, index: usize, names_allowed: bool) -> Result<Endpoint, String> {
        let port = leading_number(&self.words[index + 1]).and_then(|port| u16::try_from(port).ok());
        let port = port.ok_or("Invalid port number.")?;
        let host = self.text_of(index)?;
        if names_allowed && !host.is_empty() {
            return Ok(Endpoint::new(host, port));
        }
        let ip = read_ip(host).ok_or(UNRESOLVED)?;
        Ok(Endpoint::new(&ip.to_string(), port))
    }

    /// A whole number of 32 bits.
    pub(super) fn integer(&self, index: usize, min: i64) -> Result<u32, String> {
        let number = leading_number(&self.words[index])
            .ok_or("argument couldn't be parsed into an integer")?;
        let fits = (i128::from(min)..=i128::from(INT_MAX)).contains(&number);
        let number = fits.then(|| u32::try_from(number).ok()).flatten();
        number.ok_or_else(|| out_of_range(min, INT_MAX))
    }

    /// Whether a number has something behind its digits that is not read.
    pub(super) fn has_tail(&self, index: usize) -> bool {
        let digits = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+');
        !self.words[index].iter().all(digits)
    }
}

/// The number at the beginning of a word, as the C library reads it; none without a digit. Far
/// beyond any range it stays far beyond.
pub(super) fn leading_number(word: &[u8]) -> Option<i128> {
    let text = word.trim_ascii_start();
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 {
        return None;
    }
    let value = digits[..count]
        .iter()
        .fold(0_i128, |sum, digit| sum.saturating_mul(10).saturating_add(i128::from(digit - b'0')));
    Some(if negative { -value } else { value })
}
