//! A file that cannot be written: the reference's refusal at the start, and no vote later.

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use vedette::lab::{BOUND, Folder, Lab, Process, Template, programs, text, until};

use crate::group::{found, kill_master, program, spec, start};
use crate::process::{Ending, Make, Setting, alike, code};

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
        let _ = std::fs::set_permissions(&self.0, Permissions::from_mode(0o755));
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

/// Neither the file nor its folder can be written while the locks live.
fn lock_up(conf: &Path) -> Option<Vec<Immutable>> {
    let both = [conf, conf.parent().unwrap()];
    if is_superuser() {
        return both.into_iter().map(Immutable::new).collect();
    }
    for path in both {
        std::fs::set_permissions(path, Permissions::from_mode(0o555)).unwrap();
    }
    Some(both.map(|path| Immutable(path.to_path_buf())).into())
}

#[test]
fn sentinel_that_cannot_save_gives_no_vote() {
    let mut lab = start(spec());
    let Some(_locks) = lock_up(&lab.sentinels[0].conf()) else {
        return eprintln!("files cannot be made immutable here");
    };
    kill_master(&mut lab);
    check_no_vote_of_the_first(&lab);
}

/// The first Sentinel complained, followed the others, and voted for nobody.
fn check_no_vote_of_the_first(lab: &Lab) {
    let warning = "WARNING: Sentinel was not able to save the new configuration on disk!!!";
    let log = || lab.sentinels[0].log();
    until("the warning", BOUND, || log().contains(warning).then_some(()))
        .unwrap_or_else(|error| panic!("{error}: {}", log()));
    let log = log();
    assert!(!log.contains("+vote-for-leader"), "{log}");
    let id = text(&lab.sentinels[0].ask(&["SENTINEL", "MYID"]).unwrap());
    for other in &lab.sentinels[1..] {
        assert!(!other.log().contains(&format!("{id} voted for")), "{}", other.log());
    }
}

/// A Sentinel whose folder is a small disk of its own, which goes away with the process. The
/// `filling` is run there before the start.
fn on_a_small_disk(lab: &Lab, filling: &str) -> Option<Template> {
    let mounts = Command::new("unshare").args(["-m", "true"]).output();
    if !mounts.is_ok_and(|output| output.status.success()) {
        eprintln!("disks cannot be mounted here");
        return None;
    }
    let conf = lab.sentinels[0].conf();
    let folder = conf.parent().unwrap().display().to_string();
    let script = format!(
        "cp {folder}/sentinel.conf {folder}/../moved.conf && \
         mount -t tmpfs -o size=512k small {folder} && \
         cat {folder}/../moved.conf > {folder}/sentinel.conf && cd {folder} && \
         {filling}; exec \"$0\" \"$1\""
    );
    let program = program().display().to_string();
    let words = ["unshare", "-m", "sh", "-c", script.as_str(), program.as_str(), "{conf}"];
    Some(Template::from_words(words.map(str::to_owned).to_vec()))
}

#[test]
fn full_disk_at_the_start_means_no_vote() {
    let mut lab = start(spec());
    let Some(template) = on_a_small_disk(&lab, "cat /dev/zero > filling 2>&-") else { return };
    lab.sentinels[0].restart_as(template).unwrap();
    lab.sentinels[0].wait_until_ready().unwrap();
    lab.wait_until_settled().unwrap();
    kill_master(&mut lab);
    check_no_vote_of_the_first(&lab);
}

#[test]
fn disk_that_fills_up_later_does_not_stop_votes() {
    let mut lab = start(spec());
    let Some(template) = on_a_small_disk(&lab, "true") else { return };
    lab.sentinels[0].restart_as(template).unwrap();
    lab.sentinels[0].wait_until_ready().unwrap();
    lab.wait_until_settled().unwrap();
    // A save leaves the room for the next one behind.
    assert_eq!(text(&lab.sentinels[0].ask(&["SENTINEL", "FLUSHCONFIG"]).unwrap()), "OK");
    let pid = lab.sentinels[0].process().pid();
    let folder = lab.sentinels[0].conf().parent().unwrap().display().to_string();
    let disk = PathBuf::from(format!("/proc/{pid}/root{folder}"));
    let spare = disk.join("sentinel.conf.vedette-spare");
    until("the spare", BOUND, || spare.exists().then_some(())).unwrap();
    let mut filling = std::fs::File::create(disk.join("filling")).unwrap();
    while filling.write_all(&[0; 512]).is_ok() {}
    // Now its vote is needed for a majority.
    lab.kill_sentinel(2);
    let old = lab.agreed_by(&[0, 1]).unwrap();
    lab.shards[0].node(old).process().kill();
    until("the switch", BOUND, || lab.agreed_by(&[0, 1]).filter(|&port| port != old))
        .unwrap_or_else(|error| panic!("{error}: {}", lab.sentinels[0].log()));
    crate::group::wait_for_log(|| lab.sentinels[0].log(), "+vote-for-leader");
}

const USERS: &str = "user default on nopass ~* &* +@all\n";

/// Takes the folder of the users away, saves them in vain, and brings it back.
fn save_in_vain(setting: &mut Setting) -> (Vec<String>, Ending) {
    let [folder, elsewhere] = ["acl", "elsewhere"].map(|name| setting.path(name));
    std::fs::create_dir(&folder).unwrap();
    setting.write("acl/users", USERS);
    let mut process = setting.start();
    let mut answers = vec![setting.ask("ACL SETUSER bob on nopass +ping")];
    std::fs::rename(&folder, &elsewhere).unwrap();
    answers.extend([setting.ask("ACL SAVE"), setting.ask("ACL DRYRUN bob ping")]);
    assert_eq!(setting.read("elsewhere/users"), USERS);
    std::fs::rename(&elsewhere, &folder).unwrap();
    answers.push(setting.ask("ACL SAVE"));
    assert!(setting.read("acl/users").contains("user bob on nopass "));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "nothing lies beside the file");
    process.signal(Signal::TERM);
    let (ending, said) = setting.end_of(&mut process);
    // Ours names the file, the reference the step.
    let reason = match setting.make {
        Make::Ours => "# Saving the ACL file $FOLDER/acl/users: No such file or directory",
        Make::Reference => "# Opening temp ACL file for ACL SAVE: No such file or directory",
    };
    assert!(said.iter().any(|line| line.ends_with(reason)), "{said:?}");
    (answers, ending)
}

#[test]
fn users_that_cannot_be_saved_are_not_lost() {
    let (answers, ending) = alike("aclfile $FOLDER/acl/users\n", save_in_vain);
    let refusal = "-ERR There was an error trying to save the ACLs. Please check the server logs \
                   for more information\r\n";
    assert_eq!(answers, ["+OK\r\n", refusal, "+OK\r\n", "+OK\r\n"]);
    assert_eq!(ending, code(0));
}
