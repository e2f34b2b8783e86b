//! Deterministic simulator of whole groups.
