//! Every directive with its values missing, too many, doubled, and wrong.

/// What may stand for the last word of a line.
const VALUES: &[&str] =
    &["abc", "1x", "-1", "0", "70000", "2147483648", "4294967296", "99999999999999999999", "\"\""];

/// A good line of each directive of the Sentinel's own.
const SENTINEL: &[&str] = &[
    "sentinel myid 0123456789012345678901234567890123456789",
    "sentinel deny-scripts-reconfig yes",
    "sentinel resolve-hostnames no",
    "sentinel announce-hostnames no",
    "sentinel monitor n 127.0.0.1 6379 2",
    "sentinel down-after-milliseconds m 1000",
    "sentinel failover-timeout m 1000",
    "sentinel parallel-syncs m 1",
    "sentinel notification-script m /bin/true",
    "sentinel client-reconfig-script m /bin/true",
    "sentinel auth-pass m a",
    "sentinel auth-user m a",
    "sentinel master-reboot-down-after-period m 1",
    "sentinel config-epoch m 1",
    "sentinel leader-epoch m 1",
    "sentinel known-replica m 127.0.0.1 2",
    "sentinel known-sentinel m 127.0.0.1 3 1111111111111111111111111111111111111111",
    "sentinel rename-command m CONFIG c",
    "sentinel current-epoch 1",
    "sentinel announce-ip 127.0.0.1",
    "sentinel announce-port 1",
    "sentinel sentinel-user a",
    "sentinel sentinel-pass a",
];

/// A good line of each directive of a server that matters to a Sentinel.
const GENERAL: &[&str] = &[
    "port 1",
    "protected-mode no",
    "unixsocketperm 700",
    "tcp-backlog 5",
    "timeout 5",
    "tcp-keepalive 5",
    "maxclients 100",
    "daemonize no",
    "loglevel notice",
    "syslog-enabled no",
    "syslog-facility local0",
    "always-show-logo no",
    "set-proc-title yes",
    "supervised no",
    "acllog-max-len 1",
    "acl-pubsub-default allchannels",
    "client-query-buffer-limit 1mb",
    "proto-max-bulk-len 1mb",
    "client-output-buffer-limit pubsub 1mb 1mb 1",
    "latency-tracking-info-percentiles 50",
    "tls-port 0",
    "tls-replication no",
    "tls-cluster no",
    "tls-auth-clients no",
    "tls-prefer-server-ciphers yes",
    "tls-session-caching yes",
    "tls-session-cache-size 5",
    "tls-session-cache-timeout 5",
    "hz 10",
    "databases 1",
    "appendonly no",
    "maxmemory 1mb",
    "requirepass a",
    "rename-command PING a",
];

/// The line that ends every file, so that a program ends whatever the others are worth.
const END: [&str; 2] = ["sentinel no-such-line 1", "no-such-line 1"];

/// Rules that do not parse. Ours look at users when all else is good, so nothing else is wrong.
const USERS: &[&str] = &[
    "user a on more",
    "user a abc",
    "user a 1",
    "user a on >b (~*",
    "user a #abc",
    "user",
    "user a on\nuser a on",
];

/// The lines of each case, with the one that ends it.
pub(super) fn cases() -> Vec<(String, &'static str)> {
    let mut cases: Vec<_> = USERS.iter().map(|&line| (line.to_owned(), "")).collect();
    for (lines, end) in [(SENTINEL, END[0]), (GENERAL, END[1])] {
        for &line in lines {
            let (start, _) = line.rsplit_once(' ').expect("a value");
            let mut variants =
                vec![start.to_owned(), format!("{line} more"), format!("{line}\n{line}")];
            variants.extend(VALUES.iter().map(|value| format!("{start} {value}")));
            cases.extend(variants.into_iter().map(|variant| (variant, end)));
        }
    }
    cases
}

/// How the judgement of ours may differ: what the lines begin with, what ours say, and why
/// (`COMPAT.md`).
const DIFFERENT: &[[&str; 3]] = &[
    ["sentinel ", "argument must be between", "H32, H17"],
    ["sentinel ", "argument couldn't be parsed into an integer", "H32"],
    ["sentinel known-replica ", "Invalid port number.", "H32"],
    ["sentinel known-sentinel ", "Malformed Sentinel id", "H32"],
    ["sentinel known-", END[0], "H26: the same twice is harmless"],
    ["sentinel monitor ", END[0], "H26: the same twice is harmless"],
    ["sentinel rename-command ", END[0], "H26: the same twice is harmless"],
    ["user ", "***", "secrets: passwords are not repeated"],
    ["loglevel ", "warning, nothing", "R8 knows one more"],
    ["client-query-buffer-limit ", "must be a memory value", "H32: beyond 64 bits"],
    ["proto-max-bulk-len ", "must be a memory value", "H32: beyond 64 bits"],
    ["maxmemory ", "must be a memory value", "H32: beyond 64 bits"],
    ["client-output-buffer-limit ", "Error in hard, soft or soft_seconds", "H32"],
];

/// Whether ours may say this of these lines whatever the reference says.
pub(super) fn may_differ(lines: &str, said: &[String]) -> bool {
    DIFFERENT.iter().any(|[start, words, _reason]| {
        lines.starts_with(start) && said.iter().any(|line| line.contains(words))
    })
}
