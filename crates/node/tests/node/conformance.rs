//! One script on the model, on Redis 7.0 and on Valkey 9: equal transcripts.
//!
//! A script is lines of `connection@server: words`, with options in front in brackets:
//!
//! * a number: so many replies, 1 if not given; `eof`: then the server closes;
//! * `raw`: the one word is sent as it is, not as a command;
//! * `digits`: numbers in the reply do not matter; `sorted`: the order of its lines does not;
//! * `lines=a,b`: only these lines matter;
//! * `until=text`: asked again until the reply contains the text;
//! * `not-valkey=reason`: Valkey differs here from Redis, and the model follows Redis.
//!
//! `busy@server` starts a script there that runs until it is killed.
//!
//! `servers n` and `parameter name value` come first. `$port0` stands for the port of server 0.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use vedette_node::{Fault, NodeConfig};
use vedette_resp::{Frame, ReplyDecoder, encode_command, split_words};

use crate::network::{Client, Network};
use crate::servers::{Flavour, Server};

/// How long a real server may take for a reply or a condition.
const ANSWER_MAX: Duration = Duration::from_secs(20);

#[derive(Debug, Default)]
struct Script {
    servers: usize,
    parameters: Vec<(String, String)>,
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    text: String,
    connection: String,
    server: usize,
    words: Vec<Vec<u8>>,
    raw: bool,
    replies: usize,
    eof: bool,
    digits: bool,
    sorted: bool,
    lines: Option<Vec<String>>,
    until: Option<String>,
    not_valkey: bool,
    starts_script: bool,
}

impl Script {
    fn parse(text: &str) -> Self {
        let mut script = Script { servers: 1, ..Script::default() };
        for line in text.lines().map(str::trim) {
            let words: Vec<&str> = line.splitn(3, ' ').collect();
            match words[..] {
                [""] => {}
                [first, ..] if first.starts_with('#') => {}
                ["servers", count] => script.servers = count.parse().expect("a number"),
                ["parameter", name, value] => {
                    script.parameters.push((name.to_owned(), value.to_owned()));
                }
                _ => script.steps.push(Step::parse(line)),
            }
        }
        script
    }
}

impl Step {
    fn parse(line: &str) -> Self {
        let (options, rest) = match line.strip_prefix('[') {
            Some(rest) => rest.split_once("] ").expect("a closing bracket"),
            None => ("", line),
        };
        let (target, words) = rest.split_once(": ").unwrap_or((rest, ""));
        let (connection, server) = target.split_once('@').expect("connection@server");
        let words = split_words(words.as_bytes()).expect("balanced quotes");
        let mut step = Step {
            text: line.to_owned(),
            connection: target.to_owned(),
            server: server.parse().expect("a number"),
            words: words.iter().map(|word| word.to_vec()).collect(),
            raw: false,
            replies: 1,
            eof: false,
            digits: false,
            sorted: false,
            lines: None,
            until: None,
            not_valkey: false,
            starts_script: line.starts_with("busy@"),
        };
        assert!(!connection.is_empty(), "{line}");
        for option in options.split(';').map(str::trim).filter(|option| !option.is_empty()) {
            step.set(option);
        }
        step
    }

    fn set(&mut self, option: &str) {
        match option.split_once('=').unwrap_or((option, "")) {
            ("raw", "") => self.raw = true,
            ("eof", "") => self.eof = true,
            ("digits", "") => self.digits = true,
            ("sorted", "") => self.sorted = true,
            ("lines", names) => self.lines = Some(names.split(',').map(str::to_owned).collect()),
            ("until", text) => self.until = Some(text.to_owned()),
            ("not-valkey", reason) if !reason.is_empty() => self.not_valkey = true,
            (count, "") => self.replies = count.parse().expect("an option"),
            _ => panic!("unknown option {option}"),
        }
    }

    fn bytes(&self, ports: &[u16]) -> Vec<u8> {
        let filled = self.words.iter().map(|word| {
            let mut word = String::from_utf8_lossy(word).into_owned();
            for (index, port) in ports.iter().enumerate() {
                word = word.replace(&format!("$port{index}"), &port.to_string());
            }
            word.into_bytes()
        });
        if self.raw {
            return self.words.concat();
        }
        let words: Vec<Vec<u8>> = filled.collect();
        let words: Vec<&[u8]> = words.iter().map(|word| &word[..]).collect();
        let mut out = BytesMut::new();
        encode_command(&mut out, &words);
        out.to_vec()
    }

    /// What counts of a reply.
    fn masked(&self, frame: &Frame, ports: &[u16]) -> String {
        let mut text = String::new();
        render(frame, 0, &mut text);
        if let Some(names) = &self.lines {
            let wanted = |line: &&str| {
                names.iter().any(|name| line.trim_start().starts_with(&format!("{name}:")))
            };
            text = text.lines().filter(wanted).collect::<Vec<_>>().join("\n");
        }
        if self.sorted {
            let mut lines: Vec<&str> = text.lines().collect();
            lines.sort_unstable();
            text = lines.join("\n");
        }
        let number = |digits: &str| match ports.iter().position(|port| digits == port.to_string()) {
            _ if self.digits => "#".to_owned(),
            Some(index) => format!("<port{index}>"),
            None => digits.to_owned(),
        };
        replace_runs(&mask_ids(&text), |byte| byte.is_ascii_digit(), number)
    }
}

fn render(frame: &Frame, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    let (name, items) = match frame {
        Frame::Array(items) => ("array", items),
        Frame::Set(items) => ("set", items),
        Frame::Push(items) => ("push", items),
        Frame::Map(pairs) => {
            out.push_str(&format!("{indent}map of {}\n", pairs.len()));
            for (key, value) in pairs {
                render(key, depth + 1, out);
                render(value, depth + 1, out);
            }
            return;
        }
        other => {
            let kind = format!("{other:?}");
            let kind = kind.split('(').next().unwrap_or_default();
            let value = match (other, other.text()) {
                (_, Some(text)) => text.escape_ascii().to_string().replace("\\r\\n", "\n"),
                (Frame::Integer(value), None) => value.to_string(),
                (other, None) => format!("{other:?}"),
            };
            out.push_str(&format!("{indent}{kind} {value}\n"));
            return;
        }
    };
    out.push_str(&format!("{indent}{name} of {}\n", items.len()));
    for item in items {
        render(item, depth + 1, out);
    }
}

/// Replaces each run of such characters.
fn replace_runs(text: &str, belongs: fn(char) -> bool, with: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(belongs) {
        let (before, run) = rest.split_at(start);
        let len = run.find(|character| !belongs(character)).unwrap_or(run.len());
        out.push_str(before);
        out.push_str(&with(&run[..len]));
        rest = &run[len..];
    }
    out + rest
}

fn mask_ids(text: &str) -> String {
    let is_id = |run: &str| run.len() == 40 && run.chars().any(|digit| digit != '0');
    let mask = |run: &str| if is_id(run) { "<id>".to_owned() } else { run.to_owned() };
    replace_runs(text, |character| character.is_ascii_hexdigit(), mask)
}

/// Something a script can run on.
trait Target {
    fn ports(&self) -> Vec<u16>;
    fn send(&mut self, step: &Step, bytes: &[u8]);
    /// The next reply, or `None` at the end of the connection.
    fn receive(&mut self, step: &Step) -> Option<Frame>;
    /// Lets a little time pass; false when it has been enough.
    fn wait(&mut self, since: Instant) -> bool;
    /// Starts an endless script.
    fn start_script(&mut self, step: &Step);
}

fn run(script: &Script, target: &mut dyn Target) -> Vec<String> {
    let ports = target.ports();
    script.steps.iter().map(|step| run_step(step, target, &ports)).collect()
}

fn run_step(step: &Step, target: &mut dyn Target, ports: &[u16]) -> String {
    let start = Instant::now();
    if step.starts_script {
        target.start_script(step);
        return String::new();
    }
    loop {
        target.send(step, &step.bytes(ports));
        let mut transcript = String::new();
        for _ in 0..step.replies {
            match target.receive(step) {
                Some(frame) => transcript.push_str(&step.masked(&frame, ports)),
                None => transcript.push_str("closed\n"),
            }
        }
        if step.eof {
            let end = target.receive(step);
            transcript.push_str(if end.is_none() { "closed\n" } else { "open\n" });
        }
        let Some(wanted) = &step.until else { return transcript };
        if transcript.contains(wanted) {
            return String::new();
        }
        assert!(target.wait(start), "{} never came: {transcript}", step.text);
    }
}

struct Real {
    servers: Vec<Server>,
    connections: BTreeMap<String, (TcpStream, ReplyDecoder)>,
}

impl Real {
    fn start(flavour: Flavour, script: &Script) -> Self {
        let start = |_| Server::start(flavour, &script.parameters);
        Self { servers: (0..script.servers).map(start).collect(), connections: BTreeMap::new() }
    }

    fn ask(&mut self, step: &Step) -> Option<Frame> {
        self.send(step, &step.bytes(&[]));
        self.receive(step)
    }

    fn connection(&mut self, step: &Step) -> &mut (TcpStream, ReplyDecoder) {
        let port = self.servers[step.server].port;
        self.connections.entry(step.connection.clone()).or_insert_with(|| {
            let stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
            stream.set_read_timeout(Some(ANSWER_MAX)).expect("a time-out");
            (stream, ReplyDecoder::default())
        })
    }
}

impl Target for Real {
    fn ports(&self) -> Vec<u16> {
        self.servers.iter().map(|server| server.port).collect()
    }

    fn send(&mut self, step: &Step, bytes: &[u8]) {
        // A server that has closed is noticed when reading.
        let _ = self.connection(step).0.write_all(bytes);
    }

    fn receive(&mut self, step: &Step) -> Option<Frame> {
        let (stream, decoder) = self.connection(step);
        loop {
            if let Some(frame) = decoder.next().expect("a server speaks the protocol") {
                return Some(frame);
            }
            let mut chunk = [0; 4096];
            match stream.read(&mut chunk) {
                Ok(0) => return None,
                Ok(len) => decoder.feed(&chunk[..len]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => panic!("no reply to {}: {error}", step.text),
            }
        }
    }

    fn wait(&mut self, since: Instant) -> bool {
        std::thread::sleep(Duration::from_millis(20));
        since.elapsed() < ANSWER_MAX
    }

    fn start_script(&mut self, step: &Step) {
        let start = Instant::now();
        let mut out = BytesMut::new();
        encode_command(&mut out, &[b"EVAL", b"while true do end", b"0"]);
        self.send(step, &out);
        let probe = Step::parse(&format!("probe@{}: PING", step.server));
        while !format!("{:?}", self.ask(&probe)).contains("BUSY") {
            assert!(self.wait(start), "the script does not run");
        }
    }
}

struct Model {
    network: Network,
    clients: BTreeMap<String, Client>,
    waits: usize,
}

impl Model {
    fn start(script: &Script) -> Self {
        let mut network = Network::default();
        for _ in 0..script.servers {
            let mut parameters = script.parameters.clone();
            parameters.push(("save".to_owned(), String::new()));
            network.add(NodeConfig { parameters, full_sync_ms: 0, ..NodeConfig::default() });
        }
        Self { network, clients: BTreeMap::new(), waits: 0 }
    }

    fn client(&mut self, step: &Step) -> Client {
        let network = &mut self.network;
        *self.clients.entry(step.connection.clone()).or_insert_with(|| network.connect(step.server))
    }
}

impl Target for Model {
    fn ports(&self) -> Vec<u16> {
        self.network.nodes.iter().map(|node| node.config().port).collect()
    }

    fn send(&mut self, step: &Step, bytes: &[u8]) {
        let client = self.client(step);
        self.network.send(client, bytes);
    }

    fn receive(&mut self, step: &Step) -> Option<Frame> {
        let client = self.client(step);
        for _ in 0..100 {
            if let Some(frame) = self.network.next_frame(client) {
                return Some(frame);
            }
            if !self.network.is_open(client) {
                return None;
            }
            self.network.pass(50);
        }
        panic!("the model does not answer {}", step.text);
    }

    fn wait(&mut self, _: Instant) -> bool {
        self.network.pass(50);
        self.waits += 1;
        self.waits < 1_000
    }

    fn start_script(&mut self, step: &Step) {
        let script = Fault::ScriptStarted { has_written: false };
        self.network.fault(step.server, script);
    }
}

fn check(text: &str) {
    let script = Script::parse(text);
    let model = run(&script, &mut Model::start(&script));
    for flavour in [Flavour::Redis, Flavour::Valkey] {
        let real = run(&script, &mut Real::start(flavour, &script));
        let mut differences = String::new();
        for ((step, model), real) in script.steps.iter().zip(&model).zip(&real) {
            if model != real && !(flavour == Flavour::Valkey && step.not_valkey) {
                let text = &step.text;
                differences
                    .push_str(&format!("{text}\n--- {flavour:?}\n{real}--- model\n{model}\n"));
            }
        }
        assert!(differences.is_empty(), "the model differs from {flavour:?}:\n{differences}");
    }
}

#[test]
fn a_difference_is_found() {
    let transcript = |text: &str| {
        let script = Script::parse(text);
        run(&script, &mut Model::start(&script))
    };
    let plain = transcript("a@0: CONFIG GET hz");
    assert_ne!(plain, transcript("parameter hz 11\na@0: CONFIG GET hz"));
    assert_eq!(plain.len(), 1);
}

macro_rules! scripts {
    ($($name:ident),+ $(,)?) => {
        $(
            #[test]
            fn $name() {
                check(include_str!(concat!("scripts/", stringify!($name), ".txt")));
            }
        )+
    };
}

scripts!(
    protocol,
    connection,
    auth,
    keyspace,
    transactions,
    pubsub,
    clients,
    config,
    failover,
    replication,
    busy,
);
