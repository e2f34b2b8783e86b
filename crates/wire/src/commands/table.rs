//! The table itself (spec: interface appendix A). A row: name, arity, flags, categories, tips,
//! route, verb, listing, subcommands, since, complexity, summary.

use super::verb::{AclVerb, ClientVerb, CommandVerb, RequestVerb, SentinelVerb, Verb};
use super::{Command, Listing, Route};

macro_rules! commands {
    ($(#[$doc:meta])* $vis:vis const $table:ident from $first:literal =
        $($name:literal $arity:literal $flags:ident $categories:ident $tips:ident $route:ident
          [$verb:ident $(($sub:ident))?] $listing:ident $subcommands:ident
          $since:literal $complexity:literal $summary:literal,)*
    ) => {
        $(#[$doc])*
        $vis const $table: &[Command] = &numbered([$(Command {
            name: $name,
            bit: 0,
            arity: $arity,
            flags: $flags,
            categories: $categories,
            tips: $tips,
            route: Route::$route,
            verb: verb!($verb $($sub)?),
            listing: Listing::$listing,
            since: $since,
            complexity: $complexity,
            summary: $summary,
            subcommands: $subcommands,
        },)*], $first);
    };
}

/// Gives the commands of a table their bits, one after the other.
const fn numbered<const N: usize>(mut commands: [Command; N], first: u8) -> [Command; N] {
    let mut at = 0;
    while at < N {
        commands[at].bit = first + at as u8;
        at += 1;
    }
    commands
}

macro_rules! verb {
    (Acl $sub:ident) => {
        Verb::Acl(AclVerb::$sub)
    };
    (Client $sub:ident) => {
        Verb::Client(ClientVerb::$sub)
    };
    (Command $sub:ident) => {
        Verb::Command(CommandVerb::$sub)
    };
    (Request $sub:ident) => {
        Verb::Request(RequestVerb::$sub)
    };
    (Sentinel $sub:ident) => {
        Verb::Sentinel(SentinelVerb::$sub)
    };
    ($verb:ident) => {
        Verb::$verb
    };
}

commands! {
    /// Every top-level command, in alphabetical order.
    pub const COMMANDS from 0 =
    "acl" -2 NONE SLOW NONE Local [Container] Shown ACL
        "6.0.0" "" "Access control lists.",
    "auth" -2 ENTRY FAST_CONNECTION NONE Local [Auth] Shown LEAF
        "1.0.0" "O(N)" "Authenticates this connection.",
    "client" -2 NONE SLOW NONE Local [Container] Shown CLIENT
        "2.4.0" "" "Client connections.",
    "command" -1 HELPING SLOW_CONNECTION UNORDERED Local [Command(All)] Shown COMMAND
        "2.8.13" "O(N)" "Describes all commands.",
    "hello" -1 ENTRY FAST_CONNECTION NONE Local [Hello] Shown LEAF
        "6.0.0" "O(1)" "Chooses the protocol and authenticates.",
    "info" -1 HELPING SLOW_DANGEROUS INFO_TIPS Snapshot [Info] Shown LEAF
        "1.0.0" "O(1)" "Describes the process and its masters.",
    "ping" -1 FAST FAST_CONNECTION ALL_SHARDS Local [Ping] Shown LEAF
        "1.0.0" "O(1)" "Answers PONG.",
    "psubscribe" -2 SUBSCRIBING PUBSUB_SLOW NONE Local [Psubscribe] Shown LEAF
        "2.0.0" "O(N)" "Subscribes to events by pattern.",
    "publish" 3 PUBLISHING PUBSUB_FAST NONE Peer [Publish] Shown LEAF
        "2.0.0" "O(N+M)" "Takes the hello of a fellow Sentinel.",
    "punsubscribe" -1 SUBSCRIBING PUBSUB_SLOW NONE Local [Punsubscribe] Shown LEAF
        "2.0.0" "O(N+M)" "Ends subscriptions by pattern.",
    "quit" -1 ENTRY FAST_CONNECTION NONE Local [Quit] Courtesy LEAF
        "1.0.0" "O(1)" "Ends this connection.",
    "role" 1 PLAIN_FAST ADMIN_FAST NONE Snapshot [Role] Shown LEAF
        "2.8.12" "O(1)" "Tells that this is a Sentinel, and its masters.",
    "sentinel" -2 ADMIN ADMIN_SLOW NONE Local [Container] Shown SENTINEL
        "2.8.4" "" "The Sentinel.",
    "shutdown" -1 ENDING ADMIN_SLOW NONE Local [Shutdown] Shown LEAF
        "1.0.0" "O(N)" "Ends the process.",
    "subscribe" -2 SUBSCRIBING PUBSUB_SLOW NONE Local [Subscribe] Shown LEAF
        "2.0.0" "O(N)" "Subscribes to events.",
    "unsubscribe" -1 SUBSCRIBING PUBSUB_SLOW NONE Local [Unsubscribe] Shown LEAF
        "2.0.0" "O(N)" "Ends subscriptions to events.",
}

commands! { const ACL from 32 =
    "acl|cat" -2 PLAIN SLOW NONE Local [Acl(Cat)] Shown LEAF
        "6.0.0" "O(1)" "Lists the ACL categories, or the commands in one.",
    "acl|deluser" -3 ADMINISTRATIVE ADMIN_SLOW ALL_NODES Local [Acl(DelUser)] Shown LEAF
        "6.0.0" "O(1)" "Removes ACL users and ends their connections.",
    "acl|dryrun" -4 ADMINISTRATIVE ADMIN_SLOW NONE Local [Acl(DryRun)] Shown LEAF
        "7.0.0" "O(1)" "Tells whether a user could run a command, without running it.",
    "acl|genpass" -2 PLAIN SLOW NONE Local [Acl(GenPass)] Shown LEAF
        "6.0.0" "O(1)" "Makes a random password.",
    "acl|getuser" 3 ADMINISTRATIVE ADMIN_SLOW NONE Local [Acl(GetUser)] Shown LEAF
        "6.0.0" "O(N)" "Shows the rules of one ACL user.",
    "acl|help" 2 HELPING SLOW NONE Local [Acl(Help)] Shown LEAF
        "6.0.0" "O(1)" "Explains the subcommands of ACL.",
    "acl|list" 2 ADMINISTRATIVE ADMIN_SLOW NONE Local [Acl(List)] Shown LEAF
        "6.0.0" "O(N)" "Lists the ACL users with their rules.",
    "acl|load" 2 ADMINISTRATIVE ADMIN_SLOW NONE Shell [Acl(Load)] Shown LEAF
        "6.0.0" "O(N)" "Reads the ACL file again.",
    "acl|log" -2 ADMINISTRATIVE ADMIN_SLOW NONE Local [Acl(Log)] Shown LEAF
        "6.0.0" "O(N)" "Lists what ACL rules refused lately.",
    "acl|save" 2 ADMINISTRATIVE ADMIN_SLOW ALL_NODES Shell [Acl(Save)] Shown LEAF
        "6.0.0" "O(N)" "Writes the ACL file.",
    "acl|setuser" -3 ADMINISTRATIVE ADMIN_SLOW ALL_NODES Local [Acl(SetUser)] Shown LEAF
        "6.0.0" "O(N)" "Creates or changes an ACL user.",
    "acl|users" 2 ADMINISTRATIVE ADMIN_SLOW NONE Local [Acl(Users)] Shown LEAF
        "6.0.0" "O(N)" "Lists the names of the ACL users.",
    "acl|whoami" 2 PLAIN SLOW NONE Local [Acl(WhoAmI)] Shown LEAF
        "6.0.0" "O(1)" "Names the user of this connection.",
}

commands! { const CLIENT from 64 =
    "client|caching" 3 PLAIN SLOW_CONNECTION NONE Local [Client(Caching)] Shown LEAF
        "6.0.0" "O(1)" "Steers tracking of the next command.",
    "client|getname" 2 PLAIN SLOW_CONNECTION NONE Local [Client(GetName)] Shown LEAF
        "2.6.9" "O(1)" "Shows the name of this connection.",
    "client|getredir" 2 PLAIN SLOW_CONNECTION NONE Local [Client(GetRedir)] Shown LEAF
        "6.0.0" "O(1)" "Shows where tracking messages go.",
    "client|help" 2 HELPING SLOW_CONNECTION NONE Local [Client(Help)] Shown LEAF
        "5.0.0" "O(1)" "Explains the subcommands of CLIENT.",
    "client|id" 2 PLAIN SLOW_CONNECTION NONE Local [Client(Id)] Shown LEAF
        "5.0.0" "O(1)" "Shows the number of this connection.",
    "client|info" 2 PLAIN SLOW_CONNECTION CHANGING Local [Client(Info)] Shown LEAF
        "6.2.0" "O(1)" "Describes this connection.",
    "client|kill" -3 ADMINISTRATIVE ADMIN_CONNECTION NONE Shell [Client(Kill)] Shown LEAF
        "2.4.0" "O(N)" "Ends connections.",
    "client|list" -2 ADMINISTRATIVE ADMIN_CONNECTION CHANGING Shell [Client(List)] Shown LEAF
        "2.4.0" "O(N)" "Lists the connections.",
    "client|no-evict" 3 ADMINISTRATIVE ADMIN_CONNECTION NONE Local [Client(NoEvict)] Shown LEAF
        "7.0.0" "O(1)" "Exempts this connection from eviction.",
    "client|pause" -3 ADMINISTRATIVE ADMIN_CONNECTION NONE Local [Client(Pause)] Shown LEAF
        "2.9.50" "O(1)" "Holds the commands of all clients for a while.",
    "client|reply" 3 PLAIN SLOW_CONNECTION NONE Local [Client(Reply)] Shown LEAF
        "3.2.0" "O(1)" "Switches replies to this connection on or off.",
    "client|setinfo" 4 PLAIN SLOW_CONNECTION ALL_NODES Local [Client(SetInfo)] Shown LEAF
        "7.2.0" "O(1)" "Tells which library this connection uses.",
    "client|setname" 3 PLAIN SLOW_CONNECTION ALL_NODES Local [Client(SetName)] Shown LEAF
        "2.6.9" "O(1)" "Names this connection.",
    "client|tracking" -3 PLAIN SLOW_CONNECTION NONE Shell [Client(Tracking)] Shown LEAF
        "6.0.0" "O(1)" "Switches tracking on or off.",
    "client|trackinginfo" 2 PLAIN SLOW_CONNECTION NONE Local [Client(TrackingInfo)] Shown LEAF
        "6.2.0" "O(1)" "Shows whether tracking is on.",
    "client|unblock" -3 ADMINISTRATIVE ADMIN_CONNECTION NONE Local [Client(Unblock)] Shown LEAF
        "5.0.0" "O(log N)" "Unblocks a client that waits in a blocking command.",
    "client|unpause" 2 ADMINISTRATIVE ADMIN_CONNECTION NONE Local [Client(Unpause)] Shown LEAF
        "6.2.0" "O(N)" "Ends the pause of all clients.",
}

commands! { const COMMAND from 96 =
    "command|count" 2 HELPING SLOW_CONNECTION NONE Local [Command(Count)] Shown LEAF
        "2.8.13" "O(1)" "Counts the commands.",
    "command|docs" -2 HELPING SLOW_CONNECTION UNORDERED Local [Command(Docs)] Shown LEAF
        "7.0.0" "O(N)" "Documents commands.",
    "command|getkeys" -3 HELPING SLOW_CONNECTION NONE Local [Command(GetKeys)] Shown LEAF
        "2.8.13" "O(N)" "Extracts the keys of a command.",
    "command|getkeysandflags" -3 HELPING SLOW_CONNECTION NONE Local [Command(GetKeys)] Shown LEAF
        "7.0.0" "O(N)" "Extracts the keys of a command and how they are used.",
    "command|help" 2 HELPING SLOW_CONNECTION NONE Local [Command(Help)] Shown LEAF
        "5.0.0" "O(1)" "Explains the subcommands of COMMAND.",
    "command|info" -2 HELPING SLOW_CONNECTION UNORDERED Local [Command(Info)] Shown LEAF
        "2.8.13" "O(N)" "Describes commands.",
    "command|list" -2 HELPING SLOW_CONNECTION UNORDERED Local [Command(List)] Shown LEAF
        "7.0.0" "O(N)" "Lists the names of commands.",
}

commands! { const SENTINEL from 128 =
    "sentinel|ckquorum" 3 ADMIN ADMIN_SLOW NONE Snapshot [Sentinel(CkQuorum)] Shown LEAF
        "2.8.4" "" "Tells whether enough Sentinels are there for a failover.",
    "sentinel|config" -4 ADMIN ADMIN_SLOW NONE Core [Request(Config)] Shown LEAF
        "6.2.0" "O(1)" "Shows or changes process-wide settings.",
    "sentinel|debug" -2 ADMIN ADMIN_SLOW NONE Core [Request(Debug)] Shown LEAF
        "7.0.0" "O(N)" "Shows or changes the periods and timeouts.",
    "sentinel|failover" -3 ADMIN ADMIN_SLOW NONE Core [Request(Failover)] Shown LEAF
        "2.8.4" "" "Starts a failover by force.",
    "sentinel|flushconfig" 2 ADMIN ADMIN_SLOW NONE Core [Request(FlushConfig)] Shown LEAF
        "2.8.4" "O(1)" "Writes the configuration file.",
    "sentinel|get-master-addr-by-name" 3 ADMIN ADMIN_SLOW NONE Snapshot
        [Sentinel(GetMasterAddrByName)] Shown LEAF
        "2.8.4" "O(1)" "Shows the address of a master.",
    "sentinel|help" 2 HELPING SLOW NONE Local [Sentinel(Help)] Shown LEAF
        "6.2.0" "O(1)" "Explains the subcommands of SENTINEL.",
    "sentinel|info-cache" -3 ADMIN ADMIN_SLOW NONE Snapshot [Sentinel(InfoCache)] Shown LEAF
        "3.2.0" "O(N)" "Shows the last INFO of a master and its replicas.",
    "sentinel|is-master-down-by-addr" 6 ADMIN ADMIN_SLOW NONE Peer [Request(IsMasterDownByAddr)]
        Shown LEAF "2.8.4" "O(1)" "Asks for an opinion or a vote; used between Sentinels.",
    "sentinel|master" 3 ADMIN ADMIN_SLOW NONE Snapshot [Sentinel(Master)] Shown LEAF
        "2.8.4" "O(1)" "Describes a master.",
    "sentinel|masters" 2 ADMIN ADMIN_SLOW NONE Snapshot [Sentinel(Masters)] Shown LEAF
        "2.8.4" "O(N)" "Describes all masters.",
    "sentinel|monitor" 6 ADMIN ADMIN_SLOW NONE Core [Request(Monitor)] Shown LEAF
        "2.8.4" "O(1)" "Starts to monitor a master.",
    "sentinel|myid" 2 ADMIN ADMIN_SLOW NONE Snapshot [Sentinel(MyId)] Shown LEAF
        "6.2.0" "O(1)" "Shows the id of this Sentinel.",
    "sentinel|pending-scripts" 2 ADMIN ADMIN_SLOW NONE Snapshot [Sentinel(PendingScripts)]
        Shown LEAF "2.8.4" "" "Lists the scripts that run or wait.",
    "sentinel|remove" 3 ADMIN ADMIN_SLOW NONE Core [Request(Remove)] Shown LEAF
        "2.8.4" "O(1)" "Stops to monitor a master.",
    "sentinel|replicas" 3 ADMIN ADMIN_SLOW NONE Snapshot [Sentinel(Replicas)] Shown LEAF
        "5.0.0" "O(N)" "Describes the replicas of a master.",
    "sentinel|reset" 3 ADMIN ADMIN_SLOW NONE Core [Request(Reset)] Shown LEAF
        "2.8.4" "O(N)" "Forgets replicas and Sentinels of masters by pattern.",
    "sentinel|sentinels" 3 ADMIN ADMIN_SLOW NONE Snapshot [Sentinel(Sentinels)] Shown LEAF
        "2.8.4" "O(N)" "Describes the other Sentinels of a master.",
    "sentinel|set" -5 ADMIN ADMIN_SLOW NONE Core [Request(Set)] Shown LEAF
        "2.8.4" "O(1)" "Changes settings of a master.",
    "sentinel|simulate-failure" -3 ADMIN ADMIN_SLOW NONE Core [Request(SimulateFailure)] Shown LEAF
        "3.2.0" "" "Arms a crash at a given moment of a failover.",
    "sentinel|slaves" 3 ADMIN ADMIN_SLOW NONE Snapshot [Sentinel(Replicas)] Shown LEAF
        "2.8.0" "O(N)" "Describes the replicas of a master.",
    "sentinel|get-primary-addr-by-name" 3 ADMIN ADMIN_SLOW NONE Snapshot
        [Sentinel(GetMasterAddrByName)] ValkeyAlias LEAF
        "8.0.0" "O(1)" "Shows the address of a master.",
    "sentinel|is-primary-down-by-addr" 6 ADMIN ADMIN_SLOW NONE Peer [Request(IsMasterDownByAddr)]
        ValkeyAlias LEAF "8.0.0" "O(1)" "Asks for an opinion or a vote; used between Sentinels.",
    "sentinel|primaries" 2 ADMIN ADMIN_SLOW NONE Snapshot [Sentinel(Masters)] ValkeyAlias LEAF
        "8.0.0" "O(N)" "Describes all masters.",
    "sentinel|primary" 3 ADMIN ADMIN_SLOW NONE Snapshot [Sentinel(Master)] ValkeyAlias LEAF
        "8.0.0" "O(1)" "Describes a master.",
}

/// No subcommands.
const LEAF: &[Command] = &[];

// Flags, categories and tips, by who has them.
const NONE: &[&str] = &[];
const PLAIN: &[&str] = &["noscript", "loading", "stale"];
const HELPING: &[&str] = &["loading", "stale"];
const ADMINISTRATIVE: &[&str] = &["admin", "noscript", "loading", "stale"];
const ENTRY: &[&str] = &["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"];
const ADMIN: &[&str] = &["admin"];
const FAST: &[&str] = &["fast"];
const PUBLISHING: &[&str] = &["pubsub", "loading", "stale", "fast"];
const SUBSCRIBING: &[&str] = &["pubsub", "noscript", "loading", "stale"];
const PLAIN_FAST: &[&str] = &["noscript", "loading", "stale", "fast"];
const ENDING: &[&str] = &["admin", "noscript", "loading", "stale", "no_multi", "allow_busy"];
const SLOW: &[&str] = &["slow"];
const ADMIN_SLOW: &[&str] = &["admin", "slow", "dangerous"];
const FAST_CONNECTION: &[&str] = &["fast", "connection"];
const SLOW_CONNECTION: &[&str] = &["slow", "connection"];
const ADMIN_CONNECTION: &[&str] = &["admin", "slow", "dangerous", "connection"];
const SLOW_DANGEROUS: &[&str] = &["slow", "dangerous"];
const PUBSUB_SLOW: &[&str] = &["pubsub", "slow"];
const PUBSUB_FAST: &[&str] = &["pubsub", "fast"];
const ADMIN_FAST: &[&str] = &["admin", "fast", "dangerous"];
const CHANGING: &[&str] = &["nondeterministic_output"];
const UNORDERED: &[&str] = &["nondeterministic_output_order"];
const INFO_TIPS: &[&str] =
    &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"];
const ALL_SHARDS: &[&str] = &["request_policy:all_shards", "response_policy:all_succeeded"];
const ALL_NODES: &[&str] = &["request_policy:all_nodes", "response_policy:all_succeeded"];
