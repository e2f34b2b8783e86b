//! `CLIENT TRACKING` and its relatives (spec: interface 4.9). A Sentinel has no keys, so that
//! nothing is ever invalidated; what was chosen is remembered and shown.

use std::collections::BTreeSet;

use bytes::Bytes;
use vedette_resp::parse_integer;

use super::action::{Action, SubscriptionChange};
use super::execute::{Executed, Outcome};
use super::filter::{ClientFilter, Test};
use super::limits::{PREFIX_BYTES_MAX, PREFIXES_MAX};
use super::outbox::Owed;
use super::{Client, ClientId};
use crate::reply::{Reply, error, error_with, not_an_integer, syntax_error, word};

/// What a connection that tracks has chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tracking {
    mode: Mode,
    no_loop: bool,
    /// Whether `CLIENT CACHING` spoke of the next command.
    caching: bool,
    /// To whom, if not to itself.
    redirect: Option<ClientId>,
}

/// Which keys are tracked.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Mode {
    /// Those that are read.
    All,
    /// Those that are read after `CACHING yes`.
    OptIn,
    /// Those that are read but after `CACHING no`.
    OptOut,
    /// Those that begin so, read or not.
    Broadcast(BTreeSet<Bytes>),
}

impl Mode {
    fn is_broadcast(&self) -> bool {
        match self {
            Self::Broadcast(_) => true,
            Self::All | Self::OptIn | Self::OptOut => false,
        }
    }
}

/// What a connection chooses: `None` is `OFF`.
pub(super) type Choice = Result<Option<Tracking>, Reply>;

/// The words after `CLIENT TRACKING ON`.
#[derive(Default)]
struct Options<'a> {
    redirect: Option<ClientId>,
    broadcast: bool,
    opt_in: bool,
    opt_out: bool,
    no_loop: bool,
    prefixes: Vec<&'a Bytes>,
}

impl Tracking {
    /// Its prefixes in order.
    pub(super) fn prefixes(&self) -> impl Iterator<Item = &Bytes> {
        let prefixes = match &self.mode {
            Mode::Broadcast(prefixes) => Some(prefixes),
            Mode::All | Mode::OptIn | Mode::OptOut => None,
        };
        prefixes.into_iter().flatten()
    }

    /// Its letters in `CLIENT LIST`.
    pub(super) fn letters(&self) -> &'static str {
        if self.mode.is_broadcast() { "tB" } else { "t" }
    }

    /// Where messages go: 0 is to itself.
    pub(super) fn redirection(&self) -> i64 {
        self.redirect.map_or(0, |id| i64::try_from(id.0).unwrap_or(i64::MAX))
    }

    /// A command that is none of CLIENT ended: what `CACHING` said was about that one.
    pub(super) fn forget_caching(&mut self) {
        self.caching = false;
    }

    fn flags(&self) -> Vec<Reply> {
        let (mode, caching) = match &self.mode {
            Mode::All => (None, None),
            Mode::OptIn => (Some("optin"), Some("caching-yes")),
            Mode::OptOut => (Some("optout"), Some("caching-no")),
            Mode::Broadcast(_) => (Some("bcast"), None),
        };
        let caching = caching.filter(|_| self.caching);
        let no_loop = self.no_loop.then_some("noloop");
        [Some("on"), mode, caching, no_loop].into_iter().flatten().map(word).collect()
    }
}

impl Client {
    /// `CLIENT TRACKING`. The first REDIRECT is judged before what follows it, and only the host
    /// knows whether there is such a client.
    pub(super) fn track(&mut self, words: &[Bytes]) -> Executed {
        let mut options = Options::default();
        let parsed = options.take(&words[1..]);
        let choice = parsed.and_then(|()| self.choose(&words[0], &options));
        match options.redirect {
            Some(id) => {
                let filter = ClientFilter::only(Test::Ids(vec![id]));
                Ok(Outcome::List(filter, Owed::Tracking(Box::new(choice))))
            }
            None => self.start_tracking(choice).map(Outcome::Reply),
        }
    }

    /// Whether a choice can be had after the present one, in the reference's order of complaints.
    fn choose(&self, switch: &[u8], options: &Options<'_>) -> Choice {
        if switch.eq_ignore_ascii_case(b"off") {
            return Ok(None);
        }
        if !switch.eq_ignore_ascii_case(b"on") {
            return Err(syntax_error());
        }
        let old = self.session.tracking.as_ref();
        if !options.broadcast && !options.prefixes.is_empty() {
            return Err(error("ERR PREFIX option requires BCAST mode to be enabled"));
        }
        if old.is_some_and(|old| old.mode.is_broadcast() != options.broadcast) {
            return Err(cannot_switch("BCAST mode on/off"));
        }
        if options.broadcast && (options.opt_in || options.opt_out) {
            return Err(error("ERR OPTIN and OPTOUT are not compatible with BCAST"));
        }
        let mode = match (options.opt_in, options.opt_out) {
            (true, true) => {
                return Err(error("ERR You can't specify both OPTIN mode and OPTOUT mode"));
            }
            (true, false) => Mode::OptIn,
            (false, true) => Mode::OptOut,
            (false, false) if options.broadcast => {
                Mode::Broadcast(with_prefixes(old, &options.prefixes)?)
            }
            (false, false) => Mode::All,
        };
        if let (Some(Mode::OptIn), Mode::OptOut) | (Some(Mode::OptOut), Mode::OptIn) =
            (old.map(|old| &old.mode), &mode)
        {
            return Err(cannot_switch("OPTIN/OPTOUT mode"));
        }
        let (no_loop, redirect) = (options.no_loop, options.redirect);
        Ok(Some(Tracking { mode, no_loop, redirect, caching: old.is_some_and(|old| old.caching) }))
    }

    /// Makes a choice that can be had the present one.
    pub(super) fn start_tracking(&mut self, choice: Choice) -> Result<Reply, Reply> {
        let now = choice?;
        let before = core::mem::replace(&mut self.session.tracking, now);
        let now = self.session.tracking.as_ref();
        let switched = match (&before, now) {
            (None, Some(_)) => Some(SubscriptionChange::TrackingStarted),
            (Some(_), None) => Some(SubscriptionChange::TrackingStopped),
            (None, None) | (Some(_), Some(_)) => None,
        };
        let prefixes = |it: Option<&Tracking>| -> BTreeSet<Bytes> {
            it.into_iter().flat_map(Tracking::prefixes).cloned().collect()
        };
        let (before, now) = (prefixes(before.as_ref()), prefixes(now));
        let gone = before.difference(&now).cloned().map(SubscriptionChange::PrefixRemoved);
        let new = now.difference(&before).cloned().map(SubscriptionChange::PrefixAdded);
        let changes = switched.into_iter().chain(gone).chain(new);
        self.actions.extend(changes.map(Action::SubscriptionChanged));
        Ok(Reply::OK)
    }

    /// Whether it tracks.
    #[must_use]
    pub fn is_tracking(&self) -> bool {
        self.session.tracking.is_some()
    }

    /// `CLIENT TRACKINGINFO`
    pub(super) fn tracking_info(&self) -> Reply {
        let tracking = self.session.tracking.as_ref();
        let flags = tracking.map_or_else(|| vec![word("off")], Tracking::flags);
        let prefixes = tracking.into_iter().flat_map(Tracking::prefixes);
        Reply::Map(vec![
            (word("flags"), Reply::Set(flags)),
            (word("redirect"), Reply::Integer(self.redirection())),
            (word("prefixes"), Reply::Array(prefixes.cloned().map(Reply::Bulk).collect())),
        ])
    }

    /// `CLIENT GETREDIR`: -1 where nothing is tracked.
    pub(super) fn redirection(&self) -> i64 {
        self.session.tracking.as_ref().map_or(-1, Tracking::redirection)
    }

    /// `CLIENT CACHING`
    pub(super) fn caching(&mut self, mode: &[u8]) -> Result<Reply, Reply> {
        let Some(tracking) = &mut self.session.tracking else {
            return Err(error(
                "ERR CLIENT CACHING can be called only when the client is in tracking mode with \
                 OPTIN or OPTOUT mode enabled",
            ));
        };
        let (needed, complaint) = match mode.to_ascii_lowercase().as_slice() {
            b"yes" => (
                Mode::OptIn,
                "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.",
            ),
            b"no" => (
                Mode::OptOut,
                "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.",
            ),
            _ => return Err(syntax_error()),
        };
        if tracking.mode != needed {
            return Err(error(complaint));
        }
        tracking.caching = true;
        Ok(Reply::OK)
    }
}

impl<'a> Options<'a> {
    /// Reads the words up to the first that cannot be; what was read before stays.
    fn take(&mut self, words: &'a [Bytes]) -> Result<(), Reply> {
        let mut rest = words;
        while let [option, after @ ..] = rest {
            rest = after;
            match (option.to_ascii_lowercase().as_slice(), after) {
                (b"bcast", _) => self.broadcast = true,
                (b"optin", _) => self.opt_in = true,
                (b"optout", _) => self.opt_out = true,
                (b"noloop", _) => self.no_loop = true,
                (b"prefix", [prefix, after @ ..]) => {
                    self.prefixes.push(prefix);
                    rest = after;
                }
                (b"redirect", [_, ..]) if self.redirect.is_some() => {
                    return Err(error("ERR A client can only redirect to a single other client"));
                }
                (b"redirect", [id, after @ ..]) => {
                    let id = parse_integer(id).ok_or_else(not_an_integer)?;
                    self.redirect = Some(ClientId(u64::try_from(id).map_err(|_| nobody())?));
                    rest = after;
                }
                _ => return Err(syntax_error()),
            }
        }
        Ok(())
    }
}

/// The refusal of a REDIRECT to a client that is not there.
pub(super) fn nobody() -> Reply {
    error("ERR The client ID you want redirect to does not exist")
}

fn cannot_switch(what: &str) -> Reply {
    error(format!(
        "ERR You can't switch {what} before disabling tracking for this client, and then \
         re-enabling it with a different mode."
    ))
}

/// The present prefixes and these; without any, everything is meant.
fn with_prefixes(old: Option<&Tracking>, new: &[&Bytes]) -> Result<BTreeSet<Bytes>, Reply> {
    let mut all: BTreeSet<Bytes> = old.into_iter().flat_map(Tracking::prefixes).cloned().collect();
    let bytes: usize = all.iter().chain(new.iter().copied()).map(Bytes::len).sum();
    if all.len() + new.len() > PREFIXES_MAX || bytes > PREFIX_BYTES_MAX {
        return Err(error(format!(
            "ERR one connection can have {PREFIXES_MAX} prefixes of {PREFIX_BYTES_MAX} bytes \
             together at most"
        )));
    }
    for (place, prefix) in new.iter().enumerate() {
        let overlaps = |other: &&Bytes| prefix.starts_with(other) || other.starts_with(prefix);
        if let Some(other) = all.iter().find(overlaps) {
            return Err(overlapping(prefix, "an existing", other));
        }
        if let Some(other) = new[place + 1..].iter().copied().find(overlaps) {
            return Err(overlapping(prefix, "another provided", other));
        }
    }
    match new {
        [] => all.extend([Bytes::new()]),
        new => all.extend(new.iter().copied().cloned()),
    }
    Ok(all)
}

/// The references read names up to a zero byte.
fn overlapping(prefix: &[u8], which: &str, other: &[u8]) -> Reply {
    let [prefix, other] = [prefix, other].map(|it| it.split(|&byte| byte == 0).next());
    error_with(&[
        b"ERR Prefix '",
        prefix.unwrap_or_default(),
        b"' overlaps with ",
        which.as_bytes(),
        b" prefix '",
        other.unwrap_or_default(),
        b"'. Prefixes for a single client must not overlap.",
    ])
}
