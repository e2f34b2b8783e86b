//! Masters that go together: elections take a little longer then, and one Sentinel is the first for
//! all of them (rule S3).

use serde::{Deserialize, Serialize};

use crate::group::Group;
use crate::host::{Cx, Host};
use crate::ident::Epoch;
use crate::limits;
use crate::rules::Rule;
use crate::time::{Span, Time};

/// Since when the master is down or not connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Gone {
    since: Time,
    /// The current epoch of then.
    epoch: Epoch,
    /// It is among [`crate::host::Host::gone`]: not for long.
    counts: bool,
}

impl Host {
    /// What an election takes longer because many masters are gone at once: every Sentinel works
    /// through all of them, and who stands early only makes more elections of it.
    pub(crate) fn throng(&self) -> Span {
        if !self.crowded || !self.rules.keeps(Rule::S3) {
            return Span::ZERO;
        }
        Span(u64::from(self.gone) / limits::THRONG).min(limits::THRONG_MAX)
    }
}

impl Group {
    /// Adds it to the masters that went lately, or takes it away from them. One that has been gone
    /// for longer needs nobody any more: it has been failed over, or cannot be.
    pub(crate) fn count_gone(&mut self, cx: &mut Cx<'_>) {
        if !self.is_down() && self.node.is_reachable() {
            self.uncount_gone(cx.host);
            return;
        }
        let (now, current) = (cx.now.mono, cx.host.current_epoch);
        let gone = *self.gone.get_or_insert_with(|| {
            cx.host.gone += 1;
            Gone { since: now, epoch: current, counts: true }
        });
        let patience = self.settings.down_after + limits::THRONG_MAX * 5;
        if gone.counts && cx.host.crowded && cx.due(gone.since + patience) {
            self.uncount_gone(cx.host);
            self.gone = Some(Gone { counts: false, ..gone });
        }
    }

    /// It is not among the masters that went lately.
    pub(crate) fn uncount_gone(&mut self, host: &mut Host) {
        if self.gone.take().is_some_and(|gone| gone.counts) {
            host.gone = host.gone.saturating_sub(1);
        }
    }

    /// The epoch by which ranks rotate (rule S3): the one to be opened. In a throng it is that of
    /// when the master went, until it is known that somebody stood for it: elections of masters
    /// that went at the same time raise the current epoch, and each Sentinel would hold another for
    /// the first.
    pub(crate) fn rotation(&self, cx: &Cx<'_>) -> Option<Epoch> {
        let stood = self.vote.leader_epoch.max(self.config_epoch);
        match self.gone {
            Some(gone) if gone.counts && cx.host.throng() > Span::ZERO && stood <= gone.epoch => {
                gone.epoch.next()
            }
            Some(_) | None => self.next_epoch(cx),
        }
    }
}
