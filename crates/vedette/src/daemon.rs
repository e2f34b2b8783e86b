//! From command words to a running daemon (spec: interface 7).

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStringExt as _;
use std::process::ExitCode;

use vedette_server::Start;

/// Runs the daemon with these words: the configuration file first, then options; `-` as the first
/// or the last word stands for standard input.
pub(crate) fn run(words: &[OsString]) -> ExitCode {
    match start(words) {
        Ok(start) => vedette_server::run(&start),
        Err(error) => {
            eprintln!("vedette: cannot read standard input: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start(words: &[OsString]) -> io::Result<Start> {
    let (config_file, options) = match words.split_first() {
        Some((file, options)) if !file.as_encoded_bytes().starts_with(b"-") => {
            (Some(file.into()), options)
        }
        Some(_) | None => (None, words),
    };
    let is_dash = |word: &OsString| word == "-";
    let wants_stdin = words.first().is_some_and(is_dash) || words.last().is_some_and(is_dash);
    Ok(Start {
        config_file,
        arguments: options.iter().cloned().map(OsString::into_vec).collect(),
        stdin: wants_stdin.then(read_stdin).transpose()?,
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
        let start = start(&words).unwrap();
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
    fn a_file_after_an_option_is_no_file() {
        check(&["--sentinel", "s.conf"], None, &["--sentinel", "s.conf"]);
        check(&[], None, &[]);
    }
}
