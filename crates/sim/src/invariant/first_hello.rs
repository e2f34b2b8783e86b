use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use vedette_core::{
    Answer, ConnId, Effect, Endpoint, Epoch, EventKind, HandOverState, InfoAnswer, InfoReport,
    Input, MasterName, Part, Purpose, Query, Request,
};

use super::lines::Lines;
use super::{Invariant, hold, shown};
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// With so many commands on their way a hello waits (behaviour 4.7).
const PENDING_MAX: usize = 100;

/// A promotion is announced at once (rule L7): when its leader publishes it, hello with the new
/// configuration has left to every linked data node and directly to every linked member, or leaves
/// as soon as the hello that is on its way there is answered. Who refuses hellos gets the next one
/// after a period, who hands over holds them (seed 13006214).
#[derive(Default)]
pub(super) struct FirstHello {
    lines: Lines,
    /// By connection and master: the last hello, and whether it waits for its answer.
    told: BTreeMap<(SentinelIndex, ConnId, MasterName), (Epoch, bool)>,
    /// By connection: commands on their way, oldest first; hellos with their master.
    pending: BTreeMap<(SentinelIndex, ConnId), std::collections::VecDeque<Option<MasterName>>>,
    /// Hellos that must leave: since when.
    owed: BTreeMap<(SentinelIndex, ConnId, MasterName), (Epoch, u64)>,
    /// Nodes that said last that they hand over, on whatever connection (seed 16004879).
    handing_over: BTreeSet<(SentinelIndex, SocketAddr)>,
}

impl FirstHello {
    fn send(&mut self, who: SentinelIndex, conn: ConnId, query: &Query) {
        if matches!(query, Query::TellOffset) {
            // It is never answered (seed 20018045).
            return;
        }
        let hello = if let Query::Hello(hello) = query { Some(hello) } else { None };
        let pending = self.pending.entry((who, conn)).or_default();
        pending.push_back(hello.map(|hello| hello.master.clone()));
        let Some(hello) = hello else { return };
        let key = (who, conn, hello.master.clone());
        if self.owed.get(&key).is_some_and(|(epoch, _)| hello.config_epoch >= *epoch) {
            self.owed.remove(&key);
        }
        self.told.insert(key, (hello.config_epoch, true));
    }

    /// An answer sets the next hello free.
    fn answered(&mut self, at_ms: u64, who: SentinelIndex, conn: ConnId) {
        let pending = self.pending.get_mut(&(who, conn));
        let Some(Some(master)) = pending.and_then(|pending| pending.pop_front()) else { return };
        let key = (who, conn, master);
        if let Some((_, waits)) = self.told.get_mut(&key) {
            *waits = false;
        }
        if let Some((_, since_ms)) = self.owed.get_mut(&key) {
            *since_ms = at_ms;
        }
    }

    fn forget(&mut self, who: SentinelIndex, conn: ConnId) {
        self.told.retain(|(owner, on, _), _| (*owner, *on) != (who, conn));
        self.owed.retain(|(owner, on, _), _| (*owner, *on) != (who, conn));
        self.pending.remove(&(who, conn));
    }

    /// A leader publishes its promotion: every link owes a hello that did not leave in this turn.
    fn promoted(
        &mut self,
        (at_ms, who): (u64, SentinelIndex),
        master: &MasterName,
        epoch: Epoch,
        (nodes, peers): (&[SocketAddr], &[SocketAddr]),
    ) {
        for (conn, line) in self.lines.of(who) {
            let concerned = nodes.contains(&line.to) || peers.contains(&line.to);
            if !concerned || line.purpose != Purpose::Commands || !line.is_established {
                continue;
            }
            let key = (who, conn, master.clone());
            let told = self.told.get(&key).is_some_and(|(told, _)| *told >= epoch);
            if !told && !self.handing_over.contains(&(who, line.to)) {
                self.owed.insert(key, (epoch, at_ms));
            }
        }
    }

    fn hear_info(&mut self, who: SentinelIndex, conn: ConnId, report: &InfoReport) {
        let Some(to) = self.lines.get(who, conn).map(|line| line.to) else { return };
        if report.hand_over == Some(HandOverState::Busy) {
            self.handing_over.insert((who, to));
            self.owed.retain(|(owner, on, _), _| (*owner, *on) != (who, conn));
        } else {
            self.handing_over.remove(&(who, to));
        }
    }

    /// What was owed before this moment and could have left.
    fn judge(&mut self, at_ms: u64, who: SentinelIndex) -> Result<(), String> {
        if self.owed.is_empty() {
            return Ok(());
        }
        let late = self.owed.iter().find(|((owner, conn, master), (_, since_ms))| {
            let waits = self.told.get(&(*owner, *conn, master.clone())).is_some_and(|told| told.1);
            let pending = self.pending.get(&(*owner, *conn)).map_or(0, |pending| pending.len());
            *owner == who && at_ms > *since_ms && !waits && pending < PENDING_MAX
        });
        hold(late.is_none(), || {
            let line = late.and_then(|((_, conn, _), _)| self.lines.get(who, *conn));
            format!("no hello of the promotion left: {late:?} on {line:?}")
        })
    }

    fn hear_promotion(&mut self, scene: &Scene<'_>, master: &MasterName, to: &Endpoint) {
        let Some(view) = shown(scene, master).filter(|view| view.node.address == *to) else {
            return;
        };
        let replicas = view.replicas.iter().filter_map(|replica| replica.node.socket);
        let nodes: Vec<SocketAddr> = view.node.socket.into_iter().chain(replicas).collect();
        let socket = |at: &Endpoint| format!("{}:{}", at.host, at.port).parse().ok();
        let peers: Vec<SocketAddr> =
            view.sentinels.iter().filter_map(|member| socket(&member.address)).collect();
        let when = (scene.at_ms, scene.sentinel);
        self.promoted(when, master, view.config_epoch, (&nodes, &peers));
    }
}

impl Invariant for FirstHello {
    fn name(&self) -> &'static str {
        "a promotion is announced at once"
    }

    fn see(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) -> Result<(), String> {
        let who = scene.sentinel;
        self.judge(scene.at_ms, who)?;
        self.lines.see(scene.at_ms, who, seen);
        match seen {
            Seen::Ordered(Effect::Send { conn, query }) => self.send(who, *conn, query),
            Seen::Took(Input::Answered { conn, answer }) => {
                self.answered(scene.at_ms, who, *conn);
                if let Answer::Info(InfoAnswer::Report(report)) = answer {
                    self.hear_info(who, *conn, report);
                }
                if matches!(answer, Answer::Hello { accepted: false }) {
                    self.owed.retain(|(owner, on, _), _| (*owner, *on) != (who, *conn));
                }
            }
            Seen::Ordered(Effect::Publish(publication)) => {
                for event in &publication.events {
                    if event.kind == EventKind::PromotedReplica
                        && let Some(about) = &event.about
                        && let Part::Replica { address, .. } = &about.part
                    {
                        self.hear_promotion(scene, &about.master, address);
                    }
                }
                // What was announced is overtaken, or the master or its members are forgotten.
                for view in &publication.masters {
                    self.owed.retain(|(owner, _, master), (epoch, _)| {
                        *owner != who || *master != view.name || *epoch >= view.config_epoch
                    });
                }
                if publication.listing.is_some() {
                    self.owed.retain(|(owner, ..), _| *owner != who);
                }
            }
            // One that waits for a save is carried out when it is answered.
            Seen::Took(Input::Requested { request: Request::Reset(_), .. })
            | Seen::Responded { request: Request::Reset(_), .. } => {
                self.owed.retain(|(owner, ..), _| *owner != who);
            }
            Seen::Took(Input::Disconnected { conn } | Input::ConnectFailed { conn, .. })
            | Seen::Ordered(Effect::Close { conn }) => self.forget(who, *conn),
            Seen::Started(_) | Seen::Ended => {
                self.told.retain(|(owner, ..), _| *owner != who);
                self.owed.retain(|(owner, ..), _| *owner != who);
                self.pending.retain(|(owner, _), _| *owner != who);
                self.handing_over.retain(|(owner, _)| *owner != who);
            }
            Seen::Took(_)
            | Seen::Ordered(_)
            | Seen::Judged { .. }
            | Seen::Counted { .. }
            | Seen::Heard { .. }
            | Seen::Responded { .. } => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use vedette_core::Hello;

    use super::*;
    use crate::{address, invariant::samples};

    const WHO: SentinelIndex = SentinelIndex(0);
    const CONN: ConnId = ConnId(1);

    fn hello(epoch: u64) -> Query {
        let at = Endpoint::new("10.1.0.2", 6379);
        Query::Hello(Arc::new(Hello {
            sentinel: Endpoint::new("10.0.0.1", 26379),
            id: address::sentinel_id(1, 0),
            current_epoch: Epoch::new(epoch).unwrap_or_default(),
            master: "m0".into(),
            address: at,
            config_epoch: Epoch::new(epoch).unwrap_or_default(),
        }))
    }

    /// A leader with one linked peer, to which these leave before and after the promotion at 2.
    fn judge(before: &[Query], answered: bool, after: &[Query]) -> Result<(), String> {
        let mut check = FirstHello::default();
        let (peer, disk) = (address::of_sentinel(1), samples::disk(1));
        let scene = Scene {
            at_ms: 0,
            sentinel: WHO,
            id: disk.my_id,
            rules: vedette_core::Rules::ALL,
            disk: &disk,
            snapshot: None,
        };
        let connect = Effect::Connect {
            conn: CONN,
            purpose: Purpose::Commands,
            to: peer,
            renames: Arc::default(),
        };
        check.see(&scene, &Seen::Ordered(&connect))?;
        let connected = Input::Connected { conn: CONN, local_ip: peer.ip() };
        check.see(&scene, &Seen::Took(&connected))?;
        before.iter().for_each(|query| check.send(WHO, CONN, query));
        let epoch = Epoch::new(2).unwrap_or_default();
        check.promoted((0, WHO), &"m0".into(), epoch, (&[], &[peer]));
        if answered {
            check.answered(5, WHO, CONN);
        }
        after.iter().for_each(|query| check.send(WHO, CONN, query));
        check.judge(10, WHO)
    }

    #[test]
    fn a_silent_leader_is_found() {
        assert!(judge(&[], false, &[]).is_err());
        assert!(judge(&[hello(2)], false, &[]).is_ok());
        assert!(judge(&[hello(1)], false, &[]).is_ok(), "one is on its way");
        assert!(judge(&[hello(1)], true, &[]).is_err());
        assert!(judge(&[hello(1)], true, &[hello(2)]).is_ok());
        assert!(judge(&[hello(1)], true, &[hello(1)]).is_ok(), "that one waits again");
        let unanswered = [Query::TellOffset, hello(1)];
        assert!(judge(&unanswered, true, &[]).is_err(), "the answer was to the hello");
    }
}
