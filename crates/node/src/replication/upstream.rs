//! What a replica does: find its master, shake hands, resynchronise, follow.

use bytes::{Bytes, BytesMut};
use vedette_resp::{ReplyDecoder, encode_command};

use super::Stream;
use crate::limits::{ACK_PERIOD_MS, RECONNECT_PERIOD_MS, REPLICATION_TIMEOUT_MS};
use crate::{LinkId, Node, Output, Role};

/// The master of a replica, and the link to it.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) state: LinkState,
    /// When the master was last heard on this link.
    pub(crate) heard_at: u64,
    /// When the link went down; none if it is up or never was.
    pub(crate) down_since: Option<u64>,
    /// Whether the own history may be continued.
    pub(super) can_continue: bool,
}

/// How far the link is.
#[derive(Debug)]
pub(crate) enum LinkState {
    /// Not connected.
    Waiting {
        retry_at: u64,
    },
    Connecting {
        link: LinkId,
    },
    /// The first PING is out.
    Greeting {
        link: LinkId,
        decoder: ReplyDecoder,
    },
    /// AUTH, REPLCONF and PSYNC are out; so many replies before that of PSYNC are missing.
    Handshake {
        link: LinkId,
        decoder: ReplyDecoder,
        missing: usize,
    },
    /// A snapshot arrives.
    Syncing {
        link: LinkId,
        id: String,
        offset: u64,
        buffer: BytesMut,
    },
    Online {
        link: LinkId,
        stream: Stream,
        ack_at: u64,
    },
}

impl LinkState {
    pub(crate) fn link(&self) -> Option<LinkId> {
        match self {
            LinkState::Waiting { .. } => None,
            LinkState::Connecting { link }
            | LinkState::Greeting { link, .. }
            | LinkState::Handshake { link, .. }
            | LinkState::Syncing { link, .. }
            | LinkState::Online { link, .. } => Some(*link),
        }
    }
}

impl Upstream {
    /// Of a process that starts as a replica.
    pub(crate) fn at_start(host: String, port: u16, now: u64) -> Self {
        Self {
            host,
            port,
            state: LinkState::Waiting { retry_at: now },
            heard_at: now,
            down_since: None,
            can_continue: false,
        }
    }

    pub(crate) fn is_online(&self) -> bool {
        matches!(self.state, LinkState::Online { .. })
    }
}

impl Node {
    /// REPLICAOF host port. A replica whose link was up, and a master, offer their history.
    pub(crate) fn follow(&mut self, host: String, port: u16) {
        let was_master = self.role() == Role::Master;
        self.drop_link();
        let mut upstream = Upstream::at_start(host, port, self.now);
        match &self.upstream {
            Some(old) => {
                upstream.can_continue = old.can_continue;
                upstream.down_since = old.down_since;
            }
            None => upstream.can_continue = true,
        }
        self.upstream = Some(upstream);
        if was_master {
            self.unblock_waiters();
        }
    }

    /// REPLICAOF NO ONE.
    pub(crate) fn promote(&mut self) {
        if self.role() == Role::Master {
            return;
        }
        self.drop_link();
        self.upstream = None;
        let id = self.random.id();
        self.history.fork(id);
        self.history.selected = false;
        // So that replicas resynchronise and learn the new id.
        self.drop_replicas();
    }

    /// Gives up the link, if there is one, to connect again at once.
    pub(crate) fn drop_link(&mut self) {
        if let Some(link) = self.link_down(0) {
            self.order(Output::LinkClose { link });
        }
    }

    pub(super) fn give_up_link(&mut self) {
        if let Some(link) = self.link_down(RECONNECT_PERIOD_MS) {
            self.order(Output::LinkClose { link });
        }
    }

    fn link_down(&mut self, retry_in_ms: u64) -> Option<LinkId> {
        let now = self.now;
        let upstream = self.upstream.as_mut()?;
        let link = upstream.state.link()?;
        if upstream.is_online() {
            upstream.down_since = Some(now);
        }
        upstream.state = LinkState::Waiting { retry_at: now + retry_in_ms };
        Some(link)
    }

    pub(crate) fn link_closed(&mut self, link: LinkId) {
        let Some(upstream) = &self.upstream else { return };
        if upstream.state.link() == Some(link) {
            let retry_in_ms = if upstream.is_online() { 0 } else { RECONNECT_PERIOD_MS };
            self.link_down(retry_in_ms);
        }
    }

    pub(crate) fn link_connected(&mut self, connected: LinkId) {
        let now = self.now;
        let Some(upstream) = &mut self.upstream else { return };
        if matches!(upstream.state, LinkState::Connecting { link } if link == connected) {
            upstream.heard_at = now;
            upstream.state =
                LinkState::Greeting { link: connected, decoder: ReplyDecoder::default() };
            self.send_upstream(connected, &[&[b"PING"]]);
        }
    }

    fn send_upstream(&mut self, link: LinkId, commands: &[&[&[u8]]]) {
        let mut out = BytesMut::new();
        for command in commands {
            encode_command(&mut out, command);
        }
        self.order(Output::LinkSend { link, bytes: out.freeze() });
    }

    pub(crate) fn link_received(&mut self, link: LinkId, bytes: Bytes) {
        let now = self.now;
        let Some(upstream) = &mut self.upstream else { return };
        if upstream.state.link() != Some(link) {
            return;
        }
        upstream.heard_at = now;
        match &mut upstream.state {
            LinkState::Waiting { .. } | LinkState::Connecting { .. } => {}
            LinkState::Greeting { decoder, .. } | LinkState::Handshake { decoder, .. } => {
                decoder.feed(&bytes);
                self.read_handshake();
            }
            LinkState::Syncing { buffer, .. } => {
                buffer.extend_from_slice(&bytes);
                self.read_snapshot();
            }
            LinkState::Online { .. } => self.stream_arrived(bytes),
        }
    }

    /// The link is up; `rest` is the beginning of the stream.
    pub(super) fn go_online(&mut self, link: LinkId, rest: Bytes) {
        let now = self.now;
        let Some(upstream) = &mut self.upstream else { return };
        upstream.can_continue = true;
        upstream.down_since = None;
        upstream.state = LinkState::Online { link, stream: Stream::default(), ack_at: now };
        if !rest.is_empty() {
            self.stream_arrived(rest);
        }
    }

    pub(crate) fn upstream_deadline(&self) -> Option<u64> {
        let upstream = self.upstream.as_ref()?;
        let silence = upstream.heard_at + REPLICATION_TIMEOUT_MS;
        Some(match &upstream.state {
            LinkState::Waiting { retry_at } => *retry_at,
            LinkState::Connecting { .. }
            | LinkState::Greeting { .. }
            | LinkState::Handshake { .. }
            | LinkState::Syncing { .. } => silence,
            LinkState::Online { stream, ack_at, .. } => {
                let arrival = stream.deadline(self.condition.flow).unwrap_or(u64::MAX);
                silence.min(*ack_at).min(arrival)
            }
        })
    }

    pub(crate) fn upstream_due(&mut self) {
        let now = self.now;
        let Some(upstream) = &mut self.upstream else { return };
        if let LinkState::Waiting { retry_at } = upstream.state {
            if retry_at <= now {
                self.connect_upstream();
            }
            return;
        }
        if upstream.heard_at + REPLICATION_TIMEOUT_MS <= now {
            return self.give_up_link();
        }
        self.apply_arrived();
        self.acknowledge_if_due();
    }

    fn connect_upstream(&mut self) {
        let link = self.new_link();
        let now = self.now;
        let Some(upstream) = &mut self.upstream else { return };
        upstream.heard_at = now;
        upstream.state = LinkState::Connecting { link };
        let (host, port) = (upstream.host.clone(), upstream.port);
        self.order(Output::LinkConnect { link, host, port });
    }

    fn acknowledge_if_due(&mut self) {
        let now = self.now;
        let Some(upstream) = &mut self.upstream else { return };
        if let LinkState::Online { ack_at, .. } = &mut upstream.state
            && *ack_at <= now
        {
            *ack_at = now + ACK_PERIOD_MS;
            self.send_ack();
        }
    }

    /// Tells the master how far this replica is.
    pub(crate) fn send_ack(&mut self) {
        let link = self.upstream.as_ref().and_then(|upstream| upstream.state.link());
        if let Some(link) = link {
            let offset = self.history.offset.to_string();
            self.send_upstream(link, &[&[b"REPLCONF", b"ACK", offset.as_bytes()]]);
        }
    }
}
