//! The three ways in which a lab takes a master away.

use std::fmt;
use std::str::FromStr;

/// What happens to the master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9`: its connections are reset, new ones are refused.
    Kill,
    /// SIGSTOP: it stays connected and answers nothing.
    Hang,
    /// `SENTINEL FAILOVER`: an operator's wish; the master is healthy.
    Failover,
}

impl Fault {
    /// Whether the Sentinels have to notice it, after down-after-milliseconds.
    pub fn is_noticed(self) -> bool {
        match self {
            Self::Kill | Self::Hang => true,
            Self::Failover => false,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kill => "kill",
            Self::Hang => "hang",
            Self::Failover => "failover",
        })
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        [Self::Kill, Self::Hang, Self::Failover]
            .into_iter()
            .find(|fault| fault.to_string() == word)
            .ok_or_else(|| format!("{word:?} is none of kill, hang and failover"))
    }
}
