//! Votes go on while the disk is full (spec: the spare file of DESIGN.md). Needs a small file
//! system of its own, named by `VEDETTE_SMALL_DISK`:
//!
//! ```sh
//! truncate -s 8M image && mkfs.ext4 -q image && mount -o loop image /mnt/small
//! VEDETTE_SMALL_DISK=/mnt/small cargo test -p vedette-server --test store full_disk
//! ```

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;

use vedette_core::DurableChange;

use crate::watched::{Watched, epoch, master, read};

#[test]
fn votes_are_saved_on_a_full_disk() {
    let Some(folder) = std::env::var_os("VEDETTE_SMALL_DISK").map(PathBuf::from) else { return };
    let path = folder.join("s.conf");
    let junk = folder.join("junk");
    let _ = fs::remove_file(&junk);
    fs::write(&path, "# mine\n").expect("written");
    let mut watched = Watched::open(&path);
    let masters = (0..50).map(|index| master(&format!("m{index}"), 0));
    watched.save_well(masters.collect());
    watched.save_well(vec![DurableChange::CurrentEpoch(epoch(9))]);
    let mut file = File::create(&junk).expect("created");
    for size in [4096, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
    file.sync_all().expect("full, but sound");
    assert!(fs::write(folder.join("more"), vec![0; 4096]).is_err(), "the disk is full");
    for number in 10..40 {
        watched.save_well(vec![master("m7", number), DurableChange::CurrentEpoch(epoch(number))]);
        assert_eq!(read(&path).state.current_epoch, Some(epoch(number)));
    }
    fs::remove_file(&junk).expect("removed");
}
