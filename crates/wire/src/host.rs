//! Hosts as they come from outside: in hellos, in INFO, from operators.

/// Longest host. DNS allows 253 bytes; with this and the longest master name a hello still fits
/// (spec: behaviour 6.1).
pub(crate) const HOST_MAX: usize = 255;

/// Whether a text can be a host at all. Blanks would shift the words of events, commas the fields
/// of hellos, quotes and control characters the lines of the file and the log.
pub(crate) fn is_plausible(host: &str) -> bool {
    let harmful = |c: char| c.is_whitespace() || c.is_control() || ",\"'\\".contains(c);
    !host.is_empty() && host.len() <= HOST_MAX && !host.contains(harmful)
}

#[cfg(test)]
mod tests {
    use super::is_plausible;

    #[test]
    fn hosts_cannot_break_lines_or_fields() {
        for host in ["10.0.0.1", "::1", "fe80::1%eth0", "redis-0.redis.svc", "redis_0"] {
            assert!(is_plausible(host), "{host}");
        }
        for host in ["", "a b", "a,b", "a\nb", "\"a\"", &"a".repeat(256)] {
            assert!(!is_plausible(host), "{host:?}");
        }
    }
}
