//! One time line of what Sentinels, client and nodes did.

use std::io;
use std::time::Instant;

use vedette::lab::{Event, Saying};

use super::screen::{Look, Screen};

/// Who did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Sentinel(usize),
    Client,
    Node(u16),
    Demo,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    pub(super) at: Instant,
    pub(super) who: Who,
    pub(super) what: String,
    pub(super) look: Look,
}

/// Reads events with short names in the place of addresses and ids.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    /// The id of each Sentinel.
    pub(super) ids: Vec<String>,
}

impl Reader {
    /// What a Sentinel said; nothing for an answer to the demo's own question.
    pub(super) fn moment(&self, event: &Event) -> Option<Moment> {
        let Saying::Message { channel, payload } = &event.saying else { return None };
        let look = match channel.as_str() {
            "+sdown" | "+odown" => Look::Bad,
            "+switch-master" | "+promoted-slave" | "-sdown" | "+convert-to-slave" => Look::Good,
            _ => Look::Plain,
        };
        let what = format!("{channel:34} {}", self.shorten(payload));
        Some(Moment { at: event.at, who: Who::Sentinel(event.sentinel), what, look })
    }

    /// `slave 127.0.0.1:7001 127.0.0.1 7001 @ mymaster 127.0.0.1 7000` says its address thrice.
    fn shorten(&self, payload: &str) -> String {
        let mut words: Vec<&str> = payload.split(' ').collect();
        if words.len() >= 8 && words[4] == "@" {
            words.drain(2..8);
        }
        let mut text = words.join(" ");
        for (number, id) in self.ids.iter().enumerate() {
            text = text.replace(id.as_str(), &format!("sentinel-{}", number + 1));
        }
        text.replace("sentinel sentinel-", "sentinel-")
    }
}

/// Shows the moments in their order, counted from `start`.
pub(super) fn tell(screen: &Screen, start: Instant, mut moments: Vec<Moment>) -> io::Result<()> {
    moments.sort_by_key(|moment| moment.at);
    for moment in moments {
        let time = format!("{:>10.1} ms", since_ms(start, moment.at));
        let (name, look) = match moment.who {
            Who::Sentinel(number) => (format!("sentinel-{}", number + 1), Look::Person(number)),
            Who::Client => ("client".to_owned(), Look::Person(3)),
            Who::Node(port) => (format!("node {port}"), Look::Bold),
            Who::Demo => ("demo".to_owned(), Look::Bold),
        };
        screen.line(&format!(
            "{}  {}  {}",
            screen.paint(Look::Dim, &time),
            screen.paint(look, &format!("{name:11}")),
            screen.paint(moment.look, moment.what.trim_end())
        ))?;
    }
    Ok(())
}

/// Signed milliseconds.
pub(super) fn since_ms(start: Instant, moment: Instant) -> f64 {
    match moment.checked_duration_since(start) {
        Some(span) => span.as_secs_f64() * 1e3,
        None => -(start - moment).as_secs_f64() * 1e3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_become_short() {
        let reader = Reader { ids: vec!["aaaa".to_owned(), "bbbb".to_owned()] };
        for (payload, short) in [
            ("slave 127.0.0.1:2 127.0.0.1 2 @ m 127.0.0.1 1", "slave 127.0.0.1:2"),
            (
                "slave 127.0.0.1:2 127.0.0.1 2 @ m 127.0.0.1 1 new reported role is master",
                "slave 127.0.0.1:2 new reported role is master",
            ),
            ("sentinel bbbb 127.0.0.1 5 @ m 127.0.0.1 1", "sentinel-2"),
            ("aaaa 7", "sentinel-1 7"),
            ("m 127.0.0.1 1 127.0.0.1 2", "m 127.0.0.1 1 127.0.0.1 2"),
        ] {
            assert_eq!(reader.shorten(payload), short);
        }
    }
}
