//! Events are never behind the answers: a RESP3 connection on which both come shows it.

use std::collections::BTreeMap;

use vedette_core::EventKind;
use vedette_resp::Frame;
use vedette_wire::events::event_name;

use super::{Deed, News, SWITCH_MASTER, texts, words};

/// Between two rounds of questions.
const PACE_MS: u64 = 300;
/// Longest wait for an answer.
const PATIENCE_MS: u64 = 3_000;
const MONITOR: &str = event_name(EventKind::Monitor);
const UNMONITOR: &str = event_name(EventKind::Unmonitor);
const INVARIANT: &str = "events are never behind the answers";

/// Subscribes and asks on one connection.
pub(crate) struct Watcher {
    sentinel: usize,
    masters: Vec<String>,
    stage: Stage,
    /// What the next answers are about.
    owed: Vec<String>,
    known: BTreeMap<String, Known>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Resting,
    Connecting,
    Idle,
    Waiting,
}

/// What the last answer or event said of a master.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Known {
    At(String),
    /// It came or went: any answer is fine.
    Open,
}

impl Watcher {
    pub(super) fn new(sentinel: usize, masters: Vec<String>) -> Self {
        Self { sentinel, masters, stage: Stage::Resting, owed: Vec::new(), known: BTreeMap::new() }
    }

    pub(super) fn hear(&mut self, news: News<Frame>) -> Vec<Deed> {
        match (news, self.stage) {
            (News::Alarm, Stage::Resting) => {
                self.stage = Stage::Connecting;
                self.owed.clear();
                self.known.clear();
                vec![Deed::AskSentinel(self.sentinel), Deed::Wake { in_ms: PATIENCE_MS }]
            }
            (News::Connected, _) => {
                let subscribe = words(&["SUBSCRIBE", SWITCH_MASTER, MONITOR, UNMONITOR]);
                let mut deeds = vec![Deed::Send(words(&["HELLO", "3"])), Deed::Send(subscribe)];
                deeds.push(Deed::Wake { in_ms: PATIENCE_MS });
                deeds
            }
            (News::Alarm, Stage::Idle) => self.ask(),
            (News::Alarm, Stage::Connecting | Stage::Waiting) | (News::Lost, _) => {
                self.stage = Stage::Resting;
                vec![Deed::HangUp, Deed::Wake { in_ms: PACE_MS }]
            }
            (News::Received(Frame::Push(items)), _) => {
                self.hear_event(&texts(&Frame::Push(items)));
                Vec::new()
            }
            (News::Received(frame), Stage::Waiting) => self.hear_answer(&frame),
            (News::Received(_), Stage::Connecting) => {
                self.stage = Stage::Idle;
                vec![Deed::Wake { in_ms: PACE_MS }]
            }
            (News::Received(_), Stage::Resting | Stage::Idle) | (News::MasterMoved(_), _) => {
                Vec::new()
            }
        }
    }

    fn ask(&mut self) -> Vec<Deed> {
        self.stage = Stage::Waiting;
        self.owed = self.masters.iter().rev().cloned().collect();
        let question = |name: &String| words(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", name]);
        let mut deeds: Vec<Deed> = self.masters.iter().map(question).map(Deed::Send).collect();
        deeds.push(Deed::Wake { in_ms: PATIENCE_MS });
        deeds
    }

    fn hear_event(&mut self, message: &[String]) {
        let [kind, channel, payload] = message else { return };
        if kind != "message" {
            return;
        }
        let payload: Vec<&str> = payload.split(' ').collect();
        match (channel.as_str(), &payload[..]) {
            (SWITCH_MASTER, [name, _, _, host, port]) => {
                self.known.insert((*name).to_owned(), Known::At(format!("{host}:{port}")));
            }
            (_, ["master", name, ..]) => {
                self.known.insert((*name).to_owned(), Known::Open);
            }
            (_, _) => {}
        }
    }

    fn hear_answer(&mut self, frame: &Frame) -> Vec<Deed> {
        let Some(name) = self.owed.pop() else { return Vec::new() };
        let mut deeds = Vec::new();
        if self.owed.is_empty() {
            self.stage = Stage::Idle;
            deeds.push(Deed::Wake { in_ms: PACE_MS });
        }
        let [host, port] = &texts(frame)[..] else {
            self.known.insert(name, Known::Open);
            return deeds;
        };
        let answer = format!("{host}:{port}");
        if let Some(Known::At(known)) = self.known.get(&name)
            && *known != answer
        {
            let evidence = format!(
                "Sentinel {} answers {answer} for {name}; on the same connection it said {known} \
                 before, and no event came between",
                self.sentinel
            );
            deeds.push(Deed::Accuse { invariant: INVARIANT, evidence });
        }
        self.known.insert(name, Known::At(answer));
        deeds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Frame {
        Frame::bulk(text.to_owned())
    }

    fn answer(port: &str) -> News<Frame> {
        News::Received(Frame::Array(vec![bulk("10.1.0.1"), bulk(port)]))
    }

    fn event(port: &str) -> News<Frame> {
        let payload = format!("m0 10.1.0.9 1 10.1.0.1 {port}");
        let items = vec![bulk("message"), bulk(SWITCH_MASTER), bulk(&payload)];
        News::Received(Frame::Push(items))
    }

    fn accuses(history: Vec<News<Frame>>) -> bool {
        let mut watcher = Watcher::new(0, vec!["m0".to_owned()]);
        let mut deeds = Vec::new();
        watcher.hear(News::Alarm);
        watcher.hear(News::Connected);
        watcher.hear(News::Received(Frame::OK));
        for news in history {
            if !matches!(news, News::Received(Frame::Push(_))) {
                deeds.extend(watcher.hear(News::Alarm));
            }
            deeds.extend(watcher.hear(news));
        }
        deeds.iter().any(|deed| matches!(deed, Deed::Accuse { .. }))
    }

    #[test]
    fn an_answer_without_its_event_is_found() {
        assert!(accuses(vec![answer("1"), answer("2")]));
        assert!(accuses(vec![answer("1"), event("2"), answer("1")]));
        assert!(!accuses(vec![answer("1"), event("2"), answer("2"), answer("2")]));
    }
}
