//! What the file declares before the process starts.

use std::sync::Arc;

use vedette_core::{
    Config, DurableState, Epoch, MasterSettings, SavedMaster, SavedSentinel, SavedVote, Secret,
    Settings, Span, Tunables, WallTime,
};

use super::names::{endpoint, sentinel_id};
use super::parse::Command;
use super::store::Saves;

/// The process and its configuration file.
pub(crate) struct Setup {
    pub(crate) me: String,
    pub(crate) seed: u64,
    pub(crate) saves: Saves,
    pub(crate) has_secrets: bool,
    epoch: Option<Epoch>,
    settings: Settings,
    local_password: Option<Secret>,
    gathers_from: usize,
    promotions_per_host: usize,
    defaults: Vec<(String, String)>,
    masters: Vec<SavedMaster>,
    /// Who got the last vote of each master, and how long ago.
    votes: Vec<Option<(String, u64)>>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            me: "a".to_owned(),
            seed: 1,
            saves: Saves::After(1),
            has_secrets: false,
            epoch: Some(Epoch::ZERO),
            settings: Settings::default(),
            local_password: None,
            gathers_from: Config::GATHERS_FROM,
            promotions_per_host: Config::PROMOTIONS_PER_HOST,
            defaults: Vec::new(),
            masters: Vec::new(),
            votes: Vec::new(),
        }
    }
}

impl Setup {
    pub(crate) fn config(&self) -> Config {
        let config = Config::new(26379, self.local_password.clone());
        let (gathers_from, promotions_per_host) = (self.gathers_from, self.promotions_per_host);
        Config { gathers_from, promotions_per_host, ..config }
    }

    pub(crate) fn durable(&self, wall: u64) -> DurableState {
        let mut masters = self.masters.clone();
        for (master, vote) in masters.iter_mut().zip(&self.votes) {
            master.last_vote = vote.as_ref().map(|(leader, age)| SavedVote {
                leader: sentinel_id(leader),
                epoch: master.leader_epoch.unwrap_or_default(),
                at: WallTime(wall - age),
            });
        }
        DurableState {
            my_id: sentinel_id(&self.me),
            current_epoch: self.epoch,
            settings: self.settings.clone(),
            masters,
        }
    }

    /// `sentinel me=a quorum=2 …`: the process, and defaults of its masters.
    pub(crate) fn sentinel(&mut self, command: &Command) {
        for (key, value) in command.pairs() {
            match key {
                "me" => value.clone_into(&mut self.me),
                "seed" => self.seed = command.parse(value),
                "epoch" => self.epoch = value.parse().ok().and_then(Epoch::new),
                "resolve" => self.settings.resolve_hostnames = value == "yes",
                "announce-names" => self.settings.announce_hostnames = value == "yes",
                "announce-ip" => self.settings.announce_ip = Some(value.into()),
                "gathers-from" => self.gathers_from = command.parse(value),
                "promotions-per-host" => self.promotions_per_host = command.parse(value),
                "announce-port" => self.settings.announce_port = value.parse().ok(),
                "requirepass" => self.local_password = Some(self.secret(value)),
                "sentinel-pass" => self.settings.sentinel_pass = Some(self.secret(value)),
                "sentinel-user" => self.settings.sentinel_user = Some(value.into()),
                other => self.defaults.push((other.to_owned(), value.to_owned())),
            }
        }
    }

    fn secret(&mut self, text: &str) -> Secret {
        self.has_secrets = true;
        Secret::new(text.as_bytes())
    }

    /// `master m 10.0.0.1:6379 …`.
    pub(crate) fn master(&mut self, command: &Command) {
        let settings = MasterSettings::new(2, &Tunables::default());
        self.masters.push(SavedMaster {
            name: command.word(0).into(),
            address: endpoint(command.word(1)),
            settings: MasterSettings { down_after: Span(1000), ..settings },
            config_epoch: Epoch::ZERO,
            leader_epoch: Some(Epoch::ZERO),
            replicas: Vec::new(),
            sentinels: Vec::new(),
            last_vote: None,
        });
        self.votes.push(None);
        for (key, value) in self.defaults.clone() {
            self.option(command, &key, &value);
        }
        let pairs: Vec<(String, String)> =
            command.pairs().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        for (key, value) in pairs {
            self.option(command, &key, &value);
        }
    }

    fn option(&mut self, command: &Command, key: &str, value: &str) {
        self.has_secrets |= key == "auth-pass";
        let epoch = || Epoch::new(command.parse(value));
        let master = self.masters.last_mut().expect("a master was declared");
        let settings = &mut master.settings;
        match key {
            "quorum" => settings.quorum = command.parse(value),
            "down-after" => settings.down_after = Span(command.parse(value)),
            "failover-timeout" => settings.failover_timeout = Span(command.parse(value)),
            "parallel-syncs" => settings.parallel_syncs = command.parse(value),
            "notification" => settings.notification_script = Some(value.into()),
            "client" => settings.client_reconfig_script = Some(value.into()),
            "auth-pass" => settings.auth_pass = Some(Secret::new(value.as_bytes())),
            "auth-user" => settings.auth_user = Some(value.into()),
            "reboot" => settings.reboot_down_after = Span(command.parse(value)),
            "rename" => {
                let (from, to) = value.split_once(':').expect("rename=PING:xyz");
                Arc::make_mut(&mut settings.renames).insert(from.into(), to.into());
            }
            "config" => master.config_epoch = epoch().expect("an epoch"),
            "leader-epoch" if value == "none" => master.leader_epoch = None,
            "leader-epoch" => master.leader_epoch = epoch(),
            "vote" => {
                let (leader, age) = value.split_once('@').expect("vote=b@<ms ago>");
                *self.votes.last_mut().expect("as many") =
                    Some((leader.to_owned(), command.parse(age)));
            }
            other => panic!("line {}: no such option {other}", command.line),
        }
    }

    pub(crate) fn replica(&mut self, at: &str) {
        let master = self.masters.last_mut().expect("a master was declared");
        master.replicas.push(endpoint(at));
    }

    pub(crate) fn peer(&mut self, name: &str, at: &str) {
        let master = self.masters.last_mut().expect("a master was declared");
        master.sentinels.push(SavedSentinel { id: sentinel_id(name), address: endpoint(at) });
    }

    pub(crate) fn master_address(&self) -> Option<vedette_core::Endpoint> {
        self.masters.last().map(|master| master.address.clone())
    }
}
