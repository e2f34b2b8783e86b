//! The durability gate (spec: DESIGN 1). Facts count in memory at once and are never rolled back;
//! staged changes take effect, whole, when they are on disk. One save is outstanding; whatever
//! comes meanwhile forms the next one.

use alloc::collections::{BTreeSet, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::durable::{DurableChange, SavedMaster};
use crate::effect::Effect;
use crate::host::NodeId;
use crate::ident::{Epoch, Generation, MasterId, MasterName, Ticket};
use crate::limits;
use crate::request::{Request, SetOption};
use crate::sentinel::Sentinel;
use crate::time::{Now, Span, Time};

/// A change that is not in force before it is on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Staged {
    /// A replica was promoted: the new address and its epoch.
    Promotion { master: MasterId, candidate: NodeId, epoch: Epoch },
    /// An operator's change.
    Request { ticket: Ticket, request: Request },
}

impl Staged {
    /// Whether it sets a password of this master. That counts as a change whatever it was before:
    /// no decision may rest on a comparison of passwords, which a recording does not hold.
    fn sets_password_of(&self, master: &MasterName) -> bool {
        let Self::Request { request: Request::Set { name, options }, .. } = self else {
            return false;
        };
        name == master && options.iter().any(|item| matches!(item.option, SetOption::AuthPass(_)))
    }
}

/// What is to be saved, what is being saved, and how that goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Gate {
    generation: u64,
    flight: Option<Flight>,
    epoch_changed: bool,
    changed: BTreeSet<MasterId>,
    staged: Vec<Staged>,
    pub(crate) durable_epoch: Epoch,
    pub(crate) failing_since: Option<Time>,
    retry_at: Option<Time>,
    commits: VecDeque<Span>,
}

/// The save that is outstanding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Flight {
    generation: Generation,
    sent_at: Time,
    epoch: Epoch,
    masters: Vec<(MasterId, Arc<SavedMaster>)>,
    /// Masters that MONITOR adds, as they are being saved.
    created: Vec<Arc<SavedMaster>>,
    staged: Vec<Staged>,
}

impl Gate {
    pub(crate) fn new(durable_epoch: Epoch) -> Self {
        Self {
            generation: 0,
            flight: None,
            epoch_changed: false,
            changed: BTreeSet::new(),
            staged: Vec::new(),
            durable_epoch,
            failing_since: None,
            retry_at: None,
            commits: VecDeque::new(),
        }
    }

    pub(crate) fn epoch_changed(&mut self) {
        self.epoch_changed = true;
    }

    pub(crate) fn master_changed(&mut self, id: MasterId) {
        self.changed.insert(id);
    }

    pub(crate) fn stage(&mut self, change: Staged) {
        self.staged.push(change);
    }

    /// The last save failed: no vote is given and no failover started.
    pub(crate) fn is_failing(&self) -> bool {
        self.failing_since.is_some()
    }

    /// The median of the last commits (rule S3).
    pub(crate) fn median_commit(&self) -> Span {
        let mut spans: Vec<Span> = self.commits.iter().copied().collect();
        spans.sort_unstable();
        spans.get(spans.len() / 2).copied().unwrap_or_default()
    }

    /// When a failed save is tried again.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.retry_at.filter(|_| self.flight.is_none())
    }

    fn facts_are_due(&self, now: Time) -> bool {
        let facts = self.epoch_changed || !self.changed.is_empty();
        self.must_probe(now) || (facts && self.retry_at.is_none())
    }

    /// After a failure the disk is tried again even with nothing to save: until a save succeeds no
    /// vote is given, so that there may never be anything.
    fn must_probe(&self, now: Time) -> bool {
        self.retry_at.is_some_and(|at| at <= now)
    }

    /// Masters with something to save.
    pub(crate) fn unsaved(&self) -> usize {
        self.changed.len()
    }

    /// Requests that are staged or being saved.
    pub(crate) fn staged_requests(&self) -> impl Iterator<Item = &Request> {
        let flying = self.flight.iter().flat_map(|flight| &flight.staged);
        flying.chain(&self.staged).filter_map(|staged| match staged {
            Staged::Request { request, .. } => Some(request),
            Staged::Promotion { .. } => None,
        })
    }

    fn remember_commit(&mut self, span: Span) {
        if self.commits.len() == limits::COMMITS_REMEMBERED {
            self.commits.pop_front();
        }
        self.commits.push_back(span);
    }
}

impl Sentinel {
    /// Orders a save of everything that waits, unless one is outstanding.
    pub(crate) fn save_what_waits(&mut self) {
        let now = self.now.mono;
        let gate = &mut self.host.gate;
        if gate.flight.is_some() || (gate.staged.is_empty() && !gate.facts_are_due(now)) {
            return;
        }
        let probes = gate.must_probe(now);
        let staged = core::mem::take(&mut gate.staged);
        let mut changed = core::mem::take(&mut gate.changed);
        let epoch_changed = core::mem::take(&mut gate.epoch_changed);
        let (staged, later) = self.put_off_promotions(staged);
        self.host.gate.staged = later;
        changed.extend(staged.iter().filter_map(|staged| self.concerned_master(staged)));
        let mut masters = self.compose_masters(&changed);
        let mut changes = Vec::new();
        if epoch_changed {
            changes.push(DurableChange::CurrentEpoch(self.host.current_epoch));
        }
        for staged in &staged {
            self.overlay(staged, &mut masters, &mut changes);
        }
        let created = changes.iter().filter_map(DurableChange::as_master).cloned().collect();
        masters.retain(|(id, saved)| {
            staged.iter().any(|staged| staged.sets_password_of(&saved.name))
                || self.groups.get(id).is_none_or(|g| g.saved.as_ref() != Some(saved))
        });
        changes.extend(masters.iter().map(|(_, saved)| DurableChange::Master(saved.clone())));
        if changes.is_empty() && staged.is_empty() && !probes {
            return;
        }
        let epoch =
            if epoch_changed { self.host.current_epoch } else { self.host.gate.durable_epoch };
        let gate = &mut self.host.gate;
        gate.generation += 1;
        let generation = Generation(gate.generation);
        gate.flight = Some(Flight { generation, sent_at: now, epoch, masters, created, staged });
        self.host.outbox.order(Effect::Persist { generation, changes });
    }

    /// A promotion and the end of its master's group do not share a save: on disk would be what
    /// the latter makes of it. RESET and REMOVE go first, and with them the failover.
    fn put_off_promotions(&self, staged: Vec<Staged>) -> (Vec<Staged>, Vec<Staged>) {
        let ended = |staged: &Staged| match staged {
            Staged::Request { request: Request::Remove(name), .. } => alloc::vec![name.clone()],
            Staged::Request { request: Request::Reset(names), .. } => names.clone(),
            Staged::Request { .. } | Staged::Promotion { .. } => Vec::new(),
        };
        let names: Vec<_> = staged.iter().flat_map(ended).collect();
        let ids: BTreeSet<MasterId> = names.iter().filter_map(|name| self.find(name)).collect();
        staged.into_iter().partition(|staged| match staged {
            Staged::Promotion { master, .. } => !ids.contains(master),
            Staged::Request { .. } => true,
        })
    }

    fn concerned_master(&self, staged: &Staged) -> Option<MasterId> {
        match staged {
            Staged::Promotion { master, .. } => Some(*master),
            Staged::Request { request: Request::Set { name, .. }, .. } => {
                self.names.get(name).copied()
            }
            Staged::Request { .. } => None,
        }
    }

    fn compose_masters(&self, ids: &BTreeSet<MasterId>) -> Vec<(MasterId, Arc<SavedMaster>)> {
        let composed = |id: &MasterId| {
            let group = self.groups.get(id)?;
            Some((*id, Arc::new(group.compose(&self.host, &self.peers))))
        };
        ids.iter().filter_map(composed).collect()
    }

    /// Adds what a staged change will make of the durable state.
    fn overlay(
        &self,
        staged: &Staged,
        masters: &mut Vec<(MasterId, Arc<SavedMaster>)>,
        changes: &mut Vec<DurableChange>,
    ) {
        match staged {
            Staged::Promotion { master, candidate, epoch } => {
                let saved = masters.iter_mut().find(|(id, _)| id == master);
                let group = self.groups.get(master);
                if let (Some((_, saved)), Some(group)) = (saved, group) {
                    group.overlay_promotion(Arc::make_mut(saved), *candidate, *epoch, &self.host);
                }
            }
            Staged::Request { request, .. } => self.overlay_request(request, masters, changes),
        }
    }

    /// A save is on disk: facts may be told, staged changes take effect.
    pub(crate) fn hear_saved(&mut self, now: Now, generation: Generation) {
        let gate = &mut self.host.gate;
        let Some(flight) = gate.flight.take_if(|flight| flight.generation == generation) else {
            return;
        };
        gate.remember_commit(now.mono.since(flight.sent_at));
        gate.durable_epoch = flight.epoch;
        gate.retry_at = None;
        if gate.failing_since.take().is_some() {
            self.host.outbox.process_changed = true;
            self.host.touched.extend(self.groups.keys().copied());
        }
        for (id, saved) in flight.masters {
            if let Some(group) = self.groups.get_mut(&id) {
                group.saved = Some(saved);
                self.host.touched.insert(id);
            }
        }
        for staged in flight.staged {
            match staged {
                Staged::Promotion { master, candidate, epoch } => {
                    self.with_group(now, master, |group, cx| {
                        group.release_events(cx);
                        group.promotion_saved(cx, candidate, epoch);
                    });
                }
                Staged::Request { ticket, request } => {
                    self.commit_request(now, ticket, request, &flight.created);
                }
            }
        }
        self.serve_parked(now);
    }

    /// A save failed: facts stay and are tried again, staged changes are refused.
    pub(crate) fn hear_save_failed(&mut self, now: Now, generation: Generation) {
        if crate::mutant::Mutant::SaveFailureIgnored.lives() {
            return self.hear_saved(now, generation);
        }
        let gate = &mut self.host.gate;
        let Some(flight) = gate.flight.take_if(|flight| flight.generation == generation) else {
            return;
        };
        gate.failing_since.get_or_insert(now.mono);
        gate.retry_at = Some(now.mono + limits::SAVE_RETRY);
        gate.epoch_changed |= flight.epoch != gate.durable_epoch;
        gate.changed.extend(flight.masters.iter().map(|(id, _)| *id));
        self.host.outbox.process_changed = true;
        self.host.touched.extend(self.groups.keys().copied());
        for staged in flight.staged {
            match staged {
                Staged::Promotion { master, .. } => {
                    self.with_group(now, master, |group, cx| group.promotion_unsaved(cx.now.mono));
                }
                Staged::Request { ticket, .. } => {
                    let refusal = crate::Response::Refused(crate::Refusal::SaveFailed);
                    self.host.outbox.respond(ticket, refusal);
                }
            }
        }
        self.serve_parked(now);
    }
}
