//! What must hold in every run, whatever the scenario is about.

use std::collections::{BTreeMap, BTreeSet};

use vedette_core::{
    ConnId, Detail, Effect, Endpoint, Epoch, Event, Input, Publication, Query, ReplicationTarget,
    Request, Response, SentinelId, Ticket,
};

use super::names::sentinel_id;
use super::network::Line;
use super::store::Store;

/// What was seen so far.
#[derive(Default)]
pub(crate) struct Check {
    /// Every vote that was told, by master and epoch.
    votes: BTreeMap<(String, Epoch), SentinelId>,
    /// Configurations heard from others: durable at their leader (rule A3).
    heard: BTreeSet<(String, Endpoint, Epoch)>,
    /// Who asks for a vote about which address.
    questions: BTreeMap<Ticket, Endpoint>,
    /// Changes that must be saved before they are answered with OK.
    changes: BTreeMap<Ticket, u64>,
    saves: u64,
    seq: u64,
    /// Connections that the core closed.
    closed: BTreeSet<ConnId>,
}

impl Check {
    pub(crate) fn restarted(&mut self) {
        self.seq = 0;
        self.closed.clear();
    }

    pub(crate) fn heard(&mut self, input: &Input) {
        match input {
            Input::Persisted { .. } => self.saves += 1,
            Input::MessageReceived { hello: Some(hello), .. }
            | Input::Requested { request: Request::Hello(Some(hello)), .. } => {
                let heard = (hello.master.to_string(), hello.address.clone(), hello.config_epoch);
                self.heard.insert(heard);
            }
            Input::Requested { ticket, request: Request::IsMasterDown { address, .. } } => {
                self.questions.insert(*ticket, address.clone());
            }
            Input::Requested { ticket, request } => {
                let saved = matches!(
                    request,
                    Request::Monitor { .. }
                        | Request::Remove(_)
                        | Request::Set { .. }
                        | Request::Reset(_)
                        | Request::ConfigSet(_)
                        | Request::FlushConfig
                );
                if saved {
                    self.changes.insert(*ticket, self.saves);
                }
            }
            _ => {}
        }
    }

    pub(crate) fn ordered(
        &mut self,
        effect: &Effect,
        store: Option<&Store>,
        lines: &BTreeMap<ConnId, Line>,
        me: &str,
    ) {
        let store = store.expect("it runs");
        match effect {
            Effect::Send { conn, query } => {
                assert!(!self.closed.contains(conn), "sent on a connection that was closed");
                // One that broke in this very turn may be missing.
                if let Some(line) = lines.get(conn) {
                    one_of_each(line, query);
                }
                self.sent(query, store, sentinel_id(me));
            }
            Effect::Close { conn } => {
                self.closed.insert(*conn);
            }
            Effect::Publish(publication) => self.published(publication, store),
            Effect::Respond { ticket, response } => self.responded(*ticket, response, store),
            _ => {}
        }
    }

    /// A vote of ours: at most one for each master and epoch, and durable.
    fn vote(&mut self, master: &str, leader: SentinelId, epoch: Epoch, store: &Store) {
        let before = *self.votes.entry((master.to_owned(), epoch)).or_insert(leader);
        assert_eq!(before, leader, "two votes for {master} in epoch {epoch}");
        let durable = store.master(master).and_then(|saved| saved.leader_epoch);
        assert!(durable >= Some(epoch), "the vote in {epoch} is told before it is durable");
    }

    fn configuration(&self, master: &str, address: &Endpoint, epoch: Epoch, store: &Store) {
        let saved = store.master(master);
        let durable = saved.is_some_and(|s| s.config_epoch == epoch && s.address == *address);
        // A name may stand for the address, and what another leader decided may be shown at once.
        let heard = self.heard.iter().any(|(name, at, heard)| {
            let named = at.host.parse::<std::net::IpAddr>().is_err() && at.port == address.port;
            name == master && *heard == epoch && (at == address || named)
        });
        let named =
            saved.is_some_and(|s| s.config_epoch == epoch && s.address.port == address.port);
        assert!(durable || heard || named, "{master} {address} {epoch} is told but not durable");
    }

    fn sent(&mut self, query: &Query, store: &Store, me: SentinelId) {
        match query {
            Query::Hello(hello) => {
                let durable = store.durable.current_epoch.unwrap_or_default();
                let raised = store
                    .durable
                    .masters
                    .iter()
                    .map(|m| m.config_epoch.max(m.leader_epoch.unwrap_or_default()));
                let durable = raised.max().unwrap_or_default().max(durable);
                assert!(hello.current_epoch <= durable, "a hello tells an epoch that is not saved");
                self.configuration(&hello.master, &hello.address, hello.config_epoch, store);
            }
            Query::AskDown { epoch, vote_for: Some(id), .. } => {
                assert_eq!(*id, me);
                let voted = store.durable.masters.iter().any(|master| {
                    master.last_vote.as_ref().is_some_and(|v| v.leader == me && v.epoch == *epoch)
                });
                assert!(voted, "a vote is asked in {epoch} before our own is durable");
            }
            Query::Replicate { target: ReplicationTarget::NoOne, .. } => {
                let mut votes = store.durable.masters.iter().filter_map(|m| m.last_vote.as_ref());
                assert!(votes.any(|vote| vote.leader == me), "a promotion without our own vote");
            }
            _ => {}
        }
    }

    fn published(&mut self, publication: &Publication, store: &Store) {
        assert!(publication.seq > self.seq, "publications count up");
        self.seq = publication.seq;
        for view in &publication.masters {
            self.configuration(&view.name, &view.node.address, view.config_epoch, store);
        }
        for event in &publication.events {
            self.event(event, store);
        }
    }

    fn event(&mut self, event: &Event, store: &Store) {
        let Some(about) = &event.about else { return };
        match &event.detail {
            Detail::Vote { leader, epoch } => self.vote(&about.master, *leader, *epoch, store),
            Detail::Switch { to, .. } => {
                let saved = store.master(&about.master).map(|saved| &saved.address);
                let heard = self.heard.iter().any(|(name, at, _)| {
                    let named = at.host.parse::<std::net::IpAddr>().is_err();
                    **name == *about.master && (at == to || named)
                });
                assert!(heard || saved == Some(to), "+switch-master to {to} is not durable");
            }
            _ => {}
        }
    }

    fn responded(&mut self, ticket: Ticket, response: &Response, store: &Store) {
        match response {
            Response::Opinion { leader: Some(leader), leader_epoch, .. } => {
                let address = self.questions.get(&ticket).expect("somebody asked").clone();
                let at = |saved: &&vedette_core::SavedMaster| saved.address == address;
                let names: Vec<String> =
                    store.durable.masters.iter().filter(at).map(|m| m.name.to_string()).collect();
                // With several entries at one address the answer is that of one of them (V5).
                if let [name] = names.as_slice() {
                    self.vote(name, *leader, *leader_epoch, store);
                }
            }
            Response::Done | Response::Count(1..) => {
                if let Some(saves) = self.changes.remove(&ticket) {
                    assert!(self.saves > saves, "OK is told before the change is durable");
                }
            }
            _ => {}
        }
    }
}

/// Rule E6: at most one PING, INFO and hello is outstanding on a connection.
fn one_of_each(line: &Line, query: &Query) {
    let doubled = line.queue.iter().any(|waiting| match (waiting, query) {
        (Query::Ping, Query::Ping) | (Query::Info, Query::Info) => true,
        (Query::Hello(before), Query::Hello(hello)) => before.master == hello.master,
        _ => false,
    });
    assert!(!doubled, "{}: a second {query:?} while one is outstanding", line.name);
}

/// Each check has a test that makes it fail.
mod tests {
    use std::collections::{BTreeMap, VecDeque};
    use std::sync::Arc;

    use vedette_core::{
        ConnId, Detail, Effect, Epoch, Event, EventKind, Part, Publication, Purpose, Query,
        Response, Subject, Ticket,
    };

    use super::super::names::{endpoint, sentinel_id};
    use super::super::network::Line;
    use super::super::parse::{Command, Variant};
    use super::super::setup::Setup;
    use super::super::store::Store;
    use super::Check;

    fn store() -> Store {
        let mut setup = Setup::default();
        setup.master(&Command::made(1, "master m 10.0.0.1:6379 leader-epoch=2 config=2"));
        Store::new(setup.durable(1_000_000), Variant::AsTold)
    }

    fn check(effect: &Effect) {
        let line = Line::new("n1", Purpose::Commands, VecDeque::from([Query::Ping]));
        let lines = BTreeMap::from([(ConnId(1), line)]);
        let mut check = Check::default();
        check.ordered(&Effect::Close { conn: ConnId(2) }, Some(&store()), &lines, "a");
        check.ordered(effect, Some(&store()), &lines, "a");
    }

    fn send(conn: u64, query: Query) {
        check(&Effect::Send { conn: ConnId(conn), query });
    }

    fn publish(seq: u64, kind: EventKind, detail: Detail) {
        let (master, address) = ("m".into(), endpoint("10.0.0.1:6379"));
        let about = Some(Subject { master, address, part: Part::Master });
        let events = vec![Event { kind, about, detail }];
        let (masters, listing, process) = (Vec::new(), None, None);
        let publication = Publication { seq, masters, listing, process, events };
        check(&Effect::Publish(Arc::new(publication)));
    }

    #[test]
    #[should_panic(expected = "while one is outstanding")]
    fn a_second_ping_is_found() {
        send(1, Query::Ping);
    }

    #[test]
    #[should_panic(expected = "was closed")]
    fn a_closed_connection_is_found() {
        send(2, Query::Info);
    }

    #[test]
    #[should_panic(expected = "before our own is durable")]
    fn an_early_vote_request_is_found() {
        let (address, epoch) = (endpoint("10.0.0.1:6379"), Epoch::new(3).expect("small"));
        send(1, Query::AskDown { address, epoch, vote_for: Some(sentinel_id("a")) });
    }

    #[test]
    #[should_panic(expected = "before it is durable")]
    fn an_early_vote_is_found() {
        let (leader, epoch) = (sentinel_id("b"), Epoch::new(3).expect("small"));
        publish(1, EventKind::VoteForLeader, Detail::Vote { leader, epoch });
    }

    #[test]
    #[should_panic(expected = "two votes")]
    fn a_second_vote_is_found() {
        let mut check = Check::default();
        let epoch = Epoch::new(2).expect("small");
        check.vote("m", sentinel_id("b"), epoch, &store());
        check.vote("m", sentinel_id("c"), epoch, &store());
    }

    #[test]
    #[should_panic(expected = "is not durable")]
    fn an_early_switch_is_found() {
        let (from, to) = (endpoint("10.0.0.1:6379"), endpoint("10.0.0.2:6379"));
        publish(1, EventKind::SwitchMaster, Detail::Switch { from, to });
    }

    #[test]
    #[should_panic(expected = "OK is told before")]
    fn an_early_ok_is_found() {
        let mut check = Check::default();
        check.changes.insert(Ticket(1), 0);
        check.responded(Ticket(1), &Response::Done, &store());
    }
}
