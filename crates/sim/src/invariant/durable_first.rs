use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use vedette_core::{
    Detail, DurableState, Effect, Endpoint, Epoch, Event, EventKind, Hello, Input, MasterName,
    MasterSettings, MasterView, Part, Publication, Query, ReplicationTarget, Request, Response,
    SavedMaster, Settings,
};

use super::{Invariant, hold, saved, shown};
use crate::address;
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// Nothing of a Sentinel's own is revealed before it is on its disk: epochs in hellos, questions
/// and pictures; votes in answers, questions and events; promotions in events; configurations in
/// hellos and pictures that nobody else told (rule A3); what operators changed, in pictures; and
/// what an `OK` stands for: it leaves after a save that was ordered after the change was asked for.
#[derive(Default)]
pub(super) struct DurableFirst {
    /// Configurations that others told and that were newer than the one in force or on the disk.
    heard: BTreeMap<(SentinelIndex, MasterName), BTreeSet<(Epoch, Endpoint)>>,
    /// The last save that was ordered, and the last that is done.
    saves: BTreeMap<SentinelIndex, (u64, u64)>,
    /// Changes that were asked for, each after which order of a save.
    changes: BTreeMap<SentinelIndex, Vec<(Request, u64)>>,
    /// Each master as clients were shown it last.
    shown: BTreeMap<(SentinelIndex, MasterName), Shown>,
    /// The settings of the process as clients were shown them last.
    settings: BTreeMap<SentinelIndex, Arc<Settings>>,
}

/// What operators can change of a master, and what else changes that.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shown {
    settings: Arc<MasterSettings>,
    configuration: (Epoch, Endpoint),
    has_replicas: bool,
}

impl Shown {
    fn of(view: &MasterView) -> Self {
        Self {
            settings: view.settings.clone(),
            configuration: (view.config_epoch, view.node.address.clone()),
            has_replicas: !view.replicas.is_empty(),
        }
    }

    /// A SET or a RESET that shows is on the disk.
    fn follows(&self, before: &Self, record: &SavedMaster) -> Result<(), String> {
        let set = self.settings != before.settings;
        hold(!set || *self.settings == record.settings, || {
            let name = &record.name;
            format!("{name} shows {:?}, on disk {:?}", self.settings, record.settings)
        })?;
        let kept = self.configuration == before.configuration;
        let reset = kept && before.has_replicas && !self.has_replicas;
        hold(!reset || record.replicas.is_empty(), || {
            format!("{} shows no replicas, on disk {:?}", record.name, record.replicas)
        })
    }
}

impl DurableFirst {
    fn hear(&mut self, scene: &Scene<'_>, hello: &Hello) {
        let Some(record) = saved(scene.disk, &hello.master) else { return };
        // A promotion that was saved, not told and overtaken is ahead of what is in force.
        let in_force = shown(scene, &hello.master).map(|view| view.config_epoch);
        let known = in_force.map_or(record.config_epoch, |epoch| epoch.min(record.config_epoch));
        if hello.config_epoch > known && hello.id != scene.id {
            let heard = self.heard.entry((scene.sentinel, hello.master.clone())).or_default();
            heard.retain(|(epoch, _)| *epoch > known);
            heard.insert((hello.config_epoch, hello.address.clone()));
        }
    }

    fn config_is_durable(
        &self,
        scene: &Scene<'_>,
        master: &MasterName,
        epoch: Epoch,
        address: &Endpoint,
    ) -> Result<(), String> {
        let record = saved(scene.disk, master);
        let durable = record.is_some_and(|record| {
            epoch < record.config_epoch
                || (epoch == record.config_epoch && *address == record.address)
        });
        let told = || {
            let heard = self.heard.get(&(scene.sentinel, master.clone()));
            heard.is_some_and(|heard| heard.contains(&(epoch, address.clone())))
        };
        hold(durable || told(), || {
            let record = record.map(|record| (record.config_epoch, &record.address));
            format!("tells {address} at {epoch} as {master}, the disk has {record:?}")
        })
    }

    /// As [`Self::changes_are_durable`], of the process.
    fn settings_are_durable(
        &mut self,
        scene: &Scene<'_>,
        settings: &Arc<Settings>,
    ) -> Result<(), String> {
        let before = self.settings.insert(scene.sentinel, settings.clone());
        let set = before.is_some_and(|before| before != *settings);
        hold(!set || **settings == scene.disk.settings, || {
            format!("shows {settings:?}, on disk {:?}", scene.disk.settings)
        })
    }

    /// What operators changed shows only when it is on the disk.
    fn changes_are_durable(
        &mut self,
        scene: &Scene<'_>,
        publication: &Publication,
    ) -> Result<(), String> {
        let who = scene.sentinel;
        for view in &publication.masters {
            let shown = Shown::of(view);
            let before = self.shown.insert((who, view.name.clone()), shown.clone());
            if let (Some(before), Some(record)) = (before, saved(scene.disk, &view.name)) {
                shown.follows(&before, record)?;
            }
        }
        let Some(listing) = &publication.listing else { return Ok(()) };
        let removed = |(of, name): &(SentinelIndex, MasterName)| {
            *of == who && listing.iter().all(|(listed, _)| listed != name)
        };
        let left = self.shown.keys().filter(|key| removed(key));
        let left = left.map(|(_, name)| name).find(|name| saved(scene.disk, name).is_some());
        hold(left.is_none(), || format!("{left:?} shows no more, but is on the disk"))?;
        self.shown.retain(|key, _| !removed(key));
        Ok(())
    }

    fn ask(&mut self, who: SentinelIndex, request: &Request) {
        if is_change(request) {
            let (ordered, _) = self.saves.get(&who).copied().unwrap_or_default();
            self.changes.entry(who).or_default().push((request.clone(), ordered));
        }
    }

    /// A change that is confirmed was saved since it was asked for.
    fn confirm(
        &mut self,
        who: SentinelIndex,
        request: &Request,
        response: &Response,
    ) -> Result<(), String> {
        let changes = self.changes.entry(who).or_default();
        let place = changes.iter().position(|(change, _)| change == request);
        let Some((_, before)) = place.map(|place| changes.remove(place)) else { return Ok(()) };
        let (_, done) = self.saves.get(&who).copied().unwrap_or_default();
        let refused = matches!(response, Response::Refused(_));
        hold(refused || done > before, || {
            format!("{response:?} to {request:?} after {before:?}, but only {done:?} is saved")
        })
    }

    fn forget(&mut self, who: SentinelIndex) {
        self.heard.retain(|(of, _), _| *of != who);
        self.shown.retain(|(of, _), _| *of != who);
        self.settings.remove(&who);
        self.saves.remove(&who);
        self.changes.remove(&who);
    }
}

/// Whether this changes what is on the disk.
fn is_change(request: &Request) -> bool {
    match request {
        Request::Monitor { .. }
        | Request::Remove(_)
        | Request::Set { .. }
        | Request::Reset(_)
        | Request::ConfigSet(_)
        | Request::FlushConfig => true,
        Request::IsMasterDown { .. }
        | Request::Failover(..)
        | Request::Tune(_)
        | Request::SimulateFailure(_)
        | Request::Hello(_) => false,
    }
}

/// The highest epoch that a restart would start from.
fn durable_epoch(disk: &DurableState) -> Epoch {
    let of_masters =
        disk.masters.iter().map(|m| m.config_epoch.max(m.leader_epoch.unwrap_or_default()));
    of_masters.max().unwrap_or_default().max(disk.current_epoch.unwrap_or_default())
}

/// The epoch of the last vote on disk, of any entry in this group.
fn durable_vote(disk: &DurableState, group: Option<usize>) -> Epoch {
    let here = disk.masters.iter().filter(|m| address::group_of(&m.address) == group);
    here.filter_map(|master| master.leader_epoch).max().unwrap_or_default()
}

fn vote_is_durable(scene: &Scene<'_>, group: Option<usize>, epoch: Epoch) -> Result<(), String> {
    let here = |saved: &SavedMaster| address::group_of(&saved.address) == group;
    let tells = |saved: &SavedMaster| saved.leader_epoch >= Some(epoch) && here(saved);
    hold(epoch == Epoch::ZERO || scene.disk.masters.iter().any(tells), || {
        let durable = durable_vote(scene.disk, group);
        format!("tells a vote at {epoch}, the disk has one at {durable}")
    })
}

fn epoch_is_durable(scene: &Scene<'_>, epoch: Epoch) -> Result<(), String> {
    let durable = durable_epoch(scene.disk);
    hold(epoch <= durable, || format!("tells epoch {epoch}, the disk has {durable}"))
}

fn hello_is_durable(scene: &Scene<'_>, hello: &Hello) -> Result<(), String> {
    epoch_is_durable(scene, hello.current_epoch)
}

fn query_is_durable(scene: &Scene<'_>, query: &Query) -> Result<(), String> {
    match query {
        Query::Hello(hello) => hello_is_durable(scene, hello),
        Query::AskDown { address, epoch, vote_for } => match vote_for {
            Some(_) => vote_is_durable(scene, address::group_of(address), *epoch),
            None => epoch_is_durable(scene, *epoch),
        },
        Query::Replicate { target: ReplicationTarget::NoOne, .. } | Query::HandOver { .. } => {
            let own = |vote: &vedette_core::SavedVote| vote.leader == scene.id;
            let voted = scene.disk.masters.iter().any(|m| m.last_vote.as_ref().is_some_and(own));
            hold(voted, || "a promotion is ordered before the own vote is on disk".to_owned())
        }
        Query::Auth { .. }
        | Query::SetName { .. }
        | Query::Ping
        | Query::Info
        | Query::Subscribe
        | Query::Replicate { target: ReplicationTarget::Node(_), .. }
        | Query::ScriptKill
        | Query::RecallHandOver
        | Query::RewriteConfig
        | Query::TellOffset => Ok(()),
    }
}

fn event_is_durable(scene: &Scene<'_>, event: &Event) -> Result<(), String> {
    let Some(about) = &event.about else { return Ok(()) };
    let record = saved(scene.disk, &about.master);
    if let Detail::Vote { epoch, .. } = &event.detail {
        let durable = record.and_then(|record| record.leader_epoch).unwrap_or_default();
        return hold(*epoch <= durable, || {
            format!("+vote-for-leader at {epoch}, the disk has one at {durable}")
        });
    }
    if event.kind == EventKind::PromotedReplica
        && let Part::Replica { address, .. } = &about.part
    {
        let durable = record.map(|record| &record.address);
        return hold(durable == Some(address), || {
            format!("+promoted-slave {address}, the disk has {durable:?}")
        });
    }
    Ok(())
}

fn answer_is_durable(
    scene: &Scene<'_>,
    request: &Request,
    response: &Response,
) -> Result<(), String> {
    let disk = scene.disk;
    if let (
        Request::IsMasterDown { address, .. },
        Response::Opinion { leader: Some(_), leader_epoch, .. },
    ) = (request, response)
    {
        return vote_is_durable(scene, address::group_of(address), *leader_epoch);
    }
    if let (Request::Reset(names), Response::Count(_)) = (request, response) {
        let found = |name: &MasterName| saved(disk, name);
        let full =
            |master: &&SavedMaster| !master.replicas.is_empty() || !master.sentinels.is_empty();
        let left = names.iter().filter_map(found).find(full);
        return hold(left.is_none(), || format!("the answer to RESET, but the disk has {left:?}"));
    }
    if *response != Response::Done {
        return Ok(());
    }
    if let Request::ConfigSet(_) = request {
        let process = scene.snapshot.and_then(|snapshot| snapshot.process());
        let in_force = process.map(|process| &*process.settings);
        return hold(in_force.is_none_or(|settings| disk.settings == *settings), || {
            format!("OK to CONFIG SET: on disk {:?}, in force {in_force:?}", disk.settings)
        });
    }
    if let Request::Monitor { name, .. } = request {
        return hold(saved(disk, name).is_some(), || format!("OK to MONITOR {name}, not on disk"));
    }
    if let Request::Remove(name) = request {
        return hold(saved(disk, name).is_none(), || format!("OK to REMOVE {name}, still on disk"));
    }
    let Request::Set { name, .. } = request else { return Ok(()) };
    let in_force = shown(scene, name).map(|view| &*view.settings);
    let on_disk = saved(disk, name).map(|master| &master.settings);
    hold(on_disk == in_force || in_force.is_none(), || {
        format!("OK to SET {name}: on disk {on_disk:?}, in force {in_force:?}")
    })
}

impl Invariant for DurableFirst {
    fn name(&self) -> &'static str {
        "nothing of one's own is revealed before it is durable"
    }

    fn see(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) -> Result<(), String> {
        let who = scene.sentinel;
        match seen {
            Seen::Ordered(Effect::Send { query, .. }) => {
                if let Query::Hello(hello) = query {
                    let (epoch, address) = (hello.config_epoch, &hello.address);
                    self.config_is_durable(scene, &hello.master, epoch, address)?;
                }
                query_is_durable(scene, query)
            }
            Seen::Ordered(Effect::Persist { generation, .. }) => {
                self.saves.entry(who).or_default().0 = generation.0;
                Ok(())
            }
            Seen::Took(Input::Persisted { generation }) => {
                self.saves.entry(who).or_default().1 = generation.0;
                Ok(())
            }
            Seen::Took(
                Input::MessageReceived { hello: Some(hello), .. }
                | Input::Requested { request: Request::Hello(Some(hello)), .. },
            ) => {
                self.hear(scene, hello);
                Ok(())
            }
            Seen::Took(Input::Requested { request, .. }) => {
                self.ask(who, request);
                Ok(())
            }
            Seen::Started(_) | Seen::Ended => {
                self.forget(who);
                Ok(())
            }
            Seen::Ordered(Effect::Publish(publication)) => {
                if let Some(process) = &publication.process {
                    epoch_is_durable(scene, process.current_epoch)?;
                    self.settings_are_durable(scene, &process.settings)?;
                }
                publication.masters.iter().try_for_each(|view| {
                    let (epoch, address) = (view.config_epoch, &view.node.address);
                    self.config_is_durable(scene, &view.name, epoch, address)?;
                    let group = address::group_of(&view.node.address);
                    vote_is_durable(scene, group, view.leader_epoch)
                })?;
                self.changes_are_durable(scene, publication)?;
                publication.events.iter().try_for_each(|event| event_is_durable(scene, event))
            }
            Seen::Responded { request, response } => {
                self.confirm(who, request, response)?;
                answer_is_durable(scene, request, response)
            }
            Seen::Took(_)
            | Seen::Ordered(_)
            | Seen::Judged { .. }
            | Seen::Counted { .. }
            | Seen::Heard { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use vedette_core::ConnId;

    use super::*;
    use crate::invariant::samples;

    fn ask(disk_epoch: u64, asked: u64) -> Result<(), String> {
        let disk = samples::disk(disk_epoch);
        let (id, sentinel) = (disk.my_id, SentinelIndex(0));
        let scene = Scene {
            at_ms: 0,
            sentinel,
            id,
            rules: vedette_core::Rules::ALL,
            disk: &disk,
            snapshot: None,
        };
        let query = Query::AskDown {
            address: Endpoint::new("10.1.0.1", 6379),
            epoch: Epoch::new(asked).unwrap_or_default(),
            vote_for: Some(id),
        };
        DurableFirst::default()
            .see(&scene, &Seen::Ordered(&Effect::Send { conn: ConnId(1), query }))
    }

    #[test]
    fn asking_before_the_own_vote_is_saved_is_found() {
        assert!(ask(3, 3).is_ok());
        assert!(ask(2, 3).is_err());
    }

    fn epoch(number: u64) -> Epoch {
        Epoch::new(number).unwrap_or_default()
    }

    /// What shows the only master.
    fn publication(view: MasterView) -> Publication {
        let listing = Some([(view.name.clone(), view.id)].into());
        let masters = vec![view.into()];
        Publication { seq: 1, listing, masters, process: None, events: Vec::new() }
    }

    /// What another Sentinel tells of the master.
    fn hello(host: &str, config_epoch: u64) -> Hello {
        Hello {
            sentinel: Endpoint::new("10.0.0.2", 26379),
            id: address::sentinel_id(1, 1),
            current_epoch: epoch(9),
            master: "m0".into(),
            address: Endpoint::new(host, 6379),
            config_epoch: epoch(config_epoch),
        }
    }

    /// A disk with another configuration than the first, and what is told.
    fn tell(host: &str, number: u64, heard: bool) -> Result<(), String> {
        let mut disk = samples::disk(9);
        disk.masters[0].config_epoch = epoch(3);
        let mut check = DurableFirst::default();
        let scene = samples::scene(&disk);
        let hello = hello(host, number);
        if heard {
            check.hear(&scene, &hello);
        }
        check.config_is_durable(&scene, &hello.master, hello.config_epoch, &hello.address)
    }

    #[test]
    fn a_promotion_that_is_told_before_it_is_saved_is_found() {
        assert!(tell("10.1.0.1", 3, false).is_ok());
        assert!(tell("10.1.0.2", 2, false).is_ok(), "an older one");
        assert!(tell("10.1.0.2", 3, false).is_err());
        assert!(tell("10.1.0.2", 4, false).is_err());
        assert!(tell("10.1.0.2", 4, true).is_ok(), "it was heard");
    }

    /// A promotion was saved and came to nothing before it was told; what was heard meanwhile was
    /// older than it and newer than what is in force (seed 20010397).
    #[test]
    fn what_is_heard_while_a_promotion_of_ones_own_comes_to_nothing_may_be_told() {
        let mut disk = samples::disk(9);
        disk.masters[0].config_epoch = epoch(3);
        let publication = publication(samples::view(&[]));
        let snapshot = vedette_wire::Snapshot::default().apply(&publication);
        let hello = hello("10.1.0.2", 2);
        let mut check = DurableFirst::default();
        check.hear(&Scene { snapshot: Some(&snapshot), ..samples::scene(&disk) }, &hello);
        disk.masters[0].config_epoch = epoch(1);
        let tell = |number| {
            let scene = samples::scene(&disk);
            check.config_is_durable(&scene, &hello.master, epoch(number), &hello.address)
        };
        assert!(tell(2).is_ok());
        assert!(tell(3).is_err(), "nobody else told that");
    }

    #[test]
    fn an_ok_before_the_save_is_found() {
        let who = SentinelIndex(0);
        for request in [Request::FlushConfig, Request::Reset(vec!["m0".into()])] {
            let confirm = |ordered, done, response: &Response| {
                let mut check = DurableFirst::default();
                check.saves.insert(who, (1, 0));
                check.ask(who, &request);
                check.saves.insert(who, (ordered, done));
                check.confirm(who, &request, response)
            };
            assert!(confirm(2, 2, &Response::Done).is_ok());
            assert!(confirm(2, 1, &Response::Done).is_err(), "the save of before");
            let refused = Response::Refused(vedette_core::Refusal::SaveFailed);
            assert!(confirm(2, 1, &refused).is_ok());
        }
    }

    /// The master is shown, and again, with this in force and that on the disk.
    fn show_again(
        shown: &MasterView,
        on_disk: impl FnOnce(&mut DurableState),
    ) -> Result<(), String> {
        let mut disk = samples::disk(1);
        let before = samples::view(&["10.1.0.2"]);
        let publish = |view: &MasterView| publication(view.clone());
        let mut check = DurableFirst::default();
        check.changes_are_durable(&samples::scene(&disk), &publish(&before))?;
        on_disk(&mut disk);
        check.changes_are_durable(&samples::scene(&disk), &publish(shown))
    }

    #[test]
    fn a_set_that_shows_before_it_is_saved_is_found() {
        let mut view = samples::view(&["10.1.0.2"]);
        Arc::make_mut(&mut view.settings).quorum += 1;
        assert!(show_again(&view, |_| {}).is_err());
        assert!(show_again(&view, |disk| disk.masters[0].settings.quorum += 1).is_ok());
        let same = samples::view(&["10.1.0.2"]);
        let later = |disk: &mut DurableState| disk.masters[0].settings.quorum += 1;
        assert!(show_again(&same, later).is_ok(), "it is on the disk, and not told yet");
    }

    #[test]
    fn a_reset_that_shows_before_it_is_saved_is_found() {
        let replica = Endpoint::new("10.1.0.2", 6379);
        let empty = samples::view(&[]);
        assert!(show_again(&empty, |disk| disk.masters[0].replicas.push(replica)).is_err());
        assert!(show_again(&empty, |_| {}).is_ok());
    }

    #[test]
    fn a_remove_that_shows_before_it_is_saved_is_found() {
        let removed = |on_disk: &DurableState| {
            let disk = samples::disk(1);
            let mut publication = publication(samples::view(&[]));
            let mut check = DurableFirst::default();
            check.changes_are_durable(&samples::scene(&disk), &publication)?;
            publication.listing = Some([].into());
            publication.masters.clear();
            check.changes_are_durable(&samples::scene(on_disk), &publication)
        };
        assert!(removed(&samples::disk(1)).is_err());
        assert!(removed(&DurableState { masters: Vec::new(), ..samples::disk(1) }).is_ok());
    }

    #[test]
    fn a_config_set_that_shows_before_it_is_saved_is_found() {
        let before = samples::disk(1);
        let settings = Settings { announce_port: Some(7), ..before.settings.clone() };
        let after = DurableState { settings: settings.clone(), ..samples::disk(1) };
        let shown_with = |disk: &DurableState| {
            let mut check = DurableFirst::default();
            let old = Arc::new(before.settings.clone());
            check.settings_are_durable(&samples::scene(&before), &old)?;
            check.settings_are_durable(&samples::scene(disk), &Arc::new(settings.clone()))
        };
        assert!(shown_with(&before).is_err());
        assert!(shown_with(&after).is_ok());
    }

    #[test]
    fn a_reset_that_is_not_on_the_disk_is_found() {
        let mut disk = samples::disk(1);
        let (request, response) = (Request::Reset(vec!["m0".into()]), Response::Count(1));
        assert!(answer_is_durable(&samples::scene(&disk), &request, &response).is_ok());
        disk.masters[0].replicas.push(Endpoint::new("10.1.0.2", 6379));
        assert!(answer_is_durable(&samples::scene(&disk), &request, &response).is_err());
    }
}
