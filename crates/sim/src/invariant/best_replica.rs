use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use vedette_core::{
    Answer, Effect, Endpoint, Event, EventKind, InfoAnswer, Input, MasterName, MasterView, Part,
    Purpose, ReplicaView, Role, Time, Tunable, Tunables,
};

use super::lines::Lines;
use super::{Invariant, hold, shown};
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// How long fresh INFO is awaited before the choice (rule L3).
const PATIENCE_MS: u64 = 100;

/// The replica that a leader chooses may be promoted (up, linked, heard of lately, priority above
/// 0), every other that is up and linked was asked for INFO since the master went down or had
/// 100 ms for it (rule L3), and no replica of the present master is better: none is passed over
/// for a stray master or for one that does not know how long it was alone, and of its equals none
/// has a lower priority or, with the same, a greater offset (rule L4).
#[derive(Default)]
pub(super) struct BestReplica {
    lines: Lines,
    /// What nodes said last, and when they turned from a replica to a master.
    roles: BTreeMap<(SentinelIndex, SocketAddr), (Role, Option<u64>)>,
    /// When a connection to a node was lost last.
    lost: BTreeMap<(SentinelIndex, SocketAddr), u64>,
    /// Since when somebody stands, and when it was elected.
    standing: BTreeMap<(SentinelIndex, MasterName), (u64, u64)>,
}

impl BestReplica {
    fn hear(&mut self, at_ms: u64, who: SentinelIndex, node: SocketAddr, role: Role) {
        let (last, turned_ms) = self.roles.entry((who, node)).or_insert((role, None));
        if *last == Role::Replica && role == Role::Master {
            *turned_ms = Some(at_ms);
        }
        *last = role;
    }

    fn is_reachable(&self, who: SentinelIndex, node: SocketAddr) -> bool {
        let mut lines = self.lines.of(who).map(|(_, line)| line).filter(|line| line.to == node);
        lines.any(|line| line.purpose == Purpose::Commands && line.is_established)
    }

    /// Candidacies begin.
    fn begin(&mut self, scene: &Scene<'_>, masters: &[Arc<MasterView>]) {
        for view in masters.iter().filter(|view| view.failover.is_some()) {
            let key = (scene.sentinel, view.name.clone());
            self.standing.entry(key).or_insert((scene.at_ms, 0));
        }
    }

    /// Candidacies end: after their events, which may be of the same turn.
    fn end(&mut self, scene: &Scene<'_>, masters: &[Arc<MasterView>]) {
        for view in masters.iter().filter(|view| view.failover.is_none()) {
            self.standing.remove(&(scene.sentinel, view.name.clone()));
        }
    }

    /// Another leader got that far: it comes first.
    fn has_turned(&self, who: SentinelIndex, view: &MasterView, replica: &ReplicaView) -> bool {
        let heard = replica.node.socket.and_then(|socket| self.roles.get(&(who, socket)));
        let turned_ms = heard.and_then(|(_, turned_ms)| *turned_ms);
        let down_since = view.node.sdown_since.unwrap_or_default();
        turned_ms.is_some_and(|turned_ms| Time(turned_ms) >= down_since)
    }

    fn hear_event(&mut self, scene: &Scene<'_>, event: &Event) -> Result<(), String> {
        let Some(about) = &event.about else { return Ok(()) };
        let key = (scene.sentinel, about.master.clone());
        let (began_ms, elected_ms) = self.standing.entry(key).or_insert((scene.at_ms, 0));
        if event.kind == EventKind::ElectedLeader {
            *elected_ms = scene.at_ms;
        }
        let hasty = scene.at_ms < *elected_ms + PATIENCE_MS;
        let began_at = Time(*began_ms);
        let Part::Replica { address, .. } = &about.part else { return Ok(()) };
        if event.kind != EventKind::SelectedReplica {
            return Ok(());
        }
        let process = scene.snapshot.and_then(|snapshot| snapshot.process());
        let (Some(view), Some(process)) = (shown(scene, &about.master), process) else {
            return Ok(());
        };
        let choice = Choice { at: Time(scene.at_ms), view, tunables: &process.tunables };
        let reachable = |node| self.is_reachable(scene.sentinel, node);
        hold(!hasty || choice.all_were_asked(began_at, reachable), || {
            format!("{address} is chosen {PATIENCE_MS} ms too early: {choice:?}")
        })?;
        // A picture is taken at the end of a turn: what it chose may have broken since.
        let breaks = |replica: &ReplicaView| {
            let key = replica.node.socket.map(|socket| (scene.sentinel, socket));
            key.is_some_and(|key| self.lost.get(&key) == Some(&scene.at_ms))
        };
        choice.judge(address, breaks, |replica| self.has_turned(scene.sentinel, view, replica))
    }
}

/// What there was to choose from.
#[derive(Debug)]
struct Choice<'a> {
    at: Time,
    view: &'a MasterView,
    tunables: &'a Tunables,
}

impl Choice<'_> {
    fn is_usable(&self, replica: &ReplicaView) -> bool {
        replica.node.link.connected && self.would_be_usable(replica)
    }

    /// If it is linked.
    fn would_be_usable(&self, replica: &ReplicaView) -> bool {
        let ping = self.tunables.get(Tunable::PingPeriod) * 5;
        // The limit for INFO is longer while the master is not down (a forced failover).
        let info = match self.view.node.sdown_since {
            Some(_) => ping,
            None => self.tunables.get(Tunable::InfoPeriod) * 3,
        };
        let node = &replica.node;
        node.sdown_since.is_none()
            && replica.priority > 0
            && self.at.0 <= (node.link.ok_reply_at + ping).0
            && node.info_at.is_some_and(|info_at| self.at.0 <= (info_at + info).0)
    }

    /// It follows the present master, and knows for how long it has not. One that was alone for
    /// long may be refused.
    fn is_current(&self, replica: &ReplicaView) -> bool {
        let longest = i64::try_from(self.view.settings.down_after.0 * 10).unwrap_or(i64::MAX);
        replica.node.role_reported == Role::Replica
            && (0..=longest).contains(&replica.link_down_ms)
            && replica.master.as_ref() == Some(&self.view.node.address)
    }

    fn all_were_asked(&self, began_at: Time, reachable: impl Fn(SocketAddr) -> bool) -> bool {
        let since = self.view.odown_since.unwrap_or(began_at).min(began_at);
        let up = |replica: &&ReplicaView| {
            replica.node.sdown_since.is_none() && replica.node.socket.is_some_and(&reachable)
        };
        let replicas = &self.view.replicas;
        replicas.iter().filter(up).all(|replica| replica.node.info_at >= Some(since))
    }

    fn judge(
        &self,
        chosen: &Endpoint,
        breaks: impl Fn(&ReplicaView) -> bool,
        has_turned: impl Fn(&ReplicaView) -> bool,
    ) -> Result<(), String> {
        let replicas = &self.view.replicas;
        let Some(replica) = replicas.iter().find(|other| other.node.address == *chosen) else {
            return Ok(());
        };
        let linked = replica.node.link.connected || breaks(replica);
        hold(linked && self.would_be_usable(replica), || {
            format!("{chosen} is chosen, unfit: {replica:?}")
        })?;
        if replica.node.role_reported == Role::Master && has_turned(replica) {
            return Ok(());
        }
        let lesser = replica.node.role_reported == Role::Master || replica.link_down_ms < 0;
        let better = replicas.iter().find(|other| {
            let before = (other.priority, std::cmp::Reverse(other.offset))
                < (replica.priority, std::cmp::Reverse(replica.offset));
            self.is_usable(other) && self.is_current(other) && (lesser || before)
        });
        hold(better.is_none(), || {
            format!("{chosen} is chosen, {replica:?}, though there is {better:?}")
        })
    }
}

impl Invariant for BestReplica {
    fn name(&self) -> &'static str {
        "the best replica is chosen"
    }

    fn see(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) -> Result<(), String> {
        let who = scene.sentinel;
        if let Seen::Took(Input::Disconnected { conn } | Input::ConnectFailed { conn, .. }) = seen
            && let Some(line) = self.lines.get(who, *conn)
        {
            self.lost.insert((who, line.to), scene.at_ms);
        }
        self.lines.see(scene.at_ms, who, seen);
        match seen {
            Seen::Took(Input::Answered {
                conn,
                answer: Answer::Info(InfoAnswer::Report(info)),
            }) => {
                if let Some(to) = self.lines.get(who, *conn).map(|line| line.to) {
                    self.hear(scene.at_ms, who, to, info.role);
                }
                Ok(())
            }
            Seen::Ordered(Effect::Publish(publication)) => {
                self.begin(scene, &publication.masters);
                let mut events = publication.events.iter();
                let outcome = events.try_for_each(|event| self.hear_event(scene, event));
                self.end(scene, &publication.masters);
                outcome
            }
            Seen::Started(_) | Seen::Ended => {
                self.roles.retain(|(of, _), _| *of != who);
                self.lost.retain(|(of, _), _| *of != who);
                self.standing.retain(|(of, _), _| *of != who);
                Ok(())
            }
            Seen::Took(_)
            | Seen::Ordered(_)
            | Seen::Judged { .. }
            | Seen::Counted { .. }
            | Seen::Heard { .. }
            | Seen::Responded { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::samples;

    /// What comes of choosing the first of two replicas at 10 s; the master went down at 9 s.
    fn choose(change: impl Fn(&mut ReplicaView, &mut ReplicaView), turned: bool) -> bool {
        judged(change, false, turned)
    }

    fn judged(
        change: impl Fn(&mut ReplicaView, &mut ReplicaView),
        breaks: bool,
        turned: bool,
    ) -> bool {
        let mut view = samples::view(&["10.1.0.2", "10.1.0.3"]);
        view.node.sdown_since = Some(Time(9_000));
        let [one, two] = &mut view.replicas[..] else { return false };
        change(one, two);
        let chosen = one.node.address.clone();
        let tunables = Tunables::default();
        let choice = Choice { at: Time(10_000), view: &view, tunables: &tunables };
        choice.judge(&chosen, |_| breaks, |_| turned).is_ok()
    }

    #[test]
    fn a_link_that_breaks_after_the_choice_is_no_fault() {
        let unlinked = |one: &mut ReplicaView, _: &mut ReplicaView| one.node.link.connected = false;
        assert!(!judged(unlinked, false, false));
        assert!(judged(unlinked, true, false));
    }

    #[test]
    fn an_unfit_replica_is_found() {
        assert!(choose(|_, _| {}, false));
        assert!(!choose(|one, _| one.priority = 0, false));
        assert!(!choose(|one, _| one.node.link.connected = false, false));
        assert!(!choose(|one, _| one.node.sdown_since = Some(Time(9_500)), false));
        assert!(!choose(|one, _| one.node.info_at = Some(Time(4_999)), false));
        assert!(!choose(|one, _| one.node.link.ok_reply_at = Time(4_999), false));
    }

    #[test]
    fn a_better_replica_is_found() {
        assert!(!choose(|one, _| one.node.role_reported = Role::Master, false), "a stray master");
        assert!(choose(|one, _| one.node.role_reported = Role::Master, true), "half promoted");
        assert!(!choose(|one, _| one.link_down_ms = -1_000, false));
        assert!(!choose(|_, two| two.priority = 99, false));
        assert!(!choose(|_, two| two.offset = 1, false));
        assert!(choose(|_, two| (two.offset, two.priority) = (1, 0), false));
    }

    #[test]
    fn a_hasty_choice_is_found() {
        let mut view = samples::view(&["10.1.0.2", "10.1.0.3"]);
        view.odown_since = Some(Time(9_500));
        let tunables = Tunables::default();
        let all_were_asked = |view: &MasterView| {
            Choice { at: Time(10_000), view, tunables: &tunables }
                .all_were_asked(Time(9_600), |_| true)
        };
        assert!(all_were_asked(&view));
        view.replicas[1].node.info_at = Some(Time(9_499));
        assert!(!all_were_asked(&view));
    }
}
