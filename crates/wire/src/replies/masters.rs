//! SENTINEL listings of instances, the address of a master, and ROLE (spec: interface 2.1 to 2.6,
//! 4.5).

use vedette_core::{MasterView, Now};

use super::entry;
use crate::reply::{Reply, bulk, number, word};
use crate::snapshot::Snapshot;

/// `SENTINEL MASTERS`
#[must_use]
pub fn masters(snapshot: &Snapshot, now: Now) -> Reply {
    Reply::Array(snapshot.masters().map(|view| entry::master(view, now)).collect())
}

/// `SENTINEL REPLICAS`: without those that do not want to be listed.
#[must_use]
pub fn replicas(master: &MasterView, now: Now) -> Reply {
    let listed = master.replicas.iter().filter(|replica| replica.announced);
    Reply::Array(listed.map(|replica| entry::replica(master, replica, now)).collect())
}

/// `SENTINEL SENTINELS`: the others.
#[must_use]
pub fn sentinels(master: &MasterView, now: Now) -> Reply {
    let members = master.sentinels.iter();
    Reply::Array(members.map(|member| entry::sentinel(master, member, now)).collect())
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
