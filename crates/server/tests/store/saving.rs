//! What a save does to the file and to those around it (spec: holes H27, H28, behaviour 13.5).

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::sync::Arc;

use vedette_conf::{ShellChange, load};
use vedette_core::{DurableChange, SavedVote, WallTime};
use vedette_server::store::{DiskFiles, OpenError, Store, StoreEvent, read_side_file};

use crate::watched::{Watched, epoch, id, master, read};

fn folder_with(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s.conf");
    fs::write(&path, text).expect("written");
    (folder, path)
}

#[test]
fn what_was_saved_loads_again() {
    let (_folder, path) = folder_with("# mine\n");
    let mut watched = Watched::open(&path);
    watched.save_well(vec![]);
    assert_eq!(read(&path).state.my_id, Some(id()));
    for number in 1..4 {
        watched.save_well(vec![master("m", number), DurableChange::CurrentEpoch(epoch(number))]);
        let state = read(&path).state;
        assert_eq!(state.current_epoch, Some(epoch(number)));
        assert_eq!(state.masters[0].config_epoch, epoch(number));
    }
    watched.save_well(vec![DurableChange::Removed("m".into())]);
    assert_eq!(read(&path).state.masters, []);
    assert!(watched.text().starts_with("# mine\n"));
}

#[test]
fn mode_and_links_stay() {
    let (folder, path) = folder_with("");
    let link = folder.path().join("link.conf");
    symlink(&path, &link).expect("a link");
    fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("allowed");
    let mut watched = Watched::open(&link);
    for number in 0..3 {
        watched.save_well(vec![master("m", number)]);
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_eq!(fs::metadata(&path).expect("there").mode() & 0o7777, 0o640);
    }
    drop(watched);
    let spare = folder.path().join("s.conf.vedette-spare");
    assert_eq!(fs::metadata(spare).expect("there").mode() & 0o7777, 0o640);
}

/// Only root may give a file away; without that there is nothing to see.
#[test]
fn the_owner_stays() {
    let (_folder, path) = folder_with("");
    if std::os::unix::fs::chown(&path, Some(4321), Some(4322)).is_err() {
        return;
    }
    let mut watched = Watched::open(&path);
    for number in 0..3 {
        watched.save_well(vec![master("m", number)]);
        let metadata = fs::metadata(&path).expect("there");
        assert_eq!((metadata.uid(), metadata.gid()), (4321, 4322));
    }
}

#[test]
fn edits_of_others_are_merged() {
    let (_folder, path) = folder_with("port 0\n");
    let mut watched = Watched::open(&path);
    watched.save_well(vec![master("m", 1)]);
    let edited = watched.text().replace("port 0", "# a word\nport 1");
    fs::write(&path, edited).expect("written");
    watched.save_well(vec![master("m", 2)]);
    assert!(watched.text().starts_with("# a word\nport 1\n"));
    assert_eq!(read(&path).state.masters[0].config_epoch, epoch(2));
}

#[test]
fn a_deleted_file_comes_back_whole() {
    let (_folder, path) = folder_with("# mine\n");
    let mut watched = Watched::open(&path);
    watched.save_well(vec![master("m", 1)]);
    let text = watched.text();
    fs::remove_file(&path).expect("removed");
    watched.save_well(vec![]);
    assert_eq!(watched.text(), text);
}

#[test]
fn a_failed_save_is_dropped_whole() {
    let (folder, path) = folder_with("# mine\n");
    let mut watched = Watched::open(&path);
    watched.save_well(vec![master("m", 1)]);
    let text = watched.text();
    let away = folder.path().with_extension("away");
    fs::rename(folder.path(), &away).expect("moved");
    match watched.save(vec![master("m", 2), master("n", 1)]) {
        StoreEvent::Failed { .. } => {}
        other => panic!("{other:?}"),
    }
    fs::rename(&away, folder.path()).expect("moved back");
    assert_eq!(watched.text(), text);
    watched.save_well(vec![]);
    assert_eq!(watched.text(), text);
    watched.save_well(vec![master("n", 3)]);
    let masters = read(&path).state.masters;
    assert_eq!(
        masters.iter().map(|master| master.config_epoch).collect::<Vec<_>>(),
        [epoch(1), epoch(3)]
    );
}

#[test]
fn users_of_the_shell_are_saved() {
    let (_folder, path) = folder_with("");
    let watched = Watched::open(&path);
    watched.store.save_shell(ShellChange::Users(vec![b"ops on nopass".to_vec()]));
    assert!(matches!(watched.event(), StoreEvent::ShellSaved(Ok(()))));
    assert!(watched.text().contains("\nuser ops on nopass\n"));
}

#[test]
fn votes_are_remembered_beside_the_file() {
    let (_folder, path) = folder_with("");
    let mut watched = Watched::open(&path);
    let DurableChange::Master(saved) = master("m", 1) else { unreachable!("it is a master") };
    let vote = SavedVote { leader: id(), epoch: epoch(5), at: WallTime(77) };
    let mut saved = (*saved).clone();
    saved.leader_epoch = Some(epoch(5));
    saved.last_vote = Some(vote.clone());
    watched.save_well(vec![DurableChange::Master(Arc::new(saved))]);
    // Written after the answer; the end of the thread is the end of that.
    drop(watched);
    let mut loaded = read(&path);
    assert_eq!(loaded.state.masters[0].last_vote, None);
    loaded.remember_votes(&read_side_file(&path));
    assert_eq!(loaded.state.masters[0].last_vote, Some(vote));
}

#[test]
fn a_missing_file_is_refused_in_the_references_words() {
    let (folder, path) = folder_with("");
    let loaded = load(&path, &[], None, &DiskFiles).expect("good");
    let gone = folder.path().join("gone.conf");
    let state = loaded.state.durable(id());
    let opened = Store::open(&gone, loaded.document, &state, |_| {});
    let error = opened.expect_err("refused");
    assert!(matches!(error, OpenError::NotWritable { .. }));
    assert_eq!(
        error.to_string(),
        format!(
            "Sentinel config file {} is not writable: No such file or directory. Exiting...",
            gone.display()
        )
    );
}
