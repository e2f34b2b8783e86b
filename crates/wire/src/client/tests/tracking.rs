//! `CLIENT TRACKING`: bounds, and what a connection takes with it.

use super::stand_in::Host;
use crate::Dialect;
use crate::client::{Action, ClientsAnswer, SubscriptionChange};

fn changes(client: &mut crate::client::Client) -> Vec<SubscriptionChange> {
    let actions = core::iter::from_fn(|| client.poll_action());
    let of_totals = actions.filter_map(|action| match action {
        Action::SubscriptionChanged(change) => Some(change),
        _ => None,
    });
    of_totals.collect()
}

fn told(host: &mut Host, client: &mut crate::client::Client, line: &str) -> String {
    client.receive(format!("{line}\r\n").as_bytes(), host.now);
    client.advance(host);
    String::from_utf8_lossy(&client.output().split()).into_owned()
}

#[test]
fn prefixes_of_a_connection_are_bounded() {
    let mut host = Host::new(None);
    let mut client = host.client();
    let many = |range: core::ops::Range<usize>| -> String {
        range.map(|number| format!(" PREFIX {number:04}")).collect()
    };
    let ask = |words: String| format!("CLIENT TRACKING on BCAST{words}");
    assert_eq!(told(&mut host, &mut client, &ask(many(0..256))), "+OK\r\n");
    let refused = "-ERR one connection can have 256 prefixes of 16384 bytes together at most\r\n";
    assert_eq!(told(&mut host, &mut client, &ask(many(256..257))), refused);
    // Nothing that was refused is counted.
    assert_eq!(changes(&mut client).len(), 257);
    told(&mut host, &mut client, "CLIENT TRACKING off");
    let long = format!(" PREFIX {}", "x".repeat(16 << 10));
    assert_eq!(told(&mut host, &mut client, &ask(long.clone())), "+OK\r\n");
    assert_eq!(told(&mut host, &mut client, &ask(" PREFIX y".to_owned())), refused);
}

#[test]
fn what_is_tracked_is_told_once_and_taken_back() {
    use SubscriptionChange::{PrefixAdded, PrefixRemoved, TrackingStarted, TrackingStopped};
    let mut host = Host::new(None);
    let mut client = host.client();
    let [a, b] = [&b"a"[..], b"b"].map(bytes::Bytes::from_static);
    told(&mut host, &mut client, "CLIENT TRACKING on BCAST PREFIX a");
    assert_eq!(changes(&mut client), [TrackingStarted, PrefixAdded(a.clone())]);
    told(&mut host, &mut client, "CLIENT TRACKING on BCAST PREFIX b");
    assert_eq!(changes(&mut client), [PrefixAdded(b.clone())]);
    client.kill();
    assert_eq!(changes(&mut client), [TrackingStopped, PrefixRemoved(a), PrefixRemoved(b)]);
}

/// The reply is owed, and later commands wait for it.
#[test]
fn a_redirection_waits_for_the_host() {
    let mut host = Host::new(None);
    let mut client = host.client();
    for (lines, reply) in [(vec![], "-ERR The client ID"), (vec![String::new()], "+OK\r\n:7\r\n")] {
        let text = "CLIENT TRACKING on REDIRECT 7\r\nCLIENT GETREDIR";
        assert_eq!(told(&mut host, &mut client, text), "");
        let Some(Action::ListClients { ticket, .. }) = client.poll_action() else {
            panic!("nobody is asked")
        };
        client.complete(ticket, &ClientsAnswer::Lines(lines));
        client.advance(&mut host);
        let output = String::from_utf8_lossy(&client.output().split()).into_owned();
        assert!(output.starts_with(reply), "{output}");
    }
}

/// What is told after these bytes behind `CLIENT CACHING` and behind `CLIENT REPLY SKIP`.
fn forgets(dialect: Dialect, nothing: &str) -> (bool, bool) {
    let mut host = Host::new(None);
    let mut ask = |text: String| {
        let mut client = host.client_speaking(dialect);
        told(&mut host, &mut client, &text)
    };
    let tracking = "CLIENT TRACKING on OPTIN\r\nCLIENT CACHING yes";
    let shown = ask(format!("{tracking}\r\n{nothing}CLIENT TRACKINGINFO"));
    let swallowed = ask(format!("CLIENT REPLY SKIP\r\n{nothing}PING\r\n"));
    (!shown.contains("caching-yes"), swallowed == "+PONG\r\n")
}

/// As Redis 7.0 and Valkey 9.1 do.
#[test]
fn an_empty_request_uses_up_what_was_said_of_the_next_one() {
    for dialect in [Dialect::Redis, Dialect::Valkey] {
        assert_eq!(forgets(dialect, ""), (false, false));
        for nothing in ["\r\n", "\n", "*0\r\n", "*-1\r\n", "\r\n\r\n"] {
            assert_eq!(forgets(dialect, nothing), (true, true), "{dialect:?} {nothing:?}");
        }
    }
    assert_eq!(forgets(Dialect::Redis, "  \r\n"), (true, true));
    assert_eq!(forgets(Dialect::Valkey, "  \r\n"), (false, false));
}
