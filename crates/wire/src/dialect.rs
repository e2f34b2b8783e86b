//! Whose names and versions a Sentinel gives where Redis and Valkey differ (spec: interface,
//! appendix C). Both understand the commands and options of both.

use core::fmt;
use core::str::FromStr;

/// What HELLO, INFO, COMMAND, HELP, the log and a few error texts sound like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// As Redis 7.4: clients send CLIENT SETINFO from 7.2 on.
    #[default]
    Redis,
    /// As Valkey 9.1.
    Valkey,
}

/// A word that names no dialect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no dialect: it is \"redis\" or \"valkey\"")]
pub struct UnknownDialect(String);

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 2] = [Self::Redis, Self::Valkey];

    /// The server's name in HELLO, and its default name in syslog.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Valkey => "valkey",
        }
    }

    /// The server's name in sentences.
    #[must_use]
    pub const fn product(self) -> &'static str {
        match self {
            Self::Redis => "Redis",
            Self::Valkey => "Valkey",
        }
    }

    /// The version of the server that it sounds like.
    #[must_use]
    pub const fn version(self) -> &'static str {
        match self {
            Self::Redis => "7.4.2",
            Self::Valkey => "9.1.2",
        }
    }

    /// `redis_version` of INFO: clients decide by it what they may send.
    #[must_use]
    pub const fn redis_version(self) -> &'static str {
        match self {
            Self::Redis => "7.4.2",
            Self::Valkey => "7.2.4",
        }
    }

    /// A sentence about masters in its words: Valkey says primary.
    #[must_use]
    pub fn wording(self, sentence: &str) -> String {
        match self {
            Self::Redis => sentence.to_owned(),
            Self::Valkey => sentence
                .replace("MASTERS", "PRIMARIES")
                .replace("MASTER", "PRIMARY")
                .replace("masters", "primaries")
                .replace("master", "primary"),
        }
    }

    /// How the report of a bad configuration names the program (spec: interface 8.2).
    #[must_use]
    pub fn fatal_title(self) -> String {
        match self {
            Self::Redis => format!("Redis {}", self.version()),
            Self::Valkey => format!("Version {}", self.version()),
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(word: &str) -> Result<Self, UnknownDialect> {
        let named = |dialect: &Self| dialect.name().eq_ignore_ascii_case(word);
        Self::ALL.into_iter().find(named).ok_or_else(|| UnknownDialect(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valkey_says_primary() {
        let sentence = "MASTERS and MASTER: one master, two masters";
        assert_eq!(Dialect::Redis.wording(sentence), sentence);
        let primary = "PRIMARIES and PRIMARY: one primary, two primaries";
        assert_eq!(Dialect::Valkey.wording(sentence), primary);
    }

    #[test]
    fn a_dialect_is_found_by_its_name() {
        for dialect in Dialect::ALL {
            assert_eq!(dialect.to_string().parse(), Ok(dialect));
        }
        assert_eq!("Valkey".parse(), Ok(Dialect::Valkey));
        let error = "keydb".parse::<Dialect>().unwrap_err();
        assert_eq!(error.to_string(), "\"keydb\" is no dialect: it is \"redis\" or \"valkey\"");
    }
}
