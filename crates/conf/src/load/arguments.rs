//! The options of the command line as configuration lines (spec: interface 7).

use crate::words;

/// Turns the words after the configuration file into lines, each with its line end.
///
/// `--port 1` becomes `port "1"`; an option of several words in one argument is taken as is; the
/// first word after a bare option is its value even if it looks like an option, except after
/// `--sentinel` and `--save`.
pub(super) fn lines(arguments: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut wants_value = false;
    for argument in arguments {
        match argument.strip_prefix(b"--") {
            Some(option) if !wants_value => {
                lines.push(option.to_vec());
                wants_value = is_bare(option);
            }
            Some(_) | None => {
                let quoted = words::quote(argument);
                wants_value = false;
                match lines.last_mut() {
                    Some(line) => {
                        line.push(b' ');
                        line.extend(quoted);
                    }
                    None => lines.push(quoted),
                }
            }
        }
    }
    lines.iter_mut().for_each(|line| line.push(b'\n'));
    lines
}

fn is_bare(option: &[u8]) -> bool {
    let alone = words::split(option).is_ok_and(|words| words.len() == 1);
    let never = |name: &[u8]| option.eq_ignore_ascii_case(name);
    alone && !never(b"sentinel") && !never(b"save")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(arguments: &[&str], expected: &str) {
        let arguments: Vec<_> = arguments.iter().map(|word| word.as_bytes().to_vec()).collect();
        let lines = String::from_utf8(lines(&arguments).concat()).expect("text");
        assert_eq!(lines, expected);
    }

    #[test]
    fn options_become_quoted_lines() {
        check(&["--port", "26380"], "port \"26380\"\n");
        check(&["--port 26380", "--bind", "a", "b"], "port 26380\nbind \"a\" \"b\"\n");
        check(&["--requirepass", "a b\"c"], "requirepass \"a b\\\"c\"\n");
    }

    #[test]
    fn sentinel_alone_is_a_pseudo_option() {
        check(&["--sentinel", "--port", "1"], "sentinel\nport \"1\"\n");
        check(&["--sentinel", "monitor", "m"], "sentinel \"monitor\" \"m\"\n");
    }

    #[test]
    fn a_bare_option_takes_what_follows() {
        check(&["--requirepass", "--x", "--port", "1"], "requirepass \"--x\"\nport \"1\"\n");
        check(&["--save", "--port", "1"], "save\nport \"1\"\n");
    }

    #[test]
    fn strays_and_dashes_are_values() {
        check(&["stray", "--port", "1"], "\"stray\"\nport \"1\"\n");
        check(&["-", "--port", "-"], "\"-\"\nport \"-\"\n");
    }
}
