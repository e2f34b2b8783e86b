//! What clients are shown: one immutable picture of everything (spec: DESIGN 1, "One truth for
//! clients").

use std::sync::Arc;

use foldhash::HashMap;
use vedette_core::{MasterId, MasterName, MasterView, ProcessView, Publication};

/// Masters in a chunk, about: with a thousand masters a change of one copies 140 pointers to chunks
/// and 8 to masters.
const CHUNK: usize = 8;

/// How many chunks for so many masters. Neighbours in the listing stand in different ones: with
/// many masters every [`MasterView::SHOWN_TOGETHER`]th is shown in the same turn, and all of these
/// share a few chunks, which are copied instead of nearly all.
fn chunks_of(masters: usize) -> usize {
    masters.div_ceil(CHUNK).next_multiple_of(MasterView::SHOWN_TOGETHER)
}

/// An immutable picture of all masters and the process. Cloning is cheap; [`Snapshot::apply`]
/// shares whatever did not change.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    seq: u64,
    chunks: Vec<Arc<Chunk>>,
    index: Arc<Index>,
    process: Option<Arc<ProcessView>>,
}

type Chunk = Vec<Arc<MasterView>>;

/// Where each master stands in the listing. Replaced only when the listing changes.
#[derive(Debug, Default)]
struct Index {
    by_name: HashMap<MasterName, usize>,
    by_id: HashMap<MasterId, usize>,
}

impl Snapshot {
    /// The picture before the first publication.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// The picture after a publication.
    #[must_use]
    pub fn apply(&self, publication: &Publication) -> Self {
        let mut next = match &publication.listing {
            Some(listing) => self.relisted(listing, &publication.masters),
            None => self.updated(&publication.masters),
        };
        next.seq = publication.seq;
        if let Some(process) = &publication.process {
            next.process = Some(process.clone());
        }
        next
    }

    /// The number of the last publication in it.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// A master by name.
    #[must_use]
    pub fn master(&self, name: &str) -> Option<&Arc<MasterView>> {
        self.at(*self.index.by_name.get(name)?)
    }

    /// All masters in listing order.
    pub fn masters(&self) -> impl ExactSizeIterator<Item = &Arc<MasterView>> {
        let chunks = self.chunks.len();
        let places = 0..self.index.by_name.len();
        places.map(move |place| &self.chunks[place % chunks][place / chunks])
    }

    /// The process, once published.
    #[must_use]
    pub fn process(&self) -> Option<&Arc<ProcessView>> {
        self.process.as_ref()
    }

    fn at(&self, place: usize) -> Option<&Arc<MasterView>> {
        let chunks = self.chunks.len();
        self.chunks.get(place.checked_rem(chunks)?)?.get(place / chunks)
    }

    fn updated(&self, changed: &[Arc<MasterView>]) -> Self {
        let mut next = self.clone();
        let chunks = next.chunks.len();
        for view in changed {
            let place = next.index.by_id.get(&view.id).copied();
            debug_assert!(place.is_some(), "{} changed but is not listed", view.name);
            let Some(place) = place else { continue };
            Arc::make_mut(&mut next.chunks[place % chunks])[place / chunks] = view.clone();
        }
        next
    }

    fn relisted(&self, listing: &[(MasterName, MasterId)], changed: &[Arc<MasterView>]) -> Self {
        let changed: HashMap<_, _> = changed.iter().map(|view| (view.id, view)).collect();
        let known = |id: &MasterId| self.at(*self.index.by_id.get(id)?);
        let mut index = Index::default();
        let mut chunks = vec![Chunk::new(); chunks_of(listing.len())];
        for (name, id) in listing {
            let view = changed.get(id).copied().or_else(|| known(id));
            debug_assert!(view.is_some(), "{name} is listed but was never shown");
            let Some(view) = view else { continue };
            let place = index.by_id.len();
            index.by_name.insert(name.clone(), place);
            index.by_id.insert(*id, place);
            let among = place % chunks.len();
            chunks[among].push(view.clone());
        }
        let chunks = chunks.into_iter().map(Arc::new).collect();
        Self { seq: self.seq, chunks, index: Arc::new(index), process: self.process.clone() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use vedette_core::{MasterView, Publication, Role};

    use super::Snapshot;
    use crate::replies::samples::{master, node};

    fn view(number: u64) -> Arc<MasterView> {
        let node = node(6379, "", Role::Master, [0; 3]);
        Arc::new(master(number, &format!("m{number}"), node, 1000))
    }

    fn publication(
        seq: u64,
        masters: Vec<Arc<MasterView>>,
        listing: Option<&[u64]>,
    ) -> Publication {
        let listing = listing
            .map(|ids| ids.iter().map(|id| view(*id)).map(|v| (v.name.clone(), v.id)).collect());
        Publication { seq, masters, listing, process: None, events: Vec::new() }
    }

    fn names(snapshot: &Snapshot) -> Vec<&str> {
        snapshot.masters().map(|view| &*view.name).collect()
    }

    #[test]
    fn masters_keep_the_order_of_the_listing() {
        let ids: Vec<_> = (0..100).rev().collect();
        let masters = (0..100).map(view).collect();
        let snapshot = Snapshot::empty().apply(&publication(1, masters, Some(&ids)));
        assert_eq!(snapshot.masters().len(), 100);
        assert_eq!(names(&snapshot)[..2], ["m99", "m98"]);
        let changed: Vec<_> = [3, 90, 95].to_vec();
        let next = snapshot.apply(&publication(
            2,
            vec![view(100)],
            Some(&[&changed[..], &[100]].concat()),
        ));
        assert_eq!(names(&next), ["m3", "m90", "m95", "m100"]);
        assert_eq!(next.seq(), 2);
        assert!(next.master("m4").is_none() && snapshot.master("m4").is_some());
    }

    #[test]
    fn those_that_are_shown_together_share_chunks() {
        let ids: Vec<_> = (0..500).collect();
        let masters = ids.iter().copied().map(view).collect();
        let old = Snapshot::empty().apply(&publication(1, masters, Some(&ids)));
        let together = ids.iter().copied().skip(3).step_by(MasterView::SHOWN_TOGETHER);
        let new = old.apply(&publication(2, together.map(view).collect(), None));
        let copied = old.chunks.iter().zip(&new.chunks).filter(|(a, b)| !Arc::ptr_eq(a, b)).count();
        assert_eq!((old.chunks.len(), copied), (70, 7));
    }

    #[test]
    fn a_change_shares_everything_else() {
        let ids: Vec<_> = (0..1000).collect();
        let masters = ids.iter().copied().map(view).collect();
        let old = Snapshot::empty().apply(&publication(1, masters, Some(&ids)));
        let changed = view(500);
        let new = old.apply(&publication(2, vec![changed.clone()], None));
        assert!(Arc::ptr_eq(new.master("m500").expect("listed"), &changed));
        assert!(!Arc::ptr_eq(old.master("m500").expect("listed"), &changed));
        assert!(Arc::ptr_eq(&old.index, &new.index));
        let shared = old.chunks.iter().zip(&new.chunks).filter(|(a, b)| Arc::ptr_eq(a, b)).count();
        assert_eq!(shared, old.chunks.len() - 1);
    }
}
