//! Numbers as C reads them: leading digits count, the rest is ignored. Only for texts that other
//! programs write and that the reference reads this way.

/// The number at the front of a text; 0 if there is none, the nearest bound if it is too large.
pub(crate) fn leading_number(text: &str) -> i64 {
    let text = text.trim_start_matches([' ', '\t']);
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let value = digits.bytes().take_while(u8::is_ascii_digit).fold(0_i64, |value, digit| {
        value.saturating_mul(10).saturating_add(i64::from(digit - b'0'))
    });
    if negative { -value } else { value }
}
