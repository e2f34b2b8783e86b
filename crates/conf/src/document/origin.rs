//! Where a line of the configuration was written.

use std::path::Path;
use std::sync::Arc;

/// Where a line came from. Only lines of [`Origin::Main`] are ever rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The file named at start.
    Main,
    /// A file that an `include` line names.
    Include(Arc<Path>),
    /// Options of the command line.
    CommandLine,
    /// Standard input.
    StandardInput,
}

impl Origin {
    /// How a line of this origin is called in messages.
    #[must_use]
    pub fn place(&self, number: usize) -> String {
        match self {
            Self::Main => format!("line {number}"),
            Self::Include(path) => format!("{}, line {number}", path.display()),
            Self::CommandLine => format!("command line (line {number})"),
            Self::StandardInput => format!("standard input (line {number})"),
        }
    }
}
