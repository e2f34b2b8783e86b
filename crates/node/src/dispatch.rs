//! From a request to the command that answers it: the gates in the order of Redis 7.0
//! (spec: interface 1.6).

use bytes::Bytes;
use vedette_resp::{Frame, Request, RequestError};

use crate::connection::{ReplyMode, Transaction};
use crate::fault::PauseMode;
use crate::limits::{ECHOED_BYTES_MAX, QUEUED_COMMANDS_MAX};
use crate::reply::{self, Reply, error, shown};
use crate::table::{self, CommandSpec, Flags};
use crate::{CloseKind, ConnId, Node, Role};

/// A command on its way: who asked, and the words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) origin: Origin,
    pub(crate) args: &'a [Bytes],
}

/// Who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Client(ConnId),
    /// The stream of the master.
    Master,
}

/// Why a request is not executed now.
enum Refusal {
    Error(Frame),
    /// CLIENT PAUSE holds it.
    Held,
}

impl From<Frame> for Refusal {
    fn from(frame: Frame) -> Self {
        Refusal::Error(frame)
    }
}

impl Node {
    /// Executes what a connection has sent, as far as it is complete.
    pub(crate) fn read_requests(&mut self, conn: ConnId) {
        while !self.condition.is_halted() {
            let Some(connection) = self.connections.get_mut(&conn) else { return };
            if connection.is_stopped() {
                return;
            }
            match connection.decoder.next() {
                Ok(None) => return,
                Ok(Some(request)) => self.run_request(conn, request),
                Err(RequestError::Protocol(failure)) => {
                    self.write(conn, &Frame::error(failure.reply_text()));
                    self.close(conn, CloseKind::Graceful);
                }
                Err(RequestError::QueryBufferFull) => self.close(conn, CloseKind::Reset),
            }
        }
    }

    /// Executes what CLIENT PAUSE held back, and what came after it.
    pub(crate) fn resume_held(&mut self) {
        let held: Vec<ConnId> = self
            .connections
            .iter()
            .filter(|(_, connection)| connection.held.is_some())
            .map(|(conn, _)| *conn)
            .collect();
        for conn in held {
            let connection = self.connections.get_mut(&conn);
            if let Some(request) = connection.and_then(|connection| connection.held.take()) {
                self.run_request(conn, request);
                self.read_requests(conn);
            }
        }
    }

    fn run_request(&mut self, conn: ConnId, request: Request) {
        let args = &request.args;
        if is_cross_protocol(request.name()) {
            return self.close(conn, CloseKind::Reset);
        }
        match self.admit(conn, args) {
            Ok(spec) => {
                let reply = self.run_or_queue(conn, spec, args);
                self.answer(conn, reply);
            }
            Err(Refusal::Held) => {
                if let Some(connection) = self.connections.get_mut(&conn) {
                    connection.held = Some(request);
                }
            }
            Err(Refusal::Error(frame)) => {
                let is_exec = self.by_typed_name(request.name()).is_some_and(|s| s.name == "exec");
                let frame = if is_exec { self.refuse_exec(conn, &frame) } else { frame };
                if let Some(transaction) = self.transaction_mut(conn) {
                    transaction.broken = true;
                }
                self.answer(conn, Reply::One(frame));
            }
        }
    }

    pub(crate) fn answer(&mut self, conn: ConnId, reply: Reply) {
        let frames = match reply {
            Reply::None => Vec::new(),
            Reply::One(frame) => vec![frame],
            Reply::Many(frames) => frames,
        };
        for frame in &frames {
            self.counters.error_replies += u64::from(frame.is_error());
            self.write(conn, frame);
        }
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.reply_mode = match connection.reply_mode {
                ReplyMode::SkipNext => ReplyMode::SkipThis,
                ReplyMode::SkipThis => ReplyMode::On,
                mode @ (ReplyMode::On | ReplyMode::Off) => mode,
            };
        }
    }

    fn run_or_queue(&mut self, conn: ConnId, spec: &'static CommandSpec, args: &[Bytes]) -> Reply {
        self.counters.commands += 1;
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.last_command = spec.name;
            connection.active_at = self.now;
        }
        let call = Call { origin: Origin::Client(conn), args };
        match self.transaction_mut(conn) {
            Some(_) if spec.flags.has(Flags::RUNS_IN_MULTI) => (spec.run)(self, &call),
            Some(transaction) if transaction.queued.len() < QUEUED_COMMANDS_MAX => {
                transaction.queued.push(args.to_vec());
                Reply::One(reply::QUEUED)
            }
            Some(transaction) => {
                transaction.broken = true;
                Reply::One(reply::literal("ERR transaction is too long"))
            }
            None => (spec.run)(self, &call),
        }
    }

    pub(crate) fn transaction_mut(&mut self, conn: ConnId) -> Option<&mut Transaction> {
        self.connections.get_mut(&conn)?.transaction.as_deref_mut()
    }

    /// All gates before execution.
    fn admit(&self, conn: ConnId, args: &[Bytes]) -> Result<&'static CommandSpec, Refusal> {
        let spec = self.look_up(args)?;
        let Some(connection) = self.connections.get(&conn) else { return Ok(spec) };
        if connection.user.is_none() && !spec.flags.has(Flags::NO_AUTH) {
            return Err(reply::NOAUTH.into());
        }
        if connection.transaction.is_some() && spec.flags.has(Flags::NO_MULTI) {
            return Err(reply::literal("ERR Command not allowed inside a transaction").into());
        }
        self.check_permission(spec)?;
        self.check_write(spec)?;
        if connection.is_restricted_subscriber() && !spec.flags.has(Flags::SUBSCRIBER) {
            return Err(error(format!(
                "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / \
                 RESET are allowed in this context",
                spec.name
            ))
            .into());
        }
        self.check_condition(spec)?;
        if connection.replica.is_none() && self.is_paused(conn, spec) {
            return Err(Refusal::Held);
        }
        Ok(spec)
    }

    fn check_permission(&self, spec: &CommandSpec) -> Result<(), Frame> {
        let container = spec.name.split('|').next().unwrap_or_default();
        let refused = &self.config.refused;
        if spec.flags.has(Flags::NO_AUTH)
            || !(refused.contains(spec.name) || refused.contains(container))
        {
            return Ok(());
        }
        let name = spec.name;
        Err(error(format!("NOPERM this user has no permissions to run the '{name}' command")))
    }

    fn check_write(&self, spec: &CommandSpec) -> Result<(), Frame> {
        if !spec.flags.has(Flags::WRITE) {
            return Ok(());
        }
        match self.role() {
            Role::Replica if self.parameters.flag("replica-read-only") => Err(reply::READONLY),
            Role::Master if !self.has_enough_replicas() => Err(reply::NOREPLICAS),
            Role::Replica | Role::Master => Ok(()),
        }
    }

    fn check_condition(&self, spec: &CommandSpec) -> Result<(), Frame> {
        let stale = self.role() == Role::Replica && !self.is_link_up();
        if stale
            && !self.parameters.flag("replica-serve-stale-data")
            && !spec.flags.has(Flags::STALE)
        {
            return Err(reply::MASTERDOWN);
        }
        if self.condition.loading_until.is_some() && !spec.flags.has(Flags::LOADING) {
            return Err(reply::LOADING);
        }
        if self.condition.script.is_some() && !spec.flags.has(Flags::WHILE_BUSY) {
            return Err(reply::BUSY);
        }
        Ok(())
    }

    fn is_paused(&self, conn: ConnId, spec: &CommandSpec) -> bool {
        let held = self.hand_over.is_some().then_some(PauseMode::Write);
        let Some(mode) = self.condition.pause.as_ref().map(|pause| pause.mode).or(held) else {
            return false;
        };
        let writes_queued = || {
            let connection = self.connections.get(&conn);
            let transaction = connection.and_then(|connection| connection.transaction.as_deref());
            transaction.is_some_and(|transaction| {
                let writes = |args: &Vec<Bytes>| {
                    self.look_up(args).is_ok_and(|spec| spec.flags.has(Flags::REPLICATES))
                };
                transaction.queued.iter().any(writes)
            })
        };
        match mode {
            PauseMode::All => true,
            PauseMode::Write => {
                spec.flags.has(Flags::REPLICATES) || (spec.name == "exec" && writes_queued())
            }
        }
    }

    /// The command for these words, or the error for words that name none.
    pub(crate) fn look_up(&self, args: &[Bytes]) -> Result<&'static CommandSpec, Frame> {
        let typed = args.first().map_or(&[][..], |name| &name[..]);
        let spec = self.by_typed_name(typed).ok_or_else(|| unknown_command(args))?;
        let spec = match args.get(1) {
            Some(word) if !spec.children.is_empty() => {
                table::child(spec, word).ok_or_else(|| unknown_subcommand(spec, word))?
            }
            _ => spec,
        };
        let count = i32::try_from(args.len()).unwrap_or(i32::MAX);
        let fits = if spec.arity >= 0 { count == spec.arity } else { count >= -spec.arity };
        if fits { Ok(spec) } else { Err(wrong_arity(spec.name)) }
    }

    fn by_typed_name(&self, typed: &[u8]) -> Option<&'static CommandSpec> {
        let typed = typed.to_ascii_lowercase();
        if !self.config.renamed.is_empty() {
            let new_name =
                |(_, new): &(&String, &String)| new.to_ascii_lowercase().as_bytes() == typed;
            if let Some((original, _)) = self.config.renamed.iter().find(new_name) {
                return table::find(original.as_bytes());
            }
            if str::from_utf8(&typed).is_ok_and(|name| self.config.renamed.contains_key(name)) {
                return None;
            }
        }
        table::find(&typed)
    }
}

/// A browser that was talked into sending a request here (spec: interface 1.3).
fn is_cross_protocol(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"post") || name.eq_ignore_ascii_case(b"host:")
}

pub(crate) fn wrong_arity(name: &str) -> Frame {
    error(format!("ERR wrong number of arguments for '{name}' command"))
}

fn unknown_subcommand(spec: &CommandSpec, word: &[u8]) -> Frame {
    let word = shown(&word[..word.len().min(ECHOED_BYTES_MAX)]);
    let container = spec.name.to_ascii_uppercase();
    error(format!("ERR unknown subcommand '{word}'. Try {container} HELP."))
}

fn unknown_command(args: &[Bytes]) -> Frame {
    let cut = |arg: &[u8], room: usize| shown(&arg[..arg.len().min(room)]).into_owned();
    let mut echoed = String::new();
    for arg in args.iter().skip(1) {
        if echoed.len() >= ECHOED_BYTES_MAX {
            break;
        }
        let room = ECHOED_BYTES_MAX - echoed.len();
        echoed.push_str(&format!("'{}' ", cut(arg, room)));
    }
    let name = args.first().map_or(String::new(), |name| cut(name, ECHOED_BYTES_MAX));
    error(format!("ERR unknown command '{name}', with args beginning with: {echoed}"))
}
