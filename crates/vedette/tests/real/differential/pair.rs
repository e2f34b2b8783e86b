//! A reference and ours beside each other: the same lines to both.

use std::time::Duration;

use vedette::lab::{Lab, until};
use vedette_wire::Dialect;

use super::list::Case;
use super::mask::Mask;
use super::talk::answers;

/// How long two Sentinels may take to learn the same.
const PATIENCE: Duration = Duration::from_secs(10);

/// Members that are known and not there; in a listing they come before all others.
pub(super) const GHOSTS: [(&str, &str); 2] = [
    ("GHOST-1", "0000000000000000000000000000000000000001"),
    ("GHOST-2", "0000000000000000000000000000000000000002"),
];

/// Everything that has a name, as one of the two sees it.
struct View {
    port: u16,
    mask: Mask,
}

/// The two, and where their answers differ.
pub(super) struct Pair {
    dialect: Dialect,
    /// The reference, ours.
    views: [View; 2],
    /// What the lists call `$FIRST`, and what it is.
    places: Vec<(String, String)>,
    pub(super) findings: Vec<String>,
}

/// The answers to the steps of a line, element by element.
type Answers = Vec<Vec<String>>;

impl Pair {
    pub(super) fn new(lab: &Lab, dialect: Dialect) -> Self {
        let ports: Vec<String> = lab.sentinels.iter().map(|it| it.port().to_string()).collect();
        let id = |sentinel: &vedette::lab::Sentinel| {
            vedette::lab::text(&sentinel.ask(&["SENTINEL", "MYID"]).unwrap())
        };
        let ids: Vec<String> = lab.sentinels.iter().map(id).collect();
        let nodes = lab.shards[0].nodes.iter().map(|node| node.port().to_string());
        let nodes: Vec<(String, &str)> = nodes.zip(["FIRST", "SECOND"]).collect();
        let view = |me: usize, peer: usize| {
            let mut names = vec![(ids[me].clone(), "ME"), (ids[peer].clone(), "PEER")];
            // Links carry the beginning of the id in their names.
            names.extend([(ids[me][..8].to_owned(), "ME"), (ids[peer][..8].to_owned(), "PEER")]);
            names.extend(GHOSTS.map(|(name, id)| (id.to_owned(), name)));
            names.extend([(ports[me].clone(), "MY-PORT"), (ports[peer].clone(), "PEER-PORT")]);
            names.extend(nodes.clone());
            View { port: lab.sentinels[me].port(), mask: Mask::new(&names) }
        };
        let mut places: Vec<(String, String)> =
            nodes.iter().map(|(port, name)| (format!("${name}"), port.clone())).collect();
        places.extend(GHOSTS.map(|(name, id)| (format!("${name}"), id.to_owned())));
        Self { dialect, views: [view(0, 1), view(1, 0)], places, findings: Vec::new() }
    }

    /// The line with what the lists call by name.
    pub(super) fn filled(&self, line: &str) -> String {
        let places = self.places.iter();
        places.fold(line.to_owned(), |line, (name, place)| line.replace(name, place))
    }

    /// The answers of the reference and ours.
    pub(super) fn ask(&self, line: &str) -> [Answers; 2] {
        let line = self.filled(line);
        [&self.views[0], &self.views[1]].map(|view| {
            let answers = answers(view.port, &line).into_iter();
            answers.map(|(step, lines)| view.mask.apply(&step, lines)).collect()
        })
    }

    /// Asks both once.
    pub(super) fn compare(&mut self, line: &str) {
        let case = Case::parse(line, self.dialect);
        let [theirs, ours] = self.ask(&case.line);
        self.judge(&case, &case.line, theirs, ours);
    }

    /// Asks both once in each protocol.
    pub(super) fn compare_in_both_protocols(&mut self, line: &str) {
        let case = Case::parse(line, self.dialect);
        for form in case.forms() {
            let [theirs, ours] = self.ask(&form);
            self.judge(&case, &form, theirs, ours);
        }
    }

    /// Asks both in each protocol until they answer as they should: two Sentinels do not learn of
    /// the same event in the same instant.
    pub(super) fn compare_in_the_end(&mut self, line: &str) {
        let case = Case::parse(line, self.dialect);
        for form in case.forms() {
            let mut last = [vec![], vec![]];
            let _ = until("the expected answers", PATIENCE, || {
                last = self.ask(&form);
                ((last[0] == last[1]) == case.differs.is_none()).then_some(())
            });
            let [theirs, ours] = last;
            self.judge(&case, &form, theirs, ours);
        }
    }

    fn judge(&mut self, case: &Case, form: &str, theirs: Answers, ours: Answers) {
        self.findings.extend(finding(case, form, &theirs, &ours));
    }

    pub(super) fn conclude(&self) {
        let findings = &self.findings;
        assert!(findings.is_empty(), "{} differ:\n{}", findings.len(), findings.join("\n"));
    }
}

/// What is wrong with a pair of answers, if anything is.
pub(super) fn finding(case: &Case, form: &str, theirs: &Answers, ours: &Answers) -> Option<String> {
    match (&case.differs, theirs == ours) {
        (None, false) => {
            let (theirs, ours) = first_difference(theirs, ours);
            Some(format!("{form}\n  reference {theirs}\n  ours      {ours}"))
        }
        (Some(reason), true) => Some(format!("{form} does not differ any more: {reason}")),
        (None, true) | (Some(_), false) => None,
    }
}

/// From where on the answers differ, and a little more.
fn first_difference(theirs: &Answers, ours: &Answers) -> (String, String) {
    let (theirs, ours) = (theirs.concat(), ours.concat());
    let same = theirs.iter().zip(&ours).take_while(|(theirs, ours)| theirs == ours).count();
    let from = |lines: &[String]| {
        let rest: Vec<_> = lines.iter().skip(same).take(8).collect();
        format!("{same}: {rest:?}")
    };
    (from(&theirs), from(&ours))
}
