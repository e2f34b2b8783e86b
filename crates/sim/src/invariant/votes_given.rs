use std::collections::{BTreeMap, BTreeSet};

use vedette_core::{
    Effect, Endpoint, Epoch, EventKind, Input, MasterName, MasterView, Request, Response,
    SentinelId, Wants,
};

use super::{Invariant, hold, saved};
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// After a vote nobody else gets one for this long (rule V7).
const REST_MS: u64 = 300;

/// A new vote is given to a member only (rule V2), above the configuration's epoch and whatever
/// the epoch of the process (rule V1), by nobody who leads a failover of that master, and to
/// nobody within 300 ms of a vote for another (rule V7). Who may have a vote gets it. A master
/// monitored anew counts every epoch of before as spent (rule V4).
#[derive(Default)]
pub(super) struct VotesGiven {
    /// Requests for a vote without an answer, oldest first.
    asked: BTreeMap<Ballot, Vec<Asked>>,
    /// When each vote was asked for first: it may have been cast then, whatever was answered.
    first_asked: BTreeMap<Ballot, u64>,
    /// The last new vote for each master.
    given: BTreeMap<(SentinelIndex, MasterName), Given>,
    /// Votes whose answer waited for the disk in vain: until it is done, a repeated question is
    /// answered with the last durable vote at once (rule V3; seed 8000772).
    unsaved: BTreeSet<Ballot>,
    /// Since when the last vote is on the disk, whatever became of its answer.
    durable: BTreeMap<(SentinelIndex, MasterName), (Epoch, u64)>,
    /// Hellos of this moment make members.
    introduced: BTreeMap<(SentinelIndex, SentinelId), u64>,
    /// Who has taken an input since its last order: what clients see may have changed since.
    busy: BTreeSet<SentinelIndex>,
    /// The epoch on the disk when MONITOR was asked for.
    monitored: BTreeMap<(SentinelIndex, MasterName), Epoch>,
}

/// Who is asked, about which address, at which epoch, and for whom.
type Ballot = (SentinelIndex, Endpoint, Epoch, SentinelId);

/// A vote, and between which moments it was cast: only its answer is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Given {
    epoch: Epoch,
    leader: SentinelId,
    earliest_ms: u64,
    latest_ms: u64,
}

impl Given {
    /// Whether somebody who asked then had surely waited long enough after it (rule V7).
    fn has_rested(&self, at_ms: u64) -> bool {
        at_ms >= self.latest_ms + REST_MS
    }

    /// Whether somebody who asked then may have waited long enough after it.
    fn may_have_rested(&self, at_ms: u64) -> bool {
        at_ms >= self.earliest_ms + REST_MS
    }
}

/// What was known when a vote was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    at_ms: u64,
    /// Whose address it was then.
    master: MasterName,
    /// The candidate is a member.
    known: bool,
    /// A failover of one's own is past its election.
    leads: bool,
    config_epoch: Epoch,
    /// Nothing but the rules stands between the request and a vote.
    plain: bool,
}

fn leads(view: &MasterView) -> bool {
    let state = view.failover.map(|failover| failover.state);
    state.is_some_and(|state| state != vedette_core::FailoverState::WaitStart)
}

/// The one master at this address as clients see it.
fn at<'a>(scene: &Scene<'a>, address: &Endpoint) -> Option<&'a MasterView> {
    let masters = scene.snapshot.into_iter().flat_map(|snapshot| snapshot.masters());
    let mut here = masters.filter(|view| view.node.address == *address).map(|view| &**view);
    here.next().filter(|_| here.next().is_none())
}

fn is_failing(scene: &Scene<'_>) -> bool {
    let process = scene.snapshot.and_then(|snapshot| snapshot.process());
    process.is_none_or(|process| process.disk_failing_since.is_some())
}

impl VotesGiven {
    fn ask(&mut self, scene: &Scene<'_>, address: &Endpoint, epoch: Epoch, candidate: SentinelId) {
        let who = scene.sentinel;
        let ballot = (who, address.clone(), epoch, candidate);
        let view = at(scene, address);
        // Not shown yet, a hello of the same turn may have brought the address (seed 21042434).
        if view.is_some() || self.busy.contains(&who) {
            self.first_asked.entry(ballot.clone()).or_insert(scene.at_ms);
        }
        let Some(view) = view else { return };
        let record = saved(scene.disk, &view.name);
        if record.is_none_or(|record| record.leader_epoch.unwrap_or_default() >= epoch) {
            return;
        }
        let member = view.sentinels.iter().any(|member| member.id == candidate);
        let introduced = self.introduced.get(&(who, candidate)) == Some(&scene.at_ms);
        let is_first = !self.busy.contains(&who);
        let durable = self.durable.get(&(who, view.name.clone()));
        let rested = durable.is_none_or(|(_, at_ms)| scene.at_ms >= at_ms + REST_MS);
        let asked = Asked {
            at_ms: scene.at_ms,
            master: view.name.clone(),
            known: member || introduced || candidate == scene.id || !is_first,
            leads: leads(view) && is_first,
            config_epoch: view.config_epoch,
            plain: is_first && rested && member && !leads(view) && !is_failing(scene),
        };
        self.asked.entry(ballot).or_default().push(asked);
    }

    fn answer(
        &mut self,
        scene: &Scene<'_>,
        ballot: &Ballot,
        (leader, told): (Option<SentinelId>, Epoch),
    ) -> Result<(), String> {
        let (who, address, epoch, candidate) = ballot;
        let Some(mut asked) = self.asked.remove(ballot) else { return Ok(()) };
        if leader == Some(*candidate) && told == *epoch {
            return self.give(scene.id, ballot, &asked);
        }
        let first = asked.remove(0);
        if !asked.is_empty() {
            self.asked.insert(ballot.clone(), asked);
        }
        let calm = at(scene, address).is_some_and(|view| !leads(view)) && !is_failing(scene);
        // An answer that waits for the disk waits for another vote, which nobody was told yet.
        let quick = scene.at_ms == first.at_ms;
        let before = self.given.get(&(*who, first.master.clone()));
        // A vote about an address that no client saw yet was not heard asked for (seed 25001297).
        let durable = self.durable.get(&(*who, first.master.clone()));
        let rested = before.is_none_or(|vote| vote.has_rested(first.at_ms))
            && durable.is_none_or(|(_, at_ms)| first.at_ms >= at_ms + REST_MS);
        if !quick {
            self.unsaved.insert(ballot.clone());
        }
        let refused = first.plain && calm && quick && rested && !self.unsaved.contains(ballot);
        hold(!refused || told >= *epoch || *epoch <= first.config_epoch, || {
            format!("no vote at {epoch} for {candidate}, who may have it: {first:?}, told {told}")
        })
    }

    fn give(&mut self, me: SentinelId, ballot: &Ballot, asked: &[Asked]) -> Result<(), String> {
        let (who, _, epoch, candidate) = ballot;
        let Some(master) = asked.first().map(|asked| asked.master.clone()) else { return Ok(()) };
        let key = (*who, master);
        let before = self.given.get(&key).copied();
        if before.is_some_and(|old| old.epoch >= *epoch) {
            return Ok(());
        }
        let earliest_ms = asked.iter().map(|asked| asked.at_ms).min().unwrap_or_default();
        let earliest_ms = self.first_asked.get(ballot).copied().unwrap_or(earliest_ms);
        let latest_ms = asked.iter().map(|asked| asked.at_ms).max().unwrap_or_default();
        let leader = *candidate;
        self.given.insert(key, Given { epoch: *epoch, leader, earliest_ms, latest_ms });
        let vote = || format!("a vote at {epoch} for {candidate}: {asked:?}");
        hold(asked.iter().any(|asked| asked.known), || format!("{} (no member)", vote()))?;
        hold(asked.iter().any(|asked| !asked.leads), || format!("{} (while leading)", vote()))?;
        let above = asked.iter().any(|asked| *epoch > asked.config_epoch);
        hold(above, || format!("{} (not above the configuration)", vote()))?;
        let rested = before.is_none_or(|old| {
            let is_third = old.leader != *candidate && old.leader != me;
            !is_third || old.may_have_rested(latest_ms)
        });
        hold(rested, || format!("{} so soon after {before:?}", vote()))
    }

    fn take(&mut self, scene: &Scene<'_>, input: &Input) {
        let who = scene.sentinel;
        if let Input::Persisted { .. } = input {
            self.note_saved(scene);
        }
        if let Input::MessageReceived { hello: Some(hello), .. } = input {
            self.introduced.insert((who, hello.id), scene.at_ms);
        }
        let Input::Requested { request, .. } = input else { return };
        if let Request::Hello(Some(hello)) = request {
            self.introduced.insert((who, hello.id), scene.at_ms);
        }
        if let Request::IsMasterDown { address, epoch, wants: Wants::VoteFor(candidate) } = request
        {
            self.ask(scene, address, *epoch, *candidate);
        }
        if let Request::Monitor { name, .. } = request {
            let epoch = scene.disk.current_epoch.unwrap_or_default();
            self.monitored.insert((who, name.clone()), epoch);
        }
    }

    fn note_saved(&mut self, scene: &Scene<'_>) {
        for record in &scene.disk.masters {
            let epoch = record.leader_epoch.unwrap_or_default();
            let key = (scene.sentinel, record.name.clone());
            let known = self.durable.entry(key).or_insert((epoch, scene.at_ms));
            if known.0 != epoch {
                *known = (epoch, scene.at_ms);
            }
        }
    }

    /// A stall ends what was led.
    fn forgive_leading(&mut self, who: SentinelIndex) {
        let mine = self.asked.iter_mut().filter(|((of, ..), _)| *of == who);
        mine.flat_map(|(_, asked)| asked).for_each(|asked| asked.leads = false);
    }

    fn respond(
        &mut self,
        scene: &Scene<'_>,
        request: &Request,
        response: &Response,
    ) -> Result<(), String> {
        if let Request::IsMasterDown { address, epoch, wants: Wants::VoteFor(candidate) } = request
            && let Response::Opinion { leader, leader_epoch, .. } = response
        {
            let ballot = (scene.sentinel, address.clone(), *epoch, *candidate);
            return self.answer(scene, &ballot, (*leader, *leader_epoch));
        }
        let Request::Monitor { name, .. } = request else { return Ok(()) };
        let floor = self.monitored.remove(&(scene.sentinel, name.clone()));
        let spent = saved(scene.disk, name).and_then(|record| record.leader_epoch);
        // A master monitored anew knows of no vote before it (seed 21047593).
        if *response == Response::Done {
            self.given.remove(&(scene.sentinel, name.clone()));
        }
        hold(*response != Response::Done || spent >= floor, || {
            format!("{name} monitored at {floor:?} starts at {spent:?}")
        })
    }
}

impl Invariant for VotesGiven {
    fn name(&self) -> &'static str {
        "votes are given to whom they may be given"
    }

    fn see(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) -> Result<(), String> {
        let who = scene.sentinel;
        match seen {
            Seen::Took(input) => {
                self.take(scene, input);
                self.busy.insert(who);
                Ok(())
            }
            Seen::Ordered(effect) => {
                self.busy.remove(&who);
                if let Effect::Publish(publication) = effect
                    && publication.events.iter().any(|e| e.kind == EventKind::TiltEntered)
                {
                    self.forgive_leading(who);
                }
                Ok(())
            }
            Seen::Responded { request, response } => self.respond(scene, request, response),
            Seen::Started(_) | Seen::Ended => {
                self.asked.retain(|(of, ..), _| *of != who);
                self.first_asked.retain(|(of, ..), _| *of != who);
                self.unsaved.retain(|(of, ..)| *of != who);
                self.given.retain(|(of, _), _| *of != who);
                self.durable.retain(|(of, _), _| *of != who);
                self.monitored.retain(|(of, _), _| *of != who);
                self.busy.remove(&who);
                Ok(())
            }
            Seen::Judged { .. } | Seen::Counted { .. } | Seen::Heard { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address;

    fn fine() -> Asked {
        Asked {
            at_ms: 0,
            master: "m0".into(),
            known: true,
            leads: false,
            config_epoch: Epoch::ZERO,
            plain: true,
        }
    }

    fn epoch(number: u64) -> Epoch {
        Epoch::new(number).unwrap_or_default()
    }

    /// Votes of Sentinel 0 at rising epochs.
    fn give(votes: &[(usize, Asked)]) -> Result<(), String> {
        let mut check = VotesGiven::default();
        let at = Endpoint::new("10.1.0.1", 6379);
        let me = address::sentinel_id(1, 0);
        votes.iter().zip(1..).try_for_each(|((candidate, asked), number)| {
            let candidate = address::sentinel_id(1, *candidate);
            let ballot = (SentinelIndex(0), at.clone(), epoch(number), candidate);
            check.give(me, &ballot, std::slice::from_ref(asked))
        })
    }

    /// Seed 6005928: asked for, refused, and asked for again 2.4 s later.
    #[test]
    fn the_rest_after_a_vote_is_counted_from_when_it_was_cast() {
        let leader = address::sentinel_id(1, 0);
        let vote = Given { epoch: epoch(13), leader, earliest_ms: 17_041, latest_ms: 19_481 };
        assert!(!vote.has_rested(19_482), "a third may be refused");
        assert!(vote.may_have_rested(19_482), "nor is a vote for a third a crime");
        assert!(vote.has_rested(19_781));
        assert!(!vote.may_have_rested(17_340));
    }

    #[test]
    fn votes_that_may_not_be_given_are_found() {
        assert!(give(&[(1, fine())]).is_ok());
        assert!(give(&[(1, Asked { known: false, ..fine() })]).is_err());
        assert!(give(&[(1, Asked { leads: true, ..fine() })]).is_err());
        assert!(give(&[(1, Asked { config_epoch: epoch(1), ..fine() })]).is_err());
        let later = |at_ms| Asked { at_ms, ..fine() };
        assert!(give(&[(1, fine()), (2, later(299))]).is_err());
        assert!(give(&[(1, fine()), (2, later(300))]).is_ok());
        assert!(give(&[(1, fine()), (1, later(1))]).is_ok(), "the same candidate");
        assert!(give(&[(0, fine()), (1, later(1))]).is_ok(), "after a vote for oneself");
    }
}
