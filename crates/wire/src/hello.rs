//! The hello message (spec: behaviour 6.1 to 6.3, interface 12.2).

use bytes::Bytes;
use vedette_core::{Endpoint, Epoch, Hello, SentinelId};
use vedette_resp::parse_integer;

/// The channel of hellos; compared byte by byte.
pub const HELLO_CHANNEL: &str = "__sentinel__:hello";

/// Longest payload, in bytes; more is cut off, as by the reference (spec: behaviour 6.1).
pub const HELLO_MAX: usize = 1069;

/// Reads a hello: exactly eight fields between commas. Ports must fit 16 bits and epochs 63
/// (spec: holes H17), the id must have 40 characters; anything else is no hello.
#[must_use]
pub fn parse_hello(payload: &[u8]) -> Option<Hello> {
    if payload.len() > HELLO_MAX {
        return None;
    }
    let text = core::str::from_utf8(payload).ok()?;
    let mut fields = text.split(',');
    let mut next = || fields.next();
    let hello = Hello {
        sentinel: endpoint(next()?, next()?)?,
        id: SentinelId::parse(next()?)?,
        current_epoch: epoch(next()?)?,
        master: next()?.into(),
        address: endpoint(next()?, next()?)?,
        config_epoch: epoch(next()?)?,
    };
    fields.next().is_none().then_some(hello)
}

/// Spells a hello.
#[must_use]
pub fn render_hello(hello: &Hello) -> Bytes {
    let mut text = format!(
        "{},{},{},{},{},{},{},{}",
        hello.sentinel.host,
        hello.sentinel.port,
        hello.id,
        hello.current_epoch,
        hello.master,
        hello.address.host,
        hello.address.port,
        hello.config_epoch,
    )
    .into_bytes();
    text.truncate(HELLO_MAX);
    text.into()
}

fn endpoint(host: &str, port: &str) -> Option<Endpoint> {
    let port = u16::try_from(parse_integer(port.as_bytes())?).ok()?;
    (!host.is_empty()).then(|| Endpoint::new(host, port))
}

/// An epoch as it stands in messages: decimal, not negative, below 2^63.
pub(crate) fn epoch(text: &str) -> Option<Epoch> {
    u64::try_from(parse_integer(text.as_bytes())?).ok().and_then(Epoch::new)
}
