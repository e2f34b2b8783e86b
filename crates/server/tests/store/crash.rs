//! A process that saves without end is killed again and again: the file is always a whole one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use vedette_core::DurableChange;

use crate::watched::{Watched, epoch, master, read};

/// Tells the child of the test which file to save to.
const FILE: &str = "VEDETTE_TEST_SAVE_TO";
const KILLS: u64 = 40;
/// Enough for several blocks, so that a torn file would show.
const MASTERS: usize = 200;

#[test]
fn a_kill_leaves_the_old_or_the_new_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s.conf");
    std::fs::write(&path, "# mine\n").expect("written");
    let mut reached = 0;
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().expect("a path"))
            .args(["--exact", "crash::saves_without_end", "--ignored", "--nocapture"])
            .env(FILE, &path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        // Not a wait for anything: a different moment of the child's work each time.
        thread::sleep(Duration::from_micros(3_000 + kill * 1_370));
        child.kill().expect("killed");
        child.wait().expect("ended");
        reached = whole_generation(&path).max(reached);
    }
    assert!(reached > 0, "no child got as far as a save");
}

/// The number that everything in the file agrees on.
fn whole_generation(path: &Path) -> u64 {
    let state = read(path).state;
    let Some(current) = state.current_epoch else { return 0 };
    assert_eq!(state.masters.len(), MASTERS);
    assert!(state.masters.iter().all(|master| master.config_epoch == current));
    current.get()
}

#[test]
#[ignore = "the child of a_kill_leaves_the_old_or_the_new_file"]
fn saves_without_end() {
    let Some(path) = std::env::var_os(FILE).map(PathBuf::from) else { return };
    let mut number = whole_generation(&path);
    let mut watched = Watched::open(&path);
    loop {
        number += 1;
        let masters = (0..MASTERS).map(|index| master(&format!("m{index}"), number));
        let mut changes: Vec<_> = masters.collect();
        changes.push(DurableChange::CurrentEpoch(epoch(number)));
        watched.save_well(changes);
    }
}
