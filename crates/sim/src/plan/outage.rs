//! Drawing the outage: what the group must survive in good time once everything is healed.

use super::Plan;
use crate::fault::Moment;
use crate::random::Random;

/// The third phase of a run: masters are lost in a calm group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Chooses among the masters that can be replaced; none are lost but these.
    pub picks: Vec<u64>,
    /// How they are lost.
    pub loss: Loss,
    /// So much later than it could be, to meet every part of a period.
    pub offset_ms: u64,
}

/// How a master is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Its process dies for good. `silently`: nobody hears it (loss of power).
    Killed {
        /// Nobody hears it.
        silently: bool,
        /// What else goes wrong.
        fate: Fate,
    },
    /// An operator forces a failover; the old master stays alive.
    Forced {
        /// Chooses the Sentinel.
        pick: u64,
        /// That Sentinel and the old master do not hear each other.
        cut: bool,
    },
}

/// What goes wrong while a dead master is being replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing.
    Spared,
    /// The leader dies for good, so long after this moment of its failover.
    LeaderDies { moment: Moment, after_ms: u64, silently: bool },
    /// The leader stands still for good.
    LeaderHangs { moment: Moment, after_ms: u64 },
    /// The replica that it chose dies for good.
    ChosenDies { moment: Moment, after_ms: u64, silently: bool },
    /// All replicas hang for so long from the loss on.
    ReplicasHang { for_ms: u64 },
}

impl Plan {
    pub(super) fn draw_outage(&self) -> Outage {
        let mut random = Random::stream(self.seed, "outage");
        let count = if random.percent(25) { 2 } else { 1 };
        let picks = (0..count).map(|_| random.next()).collect();
        let offset_ms = random.below(2_000);
        let loss = if random.percent(15) {
            Loss::Forced { pick: random.next(), cut: random.percent(50) }
        } else {
            Loss::Killed { silently: random.percent(25), fate: draw_fate(&mut random) }
        };
        Outage { picks, loss, offset_ms }
    }
}

fn draw_fate(random: &mut Random) -> Fate {
    let moment = random.pick(&Moment::ALL);
    // A leader goes on for a while: what it does at once is sent, answered, saved, told.
    let after_ms = random.pick(&[0, 0, 1, 5, 20, 100]);
    let silently = random.percent(25);
    match random.below(100) {
        0..10 => Fate::Spared,
        10..50 => Fate::LeaderDies { moment, after_ms, silently },
        50..70 => Fate::LeaderHangs { moment, after_ms },
        70..90 => {
            let moment = random.pick(&[Moment::Sending, Moment::Waiting]);
            Fate::ChosenDies { moment, after_ms, silently }
        }
        _ => Fate::ReplicasHang { for_ms: random.between(2_000, 15_000) },
    }
}
