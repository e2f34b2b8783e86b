//! Queries as commands. A rename replaces the first word only (spec: behaviour 4.5).

use std::collections::BTreeSet;

use bytes::BytesMut;
use vedette_core::{
    Endpoint, Epoch, Purpose, Query, Renames, ReplicationTarget, SentinelId, TransactionCommand,
};
use vedette_resp::encode_command;

use crate::hello::{HELLO_CHANNEL, render_hello};

/// Appends the commands of a query.
pub(super) fn write(out: &mut BytesMut, query: &Query, renames: &Renames) {
    let mut put = |command: &str, arguments: &[&[u8]]| put(out, renames, command, arguments);
    match query {
        Query::Auth { user: Some(user), password } => {
            put("AUTH", &[user.as_bytes(), password.expose()]);
        }
        Query::Auth { user: None, password } => put("AUTH", &[password.expose()]),
        Query::SetName { id, purpose } => {
            put("CLIENT", &[b"SETNAME", client_name(id, *purpose).as_bytes()]);
        }
        Query::Ping => put("PING", &[]),
        Query::Info => put("INFO", &[]),
        Query::Subscribe => put("SUBSCRIBE", &[HELLO_CHANNEL.as_bytes()]),
        Query::Hello(hello) => {
            put("PUBLISH", &[HELLO_CHANNEL.as_bytes(), &render_hello(hello)]);
        }
        Query::AskDown { address, epoch, vote_for } => {
            ask_down(&mut put, address, *epoch, vote_for.as_ref());
        }
        Query::Replicate { target, without } => replicate(&mut put, target, without),
        Query::ScriptKill => put("SCRIPT", &[b"KILL"]),
        Query::HandOver { to, patience } => {
            let (port, millis) = (to.port.to_string(), patience.0.to_string());
            let to = to.host.as_bytes();
            put("FAILOVER", &[b"TO", to, port.as_bytes(), b"TIMEOUT", millis.as_bytes()]);
        }
        Query::TellOffset => put("REPLCONF", &[b"GETACK", b"*"]),
        Query::RecallHandOver => put("FAILOVER", &[b"ABORT"]),
        Query::RewriteConfig => put("CONFIG", &[b"REWRITE"]),
    }
}

/// The commands between `MULTI` and `EXEC`. `SLAVEOF` is never left out.
pub(super) fn transaction(without: &BTreeSet<TransactionCommand>) -> Vec<TransactionCommand> {
    use TransactionCommand::{ConfigRewrite, KillNormal, KillPubsub, SlaveOf};
    [SlaveOf, ConfigRewrite, KillNormal, KillPubsub]
        .into_iter()
        .filter(|command| *command == SlaveOf || !without.contains(command))
        .collect()
}

fn put(out: &mut BytesMut, renames: &Renames, command: &str, arguments: &[&[u8]]) {
    let name = renames.get(command).map_or(command, |renamed| renamed);
    // The longest command is is-master-down-by-addr with six words.
    let mut words: [&[u8]; 6] = [b""; 6];
    words[0] = name.as_bytes();
    words[1..=arguments.len()].copy_from_slice(arguments);
    encode_command(out, &words[..=arguments.len()]);
}

/// Operators search for these names (spec: behaviour 4.4).
fn client_name(id: &SentinelId, purpose: Purpose) -> String {
    let kind = match purpose {
        Purpose::Commands => "cmd",
        Purpose::Subscription => "pubsub",
    };
    format!("sentinel-{}-{kind}", &id.as_str()[..8])
}

fn ask_down(
    put: &mut dyn FnMut(&str, &[&[u8]]),
    address: &Endpoint,
    epoch: Epoch,
    vote_for: Option<&SentinelId>,
) {
    put(
        "SENTINEL",
        &[
            b"is-master-down-by-addr",
            address.host.as_bytes(),
            address.port.to_string().as_bytes(),
            epoch.to_string().as_bytes(),
            vote_for.map_or("*", SentinelId::as_str).as_bytes(),
        ],
    );
}

fn replicate(
    put: &mut dyn FnMut(&str, &[&[u8]]),
    target: &ReplicationTarget,
    without: &BTreeSet<TransactionCommand>,
) {
    put("MULTI", &[]);
    for command in transaction(without) {
        match command {
            TransactionCommand::SlaveOf => match target {
                ReplicationTarget::NoOne => put("SLAVEOF", &[b"NO", b"ONE"]),
                ReplicationTarget::Node(node) => {
                    put("SLAVEOF", &[node.host.as_bytes(), node.port.to_string().as_bytes()]);
                }
            },
            TransactionCommand::ConfigRewrite => put("CONFIG", &[b"REWRITE"]),
            TransactionCommand::KillNormal => put("CLIENT", &[b"KILL", b"TYPE", b"normal"]),
            TransactionCommand::KillPubsub => put("CLIENT", &[b"KILL", b"TYPE", b"pubsub"]),
        }
    }
    put("EXEC", &[]);
}
