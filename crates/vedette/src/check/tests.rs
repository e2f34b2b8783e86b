//! Each rule with a file that breaks it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use super::findings::Severity;
use super::{check, is_good};

const GOOD: &str = "bind 127.0.0.1\nsentinel myid 0123456789012345678901234567890123456789\n\
                    sentinel monitor m 10.0.0.1 6379 2\nsentinel known-sentinel m 10.0.0.2 26379 \
                    1123456789012345678901234567890123456789\nsentinel known-sentinel m 10.0.0.3 \
                    26379 2123456789012345678901234567890123456789\n";

/// Severity, line number and problem of every finding.
fn found(text: &str) -> Vec<(Severity, Option<usize>, String)> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s.conf");
    fs::write(&path, text).expect("written");
    fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("allowed");
    let found = check(&path, &[]);
    let line = |finding: &super::Finding| finding.place.as_ref().map(|place| place.number);
    found.iter().map(|finding| (finding.severity, line(finding), finding.problem.clone())).collect()
}

/// The good file with one more line breaks one rule, on that line.
fn expect(line: &str, severity: Severity, problem: &str) {
    let found = found(&format!("{GOOD}{line}\n"));
    let fits = |(known, number, text): &(Severity, Option<usize>, String)| {
        *known == severity && *number == Some(6) && text.contains(problem)
    };
    assert!(found.iter().any(fits), "{line}: {found:?}");
}

fn replaced(from: &str, to: &str, problem: &str) {
    assert!(GOOD.contains(from));
    let found = found(&GOOD.replace(from, to));
    assert!(found.iter().any(|(_, _, text)| text.contains(problem)), "{to}: {found:?}");
}

#[test]
fn a_good_file_gives_no_finding() {
    assert_eq!(found(GOOD), []);
}

#[test]
fn errors_have_their_line() {
    expect("port abc", Severity::Error, "argument couldn't be parsed into an integer");
    expect("nosuch 1", Severity::Error, "Bad directive");
    expect("tls-port 1", Severity::Error, "No tls-cert-file configured!");
    expect("tls-replication yes", Severity::Error, "No tls-cert-file configured!");
    expect("user a on >secret foo", Severity::Error, "'on': Syntax error");
    expect("user a on +nosuch", Severity::Error, "Unknown command or category name in ACL");
    // All of them are shown, not only the first.
    assert_eq!(found("port a\nport b\n").iter().filter(|one| one.0 == Severity::Error).count(), 2);
}

#[test]
fn unwise_lines_have_warnings() {
    use Severity::Warning;
    expect("sentinel down-after-milliseconds m 100", Warning, "are taken for death");
    expect("sentinel failover-timeout m 100", Warning, "is shorter than");
    expect("sentinel parallel-syncs m 0", Warning, "no replica is pointed");
    expect("sentinel auth-user m u", Warning, "without auth-pass");
    expect("sentinel announce-hostnames yes", Warning, "names are announced but not accepted");
    expect("requirepass x", Warning, "can read the passwords");
    expect("bind 127.0.0.1", Warning, "repeats line 1");
    expect("sentinel monitor n 10.0.0.1 6379 2", Warning, "is monitored as m too");
    expect("sentinel monitor a,b 10.0.0.9 6379 2", Warning, "breaks the hello");
    expect("bind *", Warning, "anybody who reaches the port");
    expect("loglevel nothing", Warning, "nothing is logged");
}

#[test]
fn members_and_quorum_are_counted() {
    replaced("6379 2\n", "6379 1\n", "quorum 1");
    replaced("6379 2\n", "6379 3\n", "above the majority");
    replaced("6379 2\n", "6379 4\n", "never be a failover");
    replaced("10.0.0.3", "10.0.0.2", "two Sentinels run on 10.0.0.2");
    replaced("m 10.0.0.1", "m 127.0.0.1", "loopback");
    let fourth = "sentinel known-sentinel m 10.0.0.4 1 3123456789012345678901234567890123456789";
    let (severity, number, problem) = found(&format!("{GOOD}{fourth}\n")).remove(0);
    assert_eq!((severity, number), (Severity::Warning, Some(3)));
    assert!(problem.contains("even number"), "{problem}");
}

#[test]
fn the_open_default_user_is_found() {
    let text = format!("{GOOD}requirepass x\nuser default on nopass ~* &* +@all\n");
    let found = found(&text);
    assert!(found.iter().any(|(_, _, text)| text.contains("line 6") && text.contains("line 7")));
}

#[test]
fn secrets_are_not_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s.conf");
    fs::write(&path, "requirepass hidden1 x\nuser a on >hidden2\nsentinel auth-pass m hidden3\n")
        .expect("written");
    let found = check(&path, &[]);
    for text in [super::print::human(&path, &found, false), super::print::json(&path, &found)] {
        assert!(!text.contains("hidden"), "{text}");
    }
}

#[test]
fn only_strict_minds_warnings() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s.conf");
    fs::write(&path, GOOD.replace("6379 2\n", "6379 1\n")).expect("written");
    let warned = check(&path, &[]);
    assert!(is_good(&warned, false) && !is_good(&warned, true));
    assert!(!is_good(&check(&path, &[b"--port".to_vec(), b"x".to_vec()]), false));
}

#[test]
fn a_copy_that_will_be_put_back_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s.conf");
    fs::write(&path, GOOD).expect("written");
    fs::write(folder.path().join("s.conf.vedette-copy"), GOOD).expect("written");
    let found = check(&path, &[]);
    let is_it =
        |finding: &super::Finding| finding.problem.contains("s.conf.vedette-copy back over");
    assert!(found.iter().any(is_it), "{found:?}");
}

#[test]
fn certificates_and_keys_are_looked_at() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let own = rcgen::generate_simple_self_signed(vec!["a.name".to_owned()]).expect("made");
    fs::write(path("own.crt"), own.cert.pem()).expect("written");
    fs::write(path("own.key"), own.signing_key.serialize_pem()).expect("written");
    fs::set_permissions(path("own.key"), Permissions::from_mode(0o644)).expect("allowed");
    // Seen from `dir`, as the daemon would.
    let lines = "tls-replication yes\ntls-cert-file own.crt\ntls-ca-cert-file own.crt\n";
    let text = format!("{GOOD}dir {}\n{lines}", folder.path().display());
    let problems = |last: &str| -> Vec<(Severity, String)> {
        let found = found(&format!("{text}{last}\n"));
        found.into_iter().map(|(severity, _, problem)| (severity, problem)).collect()
    };
    let has = |problems: &[(Severity, String)], severity, part: &str| {
        problems.iter().any(|(known, problem)| *known == severity && problem.contains(part))
    };
    let keyless = problems("");
    assert!(has(&keyless, Severity::Error, "No tls-key-file configured!"), "{keyless:?}");
    let open = problems("tls-key-file own.key");
    assert!(has(&open, Severity::Warning, "can be read by everybody"), "{open:?}");
    assert!(has(&open, Severity::Warning, "find none at the plain port"), "{open:?}");
    assert!(!open.iter().any(|(severity, _)| *severity == Severity::Error), "{open:?}");
    fs::set_permissions(path("own.key"), Permissions::from_mode(0o600)).expect("allowed");
    assert_eq!(problems("tls-key-file own.key\ntls-port 1"), []);
}
