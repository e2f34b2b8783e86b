//! The hello message (spec: behaviour 6.1 to 6.3, interface 12.2).

use bytes::Bytes;
use vedette_core::{Endpoint, Epoch, Hello, SentinelId};
use vedette_resp::parse_integer;

use crate::host::is_plausible;

/// The channel of hellos; compared byte by byte.
pub const HELLO_CHANNEL: &str = "__sentinel__:hello";

/// Longest payload, in bytes; more is cut off, as by the reference (spec: behaviour 6.1).
pub const HELLO_MAX: usize = 1069;

/// Reads a hello: exactly eight fields between commas. Ports must fit 16 bits and epochs 63
/// (spec: holes H17), the id must have 40 characters, hosts must be plausible; anything else is no
/// hello.
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
    is_plausible(host).then(|| Endpoint::new(host, port))
}

/// An epoch as it stands in messages: decimal, not negative, below 2^63.
pub(crate) fn epoch(text: &str) -> Option<Epoch> {
    u64::try_from(parse_integer(text.as_bytes())?).ok().and_then(Epoch::new)
}

#[cfg(test)]
mod tests {
    use vedette_core::Endpoint;

    use super::{HELLO_MAX, parse_hello, render_hello};

    const ID: &str = "53de6bcccfa17c872bbb2dc0038e96b74dd067da";

    #[test]
    fn a_hello_has_eight_fields() {
        let text = format!("10.0.0.5,26379,{ID},7,mymaster,10.0.0.11,6379,8");
        let hello = parse_hello(text.as_bytes()).expect("a hello");
        assert_eq!(hello.sentinel, Endpoint::new("10.0.0.5", 26379));
        assert_eq!((hello.current_epoch.get(), hello.config_epoch.get()), (7, 8));
        assert_eq!(render_hello(&hello), text);
        assert!(parse_hello(format!("{text},x").as_bytes()).is_none());
        assert!(parse_hello(text.rsplit_once(',').expect("commas").0.as_bytes()).is_none());
    }

    #[test]
    fn what_cannot_be_true_is_no_hello() {
        let cases = [
            format!("a,26379,{ID},-1,m,b,1,0"),
            format!("a,26379,{ID},9223372036854775808,m,b,1,0"),
            format!("a,26379,{ID},0,m,b,1,18446744073709551615"),
            format!("a,26379,{ID},0x1,m,b,1,0"),
            format!("a,65536,{ID},0,m,b,1,0"),
            format!("a,26379,{ID},0,m,b,-1,0"),
            format!("a,26379,{ID}0,0,m,b,1,0"),
            format!(",26379,{ID},0,m,b,1,0"),
            format!("a,26379,{ID},0,m,b\nsentinel myid x,1,0"),
            format!("a,26379,{ID},0,{},b,1,0", "m".repeat(HELLO_MAX)),
            ",,,,,,,".to_owned(),
        ];
        for text in cases {
            assert_eq!(parse_hello(text.as_bytes()), None, "{text}");
        }
    }
}
