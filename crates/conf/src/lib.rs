//! sentinel.conf: lossless document, directive table, rewrite.
