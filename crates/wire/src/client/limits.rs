//! Bounds of a client connection beyond the configured ones, each with its reason.

/// Replies of the core that one connection may wait for. A fellow Sentinel has a handful of
/// questions under way; above this reading stops until some are answered.
pub(super) const WAITING_MAX: usize = 64;

/// Output bytes above which no further request is executed until some were written. Commands are
/// shorter than their replies, so waiting commands cost less than waiting replies.
pub(super) const OUTPUT_PAUSE: usize = 1 << 20;

/// Query bytes above which reading stops while requests wait for an answer or for the end of a
/// pause.
pub(super) const PARKED_QUERY_MAX: usize = 1 << 20;

/// Subscriptions of one connection: there are fifty channels, and few patterns make sense.
pub(super) const SUBSCRIPTIONS_MAX: usize = 1024;

/// Prefixes of one connection that tracks: there are no keys, so that none makes sense.
pub(super) const PREFIXES_MAX: usize = 256;

/// Bytes of all of them together.
pub(super) const PREFIX_BYTES_MAX: usize = 16 << 10;

/// Bytes of a typed name that an error repeats (spec: interface 1.7).
pub(super) const ECHO_MAX: usize = 128;
