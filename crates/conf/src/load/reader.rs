//! The first pass: every line in order, general directives applied at once, `sentinel` lines kept
//! for later (spec: interface 8.3).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use vedette_core::Settings;

use super::statement::Statement;
use crate::directives::{General, general};
use crate::document::{Document, Line, Origin};
use crate::error::{ConfigError, OsError, Warning};
use crate::files::Files;
use crate::nul;
use crate::rewrite::MARKER;
use crate::settings::ServerSettings;
use crate::words;

/// How deep files may include each other; the reference has no limit and dies of a loop.
const INCLUDE_DEPTH_MAX: usize = 16;
/// How many files may be included at all: files that include two others each would be 65,536 at the
/// greatest depth.
const INCLUDES_MAX: usize = 1000;

const BAD_DIRECTIVE: &str = "Bad directive or wrong number of arguments";

/// What the first pass gathers.
pub(super) struct Reader<'a> {
    pub(super) files: &'a dyn Files,
    pub(super) document: Document,
    pub(super) server: ServerSettings,
    pub(super) settings: Settings,
    /// `sentinel` lines, for the second pass.
    pub(super) queued: Vec<Statement>,
    /// The line of the main file below which the lines of a running process stand.
    pub(super) marker: Option<usize>,
    /// Where `requirepass` was set last.
    pub(super) requirepass_at: Option<(Origin, usize)>,
    pub(super) errors: Vec<ConfigError>,
    pub(super) warnings: Vec<Warning>,
    depth: usize,
    included: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(files: &'a dyn Files) -> Self {
        Self {
            files,
            document: Document::default(),
            server: ServerSettings::default(),
            settings: Settings::default(),
            queued: Vec::new(),
            marker: None,
            requirepass_at: None,
            errors: Vec::new(),
            warnings: Vec::new(),
            depth: 0,
            included: 0,
        }
    }

    /// Reads the main file; the number of its lines, as the reference counts on.
    pub(super) fn read_main(&mut self, path: &Path) -> usize {
        match self.files.read(path) {
            Ok(text) => {
                let text = nul::without_end(&Origin::Main, &text, &mut self.warnings);
                self.read_text(&Origin::Main, 0, text);
                text.split(|byte| *byte == b'\n').count()
            }
            Err(error) => {
                self.cannot_open(path, error);
                0
            }
        }
    }

    /// Reads a text whose first line has the number `before + 1`.
    pub(super) fn read_text(&mut self, origin: &Origin, before: usize, text: &[u8]) {
        for (index, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
            self.read_line(origin, before + index + 1, line);
        }
    }

    fn read_line(&mut self, origin: &Origin, number: usize, line: &[u8]) {
        self.document.push(Line::new(origin.clone(), number, line.to_vec()));
        let text = words::trim(line);
        if text == MARKER && *origin == Origin::Main {
            self.marker.get_or_insert(number);
        }
        if text.is_empty() || text.starts_with(b"#") {
            return;
        }
        let mut statement =
            Statement { origin: origin.clone(), number, text: text.to_vec(), words: Vec::new() };
        if text.contains(&0) {
            // The references drop what follows up to the next line, which they take for its rest.
            return self.errors.push(statement.bad("NUL bytes are not allowed in a line"));
        }
        match words::split(text) {
            Ok(words) => statement.words = words,
            Err(unbalanced) => return self.errors.push(statement.bad(unbalanced.to_string())),
        }
        if statement.words.is_empty() {
            return;
        }
        if !statement.words[0].eq_ignore_ascii_case(b"sentinel") {
            self.apply(&statement);
        } else if statement.words.len() > 1 {
            self.queued.push(statement);
        }
    }

    fn apply(&mut self, statement: &Statement) {
        if let Err(message) = self.apply_general(statement) {
            self.errors.push(statement.bad(message));
        }
    }

    fn apply_general(&mut self, statement: &Statement) -> Result<(), String> {
        let (name, values) = statement.words.split_first().ok_or(BAD_DIRECTIVE)?;
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        match general(&name) {
            Some(General::Plain(syntax, target)) => {
                let value = syntax.read(values)?;
                target.store(value, &mut self.server, &mut self.settings);
                if name == "requirepass" {
                    self.requirepass_at = Some(statement.place());
                }
                Ok(())
            }
            Some(General::Ignored(syntax)) => syntax.read(values).map(|_| ()),
            Some(General::Special(special)) => self.apply_special(special, statement),
            None if name.contains('.') && values.is_empty() => {
                Err("Module config specified without value".into())
            }
            None if name.contains('.') => Ok(()),
            None => Err(BAD_DIRECTIVE.into()),
        }
    }

    pub(super) fn include(&mut self, values: &[Vec<u8>]) -> Result<(), String> {
        let [pattern] = values else { return Err(BAD_DIRECTIVE.into()) };
        let pattern = str::from_utf8(pattern).map_err(|_| "argument must be valid UTF-8 text")?;
        if self.depth == INCLUDE_DEPTH_MAX {
            return Err(format!("files include each other more than {INCLUDE_DEPTH_MAX} deep"));
        }
        let paths = if pattern.contains(['*', '?', '[']) {
            self.files.glob(pattern).map_err(|error| OsError(error).to_string())?
        } else {
            vec![pattern.into()]
        };
        self.depth += 1;
        let outcome = paths.into_iter().try_for_each(|path| self.include_one(path));
        self.depth -= 1;
        outcome
    }

    fn include_one(&mut self, path: PathBuf) -> Result<(), String> {
        if self.included == INCLUDES_MAX {
            return Err(format!("more than {INCLUDES_MAX} files are included"));
        }
        self.included += 1;
        match self.files.read(&path) {
            Ok(text) => {
                let origin = Origin::Include(Arc::from(path));
                let text = nul::without_end(&origin, &text, &mut self.warnings);
                self.read_text(&origin, 0, text);
            }
            Err(error) => self.cannot_open(&path, error),
        }
        Ok(())
    }

    fn cannot_open(&mut self, path: &Path, error: std::io::Error) {
        let path = path.to_path_buf();
        self.errors.push(ConfigError::CannotOpen { path, error: Arc::new(OsError(error)) });
    }
}
