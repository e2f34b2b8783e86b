//! Who may connect. Today only the default user exists, with `requirepass` as its password; ACL
//! users will be further entries here.

use vedette_core::Secret;

/// The name of the user that every connection starts as.
pub const DEFAULT_USER: &str = "default";

/// The users.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    default_password: Option<Secret>,
}

impl Accounts {
    /// Accounts with just the default user; without a password everybody may enter.
    #[must_use]
    pub fn new(requirepass: Option<Secret>) -> Self {
        Self { default_password: requirepass.filter(|password| *password != Secret::new([])) }
    }

    /// Whether a fresh connection is authenticated already.
    #[must_use]
    pub fn default_is_open(&self) -> bool {
        self.default_password.is_none()
    }

    /// Whether there is such a user.
    #[must_use]
    pub fn has_user(&self, name: &[u8]) -> bool {
        name == DEFAULT_USER.as_bytes()
    }

    /// The user that these credentials belong to.
    #[must_use]
    pub fn authenticate(&self, user: &[u8], password: &[u8]) -> Option<&'static str> {
        if !self.has_user(user) {
            return None;
        }
        match &self.default_password {
            None => Some(DEFAULT_USER),
            Some(expected) => (*expected == Secret::new(password)).then_some(DEFAULT_USER),
        }
    }
}
