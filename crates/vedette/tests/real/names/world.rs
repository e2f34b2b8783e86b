//! A world in which the test says who has which name.

use std::path::{Path, PathBuf};
use std::process::Command;

use vedette::lab::{DataServer, Folder, GroupSpec, Lab, Template, programs};
use vedette_wire::Dialect;

use crate::group::{found, program};

/// The name of every data node; the port tells them apart.
pub(super) const NAME: &str = "db.test";

/// The files that say who is who.
#[derive(Debug)]
pub(super) struct World {
    folder: Folder,
    dialect: Dialect,
    reference: PathBuf,
}

/// Sentinels that are asked the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Make {
    Ours,
    Reference,
}

pub(super) const MAKES: [Make; 2] = [Make::Ours, Make::Reference];

impl World {
    /// In which [`NAME`] is 127.0.0.1, and no other name is known.
    pub(super) fn new() -> Option<Self> {
        Self::beside(Dialect::Redis)
    }

    /// One with each reference that is installed.
    pub(super) fn all() -> Vec<Self> {
        Dialect::ALL.into_iter().filter_map(Self::beside).collect()
    }

    /// With this reference.
    pub(super) fn beside(dialect: Dialect) -> Option<Self> {
        let mounts = Command::new("unshare").args(["-m", "true"]).output();
        if !mounts.is_ok_and(|output| output.status.success()) {
            eprintln!("names cannot be tested here: nothing can be mounted");
            return None;
        }
        let server = found("redis-server", programs::redis_server())?;
        let reference = match dialect {
            Dialect::Redis => server.clone(),
            Dialect::Valkey => found("Valkey", programs::valkey_server())?,
        };
        let world = Self { folder: Folder::new(None).unwrap(), dialect, reference };
        world.write("nsswitch.conf", "hosts: files\n");
        world.write("resolv.conf", "");
        world.give("127.0.0.1");
        let node = world.words(&server);
        let quoted: Vec<String> = node.iter().map(|word| format!("'{word}'")).collect();
        world.write("node", &format!("#!/bin/sh\nexec {} \"$@\"\n", quoted.join(" ")));
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(world.path("node"), mode).unwrap();
        Some(world)
    }

    /// Gives the name to another address, in place: the file is mounted.
    pub(super) fn give(&self, address: &str) {
        self.write("hosts", &format!("127.0.0.1 localhost\n{address} {NAME}\n"));
    }

    /// Names that are not in the file are asked of this name server, for 5 s each.
    pub(super) fn ask_at(&self, server: &str) {
        self.write("nsswitch.conf", "hosts: files dns\n");
        let options = "options timeout:5 attempts:1";
        self.write("resolv.conf", &format!("nameserver {server}\n{options}\n"));
    }

    /// One Sentinel, one master, one replica.
    pub(super) fn spec(&self, make: Make, lines: &[&str]) -> GroupSpec {
        let mut words = match make {
            Make::Ours => self.words(&program()),
            Make::Reference => self.words(&self.reference),
        };
        words.push("{conf}".into());
        match make {
            Make::Ours => words.extend(["--dialect".into(), self.dialect.name().into()]),
            Make::Reference => words.push("--sentinel".into()),
        }
        GroupSpec {
            replicas: 1,
            quorum: 1,
            // The reference fails over twice when it is short (H1).
            down_after_ms: 3000,
            // Later lines win.
            node_lines: vec!["bind 127.0.0.1 127.0.0.2".into()],
            sentinel_lines: lines.iter().map(|line| (*line).to_owned()).collect(),
            ..GroupSpec::new(
                DataServer::Program(self.path("node")),
                vec![Template::from_words(words)],
            )
        }
    }

    /// What stands before the words of a process that lives in this world.
    pub(super) fn words(&self, program: &Path) -> Vec<String> {
        let mount = |name| format!("mount --bind \"{}\" /etc/{name}", self.path(name).display());
        let mounts = ["hosts", "nsswitch.conf", "resolv.conf"].map(mount).join(" && ");
        let script = format!("{mounts} && exec \"$0\" \"$@\"");
        let program = program.display().to_string();
        ["unshare", "-m", "sh", "-c", &script, &program].map(str::to_owned).to_vec()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }
}

/// Starts a group whose Sentinel asks for INFO often, since both discover by it.
pub(super) fn start_asking_often(spec: GroupSpec) -> Lab {
    let lab = Lab::start_early(spec).unwrap();
    lab.sentinels[0].ask(&["SENTINEL", "DEBUG", "INFO-PERIOD", "300"]).unwrap();
    lab.wait_until_settled().unwrap();
    lab
}

/// A text in which the nodes are called A and B and the Sentinel is S.
pub(super) fn without_ports(text: &str, lab: &Lab) -> String {
    let ports = lab.shards[0].ports();
    let text = text.replace(&ports[0].to_string(), "A").replace(&ports[1].to_string(), "B");
    text.replace(&lab.sentinels[0].port().to_string(), "S")
}
