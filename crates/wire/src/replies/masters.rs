//! SENTINEL listings of instances, the address of a master, and ROLE (spec: interface 2.1 to 2.6,
//! 4.5).

use vedette_core::{MasterView, Now};
use vedette_resp::Protocol;

use super::entry::Entries;
use crate::reply::{Reply, bulk, number, word};
use crate::snapshot::Snapshot;

/// `SENTINEL MASTERS`
#[must_use]
pub fn masters(snapshot: &Snapshot, now: Now, protocol: Protocol) -> Entries {
    let masters = snapshot.masters();
    let entries = Entries::listing(masters.len(), now, protocol);
    masters.fold(entries, |entries, view| entries.master(view))
}

/// `SENTINEL REPLICAS`: without those that do not want to be listed.
#[must_use]
pub fn replicas(master: &MasterView, now: Now, protocol: Protocol) -> Entries {
    let listed = master.replicas.iter().filter(|replica| replica.announced);
    let entries = Entries::listing(listed.clone().count(), now, protocol);
    listed.fold(entries, |entries, replica| entries.replica(master, replica))
}

/// `SENTINEL SENTINELS`: the others.
#[must_use]
pub fn sentinels(master: &MasterView, now: Now, protocol: Protocol) -> Entries {
    let entries = Entries::listing(master.sentinels.len(), now, protocol);
    master.sentinels.iter().fold(entries, |entries, member| entries.sentinel(master, member))
}

/// `SENTINEL GET-MASTER-ADDR-BY-NAME`: a null array for an unknown name.
#[must_use]
pub fn address(master: Option<&MasterView>) -> Reply {
    match master {
        Some(view) => {
            let address = &view.node.address;
            Reply::Array(vec![bulk(address.host.as_bytes()), number(address.port)])
        }
        None => Reply::NullArray,
    }
}

/// `ROLE`
#[must_use]
pub fn role(snapshot: &Snapshot) -> Reply {
    let names = snapshot.masters().map(|view| bulk(view.name.as_bytes())).collect();
    Reply::Array(vec![word("sentinel"), Reply::Array(names)])
}
