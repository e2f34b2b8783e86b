//! Clients: each has one connection at a time and an alarm clock. What it does with them is its
//! `Role`; see `client`.

use std::net::SocketAddr;

use bytes::BytesMut;
use vedette_resp::{Frame, ReplyDecoder, encode_command};

use super::World;
use crate::address;
use crate::agenda::Happening;
use crate::client::{Deed, News, Role, STAY_MS};
use crate::network::{End, Holder, Parcel, Site, WireId};
use crate::sentinel_host::SentinelIndex;

/// A client of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AppIndex(pub(crate) usize);

/// A client's process, as far as it has one.
pub(crate) struct App {
    pub(crate) role: Role,
    site: Site,
    pub(crate) wire: Option<WireId>,
    decoder: ReplyDecoder,
    alarm: u64,
}

impl World {
    pub(super) fn add_apps(&mut self) {
        let mut client = 0;
        for group in 0..self.plan.masters.len() {
            for _ in 0..self.plan.writers {
                let site = self.client_site(client);
                let name = self.plan.masters[group].name.clone();
                let writer = AppIndex(self.apps.len());
                let sentinels = self.plan.sentinels;
                self.add_app(site, Role::writer(&name, sentinels, client));
                self.add_app(site, Role::listener(&name, sentinels, client, writer));
                client += 1;
            }
        }
        if self.plan.watchers {
            for index in 0..self.plan.sentinels {
                let names = self.plan.masters.iter().map(|master| master.name.clone());
                self.add_app(self.outside(), Role::watcher(index, names.collect()));
            }
        }
        if self.plan.readers {
            for group in 0..self.plan.masters.len() {
                let name = self.plan.masters[group].name.clone();
                self.add_app(self.outside(), Role::reader(&name, self.plan.sentinels, group));
            }
        }
    }

    /// A client appears, and is waked at once.
    pub(super) fn add_app(&mut self, site: Site, role: Role) -> AppIndex {
        let index = AppIndex(self.apps.len());
        let decoder = ReplyDecoder::default();
        self.apps.push(App { role, site, wire: None, decoder, alarm: 0 });
        let pause = self.chance.apps.below(100);
        self.set_alarm(index, pause);
        index
    }

    /// The node that a writer of this group is writing to, for each writer.
    pub(super) fn written_to(&self, group: usize) -> Vec<Option<SocketAddr>> {
        let name = &self.plan.masters[group].name;
        let now_ms = self.now_ms;
        self.apps.iter().filter_map(|app| app.role.writes_to(name, now_ms)).collect()
    }

    /// The nodes that each reader of this group has read from lately.
    pub(super) fn read_from(&self, group: usize) -> Vec<Vec<SocketAddr>> {
        let name = &self.plan.masters[group].name;
        let now_ms = self.now_ms;
        self.apps.iter().filter_map(|app| app.role.reads_of(name, now_ms)).collect()
    }

    pub(super) fn app_deadline(&mut self, app: AppIndex, alarm: u64) {
        if self.apps[app.0].alarm == alarm {
            self.tell_app(app, News::Alarm);
        }
    }

    pub(super) fn reach_app(&mut self, index: AppIndex, wire: WireId, parcel: Parcel) {
        if self.apps[index.0].wire != Some(wire) {
            return;
        }
        match parcel {
            Parcel::Accepted => self.tell_app(index, News::Connected),
            Parcel::Bytes(bytes) => {
                self.apps[index.0].decoder.feed(&bytes);
                self.read_frames(index, wire);
            }
            Parcel::Refused | Parcel::Close => {
                self.apps[index.0].wire = None;
                self.network.close(wire);
                self.tell_app(index, News::Lost);
            }
            Parcel::Connect => {}
        }
    }

    fn read_frames(&mut self, index: AppIndex, wire: WireId) {
        while self.apps[index.0].wire == Some(wire) {
            match self.apps[index.0].decoder.next() {
                Ok(Some(frame)) => self.tell_app(index, News::Received(frame)),
                Ok(None) => return,
                Err(error) => {
                    self.accuse("every byte sent is RESP", error.to_string());
                    return;
                }
            }
        }
    }

    fn tell_app(&mut self, index: AppIndex, news: News<Frame>) {
        self.watch_stay(index);
        let now_ms = self.now_ms;
        let deeds = self.apps[index.0].role.hear(now_ms, news, &mut self.chance.apps);
        for deed in deeds {
            self.do_deed(index, deed);
        }
    }

    /// A client that follows the protocol never stays on a demoted master longer than the time
    /// until its next write and the answer to that, whatever the network does.
    fn watch_stay(&mut self, index: AppIndex) {
        let Some(at) = self.apps[index.0].role.stays_on() else { return };
        let node = self.node_at(at).map(|node| &self.nodes[node.0]);
        let Some(since_ms) = node.and_then(|node| node.replica_since_ms) else { return };
        let stayed_ms = self.now_ms - since_ms;
        if stayed_ms > STAY_MS {
            let evidence =
                format!("client {} stays on {at}, a replica for {stayed_ms} ms", index.0);
            self.accuse("no client stays on a demoted master", evidence);
        }
    }

    fn do_deed(&mut self, index: AppIndex, deed: Deed) {
        match deed {
            Deed::AskSentinel(sentinel) => {
                let sentinel = SentinelIndex(sentinel % self.plan.sentinels);
                self.app_connects(index, self.sentinels[sentinel.0].address);
            }
            Deed::Connect(to) => self.app_connects(index, to),
            Deed::Send(words) => self.app_sends(index, &words),
            Deed::HangUp => self.hang_up(Holder::App(index)),
            Deed::Wake { in_ms } => self.set_alarm(index, in_ms),
            Deed::Move { app, to } => self.tell_app(app, News::MasterMoved(to)),
            Deed::Accuse { invariant, evidence } => self.accuse(invariant, evidence),
            Deed::Reach(place) => self.witness.reach(place),
            Deed::Acknowledged => self.witness.count_write(),
        }
    }

    fn app_connects(&mut self, index: AppIndex, to: SocketAddr) {
        self.hang_up(Holder::App(index));
        let from = (address::of_app(index.0), self.apps[index.0].site);
        let wire = self.connect(from, to, Holder::App(index));
        let app = &mut self.apps[index.0];
        app.wire = Some(wire);
        app.decoder = ReplyDecoder::default();
    }

    fn app_sends(&mut self, index: AppIndex, words: &[String]) {
        let Some(wire) = self.apps[index.0].wire else { return };
        let mut bytes = BytesMut::new();
        let words: Vec<&[u8]> = words.iter().map(String::as_bytes).collect();
        encode_command(&mut bytes, &words);
        self.send(wire, End::Caller, bytes.freeze());
    }

    fn set_alarm(&mut self, index: AppIndex, in_ms: u64) {
        let app = &mut self.apps[index.0];
        app.alarm += 1;
        let alarm = app.alarm;
        let happening = Happening::AppDeadline { app: index, alarm };
        self.agenda.add(self.now_ms + in_ms, happening);
    }
}
