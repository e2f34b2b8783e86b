use bytes::Bytes;
use vedette_core::{
    ConfigOption, Endpoint, Request, Secret, SetItem, SetOption, Settings, SimulatedFailures, Span,
    Tunable, Wants,
};

use super::{Parsed, config_set, debug, monitor, peer, reset, set, simulate_failure};
use crate::replies::samples;
use crate::reply::{Reply, error};

fn words(text: &str) -> Vec<Bytes> {
    text.split(' ').map(|word| Bytes::copy_from_slice(word.as_bytes())).collect()
}

fn four(text: &str) -> [Bytes; 4] {
    words(text).try_into().expect("four words")
}

fn error_text(parsed: Parsed) -> String {
    let reply = parsed.expect_err("an error");
    String::from_utf8_lossy(reply.text().expect("an error")).into_owned()
}

fn set_options(text: &str, settings: &Settings) -> Result<Vec<SetItem>, String> {
    let context = set::Context { settings, is_executable: &|path| path == "/bin/true" };
    match set::parse("m".into(), &words(text), context) {
        Ok(Request::Set { options, .. }) => Ok(options),
        Ok(other) => panic!("{other:?}"),
        Err(reply) => Err(String::from_utf8_lossy(reply.text().expect("text")).into_owned()),
    }
}

#[test]
fn set_takes_many_options_and_shows_them_as_typed() {
    let text = "Down-After-Milliseconds 500 auth-pass sesame rename-command config GUESS \
                primary-reboot-down-after-period 0";
    let items = set_options(text, &Settings::default()).expect("fine");
    let shown: Vec<_> = items.iter().map(|item| &*item.shown).collect();
    let expected = [
        "Down-After-Milliseconds 500",
        "auth-pass ******",
        "rename-command config GUESS",
        "primary-reboot-down-after-period 0",
    ];
    assert_eq!(shown, expected);
    assert_eq!(items[0].option, SetOption::DownAfter(Span(500)));
    assert_eq!(items[1].option, SetOption::AuthPass(Some(Secret::new("sesame"))));
    let renamed = SetOption::RenameCommand { from: "CONFIG".into(), to: "GUESS".into() };
    assert_eq!(items[2].option, renamed);
}

#[test]
fn set_checks_scripts_only_where_they_may_be_set() {
    let settings = Settings { deny_scripts_reconfig: false, ..Settings::default() };
    assert!(set_options("notification-script /bin/true", &settings).is_ok());
    assert!(set_options("client-reconfig-script ", &settings).is_ok());
    let missing = set_options("client-reconfig-script /nope", &settings).expect_err("missing");
    assert_eq!(missing, "ERR Client reconfiguration script seems non existing or non executable");
}

#[test]
fn numbers_beyond_their_field_are_refused() {
    let error = set_options("quorum 4294967297", &Settings::default()).expect_err("too large");
    assert_eq!(error, "ERR Invalid argument '4294967297' for SENTINEL SET 'quorum'");
    let parsed = monitor::parse(&four("m 10.0.0.1 6379 4294967297"), false);
    assert_eq!(error_text(parsed), "ERR Invalid quorum");
}

const ODD_NAMES: [&str; 12] =
    ["a.B-9_", "a:b", "a/b", "\u{e9}", "\"q\"", "a'b", "#x", "a\\b", "*", "a=b", "a@b", "\\"];

fn parse_named(name: &[u8]) -> Parsed {
    let mut args = four("x 10.0.0.1 6379 2");
    args[0] = Bytes::copy_from_slice(name);
    monitor::parse(&args, false)
}

#[test]
fn monitor_refuses_names_that_break_things() {
    for (name, why) in [
        (&b""[..], "empty"),
        (b"a b", "blanks, commas and control characters"),
        (b"a,b", "blanks, commas and control characters"),
        (b"a\nb", "blanks, commas and control characters"),
        (b"a\x7fb", "blanks, commas and control characters"),
        (b"a\xc2\x85b", "blanks, commas and control characters"),
        (b"a\x80b", "not UTF-8"),
        (&[b'm'; 401], "longer than 400"),
    ] {
        let text = error_text(parse_named(name));
        assert!(text.starts_with("ERR Invalid master name: ") && text.contains(why), "{text}");
    }
}

#[test]
fn monitor_takes_names_that_the_references_take() {
    for name in ODD_NAMES {
        let address = Endpoint::new("10.0.0.1", 6379);
        let request = Request::Monitor { name: name.into(), address, quorum: 2 };
        assert_eq!(parse_named(name.as_bytes()), Ok(request), "{name}");
    }
}

#[test]
fn odd_names_pass_through_a_hello() {
    for name in ODD_NAMES {
        let endpoint = Endpoint::new("10.0.0.1", 6379);
        let hello = vedette_core::Hello {
            sentinel: endpoint.clone(),
            id: samples::id("903ed8b5de54c8f708256e1c0190a425510f5005"),
            current_epoch: vedette_core::Epoch::MAX,
            master: name.into(),
            address: endpoint,
            config_epoch: vedette_core::Epoch::MAX,
        };
        let payload = crate::hello::render_hello(&hello);
        assert_eq!(crate::hello::parse_hello(&payload), Some(hello), "{name}");
    }
}

#[test]
fn the_longest_names_fit_into_a_hello() {
    let host = "h".repeat(crate::host::HOST_MAX);
    let largest = Endpoint::new(&host, u16::MAX);
    let hello = vedette_core::Hello {
        sentinel: largest.clone(),
        id: samples::id("903ed8b5de54c8f708256e1c0190a425510f5005"),
        current_epoch: vedette_core::Epoch::MAX,
        master: "m".repeat(monitor::NAME_MAX).into(),
        address: largest,
        config_epoch: vedette_core::Epoch::MAX,
    };
    let payload = crate::hello::render_hello(&hello);
    assert_eq!(crate::hello::parse_hello(&payload), Some(hello));
}

#[test]
fn monitor_takes_names_of_hosts_only_if_they_may_be_resolved() {
    let args = four("m host.example 6379 2");
    assert!(monitor::parse(&args, true).is_ok());
    let error = error_text(monitor::parse(&args, false));
    assert_eq!(error, "ERR Invalid IP address or hostname specified");
    assert!(monitor::parse(&four("m ::1 0 1"), false).is_ok());
}

#[test]
fn config_set_unsets_with_nothing() {
    let mut pairs = words("announce-port 0 sentinel-pass x loglevel WARNING announce-ip");
    pairs.push(Bytes::new());
    let expected = [
        ConfigOption::AnnouncePort(None),
        ConfigOption::SentinelPass(Some(Secret::new("x"))),
        ConfigOption::LogLevel(vedette_core::LogLevel::Warning),
        ConfigOption::AnnounceIp(None),
    ];
    assert_eq!(config_set::parse(&pairs), Ok(Request::ConfigSet(expected.to_vec())));
}

#[test]
fn debug_knows_every_tunable() {
    let text = "Info-Period 1 SCRIPT-RETRY-DELAY 2";
    let expected = vec![(Tunable::InfoPeriod, Span(1)), (Tunable::ScriptRetryDelay, Span(2))];
    assert_eq!(debug::parse(&words(text)), Ok((Request::Tune(expected), Reply::OK)));
}

#[test]
fn debug_applies_the_pairs_before_a_wrong_one() {
    let expected = vec![(Tunable::InfoPeriod, Span(1))];
    for (rest, complaint) in [
        ("ping-period x", "ERR Invalid argument 'x' for SENTINEL DEBUG 'ping-period'"),
        (
            "nope 1 ask-period 2",
            "ERR Unknown option or number of arguments for SENTINEL DEBUG 'nope'",
        ),
        (
            "ping-period",
            "ERR Unknown option or number of arguments for SENTINEL DEBUG 'ping-period'",
        ),
    ] {
        let parsed = debug::parse(&words(&format!("info-period 1 {rest}")));
        assert_eq!(parsed, Ok((Request::Tune(expected.clone()), error(complaint))));
        assert_eq!(debug::parse(&words(rest)), Err(error(complaint)));
    }
}

#[test]
fn simulated_failures_before_an_unknown_word_are_armed() {
    let flags = SimulatedFailures { after_election: true, after_promotion: false };
    let complaint = error("ERR Unknown failure simulation specified");
    let parsed = simulate_failure::parse(&words("crash-after-election x crash-after-promotion"));
    assert_eq!(parsed, (Request::SimulateFailure(flags), complaint.clone()));
    let cleared = Request::SimulateFailure(SimulatedFailures::default());
    assert_eq!(simulate_failure::parse(&words("x")), (cleared, complaint));
}

#[test]
fn reset_matches_names_with_their_case() {
    let snapshot = samples::snapshot(0);
    assert_eq!(reset::parse(b"MY*", &snapshot), None);
    let names = vec!["other".into(), "mymaster".into()];
    assert_eq!(reset::parse(b"*", &snapshot), Some(Request::Reset(names)));
}

#[test]
fn vote_requests_are_told_from_questions() {
    let wants = |text: &str| match peer::is_master_down(&four(text)) {
        Ok(Request::IsMasterDown { wants, address, .. }) => (wants, address.port),
        other => panic!("{other:?}"),
    };
    let id = "903ed8b5de54c8f708256e1c0190a425510f5005";
    assert_eq!(wants("10.0.0.1 6379 0 *"), (Wants::Opinion, 6379));
    let vote = Wants::VoteFor(samples::id(id));
    assert_eq!(wants(&format!("10.0.0.1 65536 7 {id}")), (vote, 0));
    assert_eq!(wants("10.0.0.1 -1 7 stranger"), (Wants::VoteForStranger, 0));
    // H17: with the reference this poisons the epochs of the group.
    let error = error_text(peer::is_master_down(&four("10.0.0.1 6379 -1 x")));
    assert_eq!(error, "ERR value is not an integer or out of range");
}

#[test]
fn only_hellos_can_be_published() {
    let mut heard = crate::HelloMemory::default();
    let nonsense = peer::publish(b"__sentinel__:hello", b"nonsense", &mut heard);
    assert!(matches!(nonsense, Ok(Request::Hello(None))));
    let error = error_text(peer::publish(b"__SENTINEL__:hello", b"x", &mut heard));
    assert_eq!(error, "ERR Only HELLO messages are accepted by Sentinel instances.");
}
