//! Names and numbers with a type of their own, so that none is taken for another.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The name of a monitored master; byte-exact, case-sensitive.
pub type MasterName = Arc<str>;

macro_rules! forty_characters {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 40]);

        impl $name {
            /// Reads exactly 40 printable ASCII characters without a comma or a blank.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let bytes: [u8; 40] = text.as_bytes().try_into().ok()?;
                let fine = |byte: &u8| byte.is_ascii_graphic() && *byte != b',';
                bytes.iter().all(fine).then_some(Self(bytes))
            }

            /// The 40 characters.
            #[must_use]
            pub fn as_str(&self) -> &str {
                core::str::from_utf8(&self.0).unwrap_or_default()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| D::Error::custom("not a 40-character id"))
            }
        }
    };
}

forty_characters! {
    /// The permanent identity of a Sentinel, `myid` (spec: behaviour 1.1).
    SentinelId
}

forty_characters! {
    /// The `run_id` of a data node: new at each of its starts.
    RunId
}

impl RunId {
    /// The characters in lower case, to compare them without regard to it.
    pub(crate) fn lower_case(&self) -> [u8; 40] {
        self.0.map(|byte| byte.to_ascii_lowercase())
    }
}

impl SentinelId {
    /// Makes an id from 20 random bytes: 40 lower-case hexadecimal characters.
    #[must_use]
    pub fn from_random(bytes: [u8; 20]) -> Self {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 40];
        for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
            pair[0] = HEX[usize::from(byte >> 4)];
            pair[1] = HEX[usize::from(byte & 15)];
        }
        Self(text)
    }
}

/// A version number of elections and configurations. Always below 2^63 (spec: holes H17).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Epoch(u64);

impl Epoch {
    /// The epoch before the first failover.
    pub const ZERO: Self = Self(0);
    /// The largest epoch.
    pub const MAX: Self = Self(i64::MAX as u64);

    /// An epoch from a number; none from 2^63 on.
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        if number <= Self::MAX.0 { Some(Self(number)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The following epoch; none after [`Epoch::MAX`], so that no epoch ever wraps.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        Self::new(self.0 + 1)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub struct $name(pub u64);
    };
}

number! {
    /// A connection that the core ordered. Never reused; inputs of a closed one are dropped.
    ConnId
}
number! {
    /// A client's request that waits for the core's answer; minted by the shell.
    Ticket
}
number! {
    /// A script that the core ordered to run.
    JobId
}
number! {
    /// The number of a [`crate::Effect::Persist`].
    Generation
}
number! {
    /// A monitored master within this process: configuration order, never reused.
    MasterId
}

/// A password. It prints as `***` everywhere; only the renderer of the configuration file and the
/// encoder of `AUTH` expose it (held by the tidy test).
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<[u8]>);

impl Secret {
    /// Wraps a password.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into().into())
    }

    /// The password itself.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}
