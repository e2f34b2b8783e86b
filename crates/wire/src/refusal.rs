//! The core's refusals as error replies, in one place (spec: interface 2).

use vedette_core::Refusal;

use crate::Dialect;
use crate::reply::{Reply, error, no_such_master};

/// Spells a refusal.
#[must_use]
pub fn refusal(refusal: &Refusal, dialect: Dialect) -> Reply {
    match refusal {
        Refusal::NoSuchMaster => no_such_master(),
        Refusal::FailoverInProgress => error("INPROG Failover already in progress"),
        Refusal::DeferringTo(leader) => error(format!(
            "INPROG Sentinel {leader} has the vote for a failover of this master; it is given \
             the time to finish"
        )),
        Refusal::NoGoodReplica => error("NOGOODSLAVE No suitable replica to promote"),
        Refusal::MasterUnavailable => match dialect {
            Dialect::Redis => error("NOGOODMASTER Master is not available to hand over"),
            Dialect::Valkey => error("NOGOODPRIMARY Primary is not available to hand over"),
        },
        Refusal::NoFreshView => error(
            "ERR This Sentinel may not know all its fellow Sentinels yet; ask again in a moment",
        ),
        Refusal::CannotHandOver => match dialect {
            Dialect::Redis => error("NOGOODMASTER Master does not support FAILOVER command"),
            Dialect::Valkey => error("NOGOODPRIMARY Primary does not support FAILOVER command"),
        },
        Refusal::InTilt => error(
            "ERR This Sentinel is in TILT mode after a stall of its process: no failover can be \
             started until it ends",
        ),
        Refusal::OwnIdElsewhere => error(
            "ERR Another process uses the id of this Sentinel: no failover can be started until \
             one of them has a new id",
        ),
        Refusal::SaveFailed => error("ERR Failed to save config file. Check server logs."),
        Refusal::DuplicateMaster => error("ERR Duplicate master name."),
        Refusal::InvalidAddress => error("ERR Invalid IP address or hostname specified"),
    }
}
