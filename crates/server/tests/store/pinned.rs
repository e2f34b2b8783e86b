//! A file that cannot be replaced, such as one that is mounted by itself, on a disk that fills up
//! (spec: holes H28). Only the superuser can mount.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use vedette_core::DurableChange;
use vedette_server::store::{StoreEvent, recover};

use crate::watched::{Watched, epoch, master, read};

/// Tells the child of the test in which folder its disks are.
const FOLDER: &str = "VEDETTE_TEST_PINNED_IN";
const MOUNTS: &str = "mount -t tmpfs -o size=64k small \"$1/small\" && \
                      cp \"$1/s.conf\" \"$1/small/s.conf\" && \
                      mount --bind \"$1/small/s.conf\" \"$1/s.conf\" && \
                      exec \"$0\" --exact pinned::saves_where_it_is_pinned --ignored --nocapture";

#[test]
fn a_full_disk_leaves_a_pinned_file_as_it_was() {
    let may_mount = Command::new("unshare").args(["-m", "true"]).output();
    if !may_mount.is_ok_and(|output| output.status.success()) {
        return eprintln!("disks cannot be mounted here");
    }
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("s.conf"), "# mine\n").expect("written");
    fs::create_dir(folder.path().join("small")).expect("made");
    // The mounts go away with the child.
    let output = Command::new("unshare")
        .args(["-m", "sh", "-c", MOUNTS])
        .arg(std::env::current_exe().expect("a path"))
        .arg(folder.path())
        .env(FOLDER, folder.path())
        .output()
        .expect("it starts");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[test]
#[ignore = "the child of a_full_disk_leaves_a_pinned_file_as_it_was"]
fn saves_where_it_is_pinned() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let path = folder.join("s.conf");
    let mut watched = Watched::open(&path);
    watched.save_well(vec![master("m", 1), DurableChange::CurrentEpoch(epoch(1))]);
    assert!(matches!(watched.event(), StoreEvent::Warning(_)), "it is overwritten in place");
    fill(&folder.join("small/junk"));
    let text = watched.text();
    let many = (0..500).map(|index| master(&format!("n{index}"), 2)).collect();
    match watched.save(many) {
        StoreEvent::Failed { error, .. } => {
            assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(watched.text(), text);
    watched.save_well(vec![DurableChange::CurrentEpoch(epoch(9))]);
    assert!(watched.text().starts_with("# mine\n"));
    assert!(!recover(&path).expect("nothing to do"), "no copy stayed");
    assert_eq!(read(&path).state.current_epoch, Some(epoch(9)));
}

fn fill(junk: &Path) {
    for size in [4096, 1] {
        let mut bytes = fs::read(junk).unwrap_or_default();
        while fs::write(junk, &bytes).is_ok() {
            bytes.resize(bytes.len() + size, b'x');
        }
    }
}
