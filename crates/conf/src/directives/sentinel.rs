//! The `sentinel …` directives (spec: interface 8.5).

/// When a directive is applied: first the process-wide ones, then `monitor`, then the rest
/// (spec: interface 8.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Group {
    Process,
    Monitor,
    Master,
}

macro_rules! sentinel_directives {
    ($($variant:ident, $group:ident, $words:pat, $name:literal $(, $alias:literal)*;)*) => {
        /// A `sentinel` directive, in the order in which new lines are written
        /// (spec: interface 9.4).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum SentinelDirective {
            $($variant,)*
        }

        impl SentinelDirective {
            /// The first in order.
            pub(crate) const FIRST: Self = Self::MyId;

            /// The directive of that name or alias, any case.
            pub(crate) fn find(name: &[u8]) -> Option<Self> {
                match name.to_ascii_lowercase().as_slice() {
                    $(name if name == $name.as_bytes() $(|| name == $alias.as_bytes())* => {
                        Some(Self::$variant)
                    })*
                    _ => None,
                }
            }

            /// The spelling that all references read.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// When it is applied.
            pub(crate) fn group(self) -> Group {
                match self {
                    $(Self::$variant => Group::$group,)*
                }
            }

            /// Whether it takes so many words after its name.
            pub(crate) fn takes(self, words: usize) -> bool {
                match self {
                    $(Self::$variant => matches!(words, $words),)*
                }
            }
        }
    };
}

sentinel_directives! {
    MyId, Process, 1, "myid";
    DenyScriptsReconfig, Process, 1, "deny-scripts-reconfig";
    ResolveHostnames, Process, 1, "resolve-hostnames";
    AnnounceHostnames, Process, 1, "announce-hostnames";
    Monitor, Monitor, 4, "monitor";
    DownAfter, Master, 2, "down-after-milliseconds";
    FailoverTimeout, Master, 2, "failover-timeout";
    ParallelSyncs, Master, 2, "parallel-syncs";
    NotificationScript, Master, 2, "notification-script";
    ClientReconfigScript, Master, 2, "client-reconfig-script";
    AuthPass, Master, 2, "auth-pass";
    AuthUser, Master, 2, "auth-user";
    RebootDownAfter, Master, 2, "master-reboot-down-after-period", "primary-reboot-down-after-period";
    ConfigEpoch, Master, 2, "config-epoch";
    LeaderEpoch, Master, 2, "leader-epoch";
    KnownReplica, Master, 3, "known-replica", "known-slave";
    KnownSentinel, Master, 3 | 4, "known-sentinel";
    RenameCommand, Master, 3, "rename-command";
    CurrentEpoch, Process, 1, "current-epoch";
    AnnounceIp, Process, 1, "announce-ip";
    AnnouncePort, Process, 1, "announce-port";
    SentinelUser, Process, 1, "sentinel-user";
    SentinelPass, Process, 1, "sentinel-pass";
}
