use vedette_core::{
    Detail, DurableState, Effect, Epoch, Event, EventKind, Hello, Part, Query, ReplicationTarget,
    Request, Response,
};

use super::{Invariant, hold, saved, shown};
use crate::address;
use crate::witness::{Scene, Seen};

/// Nothing of a Sentinel's own is revealed before it is on its disk: epochs in hellos, questions
/// and pictures; votes in answers, questions and events; promotions in events; and what an `OK`
/// stands for.
#[derive(Default)]
pub(super) struct DurableFirst;

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
    let durable = durable_vote(scene.disk, group);
    hold(epoch <= durable, || format!("tells a vote at {epoch}, the disk has one at {durable}"))
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
    if *response != Response::Done {
        return Ok(());
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
        match seen {
            Seen::Ordered(Effect::Send { query, .. }) => query_is_durable(scene, query),
            Seen::Ordered(Effect::Publish(publication)) => {
                let process = publication.process.as_ref();
                process.map_or(Ok(()), |view| epoch_is_durable(scene, view.current_epoch))?;
                publication.masters.iter().try_for_each(|view| {
                    let group = address::group_of(&view.node.address);
                    vote_is_durable(scene, group, view.leader_epoch)
                })?;
                publication.events.iter().try_for_each(|event| event_is_durable(scene, event))
            }
            Seen::Responded { request, response } => answer_is_durable(scene, request, response),
            Seen::Started(_)
            | Seen::Ended
            | Seen::Took(_)
            | Seen::Ordered(_)
            | Seen::Judged { .. }
            | Seen::Counted { .. }
            | Seen::Heard { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use vedette_core::{ConnId, Endpoint};

    use super::*;
    use crate::invariant::samples;
    use crate::sentinel_host::SentinelIndex;

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
        DurableFirst.see(&scene, &Seen::Ordered(&Effect::Send { conn: ConnId(1), query }))
    }

    #[test]
    fn asking_before_the_own_vote_is_saved_is_found() {
        assert!(ask(3, 3).is_ok());
        assert!(ask(2, 3).is_err());
    }
}
