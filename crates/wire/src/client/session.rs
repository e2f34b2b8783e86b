//! What a connection has chosen: protocol, user, names, whether it wants replies.

use std::sync::Arc;

use bytes::Bytes;
use vedette_resp::Protocol;

use super::tracking::Tracking;
use crate::accounts::{Accounts, User};

/// The choices of a connection.
pub(super) struct Session {
    /// RESP2 until `HELLO 3`.
    pub(super) protocol: Protocol,
    /// Who it is, or would be.
    pub(super) user: Arc<User>,
    /// The picture of the users that `user` is from.
    users_seen: u64,
    /// Whether it proved it.
    authenticated: bool,
    /// `CLIENT SETNAME`; empty if none.
    pub(super) name: Bytes,
    /// `CLIENT SETINFO LIB-NAME`.
    pub(super) lib_name: Bytes,
    /// `CLIENT SETINFO LIB-VER`.
    pub(super) lib_ver: Bytes,
    /// `CLIENT NO-EVICT`.
    pub(super) no_evict: bool,
    /// `CLIENT TRACKING`, if it is on.
    pub(super) tracking: Option<Tracking>,
    /// `CLIENT REPLY`.
    pub(super) replies: Replies,
}

/// What became of the user of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Followed {
    /// It may listen to what it listened to.
    Unchanged,
    /// It may not listen to everything any more.
    LostChannels,
    /// It was deleted.
    Gone,
}

/// `CLIENT REPLY`
#[derive(Clone, Copy, Default)]
pub(super) struct Replies {
    off: bool,
    skip: bool,
    skip_next: bool,
}

impl Replies {
    /// `ON`: this command's reply is given already.
    pub(super) fn on(&mut self) {
        (self.off, self.skip) = (false, false);
    }

    /// `OFF`: none is given from this command's on.
    pub(super) fn off(&mut self) {
        self.off = true;
    }

    /// `SKIP`: neither this command's nor the next one's.
    pub(super) fn skip(&mut self) {
        self.skip_next = !self.off;
    }

    /// Whether the present command's reply is swallowed.
    pub(super) fn are_muted(self) -> bool {
        self.off || self.skip
    }

    /// A command ended.
    pub(super) fn next_command(&mut self) {
        (self.skip, self.skip_next) = (self.skip_next, false);
    }
}

impl Session {
    /// A fresh connection: authenticated if the default user needs no password.
    pub(super) fn new(accounts: &Accounts) -> Self {
        Self {
            protocol: Protocol::Resp2,
            user: accounts.default_user().clone(),
            users_seen: accounts.version(),
            authenticated: accounts.default_is_open(),
            name: Bytes::new(),
            lib_name: Bytes::new(),
            lib_ver: Bytes::new(),
            no_evict: false,
            tracking: None,
            replies: Replies::default(),
        }
    }

    /// Whether it may run commands.
    pub(super) fn is_authenticated(&self, accounts: &Accounts) -> bool {
        self.authenticated || accounts.default_is_open()
    }

    /// Follows changes of its user.
    pub(super) fn follow(&mut self, accounts: &Accounts) -> Followed {
        if self.users_seen == accounts.version() {
            return Followed::Unchanged;
        }
        self.users_seen = accounts.version();
        let Some(now) = accounts.still(&self.user) else { return Followed::Gone };
        let before = core::mem::replace(&mut self.user, now.clone());
        match now.lost_channels(&before) {
            true => Followed::LostChannels,
            false => Followed::Unchanged,
        }
    }

    /// Becomes a user, if the password fits; otherwise stays who it is.
    pub(super) fn authenticate(
        &mut self,
        accounts: &Accounts,
        user: &[u8],
        password: &[u8],
    ) -> bool {
        let Some(user) = accounts.authenticate(user, password) else { return false };
        self.user = user.clone();
        self.users_seen = accounts.version();
        self.authenticated = true;
        true
    }
}

/// Whether a name may be shown in a client line: only `!` to `~` (spec: interface 4.9).
pub(super) fn is_plain(name: &[u8]) -> bool {
    name.iter().all(u8::is_ascii_graphic)
}
