use vedette_core::{Now, Secret, Span, Time};

use super::{Accounts, AclLog, BadRules, Denial, Flaw, Incident, Reason};
use crate::commands::find_full;

fn accounts(rules: &str) -> Accounts {
    let words: Vec<&str> = rules.split_whitespace().collect();
    Accounts::default().with_rules(b"u", &words).expect("good rules")
}

fn described(rules: &str) -> String {
    let accounts = accounts(rules);
    String::from_utf8(accounts.user(b"u").expect("a user").describe()).expect("text")
}

#[test]
fn descriptions_are_short_and_read_back() {
    let cases = [
        ("", "u off resetchannels -@all"),
        ("on nopass allkeys allchannels allcommands", "u on nopass ~* &* +@all"),
        ("+@all -@dangerous", "u off resetchannels +@all -@dangerous"),
        ("+ping +@pubsub -publish", "u off resetchannels -@all +@pubsub +ping -publish"),
        ("+@all -ping +ping|foo", "u off resetchannels +@all -ping +ping|foo"),
        ("%R~a %W~a ~b &c", "u off ~a ~b resetchannels &c -@all"),
        (
            "(+ping ~x) reset (+info)",
            "u off sanitize-payload resetchannels -@all (resetchannels -@all +info)",
        ),
    ];
    for (rules, expected) in cases {
        assert_eq!(described(rules), expected, "{rules}");
        let again = expected.strip_prefix("u ").expect("a name");
        assert_eq!(described(again), expected, "{rules}");
    }
}

#[test]
fn one_wrong_rule_changes_nothing() {
    let before = accounts("on >secret +ping");
    let bad = before.with_rules(b"u", &["+info", "+nosuch", "off"]).expect_err("wrong");
    assert_eq!(bad, BadRules::Rule(1, b"+nosuch".to_vec(), Flaw::UnknownCommand));
    assert!(before.authenticate(b"u", b"secret").is_some());
    assert!(before.load(b"user v on\nuser w foo\n").is_err());
    let twice = before.load(b"user v on\nuser v on\n").expect_err("twice").to_string();
    assert!(twice.starts_with("WARNING: Duplicate user 'v' found on line 2. WARNING: ACL errors"));
}

#[test]
fn any_selector_may_allow_a_command() {
    let accounts = accounts("+publish &c* (+sentinel|masters) (+psubscribe &d*) +info|stats");
    let user = accounts.user(b"u").expect("a user");
    let check = |words: &str, name: &str| {
        let words: Vec<&str> = words.split(' ').collect();
        user.check(find_full(name.as_bytes()).expect("a command"), &words)
    };
    assert_eq!(check("publish cat x", "publish"), Ok(()));
    assert_eq!(check("publish dog x", "publish"), Err(Denial::Channel(1)));
    assert_eq!(check("sentinel masters", "sentinel|masters"), Ok(()));
    assert_eq!(check("sentinel primaries", "sentinel|primaries"), Ok(()), "an alias");
    assert_eq!(check("sentinel slaves m", "sentinel|slaves"), Err(Denial::Command));
    assert_eq!(check("psubscribe d* x", "psubscribe"), Err(Denial::Channel(2)));
    assert_eq!(check("psubscribe dog", "psubscribe"), Err(Denial::Channel(1)), "literally only");
    assert_eq!(check("info STATS", "info"), Ok(()));
    assert_eq!(check("info", "info"), Err(Denial::Command));
    assert_eq!(check("auth x", "auth"), Ok(()), "the way in is always open");
}

#[test]
fn a_new_user_of_an_old_name_is_somebody_else() {
    let before = accounts("on");
    let user = before.user(b"u").expect("a user").clone();
    let changed = before.with_rules(b"u", &["off"]).expect("good");
    assert!(changed.still(&user).is_some());
    let (without, gone) = changed.without(&["u", "nobody", "default"]);
    assert_eq!(gone, 1);
    let again = without.with_rules(b"u", &["on"]).expect("good");
    assert!(again.has_user(b"u") && again.still(&user).is_none());
}

#[test]
fn the_stricter_of_requirepass_and_file_wins() {
    let accounts = Accounts::new(Some(Secret::new("pw")));
    for (text, stricter) in [("user a on", false), ("user default on nopass", true)] {
        let loaded = accounts.load(text.as_bytes()).expect("a good file");
        assert_eq!(loaded.requirepass_was_stricter, stricter);
        assert!(!loaded.accounts.default_is_open());
        assert!(loaded.accounts.authenticate(b"default", b"pw").is_some());
    }
    let own = accounts.load(b"user default on >other").expect("a good file").accounts;
    assert!(own.authenticate(b"default", b"pw").is_none());
}

#[test]
fn repetitions_are_counted_for_a_minute() {
    let incident = |object: &str, at| Incident {
        reason: Reason::Command,
        object: object.into(),
        username: b"u".to_vec(),
        client: String::new(),
        at: Now { mono: Time(at), ..Now::default() },
    };
    let mut log = AclLog::new(2);
    for (object, at) in [("a", 0), ("b", 1), ("a", 2), ("a", 2 + Span(60_000).0)] {
        log.note(incident(object, at));
    }
    let counts: Vec<_> =
        log.entries().map(|entry| (entry.count, &entry.latest.object[..])).collect();
    assert_eq!(counts, [(3, &b"a"[..]), (1, b"b")]);
    log.note(incident("a", 200_000));
    assert_eq!(log.entries().map(|entry| entry.count).collect::<Vec<_>>(), [1, 3]);
    log.reset();
    assert_eq!(log.entries().count(), 0);
}

#[test]
fn no_password_is_ever_shown() {
    let accounts = accounts("on >secret");
    let shown = format!("{accounts:?}") + &described("on >secret");
    assert!(!shown.contains("secret"), "{shown}");
}
