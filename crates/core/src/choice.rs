//! The choice of a replica (spec: behaviour 10.5, rule L4): from candidates to verdicts.

use serde::{Deserialize, Serialize};

/// Why a replica cannot be promoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Exclusion {
    /// Subjectively down.
    Down,
    /// A connection is missing.
    Disconnected,
    /// No acceptable PING reply lately.
    SilentPing,
    /// Priority 0.
    NeverPromote,
    /// No INFO lately.
    StaleInfo,
    /// It lost its master too long before the others did.
    LinkDownTooLong,
}
