//! Lines on standard output, in colour where that is welcome.

use std::io::{self, IsTerminal as _, Write as _};

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Plain,
    Bold,
    Dim,
    Good,
    Bad,
    /// One of a few colours, by number.
    Person(usize),
}

/// Standard output.
#[derive(Debug)]
pub(super) struct Screen {
    is_coloured: bool,
}

impl Screen {
    pub(super) fn new() -> Self {
        let is_wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        Self { is_coloured: is_wanted && io::stdout().is_terminal() }
    }

    /// One line, seen at once.
    pub(super) fn line(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{text}")?;
        out.flush()
    }

    /// A headline with an empty line above it.
    pub(super) fn headline(&self, text: &str) -> io::Result<()> {
        self.line("")?;
        self.line(&self.paint(Look::Bold, text))
    }

    /// The text with its look, if there are colours.
    pub(super) fn paint(&self, look: Look, text: &str) -> String {
        let code = match look {
            Look::Bold => "1",
            Look::Dim => "2",
            Look::Good => "1;32",
            Look::Bad => "31",
            Look::Person(number) => ["36", "35", "34", "33"][number % 4],
            Look::Plain => "",
        };
        if self.is_coloured && !code.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_gets_no_colours() {
        let screen = Screen { is_coloured: false };
        assert_eq!(screen.paint(Look::Bad, "x"), "x");
        let screen = Screen { is_coloured: true };
        assert_eq!(screen.paint(Look::Bad, "x"), "\x1b[31mx\x1b[0m");
        assert_eq!(screen.paint(Look::Plain, "x"), "x");
    }
}
