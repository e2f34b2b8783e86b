//! `SENTINEL CKQUORUM` (spec: interface 2.8, holes H42).

use vedette_core::{MasterView, MemberView};

use crate::reply::{Reply, error};

const NO_QUORUM: &str =
    "Not enough available Sentinels to reach the specified quorum for this master";
const NO_MAJORITY: &str =
    "Not enough available Sentinels to reach the majority and authorize a failover";

/// Whether the Sentinels that can be reached suffice for a failover.
#[must_use]
pub fn ckquorum(master: &MasterView) -> Reply {
    let usable = 1 + master.sentinels.iter().filter(|member| is_usable(member)).count();
    let voters = 1 + master.sentinels.len();
    let majority = voters / 2 + 1;
    let quorum = usize::try_from(master.settings.quorum).unwrap_or(usize::MAX);
    let short: Vec<_> = [(usable < quorum, NO_QUORUM), (usable < majority, NO_MAJORITY)]
        .into_iter()
        .filter_map(|(short, text)| short.then_some(text))
        .collect();
    if !short.is_empty() {
        return error(format!("NOQUORUM {usable} usable Sentinels. {}", short.join(". ")));
    }
    let warning = match has_candidate(master) {
        true => "",
        false => ". But no replica could be promoted now",
    };
    let text = "usable Sentinels. Quorum and failover authorization can be reached";
    Reply::Simple(format!("OK {usable} {text}{warning}").into())
}

/// Neither down nor a ghost that was never reached.
fn is_usable(member: &MemberView) -> bool {
    member.sdown_since.is_none() && member.link.connected
}

/// The plain conditions of a choice; the exact ones depend on the moment (spec: behaviour 10.5).
fn has_candidate(master: &MasterView) -> bool {
    master.replicas.iter().any(|replica| {
        let node = &replica.node;
        node.sdown_since.is_none() && node.link.connected && replica.priority != 0
    })
}
