//! Somebody who types commands: into a Sentinel, or into a node behind the Sentinels' back.

use std::collections::VecDeque;
use std::net::SocketAddr;

use vedette_resp::Frame;

use super::{Deed, News};

/// Longest wait for a connection or a reply.
const PATIENCE_MS: u64 = 5_000;

/// Types lines, one after the reply to the other.
pub(crate) struct Typist {
    target: Target,
    lines: VecDeque<Vec<String>>,
    connecting: bool,
}

#[derive(Clone, Copy, Debug)]
enum Target {
    Sentinel(usize),
    Node(SocketAddr),
}

impl Typist {
    pub(super) fn into_sentinel(sentinel: usize, lines: Vec<Vec<String>>) -> Self {
        Self { target: Target::Sentinel(sentinel), lines: lines.into(), connecting: false }
    }

    pub(super) fn into_node(node: SocketAddr, line: Vec<String>) -> Self {
        Self { target: Target::Node(node), lines: [line].into(), connecting: false }
    }

    pub(super) fn hear(&mut self, news: News<Frame>) -> Vec<Deed> {
        match news {
            News::Alarm if !self.connecting => {
                self.connecting = true;
                let connect = match self.target {
                    Target::Sentinel(index) => Deed::AskSentinel(index),
                    Target::Node(address) => Deed::Connect(address),
                };
                vec![connect, Deed::Wake { in_ms: PATIENCE_MS }]
            }
            News::Connected => self.next_line(),
            News::Received(frame) => {
                let mut deeds = self.next_line();
                deeds.extend(reached(&frame).map(Deed::Reach));
                deeds
            }
            News::Alarm | News::Lost => vec![Deed::HangUp],
            News::MasterMoved(_) => Vec::new(),
        }
    }

    fn next_line(&mut self) -> Vec<Deed> {
        match self.lines.pop_front() {
            Some(line) => vec![Deed::Send(line), Deed::Wake { in_ms: PATIENCE_MS }],
            None => vec![Deed::HangUp],
        }
    }
}

/// Replies worth counting.
fn reached(frame: &Frame) -> Option<&'static str> {
    let text = String::from_utf8_lossy(frame.text()?).into_owned();
    if text.starts_with("INPROG") {
        return Some("an operator was told INPROG");
    }
    if text.starts_with("NOGOODSLAVE") {
        return Some("an operator was told NOGOODSLAVE");
    }
    frame.is_error().then_some("an operator was refused")
}
