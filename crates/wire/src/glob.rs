//! Glob patterns as everywhere in Redis: `*`, `?`, `[a-z]`, `[^a]`, backslash.

/// Whether letters differ by case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// `a` is not `A`.
    Sensitive,
    /// `a` is `A`.
    Insensitive,
}

/// Whether a text matches a pattern. Takes time proportional to both lengths, whatever the
/// pattern: after a `*` only the latest one is ever tried again.
#[must_use]
pub fn matches(pattern: &[u8], text: &[u8], case: Case) -> bool {
    let (mut p, mut t) = (pattern, text);
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        if let [b'*', rest @ ..] = p {
            if rest.is_empty() {
                return true;
            }
            retry = Some((rest, t));
            p = rest;
            continue;
        }
        let advanced = match (p.is_empty(), t.split_first()) {
            (true, None) => return true,
            (false, None) => return false,
            (true, Some(_)) => None,
            (false, Some((byte, rest))) => one(p, *byte, case).map(|p| (p, rest)),
        };
        match (advanced, retry) {
            (Some(next), _) => (p, t) = next,
            (None, Some((after_star, [_, rest @ ..]))) => {
                retry = Some((after_star, rest));
                (p, t) = (after_star, rest);
            }
            (None, _) => return false,
        }
    }
}

/// The pattern after its first element, if that matches the byte.
fn one(pattern: &[u8], byte: u8, case: Case) -> Option<&[u8]> {
    match pattern {
        [b'?', rest @ ..] => Some(rest),
        [b'[', rest @ ..] => class(rest, byte, case),
        [b'\\', literal, rest @ ..] => fold(*literal, case).eq(&fold(byte, case)).then_some(rest),
        [literal, rest @ ..] => fold(*literal, case).eq(&fold(byte, case)).then_some(rest),
        [] => None,
    }
}

/// The pattern after a class; one without a closing bracket ends with the pattern.
fn class(pattern: &[u8], byte: u8, case: Case) -> Option<&[u8]> {
    let (negated, mut rest) = match pattern {
        [b'^', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let byte = fold(byte, case);
    let mut found = false;
    loop {
        rest = match rest {
            [] => break,
            [b']', after @ ..] => {
                rest = after;
                break;
            }
            [b'\\', literal, after @ ..] => {
                found |= fold(*literal, case) == byte;
                after
            }
            [from, b'-', to, after @ ..] => {
                let (from, to) = (fold(*from, case), fold(*to, case));
                found |= (from.min(to)..=from.max(to)).contains(&byte);
                after
            }
            [literal, after @ ..] => {
                found |= fold(*literal, case) == byte;
                after
            }
        };
    }
    (found != negated).then_some(rest)
}

fn fold(byte: u8, case: Case) -> u8 {
    match case {
        Case::Sensitive => byte,
        Case::Insensitive => byte.to_ascii_lowercase(),
    }
}
