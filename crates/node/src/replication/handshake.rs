//! How a replica introduces itself to its master, and the snapshot it may get.

use bytes::BytesMut;
use vedette_resp::{Frame, ReplyDecoder, encode_command, parse_integer};

use super::LinkState;
use crate::limits::{SNAPSHOT_BYTES_MAX, SNAPSHOT_HEADER_MAX};
use crate::{LinkId, Node, Output};

impl Node {
    pub(super) fn read_handshake(&mut self) {
        loop {
            let Some(upstream) = &mut self.upstream else { return };
            let (link, decoder, missing) = match &mut upstream.state {
                LinkState::Greeting { link, decoder } => (*link, decoder, None),
                LinkState::Handshake { link, decoder, missing } => (*link, decoder, Some(missing)),
                LinkState::Waiting { .. }
                | LinkState::Connecting { .. }
                | LinkState::Syncing { .. }
                | LinkState::Online { .. } => return,
            };
            let frame = match decoder.next() {
                Ok(Some(frame)) => frame,
                Ok(None) => return,
                Err(_) => return self.give_up_link(),
            };
            match missing {
                None => self.greeted(link, &frame),
                Some(0) => self.psync_answered(link, &frame),
                // An old master may not know REPLCONF; a wrong password shows at PSYNC.
                Some(missing) => *missing -= 1,
            }
        }
    }

    /// The first PING is answered: a master that wants a password is as good as one that does not.
    fn greeted(&mut self, link: LinkId, pong: &Frame) {
        let text = pong.text().cloned().unwrap_or_default();
        let wants_password = text.starts_with(b"NOAUTH") || text.starts_with(b"NOPERM");
        if pong.is_error() && !wants_password {
            return self.give_up_link();
        }
        let can_continue = self.upstream.as_ref().is_some_and(|upstream| upstream.can_continue);
        let words = self.handshake_words(can_continue);
        let mut out = BytesMut::new();
        for command in &words {
            let command: Vec<&[u8]> = command.iter().map(|word| word.as_bytes()).collect();
            encode_command(&mut out, &command);
        }
        if let Some(upstream) = &mut self.upstream {
            let decoder = ReplyDecoder::default();
            upstream.state = LinkState::Handshake { link, decoder, missing: words.len() - 1 };
            self.order(Output::LinkSend { link, bytes: out.freeze() });
        }
    }

    /// AUTH if there is a password, what this replica announces, and PSYNC.
    fn handshake_words(&self, can_continue: bool) -> Vec<Vec<String>> {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let mut commands: Vec<Vec<String>> = Vec::new();
        match (self.parameters.text("masteruser"), self.parameters.text("masterauth")) {
            (_, "") => {}
            ("", password) => commands.push(owned(&["AUTH", password])),
            (user, password) => commands.push(owned(&["AUTH", user, password])),
        }
        let port = match self.parameters.text("replica-announce-port") {
            "0" => self.config.port.to_string(),
            announced => announced.to_owned(),
        };
        commands.push(owned(&["REPLCONF", "listening-port", &port]));
        let ip = self.parameters.text("replica-announce-ip");
        if !ip.is_empty() {
            commands.push(owned(&["REPLCONF", "ip-address", ip]));
        }
        commands.push(owned(&["REPLCONF", "capa", "eof", "capa", "psync2"]));
        let next = (self.history.offset + 1).to_string();
        commands.push(match can_continue {
            true if self.asks_to_swap() => owned(&["PSYNC", &self.history.id, &next, "FAILOVER"]),
            true => owned(&["PSYNC", &self.history.id, &next]),
            false => owned(&["PSYNC", "?", "-1"]),
        });
        commands
    }

    fn psync_answered(&mut self, link: LinkId, answer: &Frame) {
        let text = answer.text().map(|text| String::from_utf8_lossy(text).into_owned());
        let text = text.unwrap_or_default();
        let words: Vec<&str> = text.split(' ').collect();
        let Some(upstream) = &mut self.upstream else { return };
        let LinkState::Handshake { decoder, .. } = &mut upstream.state else { return };
        let rest = decoder.buffer_mut().split();
        match (answer, &words[..]) {
            (Frame::Simple(_), ["FULLRESYNC", id, offset]) => {
                let Ok(offset) = offset.parse() else { return self.give_up_link() };
                // From here on the own history counts for nothing.
                upstream.can_continue = false;
                upstream.state =
                    LinkState::Syncing { link, id: (*id).to_owned(), offset, buffer: rest };
                self.drop_replicas();
                self.hand_over = None;
                self.resume_held();
                self.read_snapshot();
            }
            (Frame::Simple(_), ["CONTINUE", id]) => {
                if self.history.id != *id {
                    self.history.rename((*id).to_owned());
                    self.drop_replicas();
                }
                self.go_online(link, rest.freeze());
                self.end_hand_over();
            }
            _ if self.asks_to_swap() => self.end_hand_over(),
            _ => self.give_up_link(),
        }
    }

    /// `$<len>`, CR LF, and so many bytes of commands.
    pub(super) fn read_snapshot(&mut self) {
        let Some(upstream) = &mut self.upstream else { return };
        let LinkState::Syncing { link, id, offset, buffer } = &mut upstream.state else { return };
        let (header_end, len) = match snapshot_header(buffer) {
            Ok(Some(header)) => header,
            Ok(None) => return,
            Err(()) => return self.give_up_link(),
        };
        if buffer.len() < header_end + 2 + len {
            return;
        }
        let (link, id, offset) = (*link, std::mem::take(id), *offset);
        let mut buffer = std::mem::take(buffer);
        let _header = buffer.split_to(header_end + 2);
        let snapshot = buffer.split_to(len);
        self.load_snapshot(&snapshot);
        self.history.id = id;
        self.history.offset = offset;
        self.history.previous = None;
        self.history.backlog = None;
        self.history.start_backlog(self.parameters.size("repl-backlog-size"));
        self.go_online(link, buffer.freeze());
    }
}

/// Where the header `$<len>` ends and how long the snapshot is, once that is known.
fn snapshot_header(buffer: &[u8]) -> Result<Option<(usize, usize)>, ()> {
    let window = &buffer[..buffer.len().min(SNAPSHOT_HEADER_MAX)];
    let Some(end) = window.windows(2).position(|pair| pair == b"\r\n") else {
        return if window.len() < SNAPSHOT_HEADER_MAX { Ok(None) } else { Err(()) };
    };
    let digits = window[..end].strip_prefix(b"$").ok_or(())?;
    let len = parse_integer(digits).and_then(|len| usize::try_from(len).ok()).ok_or(())?;
    if len <= SNAPSHOT_BYTES_MAX { Ok(Some((end, len))) } else { Err(()) }
}
