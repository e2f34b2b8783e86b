//! From bytes to executed requests, one after the other.

use bytes::{Bytes, BytesMut};
use vedette_resp::RequestError;

use super::action::{CloseReason, Pause};
use super::gate;
use super::limits::{OUTPUT_PAUSE, WAITING_MAX};
use super::surroundings::Surroundings;
use super::{Client, State};
use crate::Dialect;
use crate::accounts::{Denial, Incident, Reason};
use crate::commands::{Command, Verb};
use crate::reply::{Reply, error};

/// What became of a request.
enum Fate {
    /// It is done, or its reply is owed.
    Done,
    /// A pause holds it.
    Held(Vec<Bytes>),
}

impl Client {
    /// Executes as many requests as may be executed now. Call it after `receive`, after `respond`
    /// and `complete`, after output was written, and when a pause ended.
    pub fn advance(&mut self, surroundings: &mut dyn Surroundings) {
        self.ordered_pause = None;
        while self.may_work() {
            let words = match self.held.take() {
                Some(words) => words,
                None => match self.next_request(surroundings) {
                    Some(words) => words,
                    None => break,
                },
            };
            match self.handle(words, surroundings) {
                Fate::Done => self.session.replies.next_command(),
                Fate::Held(words) => {
                    self.held = Some(words);
                    break;
                }
            }
        }
        self.check_output(surroundings.now());
    }

    fn may_work(&self) -> bool {
        self.state == State::Open
            && self.barrier.is_none()
            && self.outbox.owed() < WAITING_MAX
            && self.outbox.len() < OUTPUT_PAUSE
    }

    fn next_request(&mut self, surroundings: &dyn Surroundings) -> Option<Vec<Bytes>> {
        let authenticated = self.session.is_authenticated(surroundings.accounts());
        self.decoder.set_authenticated(authenticated);
        let next = self.decoder.next();
        self.end_empty_command();
        match next {
            Ok(request) => request.map(|request| request.args),
            Err(RequestError::Protocol(problem)) => {
                self.reply(&error(problem.reply_text()));
                self.log_protocol_error(problem, surroundings.now());
                self.end_for_bad_bytes();
                None
            }
            Err(RequestError::QueryBufferFull) => {
                self.close_for_query_buffer(surroundings.now());
                None
            }
        }
    }

    /// A request of nothing ends like any command, as with the references: what was said of the
    /// next command is used up. Valkey's passes over a line of blanks.
    fn end_empty_command(&mut self) {
        let passed_over = self.decoder.take_passed_over();
        let is_one = match self.facts.dialect {
            Dialect::Redis => passed_over.empty || passed_over.blank,
            Dialect::Valkey => passed_over.empty,
        };
        if !is_one {
            return;
        }
        self.session.replies.next_command();
        if let Some(tracking) = &mut self.session.tracking {
            tracking.forget_caching();
        }
    }

    /// One request through all checks, in the order of interface 1.6.
    fn handle(&mut self, words: Vec<Bytes>, surroundings: &mut dyn Surroundings) -> Fate {
        if gate::is_cross_protocol(&words) {
            self.warn(
                "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or \
                 Host: commands to this Sentinel. Connection aborted."
                    .to_owned(),
            );
            self.close_now(CloseReason::CrossProtocol);
            return Fate::Done;
        }
        self.follow_users(surroundings.accounts());
        if self.state != State::Open {
            return Fate::Done;
        }
        let admitted = self.admit(&words, surroundings);
        if let Ok(command) = admitted
            && self.is_paused(command, surroundings)
        {
            return Fate::Held(words);
        }
        self.argument_bytes = words.iter().map(Bytes::len).sum();
        let outcome = admitted.and_then(|command| {
            self.counts.commands += 1;
            let outcome = self.execute(command, &words, surroundings);
            self.so_far.1 += 1;
            outcome
        });
        if let Err(reply) = outcome {
            self.reply(&reply);
        }
        self.argument_bytes = 0;
        if let Some(tracking) = &mut self.session.tracking
            && !gate::is_about_client(&self.facts.names, &words)
        {
            tracking.forget_caching();
        }
        Fate::Done
    }

    fn admit(
        &mut self,
        words: &[Bytes],
        surroundings: &mut dyn Surroundings,
    ) -> Result<&'static Command, Reply> {
        let names = &self.facts.names;
        let found = gate::find_command(names, words);
        self.last_command = found.as_ref().ok().copied().or(self.last_command);
        if !self.session.is_authenticated(surroundings.accounts()) {
            // Redis tells strangers first what is wrong with their words.
            let is_judged_first = match self.facts.dialect {
                Dialect::Redis => found.is_err(),
                Dialect::Valkey => false,
            };
            if !is_judged_first && !gate::names_a_free_one(names, words) {
                return Err(gate::not_authenticated());
            }
        }
        let command = found?;
        if let Err(denial) = self.session.user.check(command, words) {
            return Err(self.deny(denial, command, words, surroundings));
        }
        if self.is_restricted() && !gate::is_for_subscribers(command) {
            return Err(gate::only_for_subscribers(command));
        }
        Ok(command)
    }

    /// Refuses what ACL rules forbid, and notes it.
    fn deny(
        &mut self,
        denial: Denial,
        command: &Command,
        words: &[Bytes],
        surroundings: &mut dyn Surroundings,
    ) -> Reply {
        let user = self.session.user.name().to_vec();
        let (reason, object, reply) = match denial {
            Denial::Command => {
                self.counts.denied_command += 1;
                (
                    Reason::Command,
                    command.name.as_bytes(),
                    gate::command_not_allowed(&user, command),
                )
            }
            Denial::Channel(index) => {
                self.counts.denied_channel += 1;
                let channel = words.get(index).map_or(&b""[..], |channel| channel);
                (Reason::Channel, channel, gate::channel_not_allowed())
            }
        };
        self.note_refusal(reason, object, user, surroundings);
        reply
    }

    /// Writes an entry of `ACL LOG`.
    pub(super) fn note_refusal(
        &self,
        reason: Reason,
        object: &[u8],
        username: Vec<u8>,
        surroundings: &mut dyn Surroundings,
    ) {
        let now = surroundings.now();
        let object = object.to_vec();
        let client = self.info_line(now);
        let mut incident = Some(Incident { reason, object, username, client, at: now });
        surroundings.with_acl_log(&mut |log| {
            if let Some(incident) = incident.take() {
                log.note(incident);
            }
        });
    }

    /// Only `PUBLISH` counts as a write (spec: interface 4.7, 4.9).
    fn is_paused(&self, command: &Command, surroundings: &dyn Surroundings) -> bool {
        let holds = |pause: Pause| !pause.writes_only || command.verb == Verb::Publish;
        surroundings.pause().is_some_and(holds) || self.ordered_pause.is_some_and(holds)
    }

    /// Answers the present request.
    pub(super) fn reply(&mut self, reply: &Reply) {
        if reply.is_error() {
            self.counts.error_replies += 1;
        }
        if !self.session.replies.are_muted() {
            self.outbox.write(reply, self.session.protocol);
        }
    }

    /// Answers the present request with what is spelled already.
    pub(super) fn reply_spelled(&mut self, bytes: BytesMut) {
        if !self.session.replies.are_muted() {
            self.outbox.append(bytes);
        }
    }
}
