//! Every bound of this crate, with its reason.

/// What a decoder of replies puts up with. Exceeding a limit is a [`crate::DecodeError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyLimits {
    /// Nesting of aggregates. Nodes and Sentinels never nest deeper than six; dropping a frame
    /// recurses this deep.
    pub max_depth: usize,
    /// Length of one bulk, verbatim or blob-error payload. An INFO reply is some KiB, and with
    /// ten thousand replicas under two MiB.
    pub max_bulk_len: usize,
    /// Length of one line: simple strings, errors and headers.
    pub max_line_len: usize,
    /// Values in one reply, nested ones and attributes included. Bounds what small values cost in
    /// memory beyond their bytes.
    pub max_elements: usize,
    /// Bytes of one whole reply on the wire. With one unread chunk this bounds the buffer.
    pub max_frame_bytes: usize,
}

impl Default for ReplyLimits {
    fn default() -> Self {
        Self {
            max_depth: 32,
            max_bulk_len: 8 << 20,
            max_line_len: 64 << 10,
            max_elements: 64 << 10,
            max_frame_bytes: 16 << 20,
        }
    }
}

/// What a decoder of requests puts up with beyond the fixed rules of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLimits {
    /// `proto-max-bulk-len` (spec: interface 1.3).
    pub max_bulk_len: usize,
    /// `client-query-buffer-limit` (spec: interface 1.4): buffered bytes and the arguments already
    /// read of a request that is not complete.
    pub max_query_bytes: usize,
    /// The same for a connection that is not authenticated.
    pub max_unauthenticated_query_bytes: usize,
    /// Whether CR LF must follow each argument, as Valkey 9.1 wants it, or any two bytes may.
    pub wants_line_ends: bool,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self {
            max_bulk_len: 512 << 20,
            max_query_bytes: 1 << 30,
            max_unauthenticated_query_bytes: 1 << 20,
            wants_line_ends: false,
        }
    }
}

/// Longest inline line and longest `*` or `$` header, in bytes (spec: interface 1.3).
pub(crate) const REQUEST_LINE_MAX: usize = 64 << 10;
/// Most arguments of any request (spec: interface 1.3).
pub(crate) const REQUEST_ARGS_MAX: i64 = i32::MAX as i64;
/// Most arguments before authentication.
pub(crate) const UNAUTHENTICATED_ARGS_MAX: i64 = 10;
/// Longest argument before authentication, in bytes.
pub(crate) const UNAUTHENTICATED_BULK_MAX: i64 = 16 << 10;
