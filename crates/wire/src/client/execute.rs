//! Who carries a command out, and how owed replies are spelled when they come.

use bytes::{Bytes, BytesMut};
use vedette_core::{Request, Response, Ticket};
use vedette_resp::Protocol;

use super::Client;
use super::action::{AclFileTask, Action, CloseReason};
use super::filter::{ClientFilter, ClientsAnswer};
use super::gate::wrong_arity;
use super::outbox::Owed;
use super::sentinel;
use super::subscriptions::Kind;
use super::surroundings::Surroundings;
use super::tracking::{Choice, nobody};
use crate::Dialect;
use crate::commands::{Command, Route, Verb};
use crate::refusal::refusal;
use crate::replies;
use crate::reply::{Reply, bulk, error, syntax_error, word};
use crate::requests;

/// What a command comes to.
pub(super) enum Outcome {
    /// An answer.
    Reply(Reply),
    /// An answer as it is sent; none is an error.
    Spelled(BytesMut),
    /// No answer, or one that was written already.
    Silence,
    /// The core must say.
    Ask(Request),
    /// The core must say; if it agrees, this is the answer.
    AskFor(Request, Reply),
    /// `CLIENT LIST`, and whoever must know whether there is such a client.
    List(ClientFilter, Owed),
    /// `CLIENT KILL`
    Kill(ClientFilter, Owed),
    /// `ACL LOAD`, `ACL SAVE`
    AclFile(AclFileTask),
}

/// What a command comes to, or the error that answers it.
pub(super) type Executed = Result<Outcome, Reply>;

impl Client {
    pub(super) fn execute(
        &mut self,
        command: &'static Command,
        words: &[Bytes],
        surroundings: &mut dyn Surroundings,
    ) -> Result<(), Reply> {
        let outcome = self.carry_out(command, words, surroundings)?;
        let mut owe = |client: &mut Self, owed| {
            let ticket = surroundings.next_ticket();
            client.owe(ticket, owed, command.route);
            ticket
        };
        let action = match outcome {
            Outcome::Reply(reply) => {
                self.reply(&reply);
                return Ok(());
            }
            Outcome::Spelled(bytes) => {
                self.reply_spelled(bytes);
                return Ok(());
            }
            Outcome::Silence => return Ok(()),
            Outcome::Ask(request) => {
                let ticket = owe(self, Owed::Response { done: Reply::OK });
                Action::Submit { ticket, request }
            }
            Outcome::AskFor(request, done) => {
                let ticket = owe(self, Owed::Response { done });
                Action::Submit { ticket, request }
            }
            Outcome::List(filter, owed) => Action::ListClients { ticket: owe(self, owed), filter },
            Outcome::AclFile(task) => Action::AclFile { ticket: owe(self, Owed::AclFile), task },
            Outcome::Kill(filter, owed) => Action::KillClients { ticket: owe(self, owed), filter },
        };
        self.actions.push_back(action);
        Ok(())
    }

    fn carry_out(
        &mut self,
        command: &'static Command,
        words: &[Bytes],
        surroundings: &mut dyn Surroundings,
    ) -> Executed {
        let arguments = &words[1..];
        match command.verb {
            Verb::Container => Err(wrong_arity(command)),
            Verb::Acl(verb) => self.acl(verb, words, surroundings),
            Verb::Auth => self.auth(words, surroundings),
            Verb::Client(verb) => self.client(verb, words, surroundings),
            Verb::Command(verb) => self.command(verb, words),
            Verb::Hello => self.hello(words, surroundings),
            Verb::Info => {
                let facts = surroundings.server_facts();
                let (snapshot, now) = (surroundings.snapshot(), surroundings.now());
                let dialect = self.facts.dialect;
                Ok(Outcome::Reply(replies::info::info(arguments, snapshot, &facts, now, dialect)))
            }
            Verb::Ping => self.ping(command, arguments),
            Verb::Psubscribe => self.subscribe(Kind::Pattern, command.name, arguments),
            Verb::Punsubscribe => self.unsubscribe(Kind::Pattern, command.name, arguments),
            Verb::Subscribe => self.subscribe(Kind::Channel, command.name, arguments),
            Verb::Unsubscribe => self.unsubscribe(Kind::Channel, command.name, arguments),
            Verb::Publish => {
                let heard = surroundings.hellos();
                requests::peer::publish(&arguments[0], &arguments[1], heard).map(Outcome::Ask)
            }
            Verb::Quit => {
                self.reply(&Reply::OK);
                self.drain(CloseReason::Quit);
                Ok(Outcome::Silence)
            }
            Verb::Role => Ok(Outcome::Reply(replies::masters::role(surroundings.snapshot()))),
            Verb::Request(verb) => {
                sentinel::request(verb, &words[2..], self.facts.dialect, surroundings)
            }
            Verb::Sentinel(verb) => {
                let speech = (self.facts.dialect, self.session.protocol);
                sentinel::read(verb, words, speech, surroundings)
            }
            Verb::Shutdown => self.shutdown(arguments),
        }
    }

    /// `PING`; to a RESP2 subscriber it is answered in the form of a message.
    fn ping(&self, command: &Command, arguments: &[Bytes]) -> Executed {
        let reply = match arguments {
            [] if self.is_restricted() => Reply::Push(vec![word("pong"), word("")]),
            [] => Reply::simple("PONG"),
            [text] if self.is_restricted() => {
                Reply::Push(vec![word("pong"), Reply::Bulk(text.clone())])
            }
            [text] => Reply::Bulk(text.clone()),
            [_, _, ..] => return Err(wrong_arity(command)),
        };
        Ok(Outcome::Reply(reply))
    }

    /// `SHUTDOWN [NOSAVE|SAVE] [NOW] [FORCE]`, `SHUTDOWN ABORT` (spec: interface 4.11).
    fn shutdown(&mut self, words: &[Bytes]) -> Executed {
        let mut seen = [false; 4];
        for word in words {
            let place = [&b"nosave"[..], b"save", b"abort", b"now", b"force"]
                .iter()
                .position(|known| word.eq_ignore_ascii_case(known))
                .ok_or_else(syntax_error)?;
            // NOW and FORCE differ in nothing here.
            seen[place.min(3)] = true;
        }
        match seen {
            [true, true, ..] | [true, _, true, _] | [_, true, true, _] | [_, _, true, true] => {
                Err(syntax_error())
            }
            [false, false, true, false] => Err(error("ERR No shutdown in progress.")),
            [_, _, false, _] => {
                self.stop();
                Ok(Outcome::Silence)
            }
        }
    }

    fn owe(&mut self, ticket: Ticket, owed: Owed, route: Route) {
        let muted = self.session.replies.are_muted();
        self.outbox.owe(ticket, owed, self.session.protocol, muted);
        match route {
            Route::Core | Route::Shell => self.barrier = Some(ticket),
            // Later commands of a peer go on.
            Route::Peer => {}
            Route::Local | Route::Snapshot => debug_assert!(false, "nobody is asked on this route"),
        }
    }

    pub(super) fn settle_response(&mut self, ticket: Ticket, response: &Response) {
        let mut failed = false;
        let dialect = self.facts.dialect;
        self.outbox.settle(ticket, |owed, _| match owed {
            Owed::Response { done } => {
                let reply = spell(response, done, dialect);
                failed = reply.is_error();
                Some(reply)
            }
            Owed::ClientLines
            | Owed::KilledOne
            | Owed::KilledCount
            | Owed::AclFile
            | Owed::Tracking(_) => None,
        });
        self.counts.error_replies += u64::from(failed);
    }

    pub(super) fn settle_acl_file(&mut self, ticket: Ticket, outcome: &Result<(), String>) {
        let failed = outcome.is_err();
        let settled = self.outbox.settle(ticket, |owed, _| match (owed, outcome) {
            (Owed::AclFile, Ok(())) => Some(Reply::OK),
            (Owed::AclFile, Err(why)) => Some(error(format!("ERR {why}"))),
            (
                Owed::ClientLines
                | Owed::KilledOne
                | Owed::KilledCount
                | Owed::Response { .. }
                | Owed::Tracking(_),
                _,
            ) => None,
        });
        self.counts.error_replies += u64::from(settled && failed);
    }

    pub(super) fn settle_clients(&mut self, ticket: Ticket, answer: &ClientsAnswer) {
        let mut chosen = None;
        let redirects = |choice: &Choice, lines: &[String]| match lines {
            [] => Err(nobody()),
            [..] => choice.clone(),
        };
        self.outbox.settle(ticket, |owed, protocol| match (owed, answer) {
            (Owed::Tracking(choice), ClientsAnswer::Lines(lines)) => {
                let choice = redirects(choice, lines);
                let reply = choice.as_ref().map_or_else(Reply::clone, |_| Reply::OK);
                chosen = Some(choice);
                Some(reply)
            }
            (Owed::ClientLines, ClientsAnswer::Lines(lines)) => Some(text(lines, protocol)),
            (Owed::KilledOne, ClientsAnswer::Killed(0)) => Some(error("ERR No such client")),
            (Owed::KilledOne, ClientsAnswer::Killed(_)) => Some(Reply::OK),
            (Owed::KilledCount, ClientsAnswer::Killed(count)) => Some(integer(*count)),
            (
                Owed::ClientLines | Owed::Response { .. } | Owed::AclFile | Owed::Tracking(_),
                ClientsAnswer::Killed(_),
            )
            | (
                Owed::KilledOne | Owed::KilledCount | Owed::Response { .. } | Owed::AclFile,
                ClientsAnswer::Lines(_),
            ) => None,
        });
        if let Some(choice) = chosen
            && self.start_tracking(choice).is_err()
        {
            self.counts.error_replies += 1;
        }
    }
}

/// The core's response in words.
fn spell(response: &Response, done: &Reply, dialect: Dialect) -> Reply {
    match response {
        Response::Done => done.clone(),
        Response::Opinion { down, leader, leader_epoch } => Reply::Array(vec![
            Reply::Integer(i64::from(*down)),
            bulk(leader.as_ref().map_or("*", |id| id.as_str())),
            integer(leader_epoch.get()),
        ]),
        Response::Count(count) => integer(*count),
        Response::HelloTaken => Reply::Integer(1),
        Response::Refused(why) => refusal(why, dialect),
    }
}

fn integer(value: u64) -> Reply {
    Reply::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}

/// Client lines: each with its line end, a verbatim text in RESP3.
pub(super) fn text(lines: &[String], protocol: Protocol) -> Reply {
    let text: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
    match protocol {
        Protocol::Resp2 => bulk(text),
        Protocol::Resp3 => Reply::verbatim(text),
    }
}
