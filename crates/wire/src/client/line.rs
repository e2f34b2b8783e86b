//! How a client is shown in `CLIENT LIST`, and whether a filter means it (spec: interface 4.9).

use bytes::Bytes;
use vedette_core::Now;
use vedette_resp::Protocol;

use super::facts::Ends;
use super::filter::{ClientFilter, ClientKind};
use super::{Client, State};

impl Client {
    /// Whether `CLIENT LIST` or `CLIENT KILL` means this client.
    #[must_use]
    pub fn matches(&self, filter: &ClientFilter, now: Now) -> bool {
        let is = |wanted: &Option<Bytes>, own: &dyn Fn() -> String| {
            wanted.as_ref().is_none_or(|wanted| *wanted == own().as_bytes())
        };
        self.state == State::Open
            && (filter.ids.is_empty() || filter.ids.contains(&self.id))
            && filter.except != Some(self.id)
            && filter.kind.is_none_or(|kind| kind == self.kind())
            && filter.user.as_ref().is_none_or(|user| **user == *self.session.user.name())
            && filter.min_age_secs.is_none_or(|secs| self.age_secs(now) >= secs)
            && is(&filter.addr, &|| self.facts.ends.peer())
            && is(&filter.laddr, &|| self.facts.ends.local())
    }

    /// Its line in `CLIENT LIST`, without a line end. Memory figures are approximations.
    #[must_use]
    pub fn info_line(&self, now: Now) -> String {
        let session = &self.session;
        let (sub, psub) = (self.subscriptions.channels(), self.subscriptions.patterns());
        let (qbuf, omem) = (self.decoder.buffered(), self.outbox.len());
        format!(
            "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db=0 sub={sub} \
             psub={psub} ssub=0 multi=-1 watch=0 qbuf={qbuf} qbuf-free=0 argv-mem={} multi-mem=0 \
             rbs=0 rbp=0 obl={omem} oll=0 omem=0 tot-mem={} events=r cmd={} user={} redir={} \
             resp={} lib-name={} lib-ver={}",
            self.id.0,
            self.facts.ends.peer(),
            self.facts.ends.local(),
            self.facts.fd,
            String::from_utf8_lossy(&session.name),
            self.age_secs(now),
            now.mono.since(self.active_at).0 / 1000,
            self.flags(),
            self.argument_bytes,
            size_of::<Self>() + qbuf + omem,
            self.last_command.map_or("NULL", |command| command.name),
            String::from_utf8_lossy(session.user.name()),
            if session.tracking { 0 } else { -1 },
            match session.protocol {
                Protocol::Resp2 => 2,
                Protocol::Resp3 => 3,
            },
            String::from_utf8_lossy(&session.lib_name),
            String::from_utf8_lossy(&session.lib_ver),
        )
    }

    fn kind(&self) -> ClientKind {
        if self.subscriptions.total() > 0 { ClientKind::Pubsub } else { ClientKind::Normal }
    }

    fn age_secs(&self, now: Now) -> u64 {
        now.mono.since(self.created_at).0 / 1000
    }

    fn flags(&self) -> String {
        let unix = matches!(self.facts.ends, Ends::Unix { .. });
        let flags: String = [
            (self.subscriptions.total() > 0, 'P'),
            (self.session.tracking, 't'),
            (self.state != State::Open, 'c'),
            (unix, 'U'),
            (self.session.no_evict, 'e'),
        ]
        .into_iter()
        .filter_map(|(set, flag)| set.then_some(flag))
        .collect();
        if flags.is_empty() { "N".to_owned() } else { flags }
    }
}
