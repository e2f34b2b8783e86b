//! Glob patterns of PSUBSCRIBE, KEYS and CONFIG GET.

/// Whether all of `text` matches: `*`, `?`, `[a-z]`, `[^a]` and `\x`.
pub(crate) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where to resume after the last star: behind it, and one byte further in the text.
    let mut star: Option<(usize, usize)> = None;
    loop {
        match one(&pattern[p..], text.get(t).copied()) {
            Step::Star => {
                p += 1;
                star = Some((p, t));
                continue;
            }
            Step::Match(len) => {
                p += len;
                t += 1;
                continue;
            }
            Step::End => return true,
            Step::Mismatch => {}
        }
        match star {
            Some((after_star, from)) if from < text.len() => {
                p = after_star;
                t = from + 1;
                star = Some((after_star, t));
            }
            _ => return false,
        }
    }
}

enum Step {
    Star,
    /// One byte of text matched so many bytes of pattern.
    Match(usize),
    Mismatch,
    /// Pattern and text are both used up.
    End,
}

fn one(pattern: &[u8], byte: Option<u8>) -> Step {
    let Some(byte) = byte else {
        return match pattern {
            [] => Step::End,
            [b'*', ..] => Step::Star,
            _ => Step::Mismatch,
        };
    };
    match pattern {
        [] => Step::Mismatch,
        [b'*', ..] => Step::Star,
        [b'?', ..] => Step::Match(1),
        [b'\\', escaped, ..] if *escaped == byte => Step::Match(2),
        [b'\\', _, ..] => Step::Mismatch,
        [b'[', rest @ ..] => class(rest, byte),
        [literal, ..] if *literal == byte => Step::Match(1),
        _ => Step::Mismatch,
    }
}

/// A bracket expression behind its opening bracket; a missing closing one ends at the end.
fn class(rest: &[u8], byte: u8) -> Step {
    let negated = rest.first() == Some(&b'^');
    let mut at = usize::from(negated);
    let mut found = false;
    loop {
        match &rest[at..] {
            [] => break,
            [b']', ..] => {
                at += 1;
                break;
            }
            [b'\\', escaped, ..] => {
                found |= *escaped == byte;
                at += 2;
            }
            [from, b'-', to, ..] => {
                found |= (*from.min(to)..=*from.max(to)).contains(&byte);
                at += 3;
            }
            [literal, ..] => {
                found |= *literal == byte;
                at += 1;
            }
        }
    }
    if found == negated { Step::Mismatch } else { Step::Match(at + 1) }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_like_the_references() {
        let cases = [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("a*c", "abbc", true),
            ("a*c", "abbcd", false),
            ("*a*b*", "xaxbx", true),
            ("h?llo", "hello", true),
            ("h[ae]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("h[a-c]llo", "hbllo", true),
            (r"h\*llo", "h*llo", true),
            (r"h\*llo", "hello", false),
            ("[", "a", false),
            ("*-priority", "replica-priority", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }
}
