//! The daemon as a process: how it starts, serves, stops and refuses (spec: interface 7, 10).
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Longest wait for something that must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder with a configuration.
struct Setup {
    folder: TempDir,
    port: u16,
}

/// A running daemon; killed if a test forgets it.
struct Daemon(Child);

impl Setup {
    fn new(lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let text = lines.replace("$FOLDER", folder.path().to_str().unwrap());
        let general = format!("port {port}\nbind 127.0.0.1\n");
        fs::write(folder.path().join("sentinel.conf"), general + &text).unwrap();
        Self { folder, port }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vedette"));
        command.arg(self.path("sentinel.conf"));
        command
    }

    /// Starts the daemon with its log in the file `out`; returns when it serves.
    fn start(&self) -> Daemon {
        let out = fs::File::create(self.path("out")).unwrap();
        let daemon = Daemon(self.command().stdout(out).spawn().unwrap());
        self.wait_for("out", "Sentinel ID is ");
        self.wait_for_service();
        daemon
    }

    fn wait_for_service(&self) {
        wait_until("it serves", || self.connect().is_ok());
    }

    fn wait_for(&self, file: &str, text: &str) {
        wait_until(text, || self.read(file).contains(text));
    }

    fn connect(&self) -> std::io::Result<TcpStream> {
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))
    }

    fn ask(&self, request: &str) -> String {
        exchange(self.connect().unwrap(), request)
    }
}

impl Daemon {
    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.0.id().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    fn exit_code(mut self) -> Option<i32> {
        let mut status = None;
        wait_until("it ends", || {
            status = self.0.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap().code()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It has ended already if all went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Says something, says good-bye, and returns all that is answered.
fn exchange(mut stream: impl std::io::Read + std::io::Write, request: &str) -> String {
    stream.write_all(format!("{request}\r\nQUIT\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn run(program: &Path, words: &[&str]) -> Output {
    Command::new(program).args(words).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn it_serves_and_stops_when_told() {
    let setup = Setup::new("pidfile $FOLDER/pid\nunixsocket $FOLDER/socket\n");
    let daemon = setup.start();
    assert_eq!(setup.ask("PING"), "+PONG\r\n+OK\r\n");
    let stream = UnixStream::connect(setup.path("socket")).unwrap();
    assert_eq!(exchange(stream, "PING"), "+PONG\r\n+OK\r\n");
    assert_eq!(setup.read("pid"), format!("{}\n", daemon.0.id()));
    let id = setup.ask("SENTINEL MYID");
    let id = id.lines().nth(1).unwrap();
    assert!(setup.read("sentinel.conf").contains(&format!("sentinel myid {id}\n")));

    daemon.signal(Signal::HUP);
    assert_eq!(setup.ask("PING"), "+PONG\r\n+OK\r\n", "it goes on");
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.exit_code(), Some(0));
    let log = setup.read("out");
    let expected = [
        "* oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo",
        "* Configuration loaded",
        "* monotonic clock: POSIX clock_gettime",
        &format!("* Running mode=sentinel, port={}.", setup.port),
        "* Sentinel new configuration saved on disk",
        &format!("* Sentinel ID is {id}"),
        ") Received SIGTERM scheduling shutdown...",
        "* User requested shutdown...",
        "* Removing the pid file.",
        "* Removing the unix socket file.",
        "# Sentinel is now ready to exit, bye bye...",
    ];
    let mut rest = log.as_str();
    for line in expected {
        let found = rest.find(line).unwrap_or_else(|| panic!("{line:?} comes not or late:\n{log}"));
        rest = &rest[found..];
    }
    assert!(!setup.path("pid").exists() && !setup.path("socket").exists());
}

#[test]
fn a_client_can_shut_it_down() {
    let setup = Setup::new("");
    let daemon = setup.start();
    // The connection ends with the process, before any good-bye.
    let _ = setup.connect().unwrap().write_all(b"SHUTDOWN\r\n");
    assert_eq!(daemon.exit_code(), Some(0));
    assert!(setup.read("out").ends_with("Sentinel is now ready to exit, bye bye...\n"));
}

#[test]
fn an_interrupt_stops_it_too() {
    let setup = Setup::new("");
    let daemon = setup.start();
    daemon.signal(Signal::INT);
    assert_eq!(daemon.exit_code(), Some(0));
    assert!(setup.read("out").contains("Received SIGINT scheduling shutdown..."));
}

#[test]
fn a_change_is_on_disk_when_it_is_confirmed() {
    let setup = Setup::new("");
    let daemon = setup.start();
    let answer = setup.ask("SENTINEL MONITOR m 127.0.0.1 1 2\r\nSENTINEL REMOVE nobody");
    assert_eq!(answer, "+OK\r\n-ERR No such master with that name\r\n+OK\r\n");
    assert!(setup.read("sentinel.conf").contains("sentinel monitor m 127.0.0.1 1 2\n"));
    daemon.signal(Signal::KILL);
    drop(daemon);
    let _again = setup.start();
    let address = "*2\r\n$9\r\n127.0.0.1\r\n$1\r\n1\r\n";
    assert_eq!(setup.ask("SENTINEL GET-MASTER-ADDR-BY-NAME m"), format!("{address}+OK\r\n"));
}

#[test]
fn too_many_clients_are_told_so() {
    let setup = Setup::new("maxclients 1\n");
    let _daemon = setup.start();
    let serves = |stream: &mut TcpStream| {
        let mut answer = [0; 7];
        let answered = stream.write_all(b"PING\r\n").and_then(|()| stream.read_exact(&mut answer));
        answered.is_ok() && &answer == b"+PONG\r\n"
    };
    // The connection that found out that it serves may not be forgotten yet.
    let mut first = None;
    wait_until("room", || {
        first = setup.connect().ok().filter(|stream| serves(&mut stream.try_clone().unwrap()));
        first.is_some()
    });
    let mut answer = String::new();
    setup.connect().unwrap().read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "-ERR max number of clients reached\r\n");
}

#[test]
fn it_goes_to_the_background() {
    let setup = Setup::new("daemonize yes\npidfile $FOLDER/pid\nlogfile $FOLDER/log\n");
    let parent = setup.command().output().unwrap();
    assert!(parent.status.success() && parent.stdout.is_empty(), "{parent:?}");
    setup.wait_for("log", "Sentinel ID is ");
    setup.wait_for_service();
    let pid: i32 = setup.read("pid").trim().parse().unwrap();
    assert_eq!(setup.ask("PING"), "+PONG\r\n+OK\r\n");
    kill_process(Pid::from_raw(pid).unwrap(), Signal::TERM).unwrap();
    setup.wait_for("log", "bye bye...");
}

const BOTH: &str = "Configuring Redis with users defined in redis.conf and at the same setting an \
                    ACL file path is invalid.";
const NOTHING_CHANGED: &str = "WARNING: ACL errors detected, no change to the previously active \
                               ACL rules was performed";

#[test]
fn users_that_cannot_be_are_refused() {
    // Lines of the configuration, lines of the ACL file, and what is said in the reference's words.
    let cases = [
        ("user a >secret foo", "", "Error in user declaration 'a': Syntax error"),
        ("user a on >secret foo", "", "Error in user declaration 'on': Syntax error"),
        ("user a on >secret >other foo", "", "Error in user declaration '>***': Syntax error"),
        ("user a (+ping", "", "Error in user declaration 'user': Unknown command or category"),
        ("user a +nosuch", "", "Error loading ACL rule '+nosuch' for the user named 'a': Unknown"),
        ("user a +nosuch", "", "Critical error while loading ACLs. Exiting."),
        ("user \"a b\" on", "", "Spaces not allowed in ACL usernames"),
        ("aclfile $FOLDER/none", "", "Aborting Redis startup because of ACL errors: Error loading"),
        ("aclfile $FOLDER/acl\nuser a on", "user b on", BOTH),
        ("aclfile $FOLDER/acl", "# comment", "acl:1 should start with user keyword followed by"),
        ("aclfile $FOLDER/acl", "user a on\nuser a off", "Duplicate user 'a' found on line 2."),
        ("aclfile $FOLDER/acl", "user a >secret foo", "acl:1: Syntax error. WARNING: ACL errors"),
        ("aclfile $FOLDER/acl", "user a (+ping", NOTHING_CHANGED),
    ];
    for (lines, acl, expected) in cases {
        let setup = Setup::new(&format!("{lines}\n"));
        fs::write(setup.path("acl"), acl).unwrap();
        let output = setup.command().output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{lines}");
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(said.contains(expected), "{lines}: {said}");
        assert!(!said.contains("secret"), "no password is repeated: {said}");
    }
}

#[test]
fn users_of_the_configuration_are_enforced_and_saved_with_it() {
    let setup = Setup::new("user default on nopass ~* &* +@all\nuser a on >secret +ping\n");
    let daemon = setup.start();
    assert_eq!(setup.ask("AUTH a secret\r\nPING"), "+OK\r\n+PONG\r\n+OK\r\n");
    let info = "-NOPERM User a has no permissions to run the 'info' command\r\n";
    assert_eq!(setup.ask("AUTH a secret\r\nINFO"), format!("+OK\r\n{info}+OK\r\n"));
    assert!(!setup.read("sentinel.conf").contains("secret"), "the hash is enough");
    setup.ask("ACL SETUSER a +info\r\nACL SETUSER b on nopass ~* +@all");
    assert!(!setup.read("sentinel.conf").contains("+info"), "it waits for the next save");
    setup.ask("SENTINEL FLUSHCONFIG");
    assert!(setup.read("sentinel.conf").contains("\nuser b on nopass ~* resetchannels +@all\n"));
    daemon.signal(Signal::KILL);
    drop(daemon);
    let _again = setup.start();
    assert!(setup.ask("AUTH a secret\r\nINFO").contains("redis_mode:sentinel"));
}

#[test]
fn the_acl_file_is_read_and_written_whole() {
    let setup = Setup::new("aclfile $FOLDER/acl\n");
    fs::write(setup.path("acl"), "user a on nopass +ping\n").unwrap();
    fs::set_permissions(setup.path("acl"), fs::Permissions::from_mode(0o640)).unwrap();
    let _daemon = setup.start();
    assert_eq!(setup.ask("ACL SETUSER b on >secret\r\nACL SAVE"), "+OK\r\n+OK\r\n+OK\r\n");
    let saved = setup.read("acl");
    assert!(
        saved.starts_with("user a on nopass resetchannels -@all +ping\nuser b on #"),
        "{saved}"
    );
    assert!(saved.ends_with("\nuser default on nopass ~* &* +@all\n"), "{saved}");
    let mode = fs::metadata(setup.path("acl")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o640);

    fs::write(setup.path("acl"), "user c on\nuser d foo\nuser c on\n").unwrap();
    let said = setup.ask("ACL LOAD\r\nACL USERS");
    assert!(said.contains("acl:2: Syntax error. WARNING: Duplicate user 'c' found on line 3."));
    assert!(said.ends_with("*3\r\n$1\r\na\r\n$1\r\nb\r\n$7\r\ndefault\r\n+OK\r\n"), "{said}");
    fs::write(setup.path("acl"), "user c on\n").unwrap();
    let mut of_b = setup.connect().unwrap();
    of_b.write_all(b"AUTH b secret\r\n").unwrap();
    let mut answer = [0; 5];
    of_b.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"+OK\r\n");
    let said = setup.ask("ACL LOAD\r\nACL USERS");
    assert_eq!(said, "+OK\r\n*2\r\n$1\r\nc\r\n$7\r\ndefault\r\n+OK\r\n");
    let mut rest = String::new();
    assert_eq!(of_b.read_to_string(&mut rest).unwrap(), 0, "whoever is gone is out: {rest}");
    assert!(!setup.read("sentinel.conf").contains("\nuser "), "the ACL file holds the users");
}

/// What a crash leaves where the files cannot be replaced, only overwritten.
#[test]
fn files_that_a_crash_tore_are_put_back() {
    let setup = Setup::new("aclfile $FOLDER/acl\n");
    let whole = setup.read("sentinel.conf");
    fs::write(setup.path("sentinel.conf.vedette-copy"), &whole).unwrap();
    fs::write(setup.path("sentinel.conf"), &whole[..whole.len() / 2]).unwrap();
    fs::write(setup.path("acl.vedette-copy"), "user a on nopass +ping\nuser b on\n").unwrap();
    fs::write(setup.path("acl"), "user a on nopass +ping\nuse").unwrap();
    let _daemon = setup.start();
    let users = "*3\r\n$1\r\na\r\n$1\r\nb\r\n$7\r\ndefault\r\n+OK\r\n";
    assert_eq!(setup.ask("ACL USERS"), users);
    assert_eq!(setup.read("acl"), "user a on nopass +ping\nuser b on\n");
    for name in ["sentinel.conf", "acl"] {
        assert!(!setup.path(&format!("{name}.vedette-copy")).exists(), "{name}");
        let file = setup.path(name);
        let said = format!("A save of {} was cut short: its copy was put back", file.display());
        assert!(setup.read("out").contains(&said), "{said}");
    }
}

/// As after an ACL SAVE in place that failed half way.
#[test]
fn an_acl_file_that_may_be_torn_is_not_loaded() {
    let setup = Setup::new("aclfile $FOLDER/acl\n");
    fs::write(setup.path("acl"), "user a on nopass +ping\n").unwrap();
    let _daemon = setup.start();
    fs::write(setup.path("acl.vedette-copy"), "user a on nopass +@all -@admin\n").unwrap();
    fs::write(setup.path("acl"), "user a on nopass +@all").unwrap();
    let said = setup.ask("ACL LOAD\r\nACL LIST");
    assert!(said.starts_with("-ERR A save of the ACL file was cut short: save it again"), "{said}");
    assert!(said.contains("user a on nopass resetchannels -@all +ping\r\n"), "{said}");
    assert_eq!(setup.ask("ACL SAVE\r\nACL LOAD"), "+OK\r\n+OK\r\n+OK\r\n");
    assert!(!setup.path("acl.vedette-copy").exists());
}

#[test]
fn requirepass_closes_what_the_acl_file_opens() {
    let setup = Setup::new("requirepass secret\naclfile $FOLDER/acl\n");
    fs::write(setup.path("acl"), "user default on nopass ~* &* +@all\n").unwrap();
    let daemon = Daemon(
        setup.command().stdout(fs::File::create(setup.path("out")).unwrap()).spawn().unwrap(),
    );
    setup.wait_for_service();
    assert_eq!(setup.ask("PING"), "-NOAUTH Authentication required.\r\n+OK\r\n");
    assert_eq!(setup.ask("AUTH secret\r\nACL LOAD\r\nPING"), "+OK\r\n+OK\r\n+PONG\r\n+OK\r\n");
    assert_eq!(setup.ask("PING"), "-NOAUTH Authentication required.\r\n+OK\r\n");
    assert!(setup.read("out").contains("`requirepass` asks for a password"));
    drop(daemon);
}

#[test]
fn it_refuses_what_cannot_work() {
    let refused = |lines: &str| {
        let output = Setup::new(lines).command().output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        text(&output.stdout) + &text(&output.stderr)
    };
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let said = refused(&format!("port {port}\n"));
    let wanted = format!(
        "# Warning: Could not create server TCP listening socket 127.0.0.1:{port}: bind: Address \
         already in use\n"
    );
    assert!(said.contains(&wanted), "{said}");
    assert!(said.contains(&format!("# Failed listening on port {port} (tcp), aborting.\n")));

    let said = refused("port 0\n");
    assert!(said.contains("# Configured to not listen anywhere, exiting.\n"), "{said}");
    let said = refused("unixsocket /nonexistent/socket\n");
    assert!(said.contains("# Failed opening Unix socket: bind: No such file"), "{said}");
    let said = refused("nonsense 1\n");
    assert!(said.starts_with("\n*** FATAL CONFIG FILE ERROR (Redis "), "{said}");
    let said = refused("logfile /nonexistent/log\n");
    assert!(said.ends_with("Can't open the log file: No such file or directory\n"), "{said}");
}

#[test]
fn under_the_references_name_it_takes_the_references_words() {
    let setup = Setup::new("");
    let link = setup.path("redis-sentinel");
    symlink(env!("CARGO_BIN_EXE_vedette"), &link).unwrap();
    let said = |words: &[&str], code| {
        let output = run(&link, words);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        (text(&output.stdout), text(&output.stderr))
    };
    let (out, err) = said(&["-h"], 1);
    assert!(out.is_empty() && err.starts_with("Usage: redis-sentinel "), "{out}{err}");
    let (out, err) = said(&["--version"], 0);
    assert!(out.starts_with("Redis server v=") && err.is_empty(), "{out}{err}");
    let (out, _) = said(&[], 1);
    assert!(out.ends_with("Sentinel needs config file on disk to save state. Exiting...\n"));
    let (out, _) = said(&["/nonexistent.conf"], 1);
    assert!(
        out.contains("# Fatal error, can't open config file '/nonexistent.conf': No such file")
    );
    let (_, err) = said(&[setup.path("sentinel.conf").to_str().unwrap(), "stray"], 1);
    assert!(err.contains(">>> '\"stray\"'\n"), "{err}");
}
