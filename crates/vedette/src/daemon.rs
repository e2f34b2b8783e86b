//! From command words to a running daemon (spec: interface 7).

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStringExt as _;
use std::process::ExitCode;

use vedette_server::Start;
use vedette_wire::Dialect;
use vedette_wire::dialect::UnknownDialect;

/// Words that cannot be understood, as for every other program of ours.
const USAGE_ERROR: u8 = 2;

/// Runs the daemon by its own name: `--dialect` may stand among the words.
pub(crate) fn run(words: &[OsString]) -> ExitCode {
    match take_dialect(words) {
        Ok((words, dialect)) => run_with(&words, Start { dialect, ..Start::default() }),
        Err(why) => {
            eprintln!("vedette: --dialect: {why}");
            ExitCode::from(USAGE_ERROR)
        }
    }
}

/// Runs the daemon by the name of a reference.
pub(crate) fn run_as(words: &[OsString], dialect: Dialect) -> ExitCode {
    run_with(words, Start { dialect_by_name: dialect, ..Start::default() })
}

/// Takes `--dialect <name>` or `--dialect=<name>` out of the words; the last one counts.
fn take_dialect(words: &[OsString]) -> Result<(Vec<OsString>, Option<Dialect>), String> {
    let (mut rest, mut dialect) = (Vec::new(), None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let text = word.to_str().unwrap_or_default();
        let value = match (text, text.strip_prefix("--dialect=")) {
            (_, Some(value)) => value.to_owned(),
            ("--dialect", None) => {
                let value = words.next().ok_or("it wants \"redis\" or \"valkey\"")?;
                value.to_string_lossy().into_owned()
            }
            (_, None) => {
                rest.push(word.clone());
                continue;
            }
        };
        dialect = Some(value.parse().map_err(|error: UnknownDialect| error.to_string())?);
    }
    Ok((rest, dialect))
}

/// The configuration file first, then options; `-` as the first or the last word stands for
/// standard input, elsewhere it is a value like others.
fn run_with(words: &[OsString], base: Start) -> ExitCode {
    match start(words, base) {
        Ok(start) => vedette_server::run(&start),
        Err(error) => {
            eprintln!("vedette: cannot read standard input: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start(words: &[OsString], base: Start) -> io::Result<Start> {
    let (config_file, options) = match words.split_first() {
        Some((file, options)) if !file.as_encoded_bytes().starts_with(b"-") => {
            (Some(file.into()), options)
        }
        Some(_) | None => (None, words),
    };
    let before = options.len();
    let options = match (options, &config_file) {
        ([first, rest @ ..], None) if first == "-" => rest,
        (all, _) => all,
    };
    let options = match options {
        [rest @ .., last] if last == "-" => rest,
        all => all,
    };
    let wants_stdin = options.len() < before;
    Ok(Start {
        config_file,
        arguments: options.iter().cloned().map(OsString::into_vec).collect(),
        stdin: wants_stdin.then(read_stdin).transpose()?,
        ..base
    })
}

fn read_stdin() -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    io::stdin().read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &[&str], file: Option<&str>, arguments: &[&str]) {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let start = start(&words, Start::default()).unwrap();
        assert_eq!(start.config_file, file.map(Into::into), "{words:?}");
        let expected: Vec<_> = arguments.iter().map(|word| word.as_bytes().to_vec()).collect();
        assert_eq!(start.arguments, expected, "{words:?}");
        assert_eq!(start.stdin, None, "{words:?}");
    }

    #[test]
    fn the_file_comes_first() {
        check(&["s.conf", "--port", "1"], Some("s.conf"), &["--port", "1"]);
        check(&["s.conf", "--sentinel"], Some("s.conf"), &["--sentinel"]);
    }

    #[test]
    fn a_dash_within_is_a_value() {
        check(&["s.conf", "-", "--port", "1"], Some("s.conf"), &["-", "--port", "1"]);
        check(&["--port", "-", "s.conf"], None, &["--port", "-", "s.conf"]);
    }

    #[test]
    fn the_dialect_is_taken_out() {
        let taken = |words: &[&str]| {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            take_dialect(&words)
        };
        let (words, dialect) = taken(&["s.conf", "--dialect", "valkey", "--port", "1"]).unwrap();
        assert_eq!((words.len(), dialect), (3, Some(Dialect::Valkey)));
        assert_eq!(taken(&["s.conf", "--dialect=redis"]).unwrap().1, Some(Dialect::Redis));
        assert_eq!(taken(&["s.conf"]).unwrap().1, None);
        assert!(taken(&["s.conf", "--dialect"]).is_err());
        assert!(taken(&["s.conf", "--dialect=x"]).unwrap_err().contains("is no dialect"));
    }

    #[test]
    fn a_file_after_an_option_is_no_file() {
        check(&["--sentinel", "s.conf"], None, &["--sentinel", "s.conf"]);
        check(&[], None, &[]);
    }
}
