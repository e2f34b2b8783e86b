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

#[cfg(test)]
mod tests {
    use proptest::prelude::prop_assert_eq;
    use proptest::proptest;

    use super::{Case, class, matches, one};

    #[test]
    fn patterns_are_those_of_redis() {
        let cases = [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("a*b*c", "a--b--c", true),
            ("a*b*c", "a--b--", false),
            ("h?llo", "hello", true),
            ("h[ae]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("h[b-a]llo", "hallo", true),
            ("[-+]sdown", "+sdown", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("[abc", "b", true),
            ("[]a", "a", false),
            ("+switch-master", "+switch-master", true),
            ("A", "a", false),
        ];
        for (pattern, text, expected) in cases {
            let found = matches(pattern.as_bytes(), text.as_bytes(), Case::Sensitive);
            assert_eq!(found, expected, "{pattern} {text}");
        }
        assert!(matches(b"ANN*-[I]P", b"announce-ip", Case::Insensitive));
    }

    #[test]
    fn hostile_patterns_end_soon() {
        let pattern = "a*".repeat(200) + "b";
        let text = "a".repeat(5000);
        assert!(!matches(pattern.as_bytes(), text.as_bytes(), Case::Sensitive));
        assert_eq!(class(b"", b'x', Case::Sensitive), None);
    }

    /// The plain recursive definition.
    fn slow(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([], _) => text.is_empty(),
            ([b'*', rest @ ..], _) => {
                slow(rest, text) || (!text.is_empty() && slow(pattern, &text[1..]))
            }
            (_, []) => false,
            (_, [byte, after @ ..]) => {
                one(pattern, *byte, Case::Sensitive).is_some_and(|rest| slow(rest, after))
            }
        }
    }

    proptest! {
        #[test]
        fn the_loop_agrees_with_the_definition(
            pattern in "[ab*?\\[\\]^\\\\-]{0,8}",
            text in "[ab-]{0,8}",
        ) {
            let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
            prop_assert_eq!(matches(pattern, text, Case::Sensitive), slow(pattern, text));
        }
    }
}
