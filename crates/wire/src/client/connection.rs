//! CLIENT (spec: interface 4.9).

use bytes::Bytes;
use vedette_core::{Now, Span};
use vedette_resp::{Protocol, parse_integer};

use super::Client;
use super::action::{Action, Pause};
use super::execute::{Executed, Outcome, text};
use super::filter::{Asker, ClientFilter, Test, parse_kill, parse_list};
use super::handshake::check_name;
use super::outbox::Owed;
use super::session::is_plain;
use super::surroundings::Surroundings;
use crate::commands::ClientVerb;
use crate::replies::help;
use crate::reply::{Reply, error, error_with, not_an_integer, syntax_error};

impl Client {
    pub(super) fn client(
        &mut self,
        verb: ClientVerb,
        words: &[Bytes],
        surroundings: &dyn Surroundings,
    ) -> Executed {
        let (name, words) = (&words[0], &words[2..]);
        let reply = match verb {
            ClientVerb::Caching => self.caching(&words[0])?,
            ClientVerb::GetName if self.session.name.is_empty() => Reply::Null,
            ClientVerb::GetName => Reply::Bulk(self.session.name.clone()),
            ClientVerb::GetRedir => Reply::Integer(self.redirection()),
            ClientVerb::Help => help::client(name, self.facts.dialect),
            ClientVerb::Id => Reply::Integer(i64::try_from(self.id.0).unwrap_or(i64::MAX)),
            ClientVerb::Info => self.own_line(surroundings.now()),
            ClientVerb::Kill => return self.kill_clients(words, surroundings),
            ClientVerb::List => {
                let filter = parse_list(words, self.asker(surroundings))?;
                return Ok(Outcome::List(filter, Owed::ClientLines));
            }
            ClientVerb::NoEvict => {
                self.session.no_evict = on_off(&words[0])?;
                Reply::OK
            }
            ClientVerb::Pause => self.pause(words, surroundings.now())?,
            ClientVerb::Reply => return self.switch_replies(&words[0]),
            ClientVerb::SetInfo => self.set_info(&words[0], &words[1])?,
            ClientVerb::SetName => {
                self.session.name = check_name(&words[0])?;
                Reply::OK
            }
            ClientVerb::Tracking => return self.track(words),
            ClientVerb::TrackingInfo => self.tracking_info(),
            ClientVerb::Unblock => unblock(words)?,
            ClientVerb::Unpause => {
                self.ordered_pause = None;
                self.actions.push_back(Action::Unpause);
                Reply::OK
            }
        };
        Ok(Outcome::Reply(reply))
    }

    fn own_line(&self, now: Now) -> Reply {
        text(&[self.info_line(now)], self.session.protocol)
    }

    fn kill_clients(&self, words: &[Bytes], surroundings: &dyn Surroundings) -> Executed {
        if let [addr] = words {
            let filter = ClientFilter::only(Test::Addr(addr.clone()));
            return Ok(Outcome::Kill(filter, Owed::KilledOne));
        }
        let filter = parse_kill(words, self.asker(surroundings))?;
        Ok(Outcome::Kill(filter, Owed::KilledCount))
    }

    fn asker<'a>(&self, surroundings: &'a dyn Surroundings) -> Asker<'a> {
        let accounts = surroundings.accounts();
        Asker { id: self.id, accounts, dialect: self.facts.dialect }
    }

    fn pause(&mut self, words: &[Bytes], now: Now) -> Result<Reply, Reply> {
        let writes_only = match words.get(1).map(|mode| mode.to_ascii_lowercase()) {
            None => false,
            Some(mode) if mode == b"all" => false,
            Some(mode) if mode == b"write" => true,
            Some(_) => return Err(error("ERR CLIENT PAUSE mode must be WRITE or ALL")),
        };
        let millis = parse_integer(&words[0])
            .ok_or_else(|| error("ERR timeout is not an integer or out of range"))?;
        let millis = u64::try_from(millis).map_err(|_| error("ERR timeout is negative"))?;
        let pause = Pause::new(now.mono, Span(millis), writes_only);
        self.ordered_pause = (millis > 0).then_some(pause);
        self.actions.push_back(Action::Pause(pause));
        Ok(Reply::OK)
    }

    fn switch_replies(&mut self, mode: &[u8]) -> Executed {
        let replies = &mut self.session.replies;
        match mode.to_ascii_lowercase().as_slice() {
            b"on" => {
                replies.on();
                Ok(Outcome::Reply(Reply::OK))
            }
            b"off" => {
                replies.off();
                Ok(Outcome::Silence)
            }
            b"skip" => {
                replies.skip();
                Ok(Outcome::Silence)
            }
            _ => Err(syntax_error()),
        }
    }

    fn set_info(&mut self, attribute: &Bytes, value: &Bytes) -> Result<Reply, Reply> {
        let place = match attribute.to_ascii_lowercase().as_slice() {
            b"lib-name" => &mut self.session.lib_name,
            b"lib-ver" => &mut self.session.lib_ver,
            _ => return Err(error_with(&[b"ERR Unrecognized option '", attribute, b"'"])),
        };
        if !is_plain(value) {
            let complaint: &[u8] = b" cannot contain spaces, newlines or special characters.";
            return Err(error_with(&[b"ERR ", attribute, complaint]));
        }
        *place = value.clone();
        Ok(Reply::OK)
    }

    /// Whether only the commands of subscribers are allowed (spec: interface 1.8).
    pub(super) fn is_restricted(&self) -> bool {
        self.session.protocol == Protocol::Resp2 && self.subscriptions.total() > 0
    }
}

/// Nothing ever blocks.
fn unblock(words: &[Bytes]) -> Result<Reply, Reply> {
    let reason = words.get(1).map(|reason| reason.to_ascii_lowercase());
    if reason.is_some_and(|reason| reason != b"timeout" && reason != b"error") {
        return Err(error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"));
    }
    parse_integer(&words[0]).map(|_| Reply::Integer(0)).ok_or_else(not_an_integer)
}

fn on_off(word: &[u8]) -> Result<bool, Reply> {
    match word.to_ascii_lowercase().as_slice() {
        b"on" => Ok(true),
        b"off" => Ok(false),
        _ => Err(syntax_error()),
    }
}
