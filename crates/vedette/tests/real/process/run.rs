//! One program, started once in a folder of its own, and what it said in a form that can be
//! compared.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;

use rustix::process::Signal;
use vedette::lab::{BOUND, Folder, PortBlock, Process, programs, until};
use vedette_wire::Dialect;

use crate::group::{found, program};

/// Which program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Make {
    Ours,
    Reference,
}

/// What is said at level notice by Redis 8, which ours is, and at level warning by Redis 7.
const LOWERED: &[&str] = &[
    "oO0OoO0OoO0Oo ",
    "Redis version=",
    "Configuration loaded",
    "Reading config from stdin",
    "Sentinel ID is ",
    "User requested shutdown...",
];
/// Lines that come as often as somebody looks, or as the pace of reconnecting wants it.
const AS_IT_COMES: &[&str] =
    &[" - Accepted ", " - Client closed connection ", "-link-reconnection "];
/// Of the machine and of the build: what saves data may want more memory than there is.
const OF_THE_MACHINE: &str = "# WARNING Memory overcommit must be enabled!";
const CLOCK: &str = "monotonic clock: ";
/// Redis 8 says it before the listeners are opened, Redis 7 afterwards.
const RUNNING_MODE: &str = " * Running mode=sentinel";

/// A folder, a port, and the words to start a program with.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) make: Make,
    pub(crate) dialect: Dialect,
    pub(crate) port: u16,
    folder: Folder,
    _ports: PortBlock,
    /// What stands before the program, such as `env` or `prlimit`.
    pub(crate) before: Vec<String>,
    /// What stands after the file.
    pub(crate) after: Vec<String>,
    /// Levels below this are not written, whichever level Redis 7 gives them.
    pub(crate) is_quiet: bool,
}

/// The settings of both programs; of ours alone where the reference is not installed.
pub(crate) fn both(dialect: Dialect, lines: &str) -> Vec<Setting> {
    let mut all = vec![Setting::new(Make::Ours, dialect, lines)];
    if reference(dialect).is_some() {
        all.push(Setting::new(Make::Reference, dialect, lines));
    }
    all
}

fn reference(dialect: Dialect) -> Option<PathBuf> {
    match dialect {
        Dialect::Redis => found("redis-server", programs::redis_server()),
        Dialect::Valkey => found("Valkey", programs::valkey_server()),
    }
}

/// Does the same with ours and each reference and expects the same; returns what came of it.
#[track_caller]
pub(crate) fn alike<T: PartialEq + std::fmt::Debug>(
    lines: &str,
    mut act: impl FnMut(&mut Setting) -> T,
) -> T {
    let [_, ours] = [Dialect::Valkey, Dialect::Redis].map(|it| alike_as(it, lines, &mut act));
    ours
}

/// The same beside one reference.
#[track_caller]
pub(crate) fn alike_as<T: PartialEq + std::fmt::Debug>(
    dialect: Dialect,
    lines: &str,
    mut act: impl FnMut(&mut Setting) -> T,
) -> T {
    let mut outcomes = both(dialect, lines).into_iter().map(|mut setting| act(&mut setting));
    let ours = outcomes.next().unwrap();
    if let Some(reference) = outcomes.next() {
        assert_eq!(ours, reference, "ours, the reference's: {dialect:?} {lines}");
    }
    ours
}

impl Setting {
    /// A folder with these lines after the port; `$FOLDER` and `$PORT` are put in.
    pub(crate) fn new(make: Make, dialect: Dialect, lines: &str) -> Self {
        let folder = Folder::new(None).unwrap();
        let mut ports = PortBlock::claim().unwrap();
        let port = ports.take().unwrap();
        let setting = Self {
            make,
            dialect,
            port,
            folder,
            _ports: ports,
            before: Vec::new(),
            after: Vec::new(),
            is_quiet: false,
        };
        setting.write("sentinel.conf", &format!("port $PORT\nbind 127.0.0.1\n{lines}"));
        setting
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A text with this setting's folder and port.
    pub(crate) fn put_in(&self, text: &str) -> String {
        let folder = self.folder.path().display().to_string();
        text.replace("$FOLDER", &folder).replace("$PORT", &self.port.to_string())
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), self.put_in(text)).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    pub(crate) fn set_after(&mut self, words: &[&str]) {
        self.after = words.iter().map(|word| self.put_in(word)).collect();
    }

    pub(crate) fn set_before(&mut self, words: &[&str]) {
        self.before = words.iter().map(|word| self.put_in(word)).collect();
    }

    /// Starts it on its file, with both outputs in the file `out`.
    pub(crate) fn start(&self) -> Process {
        let conf = self.path("sentinel.conf").display().to_string();
        self.start_on(&[conf])
    }

    /// Starts it with these words in the file's place.
    pub(crate) fn start_on(&self, file: &[String]) -> Process {
        let program = self.as_the_sentinel();
        let mut words = self.before.clone();
        words.push(program.display().to_string());
        words.extend_from_slice(file);
        words.extend_from_slice(&self.after);
        Process::start(&words, self.folder.path(), &self.path("out")).unwrap()
    }

    /// The program under the reference's name, as somebody has ours who replaced it.
    fn as_the_sentinel(&self) -> PathBuf {
        let link = self.path(&format!("{}-sentinel", self.dialect));
        if !link.exists() {
            let program = match self.make {
                Make::Ours => program(),
                Make::Reference => reference(self.dialect).unwrap(),
            };
            std::os::unix::fs::symlink(program, &link).unwrap();
        }
        link
    }

    /// A connection once it serves.
    pub(crate) fn connect(&self) -> TcpStream {
        let connect = || TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok();
        let stream = until("a connection", BOUND, connect);
        let stream = stream.unwrap_or_else(|error| panic!("{error}: {}", self.read("out")));
        stream.set_read_timeout(Some(BOUND)).unwrap();
        stream
    }

    /// The first line of the answer to an inline command.
    pub(crate) fn ask(&self, command: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(format!("{command}\r\n").as_bytes()).unwrap();
        let mut answer = Vec::new();
        let mut byte = [0];
        while !answer.ends_with(b"\r\n") && stream.read(&mut byte).unwrap() > 0 {
            answer.push(byte[0]);
        }
        String::from_utf8(answer).unwrap()
    }

    /// Starts it, lets it serve, sends the signals, and waits for the end.
    pub(crate) fn serve_until(&self, signals: &[Signal]) -> (Ending, Vec<String>) {
        let mut process = self.start();
        assert_eq!(self.ask("PING"), "+PONG\r\n");
        for &signal in signals {
            process.signal(signal);
        }
        self.end_of(&mut process)
    }

    /// Starts it and waits until it ends by itself.
    pub(crate) fn refused(&self) -> (Ending, Vec<String>) {
        self.end_of(&mut self.start())
    }

    /// Waits for the end; how it ended, and what was said on both outputs.
    pub(crate) fn end_of(&self, process: &mut Process) -> (Ending, Vec<String>) {
        let status = process.wait_for_end(BOUND).unwrap();
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        let pid = process.pid();
        (Ending { code: status.code(), signal }, self.comparable(&self.read("out"), pid))
    }

    /// Waits until a file contains a text.
    pub(crate) fn wait_for(&self, file: &str, text: &str) {
        until(text, BOUND, || self.read(file).contains(text).then_some(()))
            .unwrap_or_else(|error| panic!("{error}: {}", self.read(file)));
    }

    /// The lines of a log without what differs from run to run, at Redis 8's levels.
    pub(crate) fn comparable(&self, log: &str, pid: u32) -> Vec<String> {
        log.lines()
            .filter(|line| !AS_IT_COMES.iter().any(|often| line.contains(often)))
            .filter(|line| !line.contains(OF_THE_MACHINE))
            .filter(|line| !line.contains(RUNNING_MODE) || !log.contains("aborting.\n"))
            .map(|line| self.comparable_line(line, pid))
            .filter(|line| !self.is_quiet || !line.contains(" * "))
            .collect()
    }

    fn comparable_line(&self, line: &str, pid: u32) -> String {
        let folder = self.folder.path().display().to_string();
        let line = without_pid(&line.replace(&folder, "$FOLDER"), pid);
        let line = line.replace(&self.port.to_string(), "$PORT");
        // Versions and the spelling of Redis 8.
        let line = line.replace("7.0.15", "VERSION").replace(self.dialect.version(), "VERSION");
        let line = line.replace("(TCP), aborting", "(tcp), aborting");
        let line = line.replace("notice, warning, nothing", "notice, warning");
        let Some((head, text)) = line.split_once(" # ").or_else(|| line.split_once(" * ")) else {
            return without_seconds(&line);
        };
        let is_lowered = LOWERED.iter().any(|lowered| text.starts_with(lowered));
        let mark = if is_lowered || !line.contains(" # ") { '*' } else { '#' };
        let text = &text.replace("modified=1,", "modified=0,");
        let text = if text.starts_with(CLOCK) { CLOCK } else { text };
        let text = match text.strip_prefix("Sentinel ID is ") {
            Some(id) => format!("Sentinel ID is of {} characters", id.len()),
            None => without_ends(text),
        };
        format!("{} {mark} {text}", without_time(head))
    }
}

/// A text in which this process's number is called PID where processes are named. A small number
/// may stand elsewhere by chance.
pub(crate) fn without_pid(text: &str, pid: u32) -> String {
    let text = match text.strip_prefix(&format!("{pid}:")) {
        Some(rest) => format!("PID:{rest}"),
        None => text.to_owned(),
    };
    text.replace(&format!("pid={pid},"), "pid=PID,").replace(&format!("[{pid}]"), "[PID]")
}

/// A client as the log shows it, without the numbers that the system gave it.
fn without_ends(text: &str) -> String {
    let given = [" addr=127.0.0.1:", " fd="];
    given.iter().fold(text.to_owned(), |text, name| match text.split_once(name) {
        Some((head, tail)) => {
            let digits = tail.bytes().take_while(u8::is_ascii_digit).count();
            format!("{head}{name}…{}", &tail[digits..])
        }
        None => text,
    })
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
}

/// It ended by itself with this code.
pub(crate) fn code(code: i32) -> Ending {
    Ending { code: Some(code), signal: None }
}

/// `PID:X 23 Nov 2026 04:17:02.675` with the shape of its digits only.
fn without_time(head: &str) -> String {
    head.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect::<String>().replace(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
            .into_iter()
            .find(|month| head.contains(month))
            .unwrap_or("Mon"),
        "Mon",
    )
}

/// `PID:signal-handler (1795442404) text`, and debug lines.
fn without_seconds(line: &str) -> String {
    match line.split_once(") ") {
        Some((head, text)) if head.contains(":signal-handler (") => {
            format!("PID:signal-handler (0) {text}")
        }
        Some(_) | None => match line.split_once(" . ") {
            Some((head, text)) => format!("{} . {text}", without_time(head)),
            None => line.to_owned(),
        },
    }
}
