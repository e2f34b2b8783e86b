//! `SENTINEL MONITOR` (spec: interface 2.11, holes H32).

use std::borrow::Cow;

use bytes::Bytes;
use vedette_core::{Endpoint, Refusal, Request, read_ip};
use vedette_resp::parse_integer;

use super::Parsed;
use crate::Dialect;
use crate::host::is_plausible;
use crate::refusal::refusal;
use crate::reply::{Reply, error};

/// Longest name: with it and the longest hosts a hello still fits into its 1069 bytes
/// (spec: behaviour 6.1).
pub const NAME_MAX: usize = 400;

/// `<name> <ip> <port> <quorum>`
///
/// # Errors
/// The first of the reference's complaints in its order; then ours about the name. That the name
/// is free and the host resolves is for the core to find out.
pub fn parse(args: &[Bytes; 4], resolve_hostnames: bool) -> Parsed {
    let [name, host, port, quorum] = args;
    let invalid_quorum = || error("ERR Invalid quorum");
    let quorum = parse_integer(quorum).ok_or_else(invalid_quorum)?;
    let port = parse_integer(port).ok_or_else(|| error("ERR Invalid port"))?;
    if quorum <= 0 {
        return Err(error("ERR Quorum must be 1 or greater."));
    }
    let quorum = u32::try_from(quorum).map_err(|_| invalid_quorum())?;
    let host = self::host(host, resolve_hostnames)?;
    let port = u16::try_from(port).map_err(|_| error("ERR Invalid port number."))?;
    let name = check_name(name)?;
    Ok(Request::Monitor { name: name.into(), address: Endpoint::new(&host, port), quorum })
}

/// A name as it is given, or an address in its usual form.
fn host(host: &[u8], resolve_hostnames: bool) -> Result<Cow<'_, str>, Reply> {
    let host = core::str::from_utf8(host).ok().filter(|host| is_plausible(host));
    let host = if resolve_hostnames {
        host.map(Cow::Borrowed)
    } else {
        host.and_then(read_ip).map(|ip| Cow::Owned(ip.to_string()))
    };
    host.ok_or_else(|| refusal(&Refusal::InvalidAddress, Dialect::Redis))
}

/// Whatever the references take, but what breaks hellos, INFO or the file.
fn check_name(name: &[u8]) -> Result<&str, Reply> {
    let invalid = |why: &str| error(format!("ERR Invalid master name: {why}"));
    let text = core::str::from_utf8(name).map_err(|_| invalid("it is not UTF-8"))?;
    if text.is_empty() {
        return Err(invalid("it is empty"));
    }
    if text.contains(|c: char| c.is_ascii_whitespace() || c.is_control() || c == ',') {
        return Err(invalid("blanks, commas and control characters are not allowed"));
    }
    if text.len() > NAME_MAX {
        return Err(invalid(&format!("longer than {NAME_MAX} bytes")));
    }
    Ok(text)
}
