//! What a thread has yet to deliver to its subscribers: kept once for all of them, with how far
//! each has come.
//!
//! A mass failover makes thousands of events, and with thousands of subscribers delivering them
//! takes seconds. So a round delivers a [`Slice`] of them, and questions are answered between two
//! slices. Whoever waits for longest is next, and gets everything that waits for it in one go: the
//! more there is to do, the fewer writes an event costs.

use std::collections::{BTreeSet, HashMap, VecDeque};

/// Publications that may wait. They are kept once for all subscribers, and forgotten when all have
/// them; a round that finds more goes beyond its slice until no more wait. So memory is bounded by
/// this and by the output limits, even where events come faster than they can be delivered.
const WAITING_MAX: usize = 1024;

/// Work of one slice in events handed over to somebody: about a millisecond.
const SLICE_EVENTS: usize = 4096;

/// What it costs to write to a subscriber, in the same unit.
const EVENTS_PER_WRITE: usize = 64;

/// Answers that are worth a write to a subscriber when there are more than can be given: those who
/// ask wait for the answer, and events that wait together are written together.
const ANSWERS_PER_WRITE: usize = 8;

/// What it costs to see that nothing is for a subscriber, in the same unit.
const EVENTS_PER_LOOK: usize = 8;

/// News that somebody waits for, oldest first, and who waits from where.
#[derive(Debug)]
pub(super) struct Deliveries<T> {
    waiting: VecDeque<T>,
    /// The number of the oldest in `waiting`.
    oldest: u64,
    /// The number of the news that each subscriber gets next.
    next_of: HashMap<u64, u64>,
    /// The same, those first who are farthest behind.
    turns: BTreeSet<(u64, u64)>,
}

impl<T> Deliveries<T> {
    /// Nobody subscribes to anything.
    pub(super) fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
            oldest: 0,
            next_of: HashMap::new(),
            turns: BTreeSet::new(),
        }
    }

    /// Whether everybody has everything.
    pub(super) fn are_done(&self) -> bool {
        self.waiting.is_empty()
    }

    /// From now on this subscriber gets what is new, or nothing any more, not even what waits for
    /// it. True if that changed.
    pub(super) fn set_subscriber(&mut self, key: u64, is: bool) -> bool {
        match (is, self.next_of.get(&key).copied()) {
            (true, None) => {
                self.next_of.insert(key, self.end());
                self.turns.insert((self.end(), key));
            }
            (false, Some(next)) => {
                self.next_of.remove(&key);
                self.turns.remove(&(next, key));
                self.forget_what_all_have();
            }
            (true, Some(_)) | (false, None) => return false,
        }
        true
    }

    /// This is news to everybody who subscribes at present.
    pub(super) fn add(&mut self, news: T) {
        if !self.turns.is_empty() {
            self.waiting.push_back(news);
        }
    }

    /// Who has waited for longest, if somebody waits and the slice is not used up.
    pub(super) fn next(&self, slice: &Slice) -> Option<u64> {
        if slice.is_used_up() && self.waiting.len() <= WAITING_MAX {
            return None;
        }
        let (next, key) = self.turns.first()?;
        (*next < self.end()).then_some(*key)
    }

    /// Hands over everything that waits for this client, oldest first.
    pub(super) fn hand_over(&mut self, key: u64, give: impl FnMut(&T)) {
        if self.waiting.is_empty() {
            return;
        }
        let end = self.end();
        let Some(next) = self.next_of.get_mut(&key) else { return };
        let from = std::mem::replace(next, end);
        if from < end {
            self.turns.remove(&(from, key));
            self.turns.insert((end, key));
            let known = usize::try_from(from - self.oldest).unwrap_or(usize::MAX);
            self.waiting.iter().skip(known).for_each(give);
            self.forget_what_all_have();
        }
    }

    /// The number of the next news.
    fn end(&self) -> u64 {
        self.oldest + self.waiting.len() as u64
    }

    fn forget_what_all_have(&mut self) {
        let needed = self.turns.first().map_or(self.end(), |(next, _)| *next);
        while self.oldest < needed {
            self.waiting.pop_front();
            self.oldest += 1;
        }
    }
}

/// What a round may do for subscribers before it looks at who asks.
#[derive(Debug)]
pub(super) struct Slice {
    left: usize,
}

impl Slice {
    /// A share of the work that answering so many clients was: however many questions there are,
    /// subscribers get their turn. Never too little to be worth a look at all sockets.
    pub(super) fn beside(answered: usize) -> Self {
        Self { left: SLICE_EVENTS.max(answered * EVENTS_PER_WRITE / ANSWERS_PER_WRITE) }
    }

    /// A subscriber was handed so many events.
    pub(super) fn spend(&mut self, events: usize) {
        let cost = if events == 0 { EVENTS_PER_LOOK } else { EVENTS_PER_WRITE + events };
        self.left = self.left.saturating_sub(cost);
    }

    fn is_used_up(&self) -> bool {
        self.left == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(subscribers: impl IntoIterator<Item = u64>) -> Deliveries<char> {
        let mut deliveries = Deliveries::new();
        subscribers.into_iter().for_each(|key| assert!(deliveries.set_subscriber(key, true)));
        deliveries
    }

    fn take(deliveries: &mut Deliveries<char>, key: u64) -> String {
        let mut taken = String::new();
        deliveries.hand_over(key, |news| taken.push(*news));
        taken
    }

    fn next(deliveries: &Deliveries<char>) -> Option<u64> {
        deliveries.next(&Slice::beside(0))
    }

    #[test]
    fn everybody_gets_everything_once_and_in_order() {
        let mut deliveries = of([1, 2]);
        deliveries.add('a');
        deliveries.add('b');
        assert_eq!(take(&mut deliveries, 1), "ab");
        assert_eq!(take(&mut deliveries, 1), "");
        deliveries.add('c');
        assert_eq!(take(&mut deliveries, 2), "abc");
        assert_eq!(take(&mut deliveries, 1), "c");
        assert!(deliveries.are_done());
        assert_eq!(next(&deliveries), None);
    }

    #[test]
    fn who_has_waited_for_longest_is_next() {
        let mut deliveries = of([1, 2, 3]);
        deliveries.add('a');
        // Number 1 asked something: its turn is past.
        take(&mut deliveries, 1);
        deliveries.add('b');
        for expected in [2, 3, 1] {
            assert_eq!(next(&deliveries), Some(expected));
            take(&mut deliveries, expected);
        }
        assert_eq!(next(&deliveries), None);
    }

    #[test]
    fn who_subscribes_gets_only_what_is_newer() {
        let mut deliveries = of([1]);
        deliveries.add('a');
        assert!(deliveries.set_subscriber(2, true));
        assert!(!deliveries.set_subscriber(1, true), "it keeps its place");
        deliveries.add('b');
        assert_eq!(take(&mut deliveries, 2), "b");
        assert_eq!(take(&mut deliveries, 1), "ab");
    }

    #[test]
    fn who_leaves_gets_nothing_and_keeps_nothing() {
        let mut deliveries = of([1, 2]);
        deliveries.add('a');
        take(&mut deliveries, 2);
        assert!(deliveries.set_subscriber(1, false));
        assert!(!deliveries.set_subscriber(1, false), "it has left");
        assert!(deliveries.are_done());
        assert_eq!(take(&mut deliveries, 1), "");
        assert_eq!(next(&deliveries), None);
    }

    #[test]
    fn what_all_have_is_forgotten_and_what_nobody_wants_is_not_kept() {
        let mut deliveries = of([]);
        deliveries.add('a');
        assert!(deliveries.are_done());
        assert!(deliveries.set_subscriber(1, true) && deliveries.set_subscriber(2, true));
        deliveries.add('b');
        take(&mut deliveries, 1);
        deliveries.add('c');
        take(&mut deliveries, 2);
        assert_eq!(deliveries.waiting, ['c']);
    }

    #[test]
    fn a_slice_ends_unless_too_much_waits() {
        let mut deliveries = of(1..=1000);
        deliveries.add('a');
        let serve = |deliveries: &mut Deliveries<char>, slice: &mut Slice| {
            let key = deliveries.next(slice)?;
            slice.spend(take(deliveries, key).len());
            Some(key)
        };
        let mut slice = Slice::beside(0);
        let served = std::iter::from_fn(|| serve(&mut deliveries, &mut slice)).count();
        assert_eq!(served, SLICE_EVENTS.div_ceil(EVENTS_PER_WRITE + 1));
        (0..WAITING_MAX).for_each(|_| deliveries.add('b'));
        let last = std::iter::from_fn(|| serve(&mut deliveries, &mut slice)).last();
        assert_eq!(last, Some(1000), "until all who wait for the oldest have it");
        assert_eq!(deliveries.waiting.len(), WAITING_MAX);
    }

    #[test]
    fn a_slice_grows_with_what_was_answered() {
        assert_eq!(Slice::beside(1).left, SLICE_EVENTS);
        assert_eq!(Slice::beside(8000).left, 1000 * EVENTS_PER_WRITE);
    }
}
