//! Read-only replies: pure functions of a snapshot and the time.
