//! How a client is shown in `CLIENT LIST`, and whether a filter means it (spec: interface 4.9).

use core::fmt::Write as _;
use std::borrow::Cow;

use vedette_core::Now;
use vedette_resp::Protocol;

use super::facts::{Ends, Told};
use super::filter::{ClientFilter, ClientKind, Test};
use super::tracking::Tracking;
use super::{Client, State};
use crate::Dialect;

/// Stands in the log for what clients call themselves, or sent.
pub(super) const REDACTED: &str = "*redacted*";

impl Client {
    /// Whether `CLIENT LIST` or `CLIENT KILL` means this client.
    #[must_use]
    pub fn matches(&self, filter: &ClientFilter, now: Now) -> bool {
        self.is_there()
            && filter.0.iter().all(|condition| self.is(&condition.test, now) != condition.negated)
    }

    fn is(&self, test: &Test, now: Now) -> bool {
        let (session, ends) = (&self.session, &self.facts.ends);
        match test {
            Test::Ids(ids) => ids.contains(&self.id),
            Test::Kind(kind) => *kind == self.kind(),
            Test::Addr(addr) => *addr == ends.peer().as_bytes(),
            Test::Laddr(laddr) => *laddr == ends.local().as_bytes(),
            Test::Ip(ip) => *ip == ends.peer_ip().as_bytes(),
            Test::User(user) => **user == *session.user.name(),
            Test::Name(name) => *name == session.name,
            Test::LibName(name) => *name == session.lib_name,
            Test::LibVer(version) => *version == session.lib_ver,
            Test::Flags(flags) => {
                let own = self.flags();
                flags.iter().all(|flag| own.as_bytes().contains(flag))
            }
            Test::MinAge(secs) => self.age_secs(now) >= *secs,
            Test::MinIdle(secs) => self.idle_secs(now) >= *secs,
            Test::Database(number) => *number == 0,
            Test::Capable => false,
        }
    }

    /// Its line in `CLIENT LIST`, without a line end. Memory figures are approximations.
    #[must_use]
    pub fn info_line(&self, now: Now) -> String {
        self.line_with(self.names(), now)
    }

    /// The same as the log shows it.
    #[must_use]
    pub fn log_line(&self, now: Now) -> String {
        self.line_with(self.told_names(), now)
    }

    /// Who it is, as Valkey's log says it of whoever ends the process.
    #[must_use]
    pub fn log_names(&self) -> String {
        let [name, user] = self.told_names();
        format!("{} name={name} user={user} {}", self.place(), self.library())
    }

    /// What it calls itself and as whom it came, as far as the log may tell.
    fn told_names(&self) -> [Cow<'_, str>; 2] {
        match self.facts.told {
            Told::Nothing => [REDACTED, REDACTED].map(Cow::from),
            Told::Names | Told::Everything => self.names(),
        }
    }

    fn names(&self) -> [Cow<'_, str>; 2] {
        [&self.session.name, self.session.user.name()].map(String::from_utf8_lossy)
    }

    /// Which connection it is.
    fn place(&self) -> String {
        let ends = &self.facts.ends;
        let (peer, local, fd) = (ends.peer(), ends.local(), self.facts.fd);
        format!("id={} addr={peer} laddr={local} fd={fd}", self.id.0)
    }

    fn library(&self) -> String {
        let of = [&self.session.lib_name, &self.session.lib_ver].map(|it| it.as_ref());
        let [name, version] = of.map(String::from_utf8_lossy);
        format!("lib-name={name} lib-ver={version}")
    }

    fn line_with(&self, [name, user]: [Cow<'_, str>; 2], now: Now) -> String {
        let session = &self.session;
        let (sub, psub) = (self.subscriptions.channels(), self.subscriptions.patterns());
        let (qbuf, omem) = (self.decoder.buffered(), self.outbox.len());
        let valkey = self.facts.dialect == Dialect::Valkey;
        let mut line = format!(
            "{} name={name} age={} idle={} flags={} {}db=0 sub={sub} \
             psub={psub} ssub=0 multi=-1 watch=0 qbuf={qbuf} qbuf-free=0 argv-mem={} multi-mem=0 \
             rbs=0 rbp=0 obl={omem} oll=0 omem=0 tot-mem={} events=r cmd={} user={user} redir={} \
             resp={} {}",
            self.place(),
            self.age_secs(now),
            self.idle_secs(now),
            self.flags(),
            if valkey { "capa= " } else { "" },
            self.argument_bytes,
            size_of::<Self>() + qbuf + omem,
            self.last_command.map_or("NULL", |command| command.name),
            self.redirection(),
            match session.protocol {
                Protocol::Resp2 => 2,
                Protocol::Resp3 => 3,
            },
            self.library(),
        );
        if valkey {
            let (read, commands) = self.so_far;
            let written = self.outbox.total();
            // Writing to a string cannot fail.
            let _ = write!(line, " tot-net-in={read} tot-net-out={written} tot-cmds={commands}");
        }
        line
    }

    fn kind(&self) -> ClientKind {
        if self.subscriptions.total() > 0 { ClientKind::Pubsub } else { ClientKind::Normal }
    }

    fn age_secs(&self, now: Now) -> u64 {
        now.mono.since(self.created_at).0 / 1000
    }

    fn idle_secs(&self, now: Now) -> u64 {
        now.mono.since(self.active_at).0 / 1000
    }

    fn flags(&self) -> String {
        let unix = matches!(self.facts.ends, Ends::Unix { .. });
        let flags: String = [
            (self.subscriptions.total() > 0, "P"),
            (self.is_tracking(), self.session.tracking.as_ref().map_or("", Tracking::letters)),
            (self.state != State::Open, "c"),
            (unix, "U"),
            (self.session.no_evict, "e"),
        ]
        .into_iter()
        .filter_map(|(set, flag)| set.then_some(flag))
        .collect();
        if flags.is_empty() { "N".to_owned() } else { flags }
    }
}
