use std::collections::BTreeMap;

use vedette_core::{
    Answer, Effect, Endpoint, Epoch, Event, EventKind, Input, MasterName, MasterView, Query,
    Request, Response, Tunable,
};

use super::{Invariant, hold, shown};
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// Nobody stands who was not answered by enough members about this master within two ASK-PERIODs
/// (rule S2), or whose list of members began anew less than two PUBLISH-PERIODs ago (rule S6).
/// Masters for which a Sentinel stands in the same turn share one epoch, unless it heard of a newer
/// one in between (rule S4). What operators order is excepted (rule C1).
#[derive(Default)]
pub(super) struct CandidacyOpens {
    /// Answers: by hearer, about which address, of whom, and when last.
    answers: BTreeMap<(SentinelIndex, SentinelIndex), BTreeMap<Endpoint, u64>>,
    /// Since when the list of members has grown anew.
    anew: BTreeMap<(SentinelIndex, MasterName), u64>,
    /// Candidacies: the turn they began in.
    standing: BTreeMap<(SentinelIndex, MasterName), u64>,
    /// At which epoch the candidates of a turn asked.
    shared: BTreeMap<(SentinelIndex, u64), Epoch>,
    /// The highest epoch that it heard from others.
    heard: BTreeMap<SentinelIndex, Epoch>,
}

impl CandidacyOpens {
    fn answering(&self, who: SentinelIndex, about: &Endpoint, since_ms: u64) -> usize {
        let of = (who, SentinelIndex(0))..=(who, SentinelIndex(usize::MAX));
        let lately = |at_ms: &u64| *at_ms >= since_ms;
        let answers = self.answers.range(of);
        1 + answers.filter(|(_, about_what)| about_what.get(about).is_some_and(lately)).count()
    }

    fn look(&mut self, scene: &Scene<'_>, turn: u64, view: &MasterView) -> Result<(), String> {
        let key = (scene.sentinel, view.name.clone());
        if view.failover.is_none_or(|failover| failover.forced || failover.coordinated) {
            self.standing.remove(&key);
            return Ok(());
        }
        if self.standing.contains_key(&key) {
            return Ok(());
        }
        self.standing.insert(key, turn);
        self.begin(scene, view)
    }

    fn begin(&self, scene: &Scene<'_>, view: &MasterView) -> Result<(), String> {
        let Some(process) = scene.snapshot.and_then(|snapshot| snapshot.process()) else {
            return Ok(());
        };
        let ask_ms = process.tunables.get(Tunable::AskPeriod).0;
        let since_ms = scene.at_ms.saturating_sub(2 * ask_ms);
        let answering = self.answering(scene.sentinel, &view.node.address, since_ms);
        let voters = view.sentinels.len() + 1;
        let quorum = usize::try_from(view.settings.quorum).unwrap_or(usize::MAX);
        let needed = (voters / 2 + 1).max(quorum);
        hold(answering >= needed, || {
            format!("stands for {} with the answers of {answering}, needs {needed}", view.name)
        })?;
        let quiet_ms = 2 * process.tunables.get(Tunable::PublishPeriod).0;
        self.knows_members((scene.sentinel, view.name.clone()), scene.at_ms, quiet_ms)
    }

    fn knows_members(
        &self,
        key: (SentinelIndex, MasterName),
        at_ms: u64,
        quiet_ms: u64,
    ) -> Result<(), String> {
        let since_ms = self.anew.get(&key).copied();
        hold(since_ms.is_none_or(|since_ms| at_ms >= since_ms + quiet_ms), || {
            format!("stands for {}, whose members it seeks since {since_ms:?}", key.1)
        })
    }

    fn ask(&mut self, who: SentinelIndex, master: &MasterName, epoch: Epoch) -> Result<(), String> {
        let Some(turn) = self.standing.get(&(who, master.clone())) else { return Ok(()) };
        let shared = *self.shared.entry((who, *turn)).or_insert(epoch);
        // Seed 13031833: a newer epoch came in between.
        let overtaken = self.heard.get(&who).is_some_and(|heard| *heard > shared);
        hold(shared == epoch || (overtaken && epoch > shared), || {
            format!("stands for {master} at {epoch}, for another since the same turn at {shared}")
        })
    }
}

impl Invariant for CandidacyOpens {
    fn name(&self) -> &'static str {
        "who stands may stand"
    }

    fn see(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) -> Result<(), String> {
        let who = scene.sentinel;
        match seen {
            Seen::Heard { by, question, .. } => {
                let answers = self.answers.entry((who, *by)).or_default();
                answers.insert(question.address.clone(), scene.at_ms);
                Ok(())
            }
            Seen::Ordered(Effect::Publish(publication)) => {
                publication.events.iter().for_each(|event| self.hear(who, event));
                let mut views = publication.masters.iter();
                views.try_for_each(|view| self.look(scene, publication.seq, view))
            }
            Seen::Ordered(Effect::Send {
                query: Query::AskDown { address, epoch, vote_for: Some(_) },
                ..
            }) => {
                let mut here = scene.disk.masters.iter().filter(|m| m.address == *address);
                let name = here.next().map(|record| &record.name);
                name.map_or(Ok(()), |name| self.ask(who, name, *epoch))
            }
            Seen::Responded { request: Request::Reset(names), response: Response::Count(_) } => {
                for name in names.iter().filter(|name| shown(scene, name).is_some()) {
                    self.anew.insert((who, name.clone()), scene.at_ms);
                }
                Ok(())
            }
            Seen::Responded {
                request: Request::Monitor { name, .. },
                response: Response::Done,
            } => {
                self.anew.insert((who, name.clone()), scene.at_ms);
                Ok(())
            }
            Seen::Started(state) => {
                self.forget(who);
                for master in state.masters.iter().filter(|m| m.sentinels.is_empty()) {
                    self.anew.insert((who, master.name.clone()), scene.at_ms);
                }
                Ok(())
            }
            Seen::Ended => {
                self.forget(who);
                Ok(())
            }
            Seen::Took(input) => {
                let heard = self.heard.entry(who).or_default();
                *heard = epochs_told(input).into_iter().fold(*heard, Epoch::max);
                Ok(())
            }
            Seen::Ordered(_)
            | Seen::Judged { .. }
            | Seen::Counted { .. }
            | Seen::Responded { .. } => Ok(()),
        }
    }
}

impl CandidacyOpens {
    /// A candidacy may end and the next begin in one turn: then every picture shows one.
    fn hear(&mut self, who: SentinelIndex, event: &Event) {
        use EventKind as Kind;
        let ends = matches!(
            event.kind,
            Kind::AbortNotElected
                | Kind::AbortNoGoodReplica
                | Kind::AbortReplicaTimeout
                | Kind::AbortMasterIsBack
        );
        if let Some(about) = event.about.as_ref().filter(|_| ends) {
            self.standing.remove(&(who, about.master.clone()));
        }
    }

    fn forget(&mut self, who: SentinelIndex) {
        self.answers.retain(|(of, _), _| *of != who);
        self.anew.retain(|(of, _), _| *of != who);
        self.standing.retain(|(of, _), _| *of != who);
        self.shared.retain(|(of, _), _| *of != who);
        self.heard.remove(&who);
    }
}

/// The epochs that others tell.
fn epochs_told(input: &Input) -> Vec<Epoch> {
    if let Input::MessageReceived { hello: Some(hello), .. }
    | Input::Requested { request: Request::Hello(Some(hello)), .. } = input
    {
        return vec![hello.current_epoch, hello.config_epoch];
    }
    if let Input::Requested { request: Request::IsMasterDown { epoch, .. }, .. } = input {
        return vec![*epoch];
    }
    if let Input::Answered { answer: Answer::Opinion(Some(opinion)), .. } = input {
        return vec![opinion.leader_epoch];
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHO: SentinelIndex = SentinelIndex(0);

    #[test]
    fn answers_of_others_times_and_addresses_do_not_count() {
        let mut check = CandidacyOpens::default();
        let [one, two] = ["10.1.0.1", "10.1.0.2"].map(|host| Endpoint::new(host, 6379));
        let mut hear = |by, about: &Endpoint, at_ms| {
            let answers = check.answers.entry((WHO, SentinelIndex(by))).or_default();
            answers.insert(about.clone(), at_ms);
        };
        hear(1, &one, 1_000);
        hear(2, &one, 999);
        hear(3, &two, 2_000);
        assert_eq!(check.answering(WHO, &one, 1_000), 2);
        assert_eq!(check.answering(SentinelIndex(1), &one, 0), 1);
    }

    #[test]
    fn standing_with_a_new_list_is_found() {
        let mut check = CandidacyOpens::default();
        let key = (WHO, MasterName::from("m0"));
        assert!(check.knows_members(key.clone(), 0, 4_000).is_ok());
        check.anew.insert(key.clone(), 1_000);
        assert!(check.knows_members(key.clone(), 4_999, 4_000).is_err());
        assert!(check.knows_members(key, 5_000, 4_000).is_ok());
    }

    #[test]
    fn a_candidacy_that_was_given_up_is_another() {
        use crate::invariant::samples;
        let mut check = CandidacyOpens::default();
        let master = MasterName::from("m0");
        check.standing.insert((WHO, master.clone()), 7);
        check.hear(WHO, &samples::event(EventKind::TryFailover));
        assert_eq!(check.standing.len(), 1);
        check.hear(WHO, &samples::event(EventKind::AbortNoGoodReplica));
        assert!(check.standing.is_empty());
    }

    #[test]
    fn two_epochs_of_one_turn_are_found() {
        let mut check = CandidacyOpens::default();
        let [one, two] = ["m0", "m1"].map(MasterName::from);
        let [low, high] = [1, 2].map(|number| Epoch::new(number).unwrap_or_default());
        check.standing.insert((WHO, one.clone()), 7);
        check.standing.insert((WHO, two.clone()), 7);
        assert!(check.ask(WHO, &one, low).is_ok());
        assert!(check.ask(WHO, &two, low).is_ok());
        assert!(check.ask(WHO, &two, high).is_err());
        check.heard.insert(WHO, high);
        assert!(check.ask(WHO, &two, high).is_ok(), "a newer one came in between");
        check.heard.clear();
        check.standing.insert((WHO, two.clone()), 8);
        assert!(check.ask(WHO, &two, high).is_ok());
    }
}
