//! Whom each connection belongs to: looked up for everything that comes in.

use alloc::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::host::Owner;
use crate::ident::ConnId;

/// Numbers of connections rise, and most live about as long as their neighbours: a page of
/// neighbours is found in a small tree, and an owner at once within it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Conns {
    pages: BTreeMap<u64, Page>,
}

/// Connections in a page.
const PAGE: u64 = 16;

type Page = [Option<Owner>; PAGE as usize];

impl Conns {
    pub(crate) fn insert(&mut self, id: ConnId, owner: Owner) {
        let page = self.pages.entry(id.0 / PAGE).or_default();
        page[place(id)] = Some(owner);
    }

    pub(crate) fn remove(&mut self, id: ConnId) {
        let Some(page) = self.pages.get_mut(&(id.0 / PAGE)) else { return };
        page[place(id)] = None;
        if page.iter().all(Option::is_none) {
            self.pages.remove(&(id.0 / PAGE));
        }
    }

    pub(crate) fn get(&self, id: ConnId) -> Option<Owner> {
        self.pages.get(&(id.0 / PAGE))?[place(id)]
    }

    pub(crate) fn len(&self) -> usize {
        self.pages.values().flatten().flatten().count()
    }
}

/// Where it stands in its page.
fn place(id: ConnId) -> usize {
    usize::try_from(id.0 % PAGE).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::SentinelId;

    #[test]
    fn owners_are_found_until_they_are_removed() {
        let owner =
            |id: u64| Owner::Peer(SentinelId::from_random([u8::try_from(id % 7).unwrap_or(0); 20]));
        let mut conns = Conns::default();
        (0..100).for_each(|id| conns.insert(ConnId(id), owner(id)));
        assert_eq!(conns.len(), 100);
        (0..100).filter(|id| id % 3 > 0).for_each(|id| conns.remove(ConnId(id)));
        conns.remove(ConnId(1000));
        for id in 0..100 {
            assert_eq!(conns.get(ConnId(id)), (id % 3 == 0).then(|| owner(id)), "{id}");
        }
        (0..100).for_each(|id| conns.remove(ConnId(id)));
        assert_eq!(conns, Conns::default(), "nothing is kept");
    }
}
