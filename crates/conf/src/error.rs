//! What can be wrong with a configuration, in the reference's words (spec: interface 8.2).

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::document::Origin;
use crate::words;

/// How the program names itself in the fatal block: `Redis 7.4.2`, or `Version 8.1.0` for Valkey.
pub type Product<'a> = &'a str;

/// A configuration that cannot be used. Fatal at start, exit status 1.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConfigError {
    /// A line is wrong.
    #[error("{0}")]
    Line(BadLine),
    /// The whole is wrong, no single line.
    #[error("{0}")]
    Whole(String),
    /// The main file or a plainly named include cannot be read.
    #[error("Fatal error, can't open config file '{}': {error}", path.display())]
    CannotOpen {
        /// The file.
        path: PathBuf,
        /// Why, as the operating system words it.
        error: Arc<OsError>,
    },
}

/// An I/O error that prints as `strerror` does, without Rust's `(os error n)`.
#[derive(Debug)]
pub struct OsError(pub io::Error);

impl fmt::Display for OsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        f.write_str(text.split(" (os error").next().unwrap_or(&text))
    }
}

/// A line that is wrong, and why. Only the fatal block shows the line itself, which may hold a
/// password.
#[derive(Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Where it came from.
    pub origin: Origin,
    /// Its number, from 1; options of the command line continue after the main file.
    pub number: usize,
    /// The line without surrounding blanks.
    pub text: Vec<u8>,
    /// The reason, in the reference's words where it has any.
    pub message: String,
}

/// The reason of a line that names a host which is no address.
pub(crate) const UNRESOLVED: &str = "Can't resolve instance hostname.";

impl BadLine {
    /// The host that is no address, if that is what is wrong: the reference logs it before.
    #[must_use]
    pub fn unresolved_host(&self) -> Option<String> {
        let words = words::split(&self.text).ok().filter(|_| self.message == UNRESOLVED)?;
        // `sentinel monitor <name> <host>`, and `known-replica` and `known-sentinel` alike.
        words.get(3).map(|host| String::from_utf8_lossy(host).into_owned())
    }
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin.place(self.number), self.message)
    }
}

impl fmt::Debug for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl ConfigError {
    /// What goes to standard error at start (spec: interface 8.2). For a file that cannot be
    /// opened the reference logs one line instead: its `Display`.
    #[must_use]
    pub fn fatal_block(&self, product: Product<'_>) -> String {
        let header = format!("\n*** FATAL CONFIG FILE ERROR ({product}) ***\n");
        match self {
            Self::Line(bad) => format!(
                "{header}Reading the configuration file, at line {}\n>>> '{}'\n{}\n",
                bad.number,
                String::from_utf8_lossy(&bad.text),
                bad.message
            ),
            Self::Whole(message) => format!("{header}{message}\n"),
            Self::CannotOpen { .. } => format!("{self}\n"),
        }
    }
}

/// Something that works but probably not as meant. Logged at start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where: origin and line number, if one line is to blame.
    pub place: Option<(Origin, usize)>,
    /// What is the matter. Never holds a secret.
    pub text: String,
    /// What the operator can do.
    pub remedy: &'static str,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((origin, number)) = &self.place {
            write!(f, "{}: ", origin.place(*number))?;
        }
        write!(f, "{}; {}", self.text, self.remedy)
    }
}
