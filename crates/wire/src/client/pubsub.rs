//! SUBSCRIBE, PSUBSCRIBE, UNSUBSCRIBE, PUNSUBSCRIBE (spec: interface 4.8). Confirmations are
//! messages: `CLIENT REPLY` does not swallow them.

use bytes::Bytes;

use super::Client;
use super::action::{Action, SubscriptionChange};
use super::execute::{Executed, Outcome};
use super::limits::SUBSCRIPTIONS_MAX;
use super::subscriptions::Kind;
use crate::reply::error;

impl Client {
    /// `done` is the word that confirms.
    pub(super) fn subscribe(
        &mut self,
        kind: Kind,
        done: &'static str,
        names: &[Bytes],
    ) -> Executed {
        if self.subscriptions.total() + names.len() > SUBSCRIPTIONS_MAX {
            return Err(error(format!(
                "ERR one connection can have {SUBSCRIPTIONS_MAX} subscriptions at most"
            )));
        }
        for name in names {
            if self.subscriptions.add(kind, name) {
                self.tell_added(kind, name.clone());
            }
            self.confirm(done, Some(name));
        }
        Ok(Outcome::Silence)
    }

    /// Without names, from everything of that kind.
    pub(super) fn unsubscribe(
        &mut self,
        kind: Kind,
        done: &'static str,
        names: &[Bytes],
    ) -> Executed {
        let all = if names.is_empty() { self.subscriptions.all(kind) } else { Vec::new() };
        let names = if names.is_empty() { &all } else { names };
        for name in names {
            if self.subscriptions.remove(kind, name) {
                self.tell_removed(kind, name.clone());
            }
            self.confirm(done, Some(name));
        }
        if names.is_empty() {
            self.confirm(done, None);
        }
        Ok(Outcome::Silence)
    }

    /// The connection ends: its subscriptions no longer count, nor what it tracks.
    pub(super) fn drop_subscriptions(&mut self) {
        let _ = self.start_tracking(Ok(None));
        for kind in [Kind::Channel, Kind::Pattern] {
            for name in self.subscriptions.all(kind) {
                self.subscriptions.remove(kind, &name);
                self.tell_removed(kind, name);
            }
        }
    }

    fn confirm(&mut self, done: &'static str, name: Option<&Bytes>) {
        let confirmation = self.subscriptions.confirmation(done, name);
        self.outbox.write(&confirmation, self.session.protocol);
    }

    fn tell_added(&mut self, kind: Kind, name: Bytes) {
        self.actions.push_back(Action::SubscriptionChanged(match kind {
            Kind::Channel => SubscriptionChange::ChannelAdded(name),
            Kind::Pattern => SubscriptionChange::PatternAdded(name),
        }));
    }

    fn tell_removed(&mut self, kind: Kind, name: Bytes) {
        self.actions.push_back(Action::SubscriptionChanged(match kind {
            Kind::Channel => SubscriptionChange::ChannelRemoved(name),
            Kind::Pattern => SubscriptionChange::PatternRemoved(name),
        }));
    }
}
