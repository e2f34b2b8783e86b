//! Log lines that are no events (spec: behaviour 12.4). The reference's lines have exactly its
//! words; ours say what happened, where, and what to do.

use std::collections::BTreeSet;

use vedette_core::{Endpoint, Exclusion, Hindrance, LogLevel, Note, TransactionCommand, WallTime};

/// A line for the log. `date` spells local time like `Sat Nov 23 04:21:14 2024`.
#[must_use]
pub fn note_text(note: &Note, date: &dyn Fn(WallTime) -> String) -> (LogLevel, String) {
    (level(note), text(note, date))
}

const fn level(note: &Note) -> LogLevel {
    match note {
        Note::VotedFor { .. } | Note::UserFailover { .. } | Note::NextFailover { .. } => {
            LogLevel::Notice
        }
        Note::ResolveFailed { .. }
        | Note::CrashArmed { .. }
        | Note::SimulatedCrash
        | Note::CannotStand { .. }
        | Note::TransactionRefused { .. }
        | Note::HandOverRefused { .. }
        | Note::FarEpoch { .. }
        | Note::OwnIdElsewhere { .. }
        | Note::EqualEpochConflict { .. }
        | Note::FlappingAddress { .. }
        | Note::GarbageInfo { .. }
        | Note::Stalled { .. } => LogLevel::Warning,
        Note::Verdict { why: Some(_), .. } => LogLevel::Notice,
        Note::Verdict { why: None, .. } => LogLevel::Debug,
    }
}

fn text(note: &Note, date: &dyn Fn(WallTime) -> String) -> String {
    match note {
        Note::VotedFor { sentinel, leader, epoch } => {
            format!("{sentinel} voted for {leader} {epoch}")
        }
        Note::UserFailover { master } => {
            format!("Executing user requested FAILOVER of '{master}'")
        }
        Note::ResolveFailed { host } => format!("Failed to resolve hostname '{host}'"),
        Note::NextFailover { master: _, at } => {
            format!("Next failover delay: I will not start a failover before {}", date(*at))
        }
        Note::CrashArmed { after_promotion } => {
            let moment = if *after_promotion {
                "promoting the selected replica to master"
            } else {
                "being successfully elected as failover leader"
            };
            format!("Failure simulation: this Sentinel will crash after {moment}")
        }
        Note::SimulatedCrash => "Sentinel CRASH because of SENTINEL simulate-failure".to_owned(),
        Note::CannotStand { master, why } => cannot_stand(master, *why),
        Note::TransactionRefused { node, commands } => transaction_refused(node, commands),
        Note::HandOverRefused { node, why } => format!("{node} does not hand over: {why}"),
        Note::FarEpoch { offered, current } => format!(
            "Ignored epoch {offered}: it is too far above the current epoch {current} to be genuine"
        ),
        Note::OwnIdElsewhere { address } => own_id_elsewhere(address),
        Note::EqualEpochConflict { master, epoch, heard, kept } => format!(
            "Two addresses for '{master}' under config epoch {epoch}: heard {heard}, kept {kept}"
        ),
        Note::FlappingAddress { sentinel } => format!(
            "Sentinel {sentinel} keeps changing its address; set 'sentinel announce-ip' there"
        ),
        Note::GarbageInfo { node } => {
            format!("The INFO reply of {node} is not that of a data node; ignored")
        }
        Note::Stalled { span } => format!("This process stood still for {} ms", span.0),
        Note::Verdict { master, replica, why: Some(why) } => {
            format!("Replica {replica} of '{master}' cannot be promoted: {}", exclusion(*why))
        }
        Note::Verdict { master, replica, why: None } => {
            format!("Replica {replica} of '{master}' could be promoted")
        }
    }
}

fn transaction_refused(node: &Endpoint, commands: &BTreeSet<TransactionCommand>) -> String {
    let names: Vec<_> = commands.iter().map(|command| transaction_words(*command)).collect();
    format!(
        "{node} refused {} in the SLAVEOF transaction; it is sent again without. Allow these \
         commands to this Sentinel's user, or name them with 'sentinel rename-command'",
        names.join(", ")
    )
}

fn own_id_elsewhere(address: &Endpoint) -> String {
    format!(
        "A Sentinel at {address} uses the id of this one: was its configuration file copied? No \
         failover is started until it has an id of its own (delete its 'sentinel myid' line and \
         restart it)"
    )
}

fn cannot_stand(master: &str, why: Hindrance) -> String {
    let why = match why {
        Hindrance::TooFewMembers { answering, needed } => {
            format!("only {answering} Sentinels answer, {needed} must")
        }
        Hindrance::NoFreshView => "the list of its Sentinels may not be complete yet".to_owned(),
        Hindrance::OwnIdElsewhere => "another process uses the id of this Sentinel".to_owned(),
        Hindrance::Deferring { to: Some(to) } => format!("Sentinel {to} has the vote"),
        Hindrance::Deferring { to: None } => {
            "a vote from before the restart may still be at work".to_owned()
        }
        Hindrance::DiskFailing => "the configuration file cannot be saved".to_owned(),
        Hindrance::BackingOff => "the last election was lost a moment ago".to_owned(),
        Hindrance::NoGoodReplica => "no replica can be promoted".to_owned(),
        Hindrance::NeverReached => {
            "others promoted this master after it was failed over from here, and it has not \
             answered this Sentinel since: its own network may be what is broken"
                .to_owned()
        }
    };
    format!("'{master}' is objectively down, but this Sentinel does not start a failover: {why}")
}

/// Why a replica cannot be promoted, in words.
#[must_use]
pub const fn exclusion(why: Exclusion) -> &'static str {
    match why {
        Exclusion::Down => "it is subjectively down",
        Exclusion::Disconnected => "a connection to it is missing",
        Exclusion::SilentPing => "it did not answer PING lately",
        Exclusion::NeverPromote => "its priority is 0",
        Exclusion::StaleInfo => "it did not answer INFO lately",
        Exclusion::LinkDownTooLong => "it lost its master too long ago",
        Exclusion::FollowsAnother => "it follows another node since the master went down",
    }
}

const fn transaction_words(command: TransactionCommand) -> &'static str {
    match command {
        TransactionCommand::SlaveOf => "SLAVEOF",
        TransactionCommand::ConfigRewrite => "CONFIG REWRITE",
        TransactionCommand::KillNormal => "CLIENT KILL TYPE normal",
        TransactionCommand::KillPubsub => "CLIENT KILL TYPE pubsub",
    }
}

#[cfg(test)]
mod tests {
    use vedette_core::{Epoch, LogLevel, Note, SentinelId, WallTime};

    use super::note_text;

    #[test]
    fn the_reference_s_lines_have_its_words() {
        let id = SentinelId::parse("903ed8b5de54c8f708256e1c0190a425510f5005").expect("an id");
        let cases = [
            (
                Note::VotedFor { sentinel: id, leader: id, epoch: Epoch::ZERO },
                LogLevel::Notice,
                format!("{id} voted for {id} 0"),
            ),
            (
                Note::UserFailover { master: "m".into() },
                LogLevel::Notice,
                "Executing user requested FAILOVER of 'm'".to_owned(),
            ),
            (
                Note::ResolveFailed { host: "h".into() },
                LogLevel::Warning,
                "Failed to resolve hostname 'h'".to_owned(),
            ),
            (
                Note::NextFailover { master: "m".into(), at: WallTime(7) },
                LogLevel::Notice,
                "Next failover delay: I will not start a failover before <7>".to_owned(),
            ),
            (
                Note::SimulatedCrash,
                LogLevel::Warning,
                "Sentinel CRASH because of SENTINEL simulate-failure".to_owned(),
            ),
        ];
        for (note, level, text) in cases {
            assert_eq!(note_text(&note, &|at| format!("<{}>", at.0)), (level, text));
        }
    }
}
