//! When each Sentinel said that it switched.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use vedette::lab::{Sentinel, text};

/// A subscriber looks so often whether it should end, which it does when nobody reads it.
const LOOK: Duration = Duration::from_millis(100);

type Moments = Mutex<BTreeMap<(usize, String), Instant>>;

/// The first `+switch-master` of each Sentinel for each master since [`Switches::watch`].
pub(in crate::bench) struct Switches(Arc<Moments>);

/// What became of the masters that died, beyond down-after.
#[derive(Clone, Debug)]
pub(in crate::bench) struct Spread {
    pub(in crate::bench) first: Option<Duration>,
    pub(in crate::bench) median: Option<Duration>,
    /// The last master's first Sentinel.
    pub(in crate::bench) last: Option<Duration>,
    /// The last master's last Sentinel; none if not all of them agreed in time.
    pub(in crate::bench) agreed: Option<Duration>,
    /// Masters that no Sentinel switched in time.
    pub(in crate::bench) dead: usize,
}

impl Switches {
    /// Subscribes to all of them.
    pub(in crate::bench) fn watch(sentinels: &[Sentinel]) -> anyhow::Result<Self> {
        let moments = Arc::new(Moments::default());
        for (number, sentinel) in sentinels.iter().enumerate() {
            let mut client = sentinel.client()?;
            client.ask(&["SUBSCRIBE", "+switch-master"])?;
            client.set_patience(Some(LOOK))?;
            let moments = Arc::downgrade(&moments);
            std::thread::spawn(move || {
                while let Some(moments) = moments.upgrade() {
                    // Nothing within the patience, or a message.
                    let Ok(message) = client.receive() else { continue };
                    let payload = message.items().and_then(|items| items.get(2)).map(text);
                    let name = payload.as_deref().and_then(|payload| payload.split(' ').next());
                    if let Some(name) = name {
                        let mut moments = moments.lock().unwrap_or_else(PoisonError::into_inner);
                        moments.entry((number, name.to_owned())).or_insert_with(Instant::now);
                    }
                }
            });
        }
        Ok(Self(moments))
    }

    /// How many have been heard so far.
    pub(in crate::bench) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Waits for `masters` switches on each of `sentinels`, at most for `patience`, and says when
    /// they came, counted from `from`.
    pub(in crate::bench) fn wait(
        &self,
        (masters, sentinels): (usize, usize),
        from: Instant,
        patience: Duration,
    ) -> Spread {
        while self.len() < masters * sentinels && from.elapsed() < patience {
            std::thread::sleep(Duration::from_millis(5));
        }
        let moments = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut firsts: BTreeMap<&str, Duration> = BTreeMap::new();
        for ((_, name), at) in moments.iter() {
            let after = at.saturating_duration_since(from);
            let first = firsts.entry(name).or_insert(after);
            *first = after.min(*first);
        }
        let mut firsts: Vec<Duration> = firsts.into_values().collect();
        firsts.sort_unstable();
        let all = moments.len() >= masters * sentinels;
        let last_of_all = moments.values().max().map(|at| at.saturating_duration_since(from));
        Spread {
            first: firsts.first().copied(),
            median: firsts.get(masters / 2).copied(),
            last: firsts.last().copied().filter(|_| firsts.len() >= masters),
            agreed: last_of_all.filter(|_| all),
            dead: masters.saturating_sub(firsts.len()),
        }
    }
}
