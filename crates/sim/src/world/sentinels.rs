//! Sentinels: what reaches them, and their turns. The order is that of the real shell: sockets
//! first, the timer last, and up to 256 inputs before the effects.

use std::collections::VecDeque;
use std::net::SocketAddr;

use vedette_core::{Answer, Config, ConnId, Generation, Input, Sentinel};
use vedette_wire::client::Action;
use vedette_wire::{Client, ClientId};

use super::World;
use crate::address;
use crate::agenda::Happening;
use crate::disk::Saved;
use crate::network::{End, Holder, Parcel, WireId};
use crate::sentinel_host::{Core, Process, SentinelIndex};
use crate::witness::Seen;

/// Inputs of one turn, as in the shell.
const INPUTS_PER_TURN: usize = 256;

/// Lives.
impl World {
    /// A process starts from what the disk holds.
    pub(super) fn start_sentinel(&mut self, index: SentinelIndex) {
        let host = &mut self.sentinels[index.0];
        let state = match host.disk.restart() {
            Ok(state) => state,
            Err(evidence) => return self.accuse("the file tells what was saved", evidence),
        };
        host.life += 1;
        host.powered = true;
        host.stalled_until = None;
        host.held.clear();
        host.backlog.clear();
        let config = Config {
            gathers_from: self.plan.gathers_from,
            ..Config::new(address::SENTINEL_PORT, None)
        };
        let now = host.now(self.now_ms);
        let seed = self.chance.lives.next();
        let rules = self.plan.without.map_or(host.rules, |rule| host.rules.without(rule));
        let core = Sentinel::start_under(rules, config, state.clone(), seed, now);
        let core = match self.witness.recording() {
            Some(bounds) => Core::recorded(core, now, bounds),
            None => Core::plain(core),
        };
        host.process = Some(Process::new(core, now));
        self.see(index, &Seen::Started(&state));
        self.carry_out_all(index);
        self.hurry_scripts(index);
    }

    /// Shows the checks what a Sentinel did.
    pub(super) fn see(&mut self, index: SentinelIndex, seen: &Seen<'_>) {
        let host = &self.sentinels[index.0];
        self.witness.see(self.now_ms, index, host, seen);
    }

    pub(super) fn accuse(&mut self, invariant: &'static str, evidence: String) {
        self.witness.accuse(self.now_ms, invariant, evidence);
    }
}

/// Arrivals.
impl World {
    pub(super) fn sentinel_accepts(&mut self, index: SentinelIndex, wire: WireId) -> bool {
        let Some(host) = self.sentinels.get_mut(index.0) else { return false };
        let Some(process) = &mut host.process else { return false };
        let Some(entry) = self.network.get_mut(wire) else { return false };
        if entry.to != host.address {
            return false;
        }
        let client = process.accept(wire, entry.from, entry.to);
        entry.callee = Some(Holder::SentinelClient(index, client));
        true
    }

    pub(super) fn reach_sentinel(
        &mut self,
        index: SentinelIndex,
        wire: WireId,
        at: End,
        parcel: Parcel,
    ) {
        let host = &mut self.sentinels[index.0];
        if host.stalled_until.is_some() {
            host.backlog.push_back((wire, at, parcel));
            return;
        }
        let mut inputs = VecDeque::new();
        let client = self.read(index, wire, at, parcel, &mut inputs);
        self.run_turns(index, inputs);
        if let Some(client) = client {
            self.flush_client(index, client);
        }
    }

    /// Turns a parcel into inputs; tells the client that it came from.
    pub(super) fn read(
        &mut self,
        index: SentinelIndex,
        wire: WireId,
        at: End,
        parcel: Parcel,
        inputs: &mut VecDeque<Input>,
    ) -> Option<ClientId> {
        match self.network.holder(wire, at)? {
            Holder::SentinelLink(_, conn) => {
                self.read_link(index, conn, wire, parcel, inputs);
                None
            }
            Holder::SentinelClient(_, client) => {
                self.read_client(index, client, wire, parcel, inputs);
                Some(client)
            }
            Holder::NodeClient(..) | Holder::NodeLink(..) | Holder::App(_) => None,
        }
    }

    fn read_link(
        &mut self,
        index: SentinelIndex,
        conn: ConnId,
        wire: WireId,
        parcel: Parcel,
        inputs: &mut VecDeque<Input>,
    ) {
        let host = &mut self.sentinels[index.0];
        let local_ip = host.address.ip();
        let Some(process) = &mut host.process else { return };
        let Some(end) = process.links.get_mut(&conn).filter(|end| end.wire == wire) else { return };
        match parcel {
            Parcel::Accepted => {
                end.established = true;
                inputs.push_back(Input::Connected { conn, local_ip });
                self.flush_link(index, conn);
            }
            Parcel::Refused => {
                process.end_link(conn);
                self.network.close(wire);
                let reason = "Connection refused".into();
                inputs.push_back(Input::ConnectFailed { conn, reason });
            }
            Parcel::Bytes(bytes) => {
                let fine = end.link.receive(&bytes, &mut process.hellos, inputs).is_ok();
                if !fine {
                    self.hang_up(Holder::SentinelLink(index, conn));
                    inputs.push_back(Input::Disconnected { conn });
                }
            }
            Parcel::Close => {
                process.end_link(conn);
                self.network.close(wire);
                inputs.push_back(Input::Disconnected { conn });
            }
            Parcel::Connect => {}
        }
    }

    fn read_client(
        &mut self,
        index: SentinelIndex,
        id: ClientId,
        wire: WireId,
        parcel: Parcel,
        inputs: &mut VecDeque<Input>,
    ) {
        let host = &mut self.sentinels[index.0];
        let now = host.now(self.now_ms);
        let Some(process) = &mut host.process else { return };
        // A process before this one may have had a client of the same number.
        let is_ours = process.clients.get(&id).is_some_and(|(_, own)| *own == wire);
        if !is_ours {
            return;
        }
        match parcel {
            Parcel::Bytes(bytes) => {
                let Some((client, _)) = process.clients.get_mut(&id) else { return };
                process.shared.now = now;
                client.receive(&bytes, now);
                self.advance_client(index, id, inputs);
            }
            Parcel::Close => {
                process.clients.remove(&id);
                self.network.close(wire);
            }
            Parcel::Connect | Parcel::Accepted | Parcel::Refused => {}
        }
    }

    /// Lets a client's machine work; what needs the core becomes inputs.
    pub(super) fn advance_client(
        &mut self,
        index: SentinelIndex,
        id: ClientId,
        inputs: &mut VecDeque<Input>,
    ) {
        let Some(process) = &mut self.sentinels[index.0].process else { return };
        let Some((client, _)) = process.clients.get_mut(&id) else { return };
        client.advance(&mut process.shared);
        let mut closes = false;
        while let Some(action) = client.poll_action() {
            match action {
                Action::Submit { ticket, request } => {
                    process.tickets.insert(ticket, (id, request.clone()));
                    inputs.push_back(Input::Requested { ticket, request });
                }
                Action::Close(_) => closes = true,
                Action::ListClients { .. }
                | Action::KillClients { .. }
                | Action::AclFile { .. }
                | Action::Pause(_)
                | Action::Unpause
                | Action::Shutdown
                | Action::SubscriptionChanged(_)
                | Action::Log { .. } => {}
            }
        }
        if closes {
            self.flush_client(index, id);
            self.hang_up(Holder::SentinelClient(index, id));
        }
    }

    /// Writes what a client's machine has to say.
    pub(super) fn flush_client(&mut self, index: SentinelIndex, id: ClientId) {
        let Some(process) = &mut self.sentinels[index.0].process else { return };
        let Some((client, wire)) = process.clients.get_mut(&id) else { return };
        let wire = *wire;
        let output = Client::output(client);
        if !output.is_empty() {
            let bytes = output.split().freeze();
            self.listen_to(wire, End::Callee, &bytes);
            self.send(wire, End::Callee, bytes);
        }
    }

    /// Writes the queries of a link, once it is established.
    pub(super) fn flush_link(&mut self, index: SentinelIndex, conn: ConnId) {
        let Some(process) = &mut self.sentinels[index.0].process else { return };
        let Some(end) = process.links.get_mut(&conn).filter(|end| end.established) else { return };
        let (wire, output) = (end.wire, end.link.output());
        if !output.is_empty() {
            let bytes = output.split().freeze();
            self.listen_to(wire, End::Caller, &bytes);
            self.send(wire, End::Caller, bytes);
        }
    }

    /// Every byte that a Sentinel sends is read by somebody strict.
    fn listen_to(&mut self, wire: WireId, from: End, bytes: &[u8]) {
        if self.witness.is_idle() {
            return;
        }
        let Some(entry) = self.network.get_mut(wire) else { return };
        let speech = &mut entry.speech[usize::from(from == End::Callee)];
        if let Err(problem) = speech.read(bytes) {
            let said = String::from_utf8_lossy(bytes).into_owned();
            self.accuse("every byte sent is RESP", format!("{problem}, in {said:?}"));
        }
    }
}

/// Turns.
impl World {
    /// Feeds inputs to the core, a turn at a time.
    pub(super) fn run_turns(&mut self, index: SentinelIndex, mut inputs: VecDeque<Input>) {
        loop {
            let mut fed = 0;
            while fed < INPUTS_PER_TURN {
                let Some(input) = inputs.pop_front() else { break };
                self.feed(index, input);
                fed += 1;
            }
            let more = self.carry_out_all(index);
            inputs.extend(more);
            if inputs.is_empty() {
                break;
            }
        }
        if let Some(process) = &mut self.sentinels[index.0].process {
            process.ended.clear();
        }
    }

    fn feed(&mut self, index: SentinelIndex, input: Input) {
        self.count_input(&input);
        if let Input::Answered { conn, answer } = &input {
            self.note_answer(index, *conn, answer);
        }
        self.see(index, &Seen::Took(&input));
        let host = &mut self.sentinels[index.0];
        let now = host.now(self.now_ms);
        if let Some(process) = &mut host.process {
            process.shared.now = now;
            process.core.handle_input(now, input);
        }
    }

    fn note_answer(&mut self, index: SentinelIndex, conn: ConnId, answer: &Answer) {
        let Some(process) = &mut self.sentinels[index.0].process else { return };
        let Some(end) = process.links.get_mut(&conn).or_else(|| process.ended.get_mut(&conn))
        else {
            return;
        };
        let asked = end.asked.pop_front().flatten();
        let by = address::sentinel_at(SocketAddr::new(end.to.ip(), end.to.port()));
        if let (Some(question), Answer::Opinion(Some(opinion)), Some(by)) = (asked, answer, by) {
            self.see(index, &Seen::Heard { by, question: &question, opinion });
        }
    }

    pub(super) fn sentinel_deadline(&mut self, index: SentinelIndex, life: u64) {
        let host = &mut self.sentinels[index.0];
        if host.life != life {
            return;
        }
        let Some(process) = &mut host.process else { return };
        if host.stalled_until.is_some() {
            return process.alarm.pass(self.now_ms);
        }
        process.alarm.ring(self.now_ms);
        if process.core.poll_deadline().is_some_and(|at| at.0 <= self.now_ms) {
            self.run_turns(index, VecDeque::from([Input::DeadlineReached]));
        } else {
            self.set_sentinel_alarm(index);
        }
    }

    /// One timer: the core's deadline.
    pub(super) fn set_sentinel_alarm(&mut self, index: SentinelIndex) {
        let host = &mut self.sentinels[index.0];
        let life = host.life;
        let Some(process) = &mut host.process else { return };
        let deadline = process.core.poll_deadline().map(|at| at.0.max(self.now_ms));
        if let Some(at) = deadline.filter(|at| process.alarm.set(*at)) {
            self.agenda.add(at, Happening::SentinelDeadline { sentinel: index, life });
        }
    }

    pub(super) fn save_ends(&mut self, index: SentinelIndex, life: u64, generation: Generation) {
        let host = &mut self.sentinels[index.0];
        if host.life != life || host.process.is_none() {
            return;
        }
        if host.stalled_until.is_some() {
            host.held.push(Happening::SaveEnds { sentinel: index, life, generation });
            return;
        }
        let input = match host.disk.end(generation) {
            Saved::Done => Input::Persisted { generation },
            Saved::Failed => {
                self.witness.reach("a save failed");
                Input::PersistFailed { generation }
            }
            Saved::VoteLost => {
                self.witness.reach("a save failed");
                self.witness.reach("a save failed while voting");
                Input::PersistFailed { generation }
            }
            Saved::NotYet => return,
        };
        self.run_turns(index, VecDeque::from([input]));
    }
}
