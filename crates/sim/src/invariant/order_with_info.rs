use std::collections::BTreeMap;

use vedette_core::{Answer, ConnId, Effect, InfoAnswer, Input, Query};

use super::{Invariant, hold};
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// Whoever tells a node to follow another, or nobody, asks it for INFO in the same turn, unless an
/// INFO is outstanding there (rule L6), or it has just refused one.
#[derive(Default)]
pub(super) struct OrderWithInfo {
    infos: BTreeMap<(SentinelIndex, ConnId), Infos>,
    /// Orders of the present turn.
    orders: BTreeMap<SentinelIndex, Vec<ConnId>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Infos {
    outstanding: u32,
    /// The last answer was none.
    refused: bool,
}

impl OrderWithInfo {
    fn judge(&mut self, who: SentinelIndex) -> Result<(), String> {
        let orders = self.orders.remove(&who).unwrap_or_default();
        let fine = |conn: &ConnId| {
            let infos = self.infos.get(&(who, *conn));
            infos.is_none_or(|infos| infos.outstanding > 0 || infos.refused)
        };
        let bare = orders.iter().find(|conn| !fine(conn));
        hold(bare.is_none(), || format!("SLAVEOF without INFO on {bare:?}"))
    }
}

impl Invariant for OrderWithInfo {
    fn name(&self) -> &'static str {
        "SLAVEOF and INFO leave together"
    }

    fn see(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) -> Result<(), String> {
        let who = scene.sentinel;
        match seen {
            Seen::Ordered(Effect::Send { conn, query: Query::Info }) => {
                self.infos.entry((who, *conn)).or_default().outstanding += 1;
            }
            Seen::Ordered(Effect::Send { conn, query: Query::Replicate { .. } }) => {
                self.infos.entry((who, *conn)).or_default();
                self.orders.entry(who).or_default().push(*conn);
            }
            Seen::Took(input) => {
                self.judge(who)?;
                if let Input::Answered { conn, answer: Answer::Info(info) } = input {
                    let infos = self.infos.entry((who, *conn)).or_default();
                    infos.outstanding = infos.outstanding.saturating_sub(1);
                    infos.refused = !matches!(info, InfoAnswer::Report(_));
                }
                if let Input::Disconnected { conn } | Input::ConnectFailed { conn, .. } = input {
                    self.infos.remove(&(who, *conn));
                }
            }
            Seen::Ordered(Effect::Close { conn }) => {
                self.infos.remove(&(who, *conn));
            }
            Seen::Started(_) | Seen::Ended => {
                self.infos.retain(|(of, _), _| *of != who);
                self.orders.remove(&who);
            }
            Seen::Ordered(_)
            | Seen::Judged { .. }
            | Seen::Counted { .. }
            | Seen::Heard { .. }
            | Seen::Responded { .. } => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use vedette_core::ReplicationTarget;

    use super::*;
    use crate::invariant::samples;

    fn judge(queries: &[Query]) -> Result<(), String> {
        let (mut check, disk) = (OrderWithInfo::default(), samples::disk(1));
        let scene = samples::scene(&disk);
        for query in queries {
            let send = Effect::Send { conn: ConnId(1), query: query.clone() };
            check.see(&scene, &Seen::Ordered(&send))?;
        }
        check.see(&scene, &Seen::Took(&Input::DeadlineReached))
    }

    #[test]
    fn an_order_without_info_is_found() {
        let target = ReplicationTarget::NoOne;
        let order = Query::Replicate { target, without: BTreeSet::new() };
        assert!(judge(&[order.clone(), Query::Info]).is_ok());
        assert!(judge(&[Query::Info, order.clone()]).is_ok());
        let mut check = OrderWithInfo::default();
        check.infos.insert((SentinelIndex(0), ConnId(1)), Infos::default());
        check.orders.insert(SentinelIndex(0), vec![ConnId(1)]);
        assert!(check.judge(SentinelIndex(0)).is_err());
        assert!(judge(&[order]).is_err());
    }
}
