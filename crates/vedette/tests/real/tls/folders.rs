//! Folders of authorities, taken as by a Redis with OpenSSL.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use vedette::lab::{BOUND, Client, Sentinel, Template, text, until};

use super::certificates::Identity;
use super::line::ask;
use super::setting::{Setting, redis};
use crate::group::ours;

/// The name by which OpenSSL looks for an authority, without the number.
fn hash(authority: &Path) -> Option<String> {
    let mut command = Command::new("openssl");
    let output = command.args(["x509", "-hash", "-noout", "-in"]).arg(authority).output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

/// A Sentinel that trusts what is in the folders.
fn trusting(setting: &mut Setting, template: Template, who: &Identity, folders: &str) -> Sentinel {
    let [port, plain] = [(); 2].map(|()| setting.ports.take().unwrap());
    let mut lines = who.lines();
    lines.retain(|line| !line.starts_with("tls-ca-cert-file "));
    lines.extend([
        format!("tls-ca-cert-dir \"{folders}\""),
        format!("tls-port {port}"),
        format!("port {plain}"),
        "bind 127.0.0.1".to_owned(),
    ]);
    let sentinel = Sentinel::start(template, port, &lines, setting.folder.path()).unwrap();
    until("the plain port", BOUND, || Client::connect(plain).ok()?.ask(&["PING"]).ok())
        .unwrap_or_else(|error| panic!("{error}: {}", sentinel.log()));
    sentinel
}

/// What fills a folder: the folder, the hash, and a PEM file.
type Fill = fn(&Path, &str, &Path);

/// What is in a folder, and whether who shows a certificate of the authority is let in.
const CASES: &[(Fill, bool)] = &[
    (|folder, hash, pem| link(folder, hash, 0, pem), true),
    (
        |folder, hash, pem| {
            link(folder, hash, 0, pem);
            fs::write(folder.join("README"), "no certificate").unwrap();
            fs::create_dir(folder.join("more")).unwrap();
            fs::create_dir(folder.join("11111111.0")).unwrap();
            symlink("nowhere", folder.join("22222222.0")).unwrap();
            fs::write(folder.join("33333333.0"), "junk").unwrap();
            fs::write(folder.join("44444444.0"), &fs::read(pem).unwrap()[..100]).unwrap();
        },
        true,
    ),
    (|_, _, _| {}, false),
    (|folder, _, _| fs::remove_dir(folder).unwrap(), false),
    (
        |folder, _, _| {
            fs::remove_dir(folder).unwrap();
            fs::write(folder, "a file").unwrap();
        },
        false,
    ),
    (|folder, _, pem| symlink(pem, folder.join("ca.pem")).unwrap(), false),
    (|folder, hash, pem| link(folder, hash, 1, pem), false),
    (
        |folder, hash, pem| {
            fs::write(folder.join(format!("{hash}.0")), "junk").unwrap();
            link(folder, hash, 1, pem);
        },
        false,
    ),
];

fn link(folder: &Path, hash: &str, number: u32, pem: &Path) {
    symlink(pem, folder.join(format!("{hash}.{number}"))).unwrap();
}

#[test]
fn folders_of_authorities_are_taken_as_by_redis() {
    let reference = redis().map(|(server, _)| Template::reference(&server));
    for (index, (fill, is_let_in)) in CASES.iter().enumerate() {
        let mut setting = Setting::new();
        let who = setting.authority.issue("sentinel");
        let Some(hash) = hash(&who.authority) else {
            return eprintln!("openssl is not installed");
        };
        let [folder, nowhere] =
            ["authorities", "nowhere"].map(|name| setting.folder.path().join(name));
        fs::create_dir(&folder).unwrap();
        fill(&folder, &hash, &who.authority);
        let list = format!("{}:{}", nowhere.display(), folder.display());
        for template in [Some(ours()), reference.clone()].into_iter().flatten() {
            let sentinel = trusting(&mut setting, template, &who, &list);
            let pong = ask(sentinel.port(), &who, &["PING"]);
            assert_eq!(pong.is_ok(), *is_let_in, "{index}: {}", sentinel.log());
        }
    }
}

/// A burst of hang-ups while the files are read, and one of them is still being written.
#[test]
fn a_burst_of_hang_ups_costs_one_thread() {
    let mut setting = Setting::new();
    let who = setting.authority.issue("sentinel");
    let folder = setting.folder.path().join("authorities");
    fs::create_dir(&folder).unwrap();
    link(&folder, "0a1b2c3d", 0, &who.authority);
    let folders = folder.display().to_string();
    let mut sentinel = trusting(&mut setting, ours(), &who, &folders);
    fs::write(folder.join("11111111.0"), "-----BEGIN CERTIFICATE-----\nMII").unwrap();

    // Who reads the key waits until somebody writes it.
    let key = fs::read(&who.key).unwrap();
    fs::remove_file(&who.key).unwrap();
    let fifo = Command::new("mkfifo").arg(&who.key).status().unwrap();
    assert!(fifo.success());
    let pid = sentinel.process().pid();
    let readers = || {
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
        let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
        names.filter(|name| name.trim() == "tls-files").count()
    };
    let heard = "Received SIGHUP reading the TLS files anew...";
    for number in 1..=20 {
        sentinel.process().signal(Signal::HUP);
        let said = || (sentinel.log().matches(heard).count() >= number).then_some(());
        until("the hang-up", BOUND, said).unwrap();
    }
    assert_eq!(readers(), 1, "{}", sentinel.log());

    let written = setting.folder.path().join("written.key");
    fs::write(&written, key).unwrap();
    // The first who reads is served, and whoever comes then finds a file.
    let mut first = fs::OpenOptions::new().write(true).open(&who.key).unwrap();
    fs::rename(&written, &who.key).unwrap();
    std::io::Write::write_all(&mut first, &fs::read(&who.key).unwrap()).unwrap();
    drop(first);
    let read = "The TLS files were read anew: new connections use them";
    let twice = || (sentinel.log().matches(read).count() >= 2).then_some(());
    until("both readings", BOUND, twice).unwrap_or_else(|_| panic!("{}", sentinel.log()));
    until("the end of the thread", BOUND, || (readers() == 0).then_some(())).unwrap();
    assert_eq!(sentinel.log().matches(read).count(), 2, "once, and once more for all the others");
    assert!(sentinel.log().contains("11111111.0 is passed over"), "{}", sentinel.log());
    assert_eq!(text(&ask(sentinel.port(), &who, &["PING"]).unwrap()), "PONG");
}
