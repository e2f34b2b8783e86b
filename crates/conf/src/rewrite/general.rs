//! Everything in the file that is not a `sentinel` line (spec: interface 9.4, 13.9).

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use vedette_core::LogLevel;

use super::replace::Writer;
use crate::directives::general;
use crate::document::{Line, Origin, Place, Slot};
use crate::words;

/// What the reference puts before a line that it cannot read.
const UNREADABLE: &[u8] = b"# ??? ";

fn slot(name: &str) -> Slot {
    Slot::General(name.into())
}

impl Writer<'_> {
    /// Lines that the reference always writes, where there are none.
    pub(super) fn write_always(&mut self, dir: &Path) {
        let quoted = words::quote(dir.as_os_str().as_bytes());
        let dir = [b"dir ".as_slice(), &quoted].concat();
        let always: [(&str, &[u8]); 4] = [
            ("port", b"port 26379"),
            ("dir", &dir),
            ("protected-mode", b"protected-mode no"),
            ("latency-tracking-info-percentiles", b"latency-tracking-info-percentiles 50 99 99.9"),
        ];
        for (name, line) in always {
            if self.document.places(&slot(name)).next().is_none() {
                self.append(line.to_vec(), &mut None);
            }
        }
    }

    /// `loglevel`, the one general directive that changes at run time.
    pub(super) fn write_log_level(&mut self, level: LogLevel) {
        let word: &[u8] = match level {
            LogLevel::Debug => b"debug",
            LogLevel::Verbose => b"verbose",
            LogLevel::Notice => b"notice",
            LogLevel::Warning => b"warning",
            LogLevel::Nothing => b"nothing",
        };
        let line = [b"loglevel ", word].concat();
        let slot = slot("loglevel");
        let last = self.document.places(&slot).last().map(|(place, line)| (place, line.clone()));
        let Some((place, last)) = last else {
            if level != LogLevel::Notice {
                self.append(line, &mut None);
            }
            return;
        };
        let says = last.words().and_then(|words| words.into_iter().nth(1));
        if says.is_some_and(|says| says.eq_ignore_ascii_case(word)) {
            return;
        }
        match last.origin() {
            Origin::Main => self.document.rewrite(place, line),
            Origin::Include(_) | Origin::CommandLine | Origin::StandardInput => {
                self.remove_main(&slot);
                self.append(line, &mut None);
            }
        }
    }

    /// All `user` lines. The default user gets none while it is what `requirepass` implies, so that
    /// a `requirepass` that is added or changed later counts (spec: holes H30).
    pub(super) fn write_users(&mut self, users: &[Vec<u8>]) {
        let slot = slot("user");
        if self.has_acl_file() {
            return self.remove_main(&slot);
        }
        let implied = self.implied_rules();
        let foreign = self.foreign_users(&slot);
        let mut users: Vec<Vec<u8>> = users.to_vec();
        // A second line for a user that an include or an option names would be fatal at the next
        // start (spec: holes H26).
        users.retain(|user| {
            !is_implied(user, &implied)
                && !name_of(user).is_some_and(|name| foreign.contains(&name))
        });
        for (place, name) in self.users(&slot) {
            let found = users.iter().position(|user| name_of(user) == Some(name.clone()));
            match found {
                Some(index) => {
                    let line = [b"user ".as_slice(), &users.remove(index)].concat();
                    if self.document.line(place).is_some_and(|old| old.text() != line) {
                        self.document.rewrite(place, line);
                    }
                }
                // The user's own line for what is implied anyway stays (spec: holes H29).
                None if self.says(place, &implied) => {}
                None => self.document.remove(place),
            }
        }
        for user in users {
            self.append([b"user ".as_slice(), &user].concat(), &mut None);
        }
    }

    /// Whether the line gives the default user these rules.
    fn says(&self, place: Place, rules: &[Vec<u8>]) -> bool {
        let words = self.document.line(place).and_then(Line::words).unwrap_or_default();
        words.get(1..).is_some_and(|user| gives_default(user, rules))
    }

    /// Whether the last `aclfile` line names one.
    fn has_acl_file(&self) -> bool {
        let last = self.document.places(&slot("aclfile")).last();
        let path = last.and_then(|(_, line)| line.words()?.into_iter().nth(1));
        path.is_some_and(|path| !path.is_empty())
    }

    /// The users that lines outside the main file name.
    fn foreign_users(&self, slot: &Slot) -> Vec<Vec<u8>> {
        let lines = self.document.places(slot).map(|(_, line)| line);
        let lines = lines.filter(|line| *line.origin() != Origin::Main);
        lines.filter_map(|line| line.words()?.into_iter().nth(1)).collect()
    }

    /// Takes out a `user default` line that opens the door which `requirepass` closes.
    pub(super) fn drop_open_default(&mut self) {
        if self.password().is_none() {
            return;
        }
        let open = open_rules();
        for (place, name) in self.users(&slot("user")) {
            let line = self.document.line(place).and_then(Line::words).unwrap_or_default();
            if name == b"default" && simple_rules(&line[2..]) == open {
                self.document.remove(place);
            }
        }
    }

    /// Marks the lines that nobody can read, as the reference does.
    pub(super) fn mark_unreadable(&mut self) {
        let unreadable: Vec<Slot> = self
            .document
            .slots()
            .filter(|slot| match slot {
                Slot::Broken | Slot::Stray => true,
                Slot::General(name) => !name.contains('.') && general(name).is_none(),
                Slot::Text | Slot::Process(_) | Slot::Master(..) => false,
            })
            .cloned()
            .collect();
        for slot in unreadable {
            for place in self.main_places(&slot) {
                let text = self.document.line(place).map(|line| line.text().to_vec());
                let text = [UNREADABLE, &text.unwrap_or_default()].concat();
                self.document.rewrite(place, text);
            }
        }
    }

    /// Removes the lines of a slot from the main file.
    pub(super) fn remove_main(&mut self, slot: &Slot) {
        for place in self.main_places(slot) {
            self.document.remove(place);
        }
    }

    fn main_places(&self, slot: &Slot) -> Vec<Place> {
        let lines = self.document.places(slot);
        let lines = lines.filter(|(_, line)| *line.origin() == Origin::Main);
        lines.map(|(place, _)| place).collect()
    }

    /// The users that the main file has lines for.
    fn users(&self, slot: &Slot) -> Vec<(Place, Vec<u8>)> {
        let places = self.main_places(slot).into_iter();
        places
            .filter_map(|place| {
                let words = self.document.line(place)?.words()?;
                Some((place, words.into_iter().nth(1)?))
            })
            .collect()
    }

    /// The value of the last `requirepass` line, wherever it stands.
    fn password(&self) -> Option<Vec<u8>> {
        let (_, line) = self.document.places(&slot("requirepass")).last()?;
        line.words()?.into_iter().nth(1).filter(|password| !password.is_empty())
    }

    fn implied_rules(&self) -> Vec<Vec<u8>> {
        let Some(password) = self.password() else { return open_rules() };
        let digest = Sha256::digest(password);
        let hash: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut rules = open_rules();
        rules[1] = format!("#{hash}").into_bytes();
        rules
    }
}

/// The rules of a default user without a password.
fn open_rules() -> Vec<Vec<u8>> {
    ["on", "nopass", "~*", "&*", "+@all"].map(|rule| rule.as_bytes().to_vec()).to_vec()
}

/// Rules without the word that only newer references write.
fn simple_rules(rules: &[Vec<u8>]) -> Vec<Vec<u8>> {
    rules.iter().filter(|rule| *rule != b"sanitize-payload").cloned().collect()
}

fn name_of(user: &[u8]) -> Option<Vec<u8>> {
    words::split(user).ok()?.into_iter().next()
}

fn is_implied(user: &[u8], implied: &[Vec<u8>]) -> bool {
    words::split(user).is_ok_and(|words| gives_default(&words, implied))
}

/// Whether a name and its rules are the default user's with these rules, in any order.
fn gives_default(user: &[Vec<u8>], rules: &[Vec<u8>]) -> bool {
    let Some((name, own)) = user.split_first() else { return false };
    let mut sorted = [simple_rules(own), rules.to_vec()];
    sorted.iter_mut().for_each(|rules| rules.sort());
    name == b"default" && sorted[0] == sorted[1]
}
