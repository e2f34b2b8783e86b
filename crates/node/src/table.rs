//! The commands there are. Arities and flags are those COMMAND INFO of Redis 7.0 shows.

use crate::Node;
use crate::command::{client, config, connection, failover, info, keyspace, pubsub, replication};
use crate::command::{client_kill, server, transaction};
use crate::dispatch::Call;
use crate::reply::Reply;

/// A command, or a subcommand as `container|name`.
pub(crate) struct CommandSpec {
    pub(crate) name: &'static str,
    /// Words with the command itself; negative is a minimum.
    pub(crate) arity: i32,
    pub(crate) flags: Flags,
    pub(crate) run: fn(&mut Node, &Call<'_>) -> Reply,
    pub(crate) children: &'static [CommandSpec],
}

/// When a command may run and what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flags(u16);

impl Flags {
    pub(crate) const NONE: Flags = Flags(0);
    /// Runs while loading.
    pub(crate) const LOADING: Flags = Flags(1);
    /// Runs on a replica without its master, whatever the settings.
    pub(crate) const STALE: Flags = Flags(2);
    /// Runs while a script does.
    pub(crate) const WHILE_BUSY: Flags = Flags(4);
    /// Runs before authentication.
    pub(crate) const NO_AUTH: Flags = Flags(8);
    /// Changes data.
    pub(crate) const WRITE: Flags = Flags(16);
    /// Is refused between MULTI and EXEC.
    pub(crate) const NO_MULTI: Flags = Flags(32);
    /// Is executed, not queued, between MULTI and EXEC.
    pub(crate) const RUNS_IN_MULTI: Flags = Flags(64);
    /// Is allowed to subscribers in RESP2.
    pub(crate) const SUBSCRIBER: Flags = Flags(128);
    /// May go to replicas: what CLIENT PAUSE WRITE holds.
    pub(crate) const REPLICATES: Flags = Flags(256);

    const fn and(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    pub(crate) const fn has(self, flag: Flags) -> bool {
        self.0 & flag.0 == flag.0
    }
}

const ANY_TIME: Flags = Flags::LOADING.and(Flags::STALE);
const BUSY_TOO: Flags = ANY_TIME.and(Flags::WHILE_BUSY);
const IN_MULTI: Flags = ANY_TIME.and(Flags::RUNS_IN_MULTI);
const IN_MULTI_BUSY: Flags = BUSY_TOO.and(Flags::RUNS_IN_MULTI);
const LOGIN: Flags = BUSY_TOO.and(Flags::NO_AUTH);
const LEAVE: Flags = LOGIN.and(Flags::SUBSCRIBER).and(Flags::RUNS_IN_MULTI);
const SUBSCRIBE: Flags = ANY_TIME.and(Flags::SUBSCRIBER);
const WRITE: Flags = Flags::WRITE.and(Flags::REPLICATES);

const fn spec(
    name: &'static str,
    arity: i32,
    flags: Flags,
    run: fn(&mut Node, &Call<'_>) -> Reply,
) -> CommandSpec {
    CommandSpec { name, arity, flags, run, children: &[] }
}

const fn container(name: &'static str, children: &'static [CommandSpec]) -> CommandSpec {
    CommandSpec { name, arity: -2, flags: Flags::NONE, run: server::nothing, children }
}

/// Every command, sorted by name.
pub(crate) static COMMANDS: &[CommandSpec] = &[
    spec("auth", -2, LOGIN, connection::auth),
    container("client", CLIENT),
    CommandSpec {
        name: "command",
        arity: -1,
        flags: ANY_TIME,
        run: server::command,
        children: COMMAND,
    },
    container("config", CONFIG),
    spec("dbsize", 1, Flags::NONE, keyspace::dbsize),
    spec("debug", -2, ANY_TIME, server::debug),
    spec("del", -2, WRITE, keyspace::del),
    spec("discard", 1, IN_MULTI_BUSY, transaction::discard),
    spec("echo", 2, ANY_TIME, connection::echo),
    spec("exec", 1, IN_MULTI, transaction::exec),
    spec("exists", -2, Flags::NONE, keyspace::exists),
    spec("failover", -1, Flags::STALE, failover::failover),
    spec("flushall", -1, WRITE, keyspace::flushall),
    spec("flushdb", -1, WRITE, keyspace::flushall),
    spec("get", 2, Flags::NONE, keyspace::get),
    spec("hello", -1, LOGIN, connection::hello),
    spec("incr", 2, WRITE, keyspace::incr),
    spec("info", -1, ANY_TIME, info::info),
    spec("keys", 2, Flags::NONE, keyspace::keys),
    spec("lastsave", 1, ANY_TIME, server::lastsave),
    spec("mget", -2, Flags::NONE, keyspace::mget),
    spec("multi", 1, IN_MULTI_BUSY, transaction::multi),
    spec("ping", -1, Flags::SUBSCRIBER, connection::ping),
    spec("psubscribe", -2, SUBSCRIBE, pubsub::psubscribe),
    spec("psync", -3, Flags::NO_MULTI, replication::psync),
    spec("publish", 3, ANY_TIME.and(Flags::REPLICATES), pubsub::publish),
    spec("punsubscribe", -1, SUBSCRIBE, pubsub::punsubscribe),
    spec("quit", -1, LEAVE, connection::quit),
    spec("replconf", -1, BUSY_TOO, replication::replconf),
    spec("replicaof", 3, Flags::STALE, replication::replicaof),
    spec("reset", 1, LEAVE, connection::reset),
    spec("role", 1, ANY_TIME, replication::role),
    container("script", SCRIPT),
    spec("select", 2, ANY_TIME, connection::select),
    spec("set", -3, WRITE, keyspace::set),
    spec("shutdown", -1, BUSY_TOO.and(Flags::NO_MULTI), server::shutdown),
    spec("slaveof", 3, Flags::STALE, replication::replicaof),
    spec("subscribe", -2, SUBSCRIBE, pubsub::subscribe),
    spec("time", 1, ANY_TIME, server::time),
    spec("unsubscribe", -1, SUBSCRIBE, pubsub::unsubscribe),
    spec("unwatch", 1, BUSY_TOO, transaction::unwatch),
    spec("wait", 3, Flags::NONE, replication::wait),
    spec("watch", -2, IN_MULTI_BUSY, transaction::watch),
];

const CLIENT: &[CommandSpec] = &[
    spec("client|getname", 2, ANY_TIME, client::getname),
    spec("client|id", 2, ANY_TIME, client::id),
    spec("client|info", 2, ANY_TIME, client::info),
    spec("client|kill", -3, ANY_TIME, client_kill::kill),
    spec("client|list", -2, ANY_TIME, client::list),
    spec("client|no-evict", 3, ANY_TIME, client::no_evict),
    spec("client|pause", -3, ANY_TIME, client::pause),
    spec("client|reply", 3, ANY_TIME, client::reply),
    spec("client|setinfo", 4, ANY_TIME, client::setinfo),
    spec("client|setname", 3, ANY_TIME, client::setname),
    spec("client|unpause", 2, ANY_TIME, client::unpause),
];

const COMMAND: &[CommandSpec] = &[
    spec("command|count", 2, ANY_TIME, server::command_count),
    spec("command|docs", -2, ANY_TIME, server::command_docs),
    spec("command|info", -2, ANY_TIME, server::command_info),
    spec("command|list", -2, ANY_TIME, server::command_list),
];

const CONFIG: &[CommandSpec] = &[
    spec("config|get", -3, ANY_TIME, config::get),
    spec("config|resetstat", 2, ANY_TIME, config::resetstat),
    spec("config|rewrite", 2, ANY_TIME, config::rewrite),
    spec("config|set", -4, ANY_TIME, config::set),
];

const SCRIPT: &[CommandSpec] = &[
    spec("script|flush", -2, Flags::NONE, server::script_flush),
    spec("script|kill", 2, Flags::WHILE_BUSY, server::script_kill),
];

/// A command by its lower-case name.
pub(crate) fn find(name: &[u8]) -> Option<&'static CommandSpec> {
    let found = COMMANDS.binary_search_by(|spec| spec.name.as_bytes().cmp(name));
    found.ok().and_then(|index| COMMANDS.get(index))
}

/// A subcommand by its name in any case.
pub(crate) fn child(container: &CommandSpec, word: &[u8]) -> Option<&'static CommandSpec> {
    let prefix = container.name.len() + 1;
    container
        .children
        .iter()
        .find(|child| child.name.as_bytes()[prefix..].eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::{COMMANDS, find};

    #[test]
    fn commands_are_sorted_so_that_each_is_found() {
        assert!(COMMANDS.is_sorted_by_key(|spec| spec.name));
        for spec in COMMANDS {
            assert!(find(spec.name.as_bytes()).is_some(), "{}", spec.name);
        }
    }
}
