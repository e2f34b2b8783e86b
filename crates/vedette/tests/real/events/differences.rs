//! What may differ between the two transcripts, each by name and with its reason.

use super::story::Line;

/// In what way it may differ.
#[derive(Clone, Copy, Debug)]
pub(super) enum Difference {
    /// Ours say it more often.
    Ours,
    /// The reference's say it more often.
    Theirs,
    /// Which of the three say it is a matter of moments, with both: somebody of each group does, or
    /// nobody of either.
    Chance,
}

/// One known difference.
pub(super) struct Known {
    pub(super) kind: Difference,
    who: &'static str,
    event: &'static str,
    /// What the payload begins with.
    about: &'static str,
    /// A row of `COMPAT.md`, or why it is chance.
    _reason: &'static str,
}

impl Known {
    pub(super) fn is_about(&self, line: &Line) -> bool {
        (self.who == "any" || self.who == line.who)
            && self.event == line.event
            && line.payload.starts_with(self.about)
    }
}

impl Line {
    /// Whoever adopts a new configuration announces it at once (rule A3), so that it may reach the
    /// last Sentinel from the second before it comes from the leader: a matter of moments.
    pub(super) fn without_messenger(mut self) -> Self {
        if self.event == "+config-update-from"
            && let Some((_, about)) = self.payload.split_once(" @ ")
        {
            self.payload = format!("sentinel anybody @ {about}");
        }
        self
    }
}

const fn known(kind: Difference, [who, event, about, reason]: [&'static str; 4]) -> Known {
    Known { kind, who, event, about, _reason: reason }
}

use Difference::{Chance, Ours, Theirs};

pub(super) const DIFFERENCES: &[Known] = &[
    known(Ours, ["observer", "+vote-for-leader", "id-0 2", "C1: a forced failover asks first"]),
    known(Ours, ["other", "+vote-for-leader", "id-0 2", "C1: a forced failover asks first"]),
    known(Theirs, ["leader", "-odown", "master", "L7: the switch comes before"]),
    known(Ours, ["any", "-sdown", "sentinel id-2", "H21: the entry moves"]),
    known(Ours, ["any", "+reboot", "slave 127.0.0.1:N0", "H40: its run id is remembered"]),
    known(
        Theirs,
        ["any", "+sdown", "master mymaster 127.0.0.1 N1", "H1: down just after a switch"],
    ),
    known(
        Theirs,
        ["any", "-sdown", "master mymaster 127.0.0.1 N1", "H1: down just after a switch"],
    ),
    known(Theirs, ["any", "+sdown", "slave", "H1: down when the switch has cut their links"]),
    known(Theirs, ["any", "-sdown", "slave", "H1: down when the switch has cut their links"]),
    known(Chance, ["any", "+convert-to-slave", "", "who sees the old master's return first"]),
    known(Chance, ["any", "-role-change", "", "an INFO falls between return and demotion"]),
    known(Chance, ["any", "+role-change", "", "an INFO falls between return and demotion"]),
];
