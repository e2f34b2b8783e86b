//! A file that cannot be written: the reference's refusal at the start, and no vote later.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use vedette::lab::{BOUND, Folder, Process, programs, until};

use crate::group::{found, program, spec, start};

/// Somebody who owns nothing.
const NOBODY: &str = "65534";

/// Makes a file or folder immutable while it lives; only the superuser can.
struct Immutable(PathBuf);

impl Immutable {
    fn new(path: &Path) -> Option<Self> {
        let is_set = Command::new("chattr").arg("+i").arg(path).output();
        let is_set = is_set.is_ok_and(|output| output.status.success());
        is_set.then(|| Self(path.to_path_buf()))
    }
}

impl Drop for Immutable {
    fn drop(&mut self) {
        let _ = Command::new("chattr").arg("-i").arg(&self.0).output();
    }
}

fn is_superuser() -> bool {
    rustix::process::geteuid().is_root()
}

/// Starts a Sentinel that must refuse; its exit code and its last line without the time stamp.
fn refusal(words: &[String], folder: &Path) -> (Option<i32>, String) {
    let log = folder.join("refusal.log");
    let _ = std::fs::remove_file(&log);
    let mut process = Process::start(words, folder, &log).unwrap();
    let status = process.wait_for_end(BOUND).unwrap();
    let output = process.output();
    let last = output.lines().last().unwrap_or_default();
    let text = last.split_once(" # ").map_or(last, |(_, text)| text).to_owned();
    (status.code(), text)
}

/// Both programs on the same file.
fn check_refusal(conf: &Path, before: &[&str], expected: &str) {
    let folder = conf.parent().unwrap();
    let conf = conf.display().to_string();
    let command = |program: &Path, after: &[&str]| -> Vec<String> {
        let program = program.display().to_string();
        let words = before.iter().copied().chain([program.as_str(), conf.as_str()]);
        words.chain(after.iter().copied()).map(str::to_owned).collect()
    };
    let ours = refusal(&command(&copy_of_program(folder), &[]), folder);
    assert_eq!(ours, (Some(1), expected.replace("{conf}", &conf)));
    if let Some(server) = found("redis-server", programs::redis_server()) {
        assert_eq!(refusal(&command(&server, &["--sentinel"]), folder), ours);
    }
}

/// Where everybody may execute it.
fn copy_of_program(folder: &Path) -> PathBuf {
    let copy = folder.join("vedette");
    if !copy.exists() {
        std::fs::copy(program(), &copy).unwrap();
    }
    copy
}

#[test]
fn file_of_another_user_is_refused() {
    let folder = Folder::new(None).unwrap();
    let conf = folder.path().join("sentinel.conf");
    std::fs::write(&conf, "port 0\n").unwrap();
    std::fs::set_permissions(&conf, Permissions::from_mode(0o444)).unwrap();
    let as_nobody = ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"];
    let before: &[&str] = if is_superuser() { &as_nobody } else { &[] };
    check_refusal(
        &conf,
        before,
        "Sentinel config file {conf} is not writable: Permission denied. Exiting...",
    );
}

#[test]
fn missing_file_is_refused() {
    let folder = Folder::new(None).unwrap();
    let conf = folder.path().join("missing.conf");
    check_refusal(
        &conf,
        &[],
        "Fatal error, can't open config file '{conf}': No such file or directory",
    );
}

#[test]
fn immutable_file_is_refused() {
    let folder = Folder::new(None).unwrap();
    let conf = folder.path().join("sentinel.conf");
    std::fs::write(&conf, "port 0\n").unwrap();
    let Some(_immutable) = Immutable::new(&conf) else {
        return eprintln!("files cannot be made immutable here");
    };
    check_refusal(
        &conf,
        &[],
        "Sentinel config file {conf} is not writable: Operation not permitted. Exiting...",
    );
}

#[test]
fn sentinel_that_cannot_save_gives_no_vote() {
    let mut lab = start(spec());
    let deaf = 0;
    let folder = lab.sentinels[deaf].conf().parent().unwrap().to_path_buf();
    let _immutable = if is_superuser() {
        let Some(immutable) = Immutable::new(&folder) else {
            return eprintln!("folders cannot be made immutable here");
        };
        Some(immutable)
    } else {
        std::fs::set_permissions(&folder, Permissions::from_mode(0o555)).unwrap();
        None
    };
    let name = lab.name().to_owned();
    let old = lab.agreed_master(&name).unwrap();
    lab.shards[0].node(old).process().kill();
    // The others are a majority; the one that cannot save follows them.
    lab.wait_for_switch_from(&name, old).unwrap();
    let warning = "WARNING: Sentinel was not able to save the new configuration on disk!!!";
    until("the warning", BOUND, || lab.sentinels[deaf].log().contains(warning).then_some(()))
        .expect(&lab.sentinels[deaf].log());
    let log = lab.sentinels[deaf].log();
    assert!(!log.contains("+vote-for-leader"), "{log}");
    for other in 1..lab.sentinels.len() {
        let text = lab.sentinels[other].log();
        let id = vedette::lab::text(&lab.sentinels[deaf].ask(&["SENTINEL", "MYID"]).unwrap());
        assert!(!text.contains(&format!("{id} voted for")), "{text}");
    }
    if !is_superuser() {
        std::fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    }
}
