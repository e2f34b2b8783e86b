//! What a master does for its replicas; a replica does the same for replicas of its own.

use bytes::{Bytes, BytesMut};
use vedette_resp::{Frame, encode_command};

use crate::limits::{PING_PERIOD_MS, REPLICATION_TIMEOUT_MS};
use crate::reply::{self, Reply};
use crate::{CloseKind, ConnId, Node, Role};

/// A connection that has become a replica.
#[derive(Debug)]
pub(crate) struct Attached {
    pub(crate) state: AttachedState,
    /// The last offset it acknowledged, and when.
    pub(crate) acked_offset: u64,
    pub(crate) acked_at: u64,
}

/// How far a replica is.
#[derive(Debug)]
pub(crate) enum AttachedState {
    /// A full resynchronisation: the snapshot leaves at `until`, followed by what was written
    /// since.
    Syncing {
        until: u64,
        snapshot: Bytes,
        written_since: BytesMut,
    },
    Online,
}

/// A client in WAIT.
#[derive(Clone, Debug)]
pub(crate) struct Waiter {
    pub(crate) conn: ConnId,
    pub(crate) replicas: usize,
    pub(crate) offset: u64,
    pub(crate) until: Option<u64>,
}

impl Node {
    fn attached_mut(&mut self, conn: ConnId) -> Option<&mut Attached> {
        self.connections.get_mut(&conn)?.replica.as_deref_mut()
    }

    /// The replicas with their connections, in the order they came.
    pub(crate) fn attached(&self) -> impl Iterator<Item = (ConnId, &Attached)> {
        self.replicas.iter().filter_map(|conn| {
            let replica = self.connections.get(conn)?.replica.as_deref()?;
            Some((*conn, replica))
        })
    }

    /// Answers PSYNC: continues the stream, or starts over.
    pub(crate) fn attach(&mut self, conn: ConnId, id: &str, from: Option<u64>) -> Reply {
        if self.role() == Role::Replica && !self.is_link_up() {
            return reply::NOMASTERLINK.into();
        }
        let continuation = from.and_then(|from| self.history.continuation(id, from));
        match continuation {
            Some(missing) => {
                self.counters.partial_syncs += 1;
                let line = format!("+CONTINUE {}\r\n", self.history.id);
                self.write_raw(conn, line.as_bytes());
                self.write_raw(conn, &missing);
                self.become_replica(conn, AttachedState::Online, from.unwrap_or(1) - 1);
            }
            None => {
                self.counters.refused_partial_syncs += u64::from(id != "?");
                self.start_full_sync(conn);
            }
        }
        Reply::None
    }

    fn start_full_sync(&mut self, conn: ConnId) {
        self.counters.full_syncs += 1;
        if self.history.backlog.is_none() && self.role() == Role::Master {
            // Nobody has a part of this history, so nobody may claim it.
            self.history.id = self.random.id();
            self.history.previous = None;
        }
        self.history.start_backlog(self.parameters.size("repl-backlog-size"));
        self.history.selected = false;
        let line = format!("+FULLRESYNC {} {}\r\n", self.history.id, self.history.offset);
        self.write_raw(conn, line.as_bytes());
        let state = AttachedState::Syncing {
            until: self.now + self.config.full_sync_ms,
            snapshot: self.snapshot(),
            written_since: BytesMut::new(),
        };
        self.become_replica(conn, state, 0);
    }

    fn become_replica(&mut self, conn: ConnId, state: AttachedState, acked_offset: u64) {
        if self.replicas.is_empty() {
            self.ping_at = self.now + PING_PERIOD_MS;
        }
        let now = self.now;
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.replica = Some(Box::new(Attached { state, acked_offset, acked_at: now }));
            self.replicas.insert(conn);
        }
    }

    /// The data as the commands that make it.
    fn snapshot(&self) -> Bytes {
        let mut out = BytesMut::new();
        for (key, value) in &self.data {
            encode_command(&mut out, &[b"SET", key, value]);
        }
        out.freeze()
    }

    /// Sends a command that was executed here to all replicas. Without any, and before there was
    /// one, the offset stands still.
    pub(crate) fn propagate(&mut self, args: &[Bytes]) {
        if self.role() == Role::Replica || self.history.backlog.is_none() {
            return;
        }
        let mut out = BytesMut::new();
        if !self.history.selected {
            self.history.selected = true;
            encode_command(&mut out, &[b"SELECT", b"0"]);
        }
        let slices: Vec<&[u8]> = args.iter().map(|arg| &arg[..]).collect();
        encode_command(&mut out, &slices);
        self.feed(&out);
    }

    /// Appends to the stream and passes it on.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.history.append(bytes);
        for conn in self.replicas.clone() {
            let Some(replica) = self.attached_mut(conn) else { continue };
            match &mut replica.state {
                AttachedState::Syncing { written_since, .. } => {
                    written_since.extend_from_slice(bytes);
                }
                AttachedState::Online => self.write_raw(conn, bytes),
            }
        }
    }

    /// Cuts off all replicas, because their history is no longer ours.
    pub(crate) fn drop_replicas(&mut self) {
        for conn in self.replicas.clone() {
            self.close(conn, CloseKind::Graceful);
        }
    }

    pub(crate) fn acknowledge(&mut self, conn: ConnId, offset: u64) {
        let now = self.now;
        if let Some(replica) = self.attached_mut(conn) {
            replica.acked_offset = replica.acked_offset.max(offset);
            replica.acked_at = now;
            self.end_waits_if_due();
            self.advance_hand_over();
        }
    }

    pub(crate) fn has_enough_replicas(&self) -> bool {
        let needed = self.parameters.size("min-replicas-to-write");
        if needed == 0 || self.parameters.size("min-replicas-max-lag") == 0 {
            return true;
        }
        self.attached().filter(|(_, replica)| self.is_good(replica)).count() >= needed
    }

    /// Whether a replica counts for `min-replicas-to-write`.
    pub(crate) fn is_good(&self, replica: &Attached) -> bool {
        let lag_s = (self.now - replica.acked_at) / 1000;
        matches!(replica.state, AttachedState::Online)
            && lag_s <= self.parameters.size("min-replicas-max-lag") as u64
    }

    pub(crate) fn count_acked(&self, offset: u64) -> usize {
        let has = |replica: &Attached| {
            matches!(replica.state, AttachedState::Online) && replica.acked_offset >= offset
        };
        self.attached().filter(|(_, replica)| has(replica)).count()
    }

    /// Answers WAIT where enough replicas have acknowledged, or time is up.
    pub(crate) fn end_waits_if_due(&mut self) {
        let mut index = 0;
        while let Some(waiter) = self.waiters.get(index).cloned() {
            let acked = self.count_acked(waiter.offset);
            let is_due = waiter.until.is_some_and(|until| until <= self.now);
            if acked < waiter.replicas && !is_due {
                index += 1;
                continue;
            }
            self.waiters.remove(index);
            if let Some(connection) = self.connections.get_mut(&waiter.conn) {
                connection.blocked = false;
            }
            let count = i64::try_from(acked).unwrap_or(i64::MAX);
            self.answer(waiter.conn, Frame::Integer(count).into());
            self.read_requests(waiter.conn);
        }
    }

    pub(crate) fn replicas_deadline(&self) -> Option<u64> {
        let waits = self.waiters.iter().filter_map(|waiter| waiter.until).min();
        let pings =
            (self.role() == Role::Master && !self.replicas.is_empty()).then_some(self.ping_at);
        let replicas = self.attached().map(|(_, replica)| match replica.state {
            AttachedState::Syncing { until, .. } => until,
            AttachedState::Online => replica.acked_at + REPLICATION_TIMEOUT_MS,
        });
        replicas.chain(waits).chain(pings).min()
    }

    pub(crate) fn replicas_due(&mut self) {
        for conn in self.replicas.clone() {
            self.replica_due(conn);
        }
        if self.role() == Role::Master && !self.replicas.is_empty() && self.ping_at <= self.now {
            self.ping_at = self.now + PING_PERIOD_MS;
            if self.hand_over.is_some() {
                // The offset stands still.
                return;
            }
            self.feed(b"*1\r\n$4\r\nPING\r\n");
        }
    }

    fn replica_due(&mut self, conn: ConnId) {
        let now = self.now;
        let Some(replica) = self.attached_mut(conn) else { return };
        match &mut replica.state {
            AttachedState::Online if replica.acked_at + REPLICATION_TIMEOUT_MS <= now => {
                self.close(conn, CloseKind::Graceful);
            }
            AttachedState::Syncing { until, snapshot, written_since } if *until <= now => {
                let header = format!("${}\r\n", snapshot.len());
                let out = [header.as_bytes(), snapshot, written_since].concat();
                replica.state = AttachedState::Online;
                replica.acked_at = now;
                self.write_raw(conn, &out);
            }
            AttachedState::Online | AttachedState::Syncing { .. } => {}
        }
    }
}
