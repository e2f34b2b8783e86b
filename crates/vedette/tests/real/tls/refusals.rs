//! What cannot be had is refused at start: the place, the reason, exit code 1, and nothing begun.

use std::path::Path;

use vedette::lab::{BOUND, Process};

use super::certificates::Authority;
use super::setting::Setting;
use crate::group::{found, program};

/// A line that is wrong, and what is said about it.
const BAD_VALUES: &[(&str, &str)] = &[
    ("tls-protocols SSLv3", "Invalid tls-protocols specified."),
    ("tls-protocols \"TLSv1.1 TLSv1.2\"", "TLSv1.1 is not supported"),
    ("tls-ciphers AES256-SHA", "Failed to configure ciphers: 'AES256-SHA' is not supported."),
    ("tls-ciphersuites TLS_X", "Failed to configure ciphersuites: 'TLS_X' is not supported."),
    ("tls-dh-params-file some.dh", "Take the line out."),
    ("tls-port 65536", "argument must be between 0 and 65535 inclusive"),
    ("tls-port x", "argument couldn't be parsed into an integer"),
    ("tls-auth-clients maybe", "argument(s) must be one of the following: no, yes, optional"),
    ("tls-replication maybe", "argument must be 'yes' or 'no'"),
    ("tls-cluster maybe", "argument must be 'yes' or 'no'"),
    ("tls-prefer-server-ciphers 1", "argument must be 'yes' or 'no'"),
    ("tls-session-caching 1", "argument must be 'yes' or 'no'"),
    ("tls-session-cache-size -1", "argument must be between 0 and 2147483647 inclusive"),
    ("tls-session-cache-timeout x", "argument couldn't be parsed into an integer"),
    ("tls-cert-file a b", "wrong number of arguments"),
    ("tls-key-file-pass", "wrong number of arguments"),
];

/// The exit code and everything that was said.
fn outcome(words: &[String], folder: &Path) -> (Option<i32>, String) {
    let log = folder.join("refusal.log");
    let _ = std::fs::remove_file(&log);
    let mut process = Process::start(words, folder, &log).unwrap();
    let status = process.wait_for_end(BOUND).unwrap();
    (status.code(), process.output())
}

fn ours(setting: &Setting, lines: &[String]) -> (Option<i32>, String) {
    let conf = setting.folder.path().join("sentinel.conf");
    let text = lines.join("\n") + "\n";
    std::fs::write(&conf, &text).unwrap();
    let words = [program().display().to_string(), conf.display().to_string()];
    let outcome = outcome(&words, setting.folder.path());
    assert_eq!(std::fs::read_to_string(&conf).unwrap(), text, "the file is left alone");
    assert!(!outcome.1.contains("Running mode="), "nothing is begun: {}", outcome.1);
    outcome
}

/// The same with the reference.
fn theirs(setting: &Setting) -> Option<(Option<i32>, String)> {
    let server = found("redis-server", vedette::lab::programs::redis_server())?;
    let conf = setting.folder.path().join("sentinel.conf");
    let words = [&server.display().to_string(), &conf.display().to_string(), "--sentinel"];
    Some(outcome(&words.map(str::to_owned), setting.folder.path()))
}

#[test]
fn values_are_refused_with_their_line() {
    let mut setting = Setting::new();
    let who = setting.authority.issue("sentinel");
    let port = setting.ports.take().unwrap();
    for (line, message) in BAD_VALUES {
        let mut lines = vec!["port 0".to_owned(), format!("tls-port {port}")];
        lines.extend(who.lines());
        lines.push((*line).to_owned());
        let (code, said) = ours(&setting, &lines);
        assert_eq!(code, Some(1), "{line}");
        let place = format!("Reading the configuration file, at line 6\n>>> '{line}'\n");
        assert!(said.contains(&place) && said.contains(message), "{line}: {said}");
    }
}

#[test]
fn files_are_refused_in_the_references_words() {
    let mut setting = Setting::new();
    let who = setting.authority.issue("sentinel");
    let other = Authority::new(setting.folder.path(), "other").issue("other");
    let port = setting.ports.take().unwrap();
    let named = |directive: &str, path: &Path| format!("{directive} {}", path.display());
    let gone = setting.folder.path().join("gone");
    let [certificate, key, authority] = [0, 1, 2].map(|index| who.lines()[index].clone());
    let without_authority = "Either tls-ca-cert-file or tls-ca-cert-dir must be specified when";
    let cases = [
        (vec![], "No tls-cert-file configured!"),
        (vec![certificate.clone()], "No tls-key-file configured!"),
        (vec![certificate.clone(), key.clone()], without_authority),
        (
            vec![named("tls-cert-file", &gone), key.clone(), authority.clone()],
            "Failed to load certificate: ",
        ),
        (
            vec![certificate.clone(), named("tls-key-file", &gone), authority.clone()],
            "Failed to load private key: ",
        ),
        (
            vec![certificate.clone(), named("tls-key-file", &other.key), authority],
            "Failed to load private key: ",
        ),
        (
            vec![certificate, key, named("tls-ca-cert-file", &gone)],
            "Failed to configure CA certificate(s) file/directory: ",
        ),
    ];
    for (files, message) in cases {
        let wanted = [&format!("tls-port {port}"), "tls-replication yes", "tls-cluster yes"];
        for wanting in wanted {
            let mut lines = vec!["port 0".to_owned(), wanting.to_owned()];
            lines.extend(files.iter().cloned());
            let (code, said) = ours(&setting, &lines);
            let check = |code: Option<i32>, said: &str| {
                assert_eq!(code, Some(1), "{said}");
                let last = "Failed to configure TLS. Check logs for more info.";
                assert!(said.contains(message) && said.contains(last), "{message}: {said}");
            };
            check(code, &said);
            if let Some((code, said)) = theirs(&setting) {
                check(code, &said);
            }
        }
    }
}
