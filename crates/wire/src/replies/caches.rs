//! `SENTINEL INFO-CACHE` (spec: interface 2.16).

use std::collections::BTreeSet;

use vedette_core::{NodeView, Now};

use crate::reply::{Reply, bulk};
use crate::snapshot::Snapshot;

/// The last INFO of each named master and its replicas; unknown names are left out, repeated ones
/// are given once.
#[must_use]
pub fn info_cache<T: AsRef<[u8]>>(snapshot: &Snapshot, names: &[T], now: Now) -> Reply {
    let mut items = Vec::new();
    let mut given = BTreeSet::new();
    for name in names {
        let name = core::str::from_utf8(name.as_ref()).ok();
        let Some(view) = name.and_then(|name| snapshot.master(name)) else { continue };
        if !given.insert(&view.name) {
            continue;
        }
        let replicas = view.replicas.iter().map(|replica| &replica.node);
        items.push(bulk(view.name.as_bytes()));
        items.push(Reply::Array(
            core::iter::once(&view.node).chain(replicas).map(|node| cached(node, now)).collect(),
        ));
    }
    Reply::Array(items)
}

fn cached(node: &NodeView, now: Now) -> Reply {
    let age = node.info_at.map_or(0, |at| now.mono.since(at).0);
    let text = node.info.as_ref().map_or(Reply::Null, |info| bulk(info.text.as_bytes()));
    Reply::Array(vec![Reply::Integer(i64::try_from(age).unwrap_or(i64::MAX)), text])
}
