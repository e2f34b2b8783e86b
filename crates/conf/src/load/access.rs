//! `requirepass` against `user default`: the stricter wins (spec: holes H30, interface 8.5).

use sha2::{Digest as _, Sha256};
use vedette_core::Secret;

use super::reader::Reader;
use crate::error::Warning;
use crate::settings::UserLine;

impl Reader<'_> {
    /// Makes the default user's rules the stricter of the two, and says so.
    pub(super) fn settle_access(&mut self) {
        let (Some(password), Some((origin, number))) =
            (&self.server.requirepass, &self.requirepass_at)
        else {
            return;
        };
        let Some(user) = self.server.users.iter_mut().find(|user| user.name == b"default") else {
            return;
        };
        let (here, there) = (origin.place(*number), user.origin.place(user.number));
        let text = match Passwords::of(user) {
            Passwords::NotNeeded => {
                user.rules.push([b">", password.expose()].concat());
                format!(
                    "`requirepass` ({here}) asks for a password, `user default … nopass` ({there}) \
                     for none: the password is asked for"
                )
            }
            Passwords::AnyOf(hashes) if !hashes.contains(&hash(password)) => format!(
                "`requirepass` ({here}) has no effect: `user default` ({there}) has passwords of its own"
            ),
            Passwords::AnyOf(_) => return,
        };
        let remedy = "take one of the two lines out";
        self.warnings.push(Warning { place: Some((origin.clone(), *number)), text, remedy });
    }
}

/// What a user must show.
enum Passwords {
    NotNeeded,
    AnyOf(Vec<String>),
}

impl Passwords {
    fn of(user: &UserLine) -> Self {
        let mut nopass = false;
        let mut hashes = Vec::new();
        for rule in &user.rules {
            match rule.as_slice() {
                rule if rule.eq_ignore_ascii_case(b"nopass") => {
                    nopass = true;
                    hashes.clear();
                }
                rule if is_reset(rule) => {
                    nopass = false;
                    hashes.clear();
                }
                [b'>', password @ ..] => {
                    nopass = false;
                    hashes.push(hash(&Secret::new(password)));
                }
                [b'#', digits @ ..] => {
                    nopass = false;
                    hashes.push(String::from_utf8_lossy(digits).into_owned());
                }
                [b'<', password @ ..] => {
                    let gone = hash(&Secret::new(password));
                    hashes.retain(|kept| *kept != gone);
                }
                [b'!', digits @ ..] => hashes.retain(|kept| kept.as_bytes() != digits),
                _ => {}
            }
        }
        if nopass { Self::NotNeeded } else { Self::AnyOf(hashes) }
    }
}

fn is_reset(rule: &[u8]) -> bool {
    rule.eq_ignore_ascii_case(b"resetpass") || rule.eq_ignore_ascii_case(b"reset")
}

fn hash(password: &Secret) -> String {
    Sha256::digest(password.expose()).iter().map(|byte| format!("{byte:02x}")).collect()
}
