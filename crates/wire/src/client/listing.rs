//! `CLIENT LIST` and `CLIENT KILL`: which clients are meant (spec: interface 4.9).

use bytes::Bytes;

use super::facts::ClientId;

/// Which clients; every condition must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientFilter {
    /// One of these.
    pub ids: Vec<ClientId>,
    /// Not this one.
    pub except: Option<ClientId>,
    /// Of this type.
    pub kind: Option<ClientKind>,
    /// With this `addr`.
    pub addr: Option<Bytes>,
    /// With this `laddr`.
    pub laddr: Option<Bytes>,
    /// Of this user.
    pub user: Option<Bytes>,
    /// Connected for at least this many seconds.
    pub max_age_secs: Option<u64>,
}

/// The types of `TYPE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientKind {
    /// Without a subscription.
    Normal,
    /// A master: there is none here.
    Master,
    /// A replica: there is none here.
    Replica,
    /// With a subscription.
    Pubsub,
}

/// The host's answer to [`super::Action::ListClients`] or [`super::Action::KillClients`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientsAnswer {
    /// The lines of the clients that match, sorted by id.
    Lines(Vec<String>),
    /// How many clients were killed.
    Killed(u64),
}
