//! Carrying out what a Sentinel orders.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use vedette_core::{
    ConnId, Effect, Event, Generation, Input, LogLevel, Publication, Query, Response, Ticket, Time,
};
use vedette_wire::events::render;
use vedette_wire::{ClientId, NodeLink};

use super::World;
use crate::agenda::Happening;
use crate::network::{End, Holder, WireId};
use crate::sentinel_host::{LinkEnd, Question, SentinelIndex};
use crate::timeline::Moment;
use crate::witness::Seen;

impl World {
    /// Carries out all orders of a turn; what they cause within the process comes back as inputs.
    pub(super) fn carry_out_all(&mut self, index: SentinelIndex) -> VecDeque<Input> {
        let (mut inputs, mut grown) = (VecDeque::new(), Vec::new());
        while let Some(process) = &mut self.sentinels[index.0].process {
            let Some(effect) = process.core.poll_effect() else { break };
            self.carry_out(index, effect, &mut inputs, &mut grown);
        }
        grown.sort_unstable();
        grown.dedup();
        grown.into_iter().for_each(|conn| self.flush_link(index, conn));
        self.set_sentinel_alarm(index);
        inputs
    }

    fn carry_out(
        &mut self,
        index: SentinelIndex,
        effect: Effect,
        inputs: &mut VecDeque<Input>,
        grown: &mut Vec<ConnId>,
    ) {
        if let Effect::Publish(publication) = &effect {
            self.show(index, publication);
        }
        self.see(index, &Seen::Ordered(&effect));
        match effect {
            Effect::Connect { conn, purpose, to, renames } => {
                self.open_link(index, to, NodeLink::new(conn, purpose, renames));
            }
            Effect::Close { conn } => {
                self.flush_link(index, conn);
                self.hang_up(Holder::SentinelLink(index, conn));
            }
            Effect::Send { conn, query } => {
                self.write(index, conn, &query);
                grown.push(conn);
            }
            Effect::Rename { conn, renames } => {
                let process = self.sentinels[index.0].process.as_mut();
                if let Some(end) = process.and_then(|process| process.links.get_mut(&conn)) {
                    end.link.set_renames(renames);
                }
            }
            Effect::Persist { generation, changes } => {
                self.sentinels[index.0].disk.begin(generation, changes);
                self.time_save(index, generation);
            }
            Effect::Publish(publication) => {
                self.note_verdicts(index, &publication);
                self.spring_traps(index, &publication);
            }
            Effect::Respond { ticket, response } => self.respond(index, ticket, &response, inputs),
            Effect::RunScript { job, .. } => self.run_script(index, job, inputs),
            Effect::KillScript { job } => self.kill_script(index, job),
            Effect::Crash => {
                self.witness.reach("a simulated failure struck");
                self.crash_sentinel(index, 500, false, false);
            }
            Effect::Resolve { .. } | Effect::Log(_) => {}
        }
    }

    /// Whoever calls somebody down has read everything that reached it.
    fn note_verdicts(&mut self, index: SentinelIndex, publication: &Publication) {
        let now = Some(Time(self.now_ms));
        let judged = publication.masters.iter().any(|view| {
            let replicas = view.replicas.iter().map(|replica| replica.node.sdown_since);
            let members = view.sentinels.iter().map(|member| member.sdown_since);
            [view.node.sdown_since].into_iter().chain(replicas).chain(members).any(|at| at == now)
        });
        if judged && !self.witness.is_idle() {
            let unread = self.unread(index);
            self.see(index, &Seen::Judged { unread });
        }
    }

    fn unread(&self, index: SentinelIndex) -> usize {
        let mine = |(wire, end): &(WireId, End)| match self.network.holder(*wire, *end) {
            Some(holder @ (Holder::SentinelLink(to, _) | Holder::SentinelClient(to, _))) => {
                to == index && self.holds(holder, *wire)
            }
            Some(Holder::NodeClient(..) | Holder::NodeLink(..) | Holder::App(_)) | None => false,
        };
        self.agenda.arriving().filter(mine).count()
    }

    fn open_link(&mut self, index: SentinelIndex, to: SocketAddr, link: NodeLink) {
        let from = SocketAddr::new(self.sentinels[index.0].address.ip(), 50_000);
        let from = (from, self.sentinel_site(index));
        let conn = link.conn();
        let wire = self.connect(from, to, Holder::SentinelLink(index, conn));
        if let Some(process) = &mut self.sentinels[index.0].process {
            let asked = VecDeque::new();
            let end = LinkEnd { link, wire, to, established: false, asked };
            process.links.insert(conn, end);
        }
    }

    fn write(&mut self, index: SentinelIndex, conn: ConnId, query: &Query) {
        let process = self.sentinels[index.0].process.as_mut();
        let Some(end) = process.and_then(|process| process.links.get_mut(&conn)) else { return };
        end.link.send(query);
        if matches!(query, Query::TellOffset) {
            return;
        }
        end.asked.push_back(match query {
            Query::AskDown { address, epoch, vote_for } => {
                Some(Question { address: address.clone(), epoch: *epoch, vote_for: *vote_for })
            }
            Query::Auth { .. }
            | Query::SetName { .. }
            | Query::Ping
            | Query::Info
            | Query::Subscribe
            | Query::Hello(_)
            | Query::Replicate { .. }
            | Query::ScriptKill
            | Query::HandOver { .. }
            | Query::RecallHandOver
            | Query::RewriteConfig
            | Query::TellOffset => None,
        });
    }

    /// Sees to it that a save ends.
    pub(super) fn time_save(&mut self, index: SentinelIndex, generation: Generation) {
        let (low, high) = self.plan.commit_ms;
        let host = &self.sentinels[index.0];
        let at = self.now_ms + self.chance.disk.spread(low, high) + host.disk.extra_ms;
        let life = host.life;
        self.agenda.add(at, Happening::SaveEnds { sentinel: index, life, generation });
    }

    /// Clients see the new picture, then the events in it, before any answer from it.
    fn show(&mut self, index: SentinelIndex, publication: &Arc<Publication>) {
        let host = &mut self.sentinels[index.0];
        let now = host.now(self.now_ms);
        let Some(process) = &mut host.process else { return };
        process.shared.apply(publication);
        let shown = |event: &&Event| event.kind.level() > LogLevel::Debug;
        let mut subscribers = Vec::new();
        for event in publication.events.iter().filter(shown) {
            let rendered = render(event);
            for (id, (client, _)) in &mut process.clients {
                if client.wants_events() {
                    client.deliver(&rendered, now);
                    subscribers.push(*id);
                }
            }
            self.timeline.add(Moment {
                at_ms: self.now_ms,
                sentinel: index,
                channel: rendered.channel(),
                payload: rendered.payload().clone(),
            });
        }
        subscribers.sort_unstable();
        subscribers.dedup();
        subscribers.into_iter().for_each(|client| self.flush_client(index, client));
    }

    fn respond(
        &mut self,
        index: SentinelIndex,
        ticket: Ticket,
        response: &Response,
        inputs: &mut VecDeque<Input>,
    ) {
        let process = self.sentinels[index.0].process.as_mut();
        let Some((id, request)) = process.and_then(|process| process.tickets.remove(&ticket))
        else {
            return;
        };
        self.see(index, &Seen::Responded { request: &request, response });
        self.note_refused_order(&request, response);
        self.hand_over(index, id, ticket, response);
        self.advance_client(index, id, inputs);
        self.flush_client(index, id);
        self.spring_voter_trap(index, &request, response);
    }

    fn hand_over(
        &mut self,
        index: SentinelIndex,
        id: ClientId,
        ticket: Ticket,
        response: &Response,
    ) {
        let process = self.sentinels[index.0].process.as_mut();
        if let Some((client, _)) = process.and_then(|process| process.clients.get_mut(&id)) {
            client.respond(ticket, response);
        }
    }
}
