//! FAILOVER: a master hands over to one of its replicas.

use bytes::Bytes;
use vedette_resp::{Frame, parse_integer};

use crate::dispatch::Call;
use crate::replication::{AttachedState, HandOver};
use crate::reply::{self, Reply, literal, shown};
use crate::{ConnId, Node, Role};

/// What follows the command.
#[derive(Default)]
struct Options {
    target: Option<(String, u16)>,
    timeout_ms: Option<i64>,
    forced: bool,
}

/// `FAILOVER [TO <host> <port> [FORCE]] [ABORT] [TIMEOUT <ms>]`
pub(crate) fn failover(node: &mut Node, call: &Call<'_>) -> Reply {
    let words = &call.args[1..];
    if let [word] = words
        && word.eq_ignore_ascii_case(b"abort")
    {
        return abort(node).into();
    }
    match parse(words).and_then(|options| begin(node, options)) {
        Ok(()) => Frame::OK.into(),
        Err(refusal) => refusal.into(),
    }
}

fn abort(node: &mut Node) -> Frame {
    if node.hand_over.is_none() {
        return literal("ERR No failover in progress.");
    }
    node.end_hand_over();
    Frame::OK
}

fn parse(words: &[Bytes]) -> Result<Options, Frame> {
    let mut options = Options::default();
    let mut rest = words;
    while let [option, after @ ..] = rest {
        rest = match (option.to_ascii_lowercase().as_slice(), after) {
            (b"to", [host, port, after @ ..]) => {
                let port = parse_integer(port).and_then(|port| u16::try_from(port).ok());
                let port = port.ok_or(reply::NOT_AN_INTEGER)?;
                options.target = Some((shown(host).into_owned(), port));
                after
            }
            (b"timeout", [millis, after @ ..]) => {
                options.timeout_ms = Some(parse_integer(millis).ok_or(reply::NOT_AN_INTEGER)?);
                after
            }
            (b"force", after) => {
                options.forced = true;
                after
            }
            _ => return Err(reply::SYNTAX),
        };
    }
    if options.timeout_ms.is_some_and(|millis| millis <= 0) {
        return Err(literal("ERR FAILOVER timeout must be greater than 0"));
    }
    Ok(options)
}

fn begin(node: &mut Node, options: Options) -> Result<(), Frame> {
    if node.hand_over.is_some() {
        return Err(literal("ERR FAILOVER already in progress."));
    }
    if node.role() == Role::Replica {
        return Err(literal("ERR FAILOVER is not valid when server is a replica."));
    }
    if node.replicas.is_empty() {
        return Err(literal("ERR FAILOVER requires connected replicas."));
    }
    if options.forced && (options.timeout_ms.is_none() || options.target.is_none()) {
        return Err(literal(
            "ERR FAILOVER with force option requires both a timeout and target HOST and IP.",
        ));
    }
    let target = options.target.map(|target| find(node, &target)).transpose()?;
    let timeout_ms = options.timeout_ms.and_then(|millis| u64::try_from(millis).ok());
    let until = timeout_ms.map(|millis| node.now.saturating_add(millis));
    node.begin_hand_over(HandOver::new(target, until, options.forced));
    Ok(())
}

/// The replica at this address, as this master lists it.
fn find(node: &Node, (host, port): &(String, u16)) -> Result<ConnId, Frame> {
    let is_it = |conn: ConnId| {
        let (ip, announced) = node.replica_address(conn);
        ip.eq_ignore_ascii_case(host) && announced == *port
    };
    let found = node.attached().find(|(conn, _)| is_it(*conn));
    let (conn, replica) =
        found.ok_or_else(|| literal("ERR FAILOVER target HOST and PORT is not a replica."))?;
    match replica.state {
        AttachedState::Online => Ok(conn),
        AttachedState::Syncing { .. } => Err(literal("ERR FAILOVER target replica is not online.")),
    }
}
