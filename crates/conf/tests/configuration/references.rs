//! Files of ours in the hands of Redis and Valkey, and theirs in ours. A reference that is not
//! installed is skipped; `VEDETTE_REFERENCES` may name server programs, separated by colons.

use std::io::{Read as _, Write as _};
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
    found.retain(|program| program.is_file());
    found.sort_by_key(|program| program.file_name().map(ToOwned::to_owned));
    found.dedup_by_key(|program| program.file_name().map(ToOwned::to_owned));
    found
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

    /// The answer to an inline command, as far as it comes in one piece.
    fn ask(&self, command: &str) -> String {
        let mut stream = UnixStream::connect(&self.socket).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a bound");
        stream.write_all(format!("{command}\r\n").as_bytes()).expect("it reads");
        let mut answer = [0; 4096];
        let length = stream.read(&mut answer).expect("it answers");
        String::from_utf8_lossy(&answer[..length]).into_owned()
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
