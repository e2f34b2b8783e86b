//! `CLIENT TRACKING`: bounds, and what a connection takes with it.

use super::stand_in::Host;
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
