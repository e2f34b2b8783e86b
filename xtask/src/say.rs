//! Printing to somebody who may have heard enough.

/// What a shell shows for a program that a closed pipe ended.
const CLOSED_PIPE: i32 = 128 + 13;

/// A line for standard output. If nobody reads any more (`| head`), the program ends quietly.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::say::line(format_args!($($text)*))
    };
}
pub(crate) use say;

/// See [`say`].
pub(crate) fn line(text: std::fmt::Arguments<'_>) {
    use std::io::Write as _;

    if writeln!(std::io::stdout(), "{text}").is_err() {
        std::process::exit(CLOSED_PIPE);
    }
}
