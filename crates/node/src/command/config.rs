//! CONFIG GET, SET, REWRITE, RESETSTAT.

use bytes::Bytes;
use vedette_resp::Frame;

use crate::dispatch::Call;
use crate::node::{Counters, Saved};
use crate::parameters::{self, Parameter};
use crate::reply::{self, Reply, error, literal, shown};
use crate::{Node, Role};

pub(crate) fn get(node: &mut Node, call: &Call<'_>) -> Reply {
    let mut pairs: Vec<(Frame, Frame)> = Vec::new();
    for pattern in &call.args[2..] {
        for (name, value) in node.parameters.matching(&shown(pattern)) {
            let pair = (Frame::bulk(name), Frame::bulk(value.to_owned()));
            if !pairs.contains(&pair) {
                pairs.push(pair);
            }
        }
    }
    Frame::Map(pairs).into()
}

/// All pairs are checked before any takes effect.
pub(crate) fn set(node: &mut Node, call: &Call<'_>) -> Reply {
    let pairs = &call.args[2..];
    if pairs.len() % 2 == 1 {
        return reply::SYNTAX.into();
    }
    let mut changes = Vec::new();
    for pair in pairs.chunks_exact(2) {
        match read_pair(&pair[0], &pair[1]) {
            Ok(change) => changes.push(change),
            Err(frame) => return frame.into(),
        }
    }
    for (parameter, value) in changes {
        node.parameters.set(parameter, value);
    }
    Frame::OK.into()
}

fn read_pair(name: &Bytes, value: &Bytes) -> Result<(&'static Parameter, String), Frame> {
    let typed = shown(name);
    let Some(parameter) = parameters::find(&typed.to_ascii_lowercase()) else {
        return Err(error(format!(
            "ERR Unknown option or number of arguments for CONFIG SET - '{typed}'"
        )));
    };
    let value = parameter.kind.read(&shown(value)).map_err(|why| {
        error(format!("ERR CONFIG SET failed (possibly related to argument '{typed}') - {why}"))
    })?;
    Ok((parameter, value))
}

/// What a restarted process will start from.
pub(crate) fn rewrite(node: &mut Node, _: &Call<'_>) -> Reply {
    if node.config.config_file.is_none() {
        return reply::NO_CONFIG_FILE.into();
    }
    let replica_of = match node.role() {
        Role::Master => None,
        Role::Replica => node.master_address().map(|(host, port)| (host.to_owned(), port)),
    };
    node.saved = Saved { parameters: node.parameters.clone(), replica_of };
    Frame::OK.into()
}

pub(crate) fn resetstat(node: &mut Node, call: &Call<'_>) -> Reply {
    if call.args.len() > 2 {
        return literal("ERR syntax error").into();
    }
    node.counters = Counters::default();
    Frame::OK.into()
}
