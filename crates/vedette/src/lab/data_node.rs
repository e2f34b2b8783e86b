//! A data node: a real server or a model of one.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::{BOUND, Client, Process, info_field, programs, text, until};

/// What the data nodes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataServer {
    /// A `redis-server` or `valkey-server`.
    Program(PathBuf),
    /// `vedette node` of this binary.
    Model(PathBuf),
}

impl DataServer {
    /// How to call it in a sentence.
    pub fn describe(&self) -> String {
        match self {
            Self::Program(path) => format!("{} {}", path.display(), programs::version_of(path)),
            Self::Model(_) => "model nodes (vedette node)".to_owned(),
        }
    }
}

/// How to start a node.
#[derive(Clone, Debug)]
pub(super) struct NodeSpec {
    pub(super) server: DataServer,
    pub(super) port: u16,
    pub(super) replica_of: Option<u16>,
    pub(super) password: Option<String>,
    pub(super) lines: Vec<String>,
}

/// One data node and its process.
#[derive(Debug)]
pub struct DataNode {
    spec: NodeSpec,
    folder: PathBuf,
    process: Process,
}

impl DataNode {
    pub(super) fn start(spec: NodeSpec, parent: &Path) -> anyhow::Result<Self> {
        let folder = parent.join(format!("node-{}", spec.port));
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("redis.conf"), spec.config_text(&folder))?;
        let process = spec.start_process(&folder)?;
        Ok(Self { spec, folder, process })
    }

    /// Where it listens on loopback.
    pub fn port(&self) -> u16 {
        self.spec.port
    }

    /// Its process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Starts it again from its own file, which the server may have rewritten meanwhile.
    ///
    /// # Errors
    ///
    /// The program cannot be started.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.process.kill();
        self.process = self.spec.start_process(&self.folder)?;
        Ok(())
    }

    /// Starts it again as a replica, from a fresh file.
    ///
    /// # Errors
    ///
    /// The program cannot be started.
    pub fn restart_as_replica_of(&mut self, master: u16) -> anyhow::Result<()> {
        self.process.kill();
        self.spec.replica_of = Some(master);
        std::fs::write(self.folder.join("redis.conf"), self.spec.config_text(&self.folder))?;
        self.process = self.spec.start_process(&self.folder)?;
        Ok(())
    }

    /// A connection that has given the password.
    ///
    /// # Errors
    ///
    /// Refused, or the password is.
    pub fn client(&self) -> anyhow::Result<Client> {
        connect(self.port(), self.spec.password.as_deref())
    }

    /// Its password, if it wants one.
    pub fn password(&self) -> Option<&str> {
        self.spec.password.as_deref()
    }

    /// The replication section of INFO, if it answers.
    pub fn replication(&self) -> Option<String> {
        Some(text(&self.client().ok()?.ask(&["INFO", "replication"]).ok()?))
    }

    /// Whether it says `role:master`.
    pub fn is_master(&self) -> bool {
        self.replication().is_some_and(|info| info_field(&info, "role") == Some("master"))
    }

    /// Whether it follows `master` with its link up.
    pub fn is_in_sync_with(&self, master: u16) -> bool {
        self.replication().is_some_and(|info| {
            info_field(&info, "role") == Some("slave")
                && info_field(&info, "master_port") == Some(master.to_string().as_str())
                && info_field(&info, "master_link_status") == Some("up")
        })
    }

    /// How many clients that increment are connected with it.
    pub fn writers(&self) -> usize {
        let list = || Some(text(&self.client().ok()?.ask(&["CLIENT", "LIST"]).ok()?));
        list().map_or(0, |list| writers(&list))
    }

    /// How many increments it refused because it follows somebody.
    pub fn refused_increments(&self) -> Option<u64> {
        let info = text(&self.client().ok()?.ask(&["INFO", "commandstats"]).ok()?);
        // Some clients say INCR, others INCRBY.
        let stats = info.lines().filter(|line| line.starts_with("cmdstat_incr"));
        let words = stats.flat_map(|line| line.split([',', ':']));
        let refused = words.filter_map(|word| word.strip_prefix("rejected_calls="));
        refused.map(|count| count.parse::<u64>().ok()).sum()
    }

    pub(super) fn wait_until_ready(&self) -> anyhow::Result<()> {
        let what = format!("the data node on port {}", self.port());
        until(&what, BOUND, || match self.spec.replica_of {
            Some(master) => self.is_in_sync_with(master).then_some(()),
            None => self.is_master().then_some(()),
        })
        .with_context(|| format!("its log: {}", self.process.output()))
    }
}

/// The connections in a CLIENT LIST, replication aside, whose last command was INCR or INCRBY.
pub fn writers(list: &str) -> usize {
    let is_writer = |line: &&str| {
        let mut words = line.split(' ');
        words.clone().any(|word| word.starts_with("cmd=incr"))
            && !words.any(|word| word == "flags=M")
    };
    list.lines().filter(is_writer).count()
}

/// A connection to a data node of loopback that has given the password.
pub(super) fn connect(port: u16, password: Option<&str>) -> anyhow::Result<Client> {
    let mut client = Client::connect(port)?;
    client.give(password).context("AUTH")?;
    Ok(client)
}

impl NodeSpec {
    fn start_process(&self, folder: &Path) -> anyhow::Result<Process> {
        Process::start(&self.words(folder), folder, &folder.join("log"))
    }

    fn words(&self, folder: &Path) -> Vec<String> {
        match &self.server {
            DataServer::Program(path) => {
                vec![path.display().to_string(), folder.join("redis.conf").display().to_string()]
            }
            DataServer::Model(vedette) => {
                let mut words = vec![vedette.display().to_string(), "node".to_owned()];
                words.extend(["--port".to_owned(), self.port.to_string()]);
                if let Some(master) = self.replica_of {
                    words.extend(["--replicaof".to_owned(), format!("127.0.0.1:{master}")]);
                }
                if let Some(password) = &self.password {
                    words.extend(["--requirepass".to_owned(), password.clone()]);
                }
                words
            }
        }
    }

    fn config_text(&self, folder: &Path) -> String {
        let mut lines = vec![
            format!("port {}", self.port),
            "bind 127.0.0.1".to_owned(),
            format!("dir \"{}\"", folder.display()),
            "save \"\"".to_owned(),
            "appendonly no".to_owned(),
            "repl-diskless-sync yes".to_owned(),
            "repl-diskless-sync-delay 0".to_owned(),
        ];
        if let Some(master) = self.replica_of {
            lines.push(format!("replicaof 127.0.0.1 {master}"));
        }
        if let Some(password) = &self.password {
            lines.extend([format!("requirepass {password}"), format!("masterauth {password}")]);
        }
        lines.extend(self.lines.iter().cloned());
        lines.join("\n") + "\n"
    }
}
