//! Directives of a data server that mean nothing to a Sentinel but must be accepted, since people
//! start Sentinels from copied files (spec: interface 8.4, appendix B): the union of the names of
//! Redis and Valkey, each with the more lenient of their checks.

use super::syntax::{INT_MAX, MEMORY_MAX, Syntax};

const ANY: i64 = i64::MAX;
const PORT_MAX: i64 = u16::MAX as i64;
const SHUTDOWN: &[&str] = &["default", "save", "nosave", "now", "force", "safe", "failover"];
const GUARD: &[&str] = &["no", "yes", "local"];

/// Syntax, and the names (aliases included) that have it.
pub(super) const IGNORED: &[(Syntax, &str)] = &[
    (
        Syntax::YesNo,
        "activedefrag activerehashing aof-disable-auto-gc aof-load-truncated
         aof-rewrite-incremental-fsync aof-timestamp-enabled aof-use-rdb-preamble appendonly
         cluster-allow-pubsubshard-when-down cluster-allow-reads-when-down
         cluster-allow-replica-migration cluster-enabled cluster-replica-no-failover
         cluster-slave-no-failover cluster-require-full-coverage cluster-slot-stats-enabled
         crash-log-enabled crash-memcheck-enabled disable-thp dual-channel-replication-enabled
         enable-debug-assert jemalloc-bg-thread latency-tracking
         lazyfree-lazy-eviction lazyfree-lazy-expire lazyfree-lazy-server-del
         lazyfree-lazy-user-del lazyfree-lazy-user-flush no-appendfsync-on-rewrite
         rdb-del-sync-files rdb-save-incremental-fsync rdbchecksum rdbcompression
         repl-disable-tcp-nodelay repl-diskless-sync replica-announced
         replica-ignore-disk-write-errors replica-ignore-maxmemory slave-ignore-maxmemory
         replica-lazy-flush slave-lazy-flush replica-read-only slave-read-only
         replica-serve-stale-data slave-serve-stale-data stop-writes-on-bgsave-error
         use-exit-on-panic",
    ),
    (Syntax::Integer(0, 100), "maxmemory-eviction-tenacity"),
    (Syntax::Integer(0, 1000), "active-defrag-threshold-lower active-defrag-threshold-upper"),
    (Syntax::Integer(1, 10), "active-expire-effort"),
    (Syntax::Integer(1, 99), "active-defrag-cycle-max active-defrag-cycle-min"),
    (Syntax::Integer(1, 256), "io-threads"),
    (Syntax::Integer(0, 128), "prefetch-batch-max-size"),
    (Syntax::Integer(1, 1000), "max-new-connections-per-cycle max-new-tls-connections-per-cycle"),
    (
        Syntax::Integer(0, INT_MAX),
        "auto-aof-rewrite-percentage cluster-migration-barrier cluster-replica-validity-factor
         cluster-slave-validity-factor hz lfu-decay-time lfu-log-factor list-compress-depth
         min-replicas-max-lag min-slaves-max-lag min-replicas-to-write min-slaves-to-write
         repl-diskless-sync-delay repl-diskless-sync-max-replicas replica-priority slave-priority
         shutdown-timeout watchdog-period",
    ),
    (
        Syntax::Integer(1, INT_MAX),
        "databases maxmemory-samples repl-ping-replica-period repl-ping-slave-period repl-timeout",
    ),
    (
        Syntax::Integer(-INT_MAX - 1, INT_MAX),
        "key-load-delay list-max-listpack-size list-max-ziplist-size rdb-key-save-delay",
    ),
    (Syntax::Integer(1024, INT_MAX), "loading-process-events-interval-bytes"),
    (
        Syntax::Integer(0, PORT_MAX),
        "cluster-announce-bus-port cluster-announce-port cluster-announce-tls-port cluster-port
         replica-announce-port slave-announce-port",
    ),
    (Syntax::Integer(0, u32::MAX as i64), "socket-mark-id"),
    (
        Syntax::Integer(0, ANY),
        "busy-reply-threshold lua-time-limit cluster-node-timeout cluster-ping-interval
         hash-max-listpack-entries hash-max-ziplist-entries latency-monitor-threshold
         repl-backlog-ttl set-max-intset-entries set-max-listpack-entries set-max-listpack-value
         slowlog-max-len stream-node-max-entries tracking-table-max-keys
         zset-max-listpack-entries zset-max-ziplist-entries",
    ),
    (Syntax::Integer(1, ANY), "active-defrag-max-scan-fields"),
    (Syntax::Integer(-1, ANY), "slowlog-log-slower-than"),
    (Syntax::Integer(i64::MIN, ANY), "cluster-blacklist-ttl client-default-resp"),
    (
        Syntax::Memory(0, MEMORY_MAX),
        "auto-aof-rewrite-min-size hash-max-listpack-value hash-max-ziplist-value
         hll-sparse-max-bytes stream-node-max-bytes zset-max-listpack-value
         zset-max-ziplist-value",
    ),
    (Syntax::Memory(1, MEMORY_MAX), "active-defrag-ignore-bytes repl-backlog-size"),
    (Syntax::Memory(0, u64::MAX), "cluster-link-sendbuf-limit maxmemory"),
    (Syntax::MemoryOrPercent, "maxmemory-clients"),
    (Syntax::Choice(&["everysec", "always", "no"]), "appendfsync"),
    (Syntax::Choice(&["ignore", "panic", "panic-on-replicas"]), "propagation-error-behavior"),
    (Syntax::Choice(&["ip", "hostname", "unknown-endpoint"]), "cluster-preferred-endpoint-type"),
    (
        Syntax::Choice(&["disabled", "on-empty-db", "swapdb", "flush-before-load"]),
        "repl-diskless-load",
    ),
    (Syntax::Choice(GUARD), "enable-debug-command enable-module-command enable-protected-configs"),
    (Syntax::Choice(&["no", "yes", "relative", "absolute"]), "oom-score-adj"),
    (
        Syntax::Choice(&[
            "volatile-lru",
            "volatile-lfu",
            "volatile-random",
            "volatile-ttl",
            "allkeys-lru",
            "allkeys-lfu",
            "allkeys-random",
            "noeviction",
        ]),
        "maxmemory-policy",
    ),
    (Syntax::Choices(SHUTDOWN), "shutdown-on-sigint shutdown-on-sigterm"),
    (
        Syntax::Text,
        "aof-rewrite-cpulist aof_rewrite_cpulist availability-zone bgsave-cpulist bgsave_cpulist
         bio-cpulist bio_cpulist server-cpulist server_cpulist cluster-announce-human-nodename
         cluster-announce-ip cluster-config-file debug-context ignore-warnings locale-collate
         masterauth masteruser primaryauth primaryuser replica-announce-ip slave-announce-ip
         req-res-logfile",
    ),
    (Syntax::FileName("appenddirname", "dirname"), "appenddirname"),
    (Syntax::FileName("appendfilename", "filename"), "appendfilename"),
    (Syntax::FileName("dbfilename", "filename"), "dbfilename"),
    (Syntax::HostName, "cluster-announce-hostname"),
    (Syntax::Ipv4, "cluster-announce-client-ipv4"),
    (Syntax::Ipv6, "cluster-announce-client-ipv6"),
    (Syntax::Integers(3, -2000, 2000), "oom-score-adj-values"),
    (Syntax::Percentiles, "latency-tracking-info-percentiles"),
    (Syntax::SavePoints, "save"),
    (Syntax::EventClasses, "notify-keyspace-events"),
    (Syntax::HostPort, "replicaof slaveof"),
    (
        Syntax::Obsolete,
        "dynamic-hz events-per-io-thread io-threads-do-reads list-max-ziplist-entries
         list-max-ziplist-value lua-replicate-commands sanitize-dump-payload",
    ),
];
