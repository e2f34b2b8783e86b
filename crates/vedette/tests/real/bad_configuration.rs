//! Bad lines in the file: the reference's message, naming line and text.

use std::path::Path;

use vedette::lab::{BOUND, Folder, Process, programs};

use crate::group::{found, program};

const BAD_LINES: &[&str] = &[
    "sentinel nonsense",
    "sentinel monitor m 127.0.0.1 6379",
    "sentinel monitor m 127.0.0.1 99999 2",
    "sentinel monitor m 127.0.0.1 6379 0",
    "sentinel down-after-milliseconds unknown 1000",
    "sentinel failover-timeout m 0",
    "port nothing",
    "nonsense",
    "sentinel \"unbalanced",
    "sentinel notification-script m /no/such/script",
];

/// The exit code, and what was said without the title, which names the program's version.
fn refusal(words: Vec<String>, folder: &Path) -> (Option<i32>, Vec<String>) {
    let log = folder.join("refusal.log");
    let _ = std::fs::remove_file(&log);
    let mut process = Process::start(&words, folder, &log).unwrap();
    let status = process.wait_for_end(BOUND).unwrap();
    let said = process.output();
    let lines = said.lines().skip_while(|line| !line.starts_with("*** FATAL")).skip(1);
    (status.code(), lines.map(str::to_owned).collect())
}

#[test]
fn bad_lines_end_with_the_references_message() {
    let folder = Folder::new(None).unwrap();
    let conf = folder.path().join("sentinel.conf");
    let path = conf.display().to_string();
    let reference = found("redis-server", programs::redis_server());
    for &line in BAD_LINES {
        let text = format!("port 0\nsentinel monitor m 127.0.0.1 1 1\n{line}\n");
        let text = if line.contains("monitor m") { format!("port 0\n\n{line}\n") } else { text };
        std::fs::write(&conf, &text).unwrap();
        let ours = vec![program().display().to_string(), path.clone()];
        let (code, said) = refusal(ours, folder.path());
        assert_eq!(code, Some(1), "{line}");
        assert!(said.iter().any(|said| said.contains(line)), "{line}: {said:?}");
        assert!(said.iter().any(|said| said.contains("at line 3")), "{line}: {said:?}");
        if let Some(server) = &reference {
            let words = [&server.display().to_string(), &path, "--sentinel"];
            let expected = refusal(words.map(str::to_owned).to_vec(), folder.path());
            assert_eq!((code, said), expected, "{line}");
        }
        assert_eq!(std::fs::read_to_string(&conf).unwrap(), text, "the file is left alone");
    }
}
