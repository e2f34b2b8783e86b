//! Data nodes and Sentinels that listen on TLS ports.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use vedette::lab::{BOUND, Folder, PortBlock, Process, Sentinel, Template, fields, text, until};

use super::certificates::{Authority, Identity};
use super::line::ask;
use crate::group::found;

/// The master's name.
pub(crate) const MASTER: &str = "mymaster";

/// What everything lives in. Processes are to be dropped before it.
pub(crate) struct Setting {
    pub(crate) folder: Folder,
    pub(crate) ports: PortBlock,
    pub(crate) authority: Authority,
}

/// A data node.
pub(crate) struct Node {
    pub(crate) port: u16,
    pub(crate) process: Process,
}

/// `redis-server` and `redis-cli`, if they can speak TLS.
pub(crate) fn redis() -> Option<(PathBuf, PathBuf)> {
    let server = found("redis-server", vedette::lab::programs::redis_server())?;
    let cli = server.with_file_name("redis-cli");
    let help = std::process::Command::new(&cli).arg("--help").output().ok()?;
    let all = [help.stdout, help.stderr].concat();
    String::from_utf8_lossy(&all).contains("--tls").then_some((server, cli))
}

impl Setting {
    pub(crate) fn new() -> Self {
        let folder = Folder::new(None).unwrap();
        let authority = Authority::new(folder.path(), "authority");
        Self { folder, ports: PortBlock::claim().unwrap(), authority }
    }

    /// A data node with nothing but a TLS port, and replication over TLS.
    pub(crate) fn node(&mut self, server: &Path, of: Option<u16>, who: &Identity) -> Node {
        let port = self.ports.take().unwrap();
        let folder = self.folder.path().join(format!("node-{port}"));
        std::fs::create_dir_all(&folder).unwrap();
        let mut lines = who.lines();
        lines.extend([
            "port 0".to_owned(),
            format!("tls-port {port}"),
            "tls-replication yes".to_owned(),
            "bind 127.0.0.1".to_owned(),
            format!("dir \"{}\"", folder.display()),
            "save \"\"".to_owned(),
            "repl-diskless-sync-delay 0".to_owned(),
        ]);
        lines.extend(of.map(|master| format!("replicaof 127.0.0.1 {master}")));
        let conf = folder.join("redis.conf");
        std::fs::write(&conf, lines.join("\n") + "\n").unwrap();
        let words = [server.display().to_string(), conf.display().to_string()];
        let process = Process::start(&words, &folder, &folder.join("log")).unwrap();
        Node { port, process }
    }

    /// A Sentinel with these lines beside its port and certificates.
    pub(crate) fn sentinel(
        &mut self,
        template: Template,
        who: &Identity,
        lines: &[String],
    ) -> Sentinel {
        let port = self.ports.take().unwrap();
        let mut all = who.lines();
        all.extend([format!("tls-port {port}"), "bind 127.0.0.1".to_owned()]);
        all.extend(lines.iter().cloned());
        if !lines.iter().any(|line| line.starts_with("port ")) {
            all.push("port 0".to_owned());
        }
        Sentinel::start(template, port, &all, self.folder.path()).unwrap()
    }
}

/// The lines that watch a master over TLS.
pub(crate) fn watching(master: u16) -> Vec<String> {
    vec![
        "tls-replication yes".to_owned(),
        format!("sentinel monitor {MASTER} 127.0.0.1 {master} 2"),
        format!("sentinel down-after-milliseconds {MASTER} 1000"),
        format!("sentinel failover-timeout {MASTER} 10000"),
    ]
}

/// Waits until it answers PING.
pub(crate) fn wait_until_ready(port: u16, who: &Identity) {
    let answers = || ask(port, who, &["PING"]).ok().filter(|pong| text(pong) == "PONG");
    until(&format!("a PONG on port {port}"), BOUND, answers).unwrap();
}

/// The fields of each entry of a listing such as REPLICAS.
pub(crate) fn list(port: u16, who: &Identity, listing: &str) -> Vec<BTreeMap<String, String>> {
    let answer = ask(port, who, &["SENTINEL", listing, MASTER]);
    let entries = |frame: vedette_resp::Frame| -> Vec<_> {
        frame.items().unwrap_or_default().iter().map(fields).collect()
    };
    answer.map(entries).unwrap_or_default()
}

/// The flags of the master, if the Sentinel answers.
pub(crate) fn master_flags(port: u16, who: &Identity) -> Option<String> {
    let answer = ask(port, who, &["SENTINEL", "MASTER", MASTER]).ok()?;
    fields(&answer).get("flags").cloned()
}

/// The port that a Sentinel names as the master's.
pub(crate) fn master_port(port: u16, who: &Identity) -> Option<u16> {
    let answer = ask(port, who, &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER]).ok()?;
    text(answer.items()?.get(1)?).parse().ok()
}
