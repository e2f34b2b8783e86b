//! Order, waiting, limits, endings.

use bytes::Bytes;
use vedette_core::{Epoch, Now, Refusal, Request, Response, Span, Ticket};

use super::stand_in::{CLOSED, Host};
use crate::client::{
    Action, Client, ClientLimits, ClientsAnswer, CloseReason, Closing, OutputLimit, Pause,
    SubscriptionChange,
};
use crate::events::RenderedEvent;

const ASK: &str = "SENTINEL is-master-down-by-addr 127.0.0.1 51000 0 *\r\n";
const OPINION: &str = "*3\r\n:0\r\n$1\r\n*\r\n:0\r\n";

fn event(channel: &'static str) -> RenderedEvent {
    RenderedEvent::new(channel, "text")
}

fn opinion() -> Response {
    Response::Opinion { down: false, leader: None, leader_epoch: Epoch::ZERO }
}

/// Feeds and advances once; what can be written.
fn feed(host: &mut Host, client: &mut Client, text: &str) -> String {
    client.receive(text.as_bytes(), host.now);
    client.advance(host);
    written(client)
}

fn written(client: &mut Client) -> String {
    String::from_utf8_lossy(&client.output().split()).into_owned()
}

fn submitted(client: &mut Client) -> (Ticket, Request) {
    match client.poll_action() {
        Some(Action::Submit { ticket, request }) => (ticket, request),
        other => panic!("{other:?}"),
    }
}

fn closing(client: &mut Client) -> Option<Closing> {
    core::iter::from_fn(|| client.poll_action()).find_map(|action| match action {
        Action::Close(closing) => Some(closing),
        _ => None,
    })
}

#[test]
fn questions_of_peers_hold_replies_back_but_not_commands() {
    let mut host = Host::new(None);
    let mut client = host.client();
    let text = format!("{ASK}PING\r\n{ASK}PING\r\n");
    assert_eq!(feed(&mut host, &mut client, &text), "");
    let (first, _) = submitted(&mut client);
    let (second, _) = submitted(&mut client);
    client.respond(second, &opinion());
    assert_eq!(written(&mut client), "");
    client.respond(first, &opinion());
    assert_eq!(written(&mut client), format!("{OPINION}+PONG\r\n{OPINION}+PONG\r\n"));
}

#[test]
fn an_administrator_reads_what_was_written() {
    let mut host = Host::new(None);
    let mut client = host.client();
    let text = "SENTINEL SET mymaster quorum 1\r\nPING\r\n";
    assert_eq!(feed(&mut host, &mut client, text), "");
    let (ticket, request) = submitted(&mut client);
    assert!(matches!(request, Request::Set { .. }));
    assert!(client.poll_action().is_none());
    client.respond(ticket, &Response::Done);
    assert_eq!(written(&mut client), "+OK\r\n");
    client.advance(&mut host);
    assert_eq!(written(&mut client), "+PONG\r\n");
}

#[test]
fn refusals_are_spelled() {
    let cases = [
        (Refusal::SaveFailed, "-ERR Failed to save config file. Check server logs.\r\n"),
        (Refusal::FailoverInProgress, "-INPROG Failover already in progress\r\n"),
        (Refusal::NoGoodReplica, "-NOGOODSLAVE No suitable replica to promote\r\n"),
    ];
    for (refusal, expected) in cases {
        let mut host = Host::new(None);
        let mut client = host.client();
        feed(&mut host, &mut client, "SENTINEL FAILOVER mymaster\r\n");
        let (ticket, _) = submitted(&mut client);
        client.respond(ticket, &Response::Refused(refusal));
        assert_eq!(written(&mut client), expected);
    }
}

#[test]
fn too_many_owed_replies_stop_reading() {
    let mut host = Host::new(None);
    let mut client = host.client();
    feed(&mut host, &mut client, &ASK.repeat(100));
    assert!(client.is_full());
    let mut tickets = Vec::new();
    while let Some(Action::Submit { ticket, .. }) = client.poll_action() {
        tickets.push(ticket);
    }
    assert_eq!(tickets.len(), 64);
    for ticket in tickets {
        client.respond(ticket, &opinion());
    }
    client.advance(&mut host);
    assert!(!client.is_full());
    assert_eq!(core::iter::from_fn(|| client.poll_action()).count(), 36);
}

#[test]
fn a_late_or_unknown_answer_changes_nothing() {
    let mut host = Host::new(None);
    let mut client = host.client();
    client.respond(Ticket(99), &Response::Done);
    feed(&mut host, &mut client, ASK);
    let (ticket, _) = submitted(&mut client);
    client.complete(ticket, &ClientsAnswer::Killed(1));
    client.respond(ticket, &opinion());
    client.respond(ticket, &opinion());
    assert_eq!(written(&mut client), OPINION);
}

#[test]
fn events_reach_channels_and_patterns() {
    let mut host = Host::new(None);
    let mut client = host.client();
    assert!(!client.wants_events());
    feed(&mut host, &mut client, "SUBSCRIBE +switch-master\r\nPSUBSCRIBE +s* [-+]sdown\r\n");
    assert!(client.wants_events());
    client.deliver(&event("+switch-master"), host.now);
    let exact = "*3\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n$4\r\ntext\r\n";
    let pattern = "*4\r\n$8\r\npmessage\r\n$3\r\n+s*\r\n$14\r\n+switch-master\r\n$4\r\ntext\r\n";
    assert_eq!(written(&mut client), format!("{exact}{pattern}"));
    client.deliver(&event("-sdown"), host.now);
    assert!(written(&mut client).contains("[-+]sdown"));
    client.deliver(&event("+tilt"), host.now);
    assert_eq!(written(&mut client), "");
}

#[test]
fn pushes_keep_their_place_behind_an_owed_reply() {
    let mut host = Host::new(None);
    let mut client = host.client();
    feed(&mut host, &mut client, &format!("HELLO 3\r\n{ASK}SUBSCRIBE +tilt\r\n"));
    let (ticket, _) = submitted(&mut client);
    client.deliver(&event("+tilt"), host.now);
    client.respond(ticket, &opinion());
    let confirmed = ">3\r\n$9\r\nsubscribe\r\n$5\r\n+tilt\r\n:1\r\n";
    let message = ">3\r\n$7\r\nmessage\r\n$5\r\n+tilt\r\n$4\r\ntext\r\n";
    assert_eq!(written(&mut client), format!("{OPINION}{confirmed}{message}"));
}

#[test]
fn the_host_learns_of_subscriptions_coming_and_going() {
    let mut host = Host::new(None);
    let mut client = host.client();
    feed(&mut host, &mut client, "SUBSCRIBE a a\r\nPSUBSCRIBE b\r\nUNSUBSCRIBE\r\nQUIT\r\n");
    let actions: Vec<_> = core::iter::from_fn(|| client.poll_action()).collect();
    let (a, b) = (Bytes::from_static(b"a"), Bytes::from_static(b"b"));
    let expected = [
        SubscriptionChange::ChannelAdded(a.clone()),
        SubscriptionChange::PatternAdded(b.clone()),
        SubscriptionChange::ChannelRemoved(a),
        SubscriptionChange::PatternRemoved(b),
    ]
    .map(Action::SubscriptionChanged)
    .into_iter()
    .chain([Action::Close(Closing::AfterFlush(CloseReason::Quit))]);
    assert_eq!(actions, expected.collect::<Vec<_>>());
}

#[test]
fn quit_waits_for_owed_replies() {
    let mut host = Host::new(None);
    let mut client = host.client();
    feed(&mut host, &mut client, &format!("{ASK}QUIT\r\nPING\r\n"));
    let (ticket, _) = submitted(&mut client);
    assert_eq!(closing(&mut client), None);
    client.respond(ticket, &opinion());
    assert_eq!(written(&mut client), format!("{OPINION}+OK\r\n"));
    assert_eq!(closing(&mut client), Some(Closing::AfterFlush(CloseReason::Quit)));
}

#[test]
fn a_pause_holds_commands_until_it_ends() {
    let mut host = Host::new(None);
    let mut client = host.client();
    host.pause = Some(Pause::new(host.now.mono, Span(100), false));
    assert_eq!(feed(&mut host, &mut client, "nonsense\r\nPING\r\nPING\r\n").lines().count(), 1);
    assert!(client.is_held());
    host.now = Now { mono: host.now.mono + Span(100), ..host.now };
    assert_eq!(feed(&mut host, &mut client, ""), "+PONG\r\n+PONG\r\n");
    assert!(!client.is_held());
}

#[test]
fn a_write_pause_holds_only_publish() {
    let mut host = Host::new(None);
    let mut client = host.client();
    host.pause = Some(Pause::new(host.now.mono, Span(100), true));
    let text = "PING\r\nPUBLISH __sentinel__:hello x\r\nPING\r\n";
    assert_eq!(feed(&mut host, &mut client, text), "+PONG\r\n");
    assert!(client.is_held() && client.poll_action().is_none());
}

#[test]
fn who_orders_a_pause_is_held_by_it() {
    let mut host = Host::new(None);
    let mut client = host.client();
    let text = "CLIENT PAUSE 100\r\nPING\r\n";
    assert_eq!(feed(&mut host, &mut client, text), "+OK\r\n");
    assert!(client.is_held());
    let pause = Pause::new(host.now.mono, Span(100), false);
    assert_eq!(client.poll_action(), Some(Action::Pause(pause)));
    host.pause = Some(pause);
    assert_eq!(feed(&mut host, &mut client, ""), "");
    host.pause = None;
    assert_eq!(feed(&mut host, &mut client, ""), "+PONG\r\n");
}

#[test]
fn pauses_join_to_the_later_end_and_the_stricter_mode() {
    let now = Host::new(None).now.mono;
    let (short, long) = (Pause::new(now, Span(1), false), Pause::new(now, Span(9), true));
    assert_eq!(short.join(long), Pause::new(now, Span(9), false));
}

#[test]
fn who_kills_itself_hears_about_it() {
    let mut host = Host::new(None);
    let mut client = host.client();
    let reply = host.run(&mut client, b"CLIENT KILL ID 7 SKIPME no\r\n");
    assert_eq!(reply, [b":1\r\n", CLOSED].concat());
    let mut client = host.client();
    let reply = host.run(&mut client, b"CLIENT KILL 127.0.0.1:40000\r\n");
    assert_eq!(reply, [b"+OK\r\n", CLOSED].concat());
    let mut client = host.client();
    assert_eq!(host.run(&mut client, b"CLIENT KILL TYPE normal\r\n"), b":0\r\n");
}

#[test]
fn a_killed_client_is_gone_at_once() {
    let mut host = Host::new(None);
    let mut client = host.client();
    feed(&mut host, &mut client, "SENTINEL FLUSHCONFIG\r\n");
    client.kill();
    assert_eq!(closing(&mut client), Some(Closing::Now(CloseReason::Killed)));
    client.kill();
    assert_eq!(closing(&mut client), None);
}

#[test]
fn client_lines_have_the_fields_in_order() {
    let mut host = Host::new(None);
    let mut client = host.client();
    let reply = host.run(&mut client, b"CLIENT SETNAME bob\r\nCLIENT LIST\r\n");
    let reply = String::from_utf8(reply).expect("text");
    let line = reply.lines().nth(2).expect("a line");
    let keys: Vec<_> = line.split(' ').filter_map(|field| field.split('=').next()).collect();
    let expected = "id addr laddr fd name age idle flags db sub psub ssub multi watch qbuf \
                    qbuf-free argv-mem multi-mem rbs rbp obl oll omem tot-mem events cmd user \
                    redir resp lib-name lib-ver";
    assert_eq!(keys.join(" "), expected);
    assert!(line.contains(" addr=127.0.0.1:40000 ") && line.contains(" name=bob "));
    assert!(line.contains(" flags=N ") && line.contains(" cmd=client|list user=default "));
}

#[test]
fn a_subscriber_that_does_not_read_is_closed() {
    let mut host = Host::new(None);
    let pubsub = OutputLimit { hard: 1000, soft: 100, soft_secs: 60 };
    let mut client = host.limited_client(ClientLimits { pubsub, ..ClientLimits::default() });
    feed(&mut host, &mut client, "SUBSCRIBE +tilt\r\n");
    for _ in 0..4 {
        client.deliver(&event("+tilt"), host.now);
    }
    assert_eq!(closing(&mut client), None);
    host.now = Now { mono: host.now.mono + Span::from_secs(61), ..host.now };
    client.check_time(host.now, 0);
    assert_eq!(closing(&mut client), Some(Closing::Now(CloseReason::OutputBufferFull)));

    let mut client = host.limited_client(ClientLimits { pubsub, ..ClientLimits::default() });
    feed(&mut host, &mut client, "SUBSCRIBE +tilt\r\n");
    for _ in 0..40 {
        client.deliver(&event("+tilt"), host.now);
    }
    assert_eq!(closing(&mut client), Some(Closing::Now(CloseReason::OutputBufferFull)));
}

#[test]
fn idle_clients_go_and_idle_subscribers_stay() {
    let mut host = Host::new(None);
    let (mut idle, mut subscriber) = (host.client(), host.client());
    feed(&mut host, &mut subscriber, "SUBSCRIBE +tilt\r\n");
    let later = Now { mono: host.now.mono + Span::from_secs(12), ..host.now };
    idle.check_time(later, 0);
    assert_eq!(closing(&mut idle), None);
    idle.check_time(later, 10);
    subscriber.check_time(later, 10);
    assert_eq!(closing(&mut idle), Some(Closing::Now(CloseReason::Idle)));
    assert_eq!(closing(&mut subscriber), None);
}

#[test]
fn a_query_above_the_limit_closes_without_a_word() {
    let mut host = Host::new(None);
    let limits = ClientLimits { query_buffer: 1000, ..ClientLimits::default() };
    let mut client = host.limited_client(limits);
    let text = format!("PING {}", "x".repeat(2000));
    assert_eq!(feed(&mut host, &mut client, &text), "");
    assert_eq!(closing(&mut client), Some(Closing::Now(CloseReason::QueryBufferFull)));
}

#[test]
fn a_client_that_does_not_read_gets_no_more_commands_done() {
    let mut host = Host::new(None);
    let mut client = host.client();
    client.receive("SENTINEL MASTERS\r\n".repeat(5000).as_bytes(), host.now);
    client.advance(&mut host);
    let first = client.output().split().len();
    assert!((1 << 20..2 << 20).contains(&first), "{first}");
    client.advance(&mut host);
    assert!(!client.output().is_empty());
}

#[test]
fn errors_never_repeat_a_password() {
    let mut host = Host::new(None);
    for command in [
        "SENTINEL SET mymaster auth-pass \"se\\nsame\"\r\n",
        "SENTINEL CONFIG SET sentinel-pass \"se\\nsame\"\r\n",
    ] {
        let mut client = host.client();
        let reply = feed(&mut host, &mut client, command);
        assert!(reply.starts_with("-ERR Invalid") && !reply.contains("same'"), "{reply}");
    }
}

#[test]
fn debug_prints_show_no_bytes() {
    let mut host = Host::new(Some("sesame"));
    let mut client = host.client();
    feed(&mut host, &mut client, "AUTH default sesa");
    assert!(!format!("{client:?}").contains("sesa"));
}

#[test]
fn simulate_failure_help_arms_what_came_before() {
    let mut host = Host::new(None);
    let mut client = host.client();
    feed(&mut host, &mut client, "SENTINEL SIMULATE-FAILURE crash-after-promotion help\r\n");
    let (ticket, request) = submitted(&mut client);
    assert!(matches!(request, Request::SimulateFailure(flags) if flags.after_promotion));
    client.respond(ticket, &Response::Done);
    assert!(written(&mut client).starts_with("*2\r\n$20\r\ncrash-after-election\r\n"));
}

#[test]
fn shutdown_answers_nothing() {
    let mut host = Host::new(None);
    let mut client = host.client();
    assert_eq!(feed(&mut host, &mut client, "SHUTDOWN NOSAVE NOW FORCE\r\nPING\r\n"), "");
    assert_eq!(client.poll_action(), Some(Action::Shutdown));
    assert_eq!(client.poll_action(), None);
}

#[test]
fn counts_are_told_once() {
    let mut host = Host::new(Some("sesame"));
    let mut client = host.client();
    feed(&mut host, &mut client, "PING\r\nAUTH x\r\nAUTH sesame\r\nPING\r\n");
    let counts = client.take_counts();
    assert_eq!((counts.commands, counts.error_replies, counts.denied_auth), (3, 2, 1));
    assert_eq!(client.take_counts(), crate::client::Counts::default());
}

/// The references close after the error that tells of bad bytes; `CLIENT REPLY` swallows it.
#[test]
fn bad_bytes_behind_reply_off_leave_a_connection_that_hears_nothing() {
    let mut host = Host::new(None);
    let mut client = host.client();
    assert_eq!(feed(&mut host, &mut client, "CLIENT REPLY OFF\r\n*x\r\n"), "");
    assert_eq!(feed(&mut host, &mut client, "CLIENT REPLY ON\r\nPING\r\n"), "");
    let is_over = |action: &Action| matches!(action, Action::Close(_));
    assert!(core::iter::from_fn(|| client.poll_action()).all(|action| !is_over(&action)));
    // What it sends is read and forgotten, it is listed, and it can be ended.
    assert!(!client.is_full());
    assert_eq!(client.query_bytes(), 0);
    assert!(client.info_line(host.now).contains(" flags=c "));
    assert!(client.matches(&crate::client::ClientFilter::default(), host.now));
    client.check_time(Now { mono: host.now.mono + Span(3000), ..host.now }, 1);
    assert_eq!(client.poll_action(), Some(Action::Close(Closing::Now(CloseReason::Idle))));
}
