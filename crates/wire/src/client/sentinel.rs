//! SENTINEL (spec: interface 2): reads from the snapshot, requests to the core.

use std::sync::Arc;

use bytes::Bytes;
use vedette_core::{MasterView, ProcessView, Request, Settings};
use vedette_resp::Protocol;

use super::execute::{Executed, Outcome};
use super::surroundings::Surroundings;
use crate::Dialect;
use crate::commands::{RequestVerb, SentinelVerb};
use crate::replies::entry::Entries;
use crate::replies::{caches, ckquorum, help, masters, scripts, settings};
use crate::reply::{Reply, bulk, error, no_such_master};
use crate::requests::{
    Parsed, config_set, debug, failover, master_name, monitor, peer, refuse_control_characters,
    reset, set, simulate_failure,
};
use crate::snapshot::Snapshot;

/// What the snapshot answers.
pub(super) fn read(
    verb: SentinelVerb,
    words: &[Bytes],
    (dialect, protocol): (Dialect, Protocol),
    surroundings: &dyn Surroundings,
) -> Executed {
    let (name, words) = (&words[0], &words[2..]);
    let (snapshot, now) = (surroundings.snapshot(), surroundings.now());
    let named = || words.first().and_then(|name| find(snapshot, name));
    let master = || named().ok_or_else(no_such_master);
    let process = snapshot.process().map(|process| &**process);
    let entries = match verb {
        SentinelVerb::Master => Entries::single(now, protocol).master(master()?),
        SentinelVerb::Masters => masters::masters(snapshot, now, protocol),
        SentinelVerb::Replicas => masters::replicas(master()?, now, protocol),
        SentinelVerb::Sentinels => masters::sentinels(master()?, now, protocol),
        SentinelVerb::CkQuorum => return reply(ckquorum::ckquorum(master()?)),
        SentinelVerb::GetMasterAddrByName => return reply(masters::address(named())),
        SentinelVerb::Help => return reply(help::sentinel(name, dialect)),
        SentinelVerb::InfoCache => return reply(caches::info_cache(snapshot, words, now)),
        SentinelVerb::MyId => return reply(my_id(process)?),
        SentinelVerb::PendingScripts => return reply(scripts::pending_scripts(process, now)),
    };
    Ok(Outcome::Spelled(entries.into_bytes()))
}

fn reply(reply: Reply) -> Executed {
    Ok(Outcome::Reply(reply))
}

/// What the core must do or say.
pub(super) fn request(
    verb: RequestVerb,
    words: &[Bytes],
    dialect: Dialect,
    surroundings: &dyn Surroundings,
) -> Executed {
    let snapshot = surroundings.snapshot();
    let request = match verb {
        RequestVerb::Config => return config(words, dialect, snapshot),
        RequestVerb::Debug if words.is_empty() => {
            let process = snapshot.process().map(|process| &**process);
            return Ok(Outcome::Reply(settings::tunables(process)));
        }
        RequestVerb::Debug => {
            let (request, done) = debug::parse(words)?;
            return Ok(Outcome::AskFor(request, done));
        }
        RequestVerb::Failover => failover::parse(words, dialect)?,
        RequestVerb::FlushConfig => Request::FlushConfig,
        RequestVerb::IsMasterDownByAddr => peer::is_master_down(four(words)?)?,
        RequestVerb::Monitor => {
            refuse_control_characters(words, 2, "MONITOR", dialect)?;
            monitor::parse(four(words)?, current(snapshot).resolve_hostnames)?
        }
        RequestVerb::Remove => Request::Remove(master_name(&words[0])?),
        RequestVerb::Reset => match reset::parse(&words[0], snapshot) {
            Some(request) => request,
            None => return Ok(Outcome::Reply(Reply::Integer(0))),
        },
        RequestVerb::Set => set(words, dialect, surroundings)?,
        RequestVerb::SimulateFailure => {
            let (request, done) = simulate_failure::parse(words);
            return Ok(Outcome::AskFor(request, done));
        }
    };
    Ok(Outcome::Ask(request))
}

fn my_id(process: Option<&ProcessView>) -> Result<Reply, Reply> {
    process.map(|process| bulk(process.my_id.as_str())).ok_or_else(starting)
}

/// `CONFIG GET` and `CONFIG SET`
fn config(words: &[Bytes], dialect: Dialect, snapshot: &Snapshot) -> Executed {
    match words {
        [get, patterns @ ..] if get.eq_ignore_ascii_case(b"get") => {
            let process = snapshot.process().map(|process| &**process);
            Ok(Outcome::Reply(settings::config(process, patterns)))
        }
        [set, pairs @ ..] if set.eq_ignore_ascii_case(b"set") && pairs.len() > 1 => {
            refuse_control_characters(pairs, 3, "CONFIG SET", dialect)?;
            config_set::parse(pairs).map(Outcome::Ask)
        }
        _ => Err(error(
            "ERR Only SENTINEL CONFIG GET <param> [<param> <param> ...] / SET <param> <value> \
             [<param> <value> ...] are supported.",
        )),
    }
}

/// An unknown master comes first, then the options from left to right.
fn set(words: &[Bytes], dialect: Dialect, surroundings: &dyn Surroundings) -> Parsed {
    let [name, options @ ..] = words else { return Err(no_such_master()) };
    let master = find(surroundings.snapshot(), name).ok_or_else(no_such_master)?;
    refuse_control_characters(options, 3, "SET", dialect)?;
    let settings = current(surroundings.snapshot());
    let context = set::Context {
        settings: &settings,
        is_executable: &|path| surroundings.is_executable(path),
    };
    set::parse(master.name.clone(), options, context)
}

/// The settings in force, or the defaults before the first publication.
fn current(snapshot: &Snapshot) -> Arc<Settings> {
    snapshot.process().map(|process| process.settings.clone()).unwrap_or_default()
}

fn find<'a>(snapshot: &'a Snapshot, name: &[u8]) -> Option<&'a MasterView> {
    let name = core::str::from_utf8(name).ok()?;
    snapshot.master(name).map(|view| &**view)
}

/// The four arguments that the table's arity promises.
fn four(words: &[Bytes]) -> Result<&[Bytes; 4], Reply> {
    words.try_into().map_err(|_| crate::reply::syntax_error())
}

fn starting() -> Reply {
    error("ERR This Sentinel is starting; ask again in a moment")
}
