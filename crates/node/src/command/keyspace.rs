//! Strings: enough of a data set to see which writes survive.

use bytes::Bytes;
use vedette_resp::{Frame, parse_integer};

use crate::Node;
use crate::dispatch::{Call, Origin};
use crate::glob;
use crate::reply::{self, Reply, literal};

impl Node {
    /// A command has changed `key`: transactions and replicas learn of it.
    fn changed(&mut self, call: &Call<'_>, key: &Bytes) {
        self.break_watches(key);
        if call.origin != Origin::Master {
            self.propagate(call.args);
        }
    }
}

fn count(value: usize) -> Reply {
    Frame::Integer(i64::try_from(value).unwrap_or(i64::MAX)).into()
}

fn value_or_null(value: Option<&Bytes>) -> Frame {
    value.map_or(Frame::Null, |value| Frame::Bulk(value.clone()))
}

pub(crate) fn get(node: &mut Node, call: &Call<'_>) -> Reply {
    value_or_null(node.data.get(&call.args[1])).into()
}

pub(crate) fn mget(node: &mut Node, call: &Call<'_>) -> Reply {
    let values = call.args[1..].iter().map(|key| value_or_null(node.data.get(key)));
    Frame::Array(values.collect()).into()
}

/// `SET key value [NX|XX] [GET]`; there is no expiry.
pub(crate) fn set(node: &mut Node, call: &Call<'_>) -> Reply {
    let (key, value) = (&call.args[1], &call.args[2]);
    let (mut must_exist, mut wants_old) = (None, false);
    for option in &call.args[3..] {
        match option.to_ascii_lowercase().as_slice() {
            b"nx" if must_exist != Some(true) => must_exist = Some(false),
            b"xx" if must_exist != Some(false) => must_exist = Some(true),
            b"get" => wants_old = true,
            _ => return reply::SYNTAX.into(),
        }
    }
    let old = value_or_null(node.data.get(key));
    let applies = must_exist.is_none_or(|wanted| wanted == node.data.contains_key(key));
    if applies {
        node.data.insert(key.clone(), value.clone());
        node.changed(call, key);
    }
    match (wants_old, applies) {
        (true, _) => old.into(),
        (false, true) => Frame::OK.into(),
        (false, false) => Frame::Null.into(),
    }
}

pub(crate) fn incr(node: &mut Node, call: &Call<'_>) -> Reply {
    let key = &call.args[1];
    let old = match node.data.get(key) {
        None => 0,
        Some(value) => match parse_integer(value) {
            Some(value) => value,
            None => return reply::NOT_AN_INTEGER.into(),
        },
    };
    let Some(new) = old.checked_add(1) else {
        return literal("ERR increment or decrement would overflow").into();
    };
    node.data.insert(key.clone(), new.to_string().into());
    node.changed(call, key);
    Frame::Integer(new).into()
}

pub(crate) fn del(node: &mut Node, call: &Call<'_>) -> Reply {
    let mut removed = 0;
    for key in &call.args[1..] {
        if node.data.remove(key).is_some() {
            removed += 1;
            node.break_watches(key);
        }
    }
    if removed > 0 && call.origin != Origin::Master {
        node.propagate(call.args);
    }
    count(removed)
}

pub(crate) fn exists(node: &mut Node, call: &Call<'_>) -> Reply {
    count(call.args[1..].iter().filter(|key| node.data.contains_key(*key)).count())
}

pub(crate) fn dbsize(node: &mut Node, _: &Call<'_>) -> Reply {
    count(node.data.len())
}

pub(crate) fn keys(node: &mut Node, call: &Call<'_>) -> Reply {
    let fitting = node.data.keys().filter(|key| glob::matches(&call.args[1], key));
    Frame::Array(fitting.map(|key| Frame::Bulk(key.clone())).collect()).into()
}

/// FLUSHALL and FLUSHDB, which are the same with one database.
pub(crate) fn flushall(node: &mut Node, call: &Call<'_>) -> Reply {
    match &call.args[1..] {
        [] => {}
        [mode] if mode.eq_ignore_ascii_case(b"sync") || mode.eq_ignore_ascii_case(b"async") => {}
        _ => return reply::SYNTAX.into(),
    }
    for key in std::mem::take(&mut node.data).into_keys() {
        node.break_watches(&key);
    }
    if call.origin != Origin::Master {
        node.propagate(call.args);
    }
    Frame::OK.into()
}
