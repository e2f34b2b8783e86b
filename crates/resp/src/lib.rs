//! Bytes to RESP2, RESP3 and inline commands, and back.
