//! Section Stats (spec: interface 6.5). Most of it belongs to data servers and is always 0 here.

use super::line;
use crate::Dialect;
use crate::client::StatsFacts;

/// What a line shows.
enum Value {
    Count(fn(&StatsFacts) -> u64),
    Rate(fn(&StatsFacts) -> f64),
    Zero,
    /// Only Redis has it.
    RedisZero,
    /// Only Valkey has it.
    ValkeyZero,
    /// The same as a rate.
    ValkeyRate,
}

use Value::{Count, Rate, RedisZero, ValkeyRate, ValkeyZero, Zero};

const LINES: &[(&str, Value)] = &[
    ("total_connections_received", Count(|stats| stats.connections_received)),
    ("total_commands_processed", Count(|stats| stats.commands_processed)),
    ("instantaneous_ops_per_sec", Count(|stats| stats.ops_per_sec)),
    ("total_net_input_bytes", Count(|stats| stats.net_input_bytes)),
    ("total_net_output_bytes", Count(|stats| stats.net_output_bytes)),
    ("total_net_repl_input_bytes", Zero),
    ("total_net_repl_output_bytes", Zero),
    ("total_net_cluster_slot_import_bytes", ValkeyZero),
    ("total_net_cluster_slot_export_bytes", ValkeyZero),
    ("instantaneous_input_kbps", Rate(|stats| stats.input_kbps)),
    ("instantaneous_output_kbps", Rate(|stats| stats.output_kbps)),
    ("instantaneous_input_repl_kbps", Rate(|_| 0.0)),
    ("instantaneous_output_repl_kbps", Rate(|_| 0.0)),
    ("rejected_connections", Count(|stats| stats.rejected_connections)),
    ("sync_full", Zero),
    ("sync_partial_ok", Zero),
    ("sync_partial_err", Zero),
    ("expired_subkeys", RedisZero),
    ("expired_keys", Zero),
    ("expired_fields", ValkeyZero),
    ("expired_stale_perc", Rate(|_| 0.0)),
    ("expired_keys_with_volatile_items_stale_perc", ValkeyRate),
    ("expired_time_cap_reached_count", Zero),
    ("expire_cycle_cpu_milliseconds", Zero),
    ("evicted_keys", Zero),
    ("evicted_clients", Zero),
    ("evicted_scripts", Zero),
    ("total_eviction_exceeded_time", Zero),
    ("current_eviction_exceeded_time", Zero),
    ("keyspace_hits", Zero),
    ("keyspace_misses", Zero),
    ("pubsub_channels", Count(|stats| stats.pubsub_channels)),
    ("pubsub_patterns", Count(|stats| stats.pubsub_patterns)),
    ("pubsubshard_channels", Zero),
    ("latest_fork_usec", Zero),
    ("total_forks", Zero),
    ("migrate_cached_sockets", Zero),
    ("slave_expires_tracked_keys", Zero),
    ("active_defrag_hits", Zero),
    ("active_defrag_misses", Zero),
    ("active_defrag_key_hits", Zero),
    ("active_defrag_key_misses", Zero),
    ("total_active_defrag_time", Zero),
    ("current_active_defrag_time", Zero),
    ("tracking_total_keys", Zero),
    ("tracking_total_items", Zero),
    ("tracking_total_prefixes", Count(|stats| stats.tracking_prefixes)),
    ("unexpected_error_replies", Zero),
    ("total_error_replies", Count(|stats| stats.error_replies)),
    ("dump_payload_sanitizations", Zero),
    ("total_reads_processed", Count(|stats| stats.reads_processed)),
    ("total_writes_processed", Count(|stats| stats.writes_processed)),
    ("io_threaded_reads_processed", Zero),
    ("io_threaded_writes_processed", Zero),
    ("io_threaded_freed_objects", ValkeyZero),
    ("io_threaded_accept_processed", ValkeyZero),
    ("io_threaded_poll_processed", ValkeyZero),
    ("io_threaded_total_prefetch_batches", ValkeyZero),
    ("io_threaded_total_prefetch_entries", ValkeyZero),
    ("client_query_buffer_limit_disconnections", Count(|stats| stats.query_buffer_disconnections)),
    (
        "client_output_buffer_limit_disconnections",
        Count(|stats| stats.output_buffer_disconnections),
    ),
    ("reply_buffer_shrinks", Zero),
    ("reply_buffer_expands", Zero),
    ("eventloop_cycles", Zero),
    ("eventloop_duration_sum", Zero),
    ("eventloop_duration_cmd_sum", Zero),
    ("instantaneous_eventloop_cycles_per_sec", Zero),
    ("instantaneous_eventloop_duration_usec", Zero),
    ("acl_access_denied_auth", Count(|stats| stats.denied_auth)),
    ("acl_access_denied_cmd", Count(|stats| stats.denied_command)),
    ("acl_access_denied_key", Zero),
    ("acl_access_denied_channel", Count(|stats| stats.denied_channel)),
    ("acl_access_denied_tls_cert", ValkeyZero),
    ("acl_access_denied_db", ValkeyZero),
];

/// Appends the section.
pub(super) fn stats(text: &mut String, facts: &StatsFacts, dialect: Dialect) {
    text.push_str("# Stats\r\n");
    for (name, value) in LINES {
        match (value, dialect) {
            (Count(read), _) => line(text, name, read(facts)),
            (Rate(read), _) => line(text, name, format_args!("{:.2}", read(facts))),
            (Zero, _) | (RedisZero, Dialect::Redis) | (ValkeyZero, Dialect::Valkey) => {
                line(text, name, 0);
            }
            (ValkeyRate, Dialect::Valkey) => line(text, name, "0.00"),
            (RedisZero, Dialect::Valkey) | (ValkeyZero | ValkeyRate, Dialect::Redis) => {}
        }
    }
}
