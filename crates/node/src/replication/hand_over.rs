//! A master hands over: writes wait, the replica catches up, roles change, and the replica takes
//! over the stream where it ends.

use crate::replication::{Attached, AttachedState};
use crate::{ConnId, Node};

/// A handing over, from FAILOVER until this node follows.
#[derive(Debug)]
pub(crate) struct HandOver {
    /// The replica; none is the first that is level.
    target: Option<ConnId>,
    until: Option<u64>,
    /// When time is up it happens all the same.
    forced: bool,
    /// This node follows already, and asks to be followed no more.
    has_changed: bool,
}

impl HandOver {
    pub(crate) fn new(target: Option<ConnId>, until: Option<u64>, forced: bool) -> Self {
        Self { target, until, forced, has_changed: false }
    }

    /// As INFO has it.
    pub(crate) fn name(&self) -> &'static str {
        if self.has_changed { "failover-in-progress" } else { "waiting-for-sync" }
    }
}

impl Node {
    pub(crate) fn begin_hand_over(&mut self, hand_over: HandOver) {
        self.hand_over = Some(hand_over);
        self.advance_hand_over();
    }

    /// PSYNC says FAILOVER.
    pub(super) fn asks_to_swap(&self) -> bool {
        self.hand_over.as_ref().is_some_and(|hand_over| hand_over.has_changed)
    }

    pub(crate) fn hand_over_deadline(&self) -> Option<u64> {
        self.hand_over.as_ref().filter(|hand_over| !hand_over.has_changed)?.until
    }

    /// Changes roles when the replica has everything, or gives up when time is up.
    pub(crate) fn advance_hand_over(&mut self) {
        let Some(hand_over) = self.hand_over.as_ref().filter(|it| !it.has_changed) else { return };
        let is_due = hand_over.until.is_some_and(|until| until <= self.now);
        let wanted = hand_over.target;
        let all = self.history.offset;
        let forced = is_due && hand_over.forced;
        let is_ready = |(conn, replica): &(ConnId, &Attached)| {
            wanted.is_none_or(|wanted| wanted == *conn)
                && matches!(replica.state, AttachedState::Online)
                && (forced || replica.acked_offset >= all)
        };
        let ready = self.attached().find(is_ready).map(|(conn, _)| conn);
        let is_gone = wanted.is_some_and(|wanted| !self.replicas.contains(&wanted));
        match ready {
            Some(conn) => self.change_roles(conn),
            None if is_due || is_gone => self.end_hand_over(),
            None => {}
        }
    }

    fn change_roles(&mut self, target: ConnId) {
        let (host, port) = self.replica_address(target);
        if let Some(hand_over) = &mut self.hand_over {
            hand_over.has_changed = true;
        }
        self.follow(host, port);
    }

    /// Over, one way or the other: writes are held no longer. Who has changed and was not taken
    /// is a master again.
    pub(crate) fn end_hand_over(&mut self) {
        let Some(hand_over) = self.hand_over.take() else { return };
        if hand_over.has_changed && !self.is_link_up() {
            self.promote();
        }
        self.resume_held();
    }
}
