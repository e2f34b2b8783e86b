//! Who may read and change the files.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use vedette_conf::{Line, Origin};
use vedette_server::store::copy_to_put_back;

use super::findings::{Findings, Severity, Subject};
use super::lines::{Place, is_secret};

pub(super) const OTHERS_READ: u32 = 0o004;
const OTHERS_WRITE: u32 = 0o022;

/// Modes of the configuration, its includes and its scripts.
pub(super) fn permissions(found: &mut Findings, file: &Path, subject: &Subject<'_>) {
    if let Err(error) = access(file, Access::WRITE_OK) {
        let problem = format!("Sentinel config file {} is not writable: {error}", file.display());
        let remedy = "the Sentinel keeps its state there: give the file to its user";
        found.add(Severity::Error, None, problem, remedy);
    }
    folder(found, file);
    if let Some(copy) = copy_to_put_back(file) {
        let (name, copy) = (file.display(), copy.display());
        let problem =
            format!("a save of {name} was cut short: the next start puts {copy} back over it");
        found.warn(
            None,
            problem,
            "check and edit the copy, or start once before you edit the file",
        );
    }
    let mut files: Vec<(PathBuf, Option<&Line>)> = vec![(file.to_path_buf(), None)];
    for line in subject.loaded.document.lines() {
        if let Origin::Include(path) = line.origin()
            && !files.iter().any(|(known, _)| **known == **path)
        {
            files.push((path.to_path_buf(), Some(line)));
        }
    }
    for (path, line) in files {
        let is_here = |other: &&Line| match (other.origin(), line) {
            (Origin::Main, None) => true,
            (origin, Some(line)) => origin == line.origin(),
            (Origin::Include(_) | Origin::CommandLine | Origin::StandardInput, None) => false,
        };
        let secret = subject.loaded.document.lines().filter(is_here).find(|line| is_secret(line));
        modes(found, &path, secret);
    }
    scripts(found, subject);
}

/// Scripts that others can change.
fn scripts(found: &mut Findings, subject: &Subject<'_>) {
    for master in &subject.loaded.state.masters {
        let settings = &master.settings;
        let scripts = [
            ("notification-script", &settings.notification_script),
            ("client-reconfig-script", &settings.client_reconfig_script),
        ];
        for (directive, script) in scripts {
            if let Some(path) = script.as_deref().filter(|path| is_writable_by_others(path)) {
                let place = subject.lines.of_master(directive, &master.name);
                let problem = format!(
                    "{path} can be changed by others than its owner, and is run \
                                       with the Sentinel's rights"
                );
                found.warn(place, problem, format!("chmod go-w {path}"));
            }
        }
    }
}

fn folder(found: &mut Findings, file: &Path) {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    if access(folder, Access::WRITE_OK).is_err() {
        let problem = format!(
            "the folder {} is not writable, so that the file cannot be replaced \
                               whole",
            folder.display()
        );
        found.warn(None, problem, "give the folder to the user of the Sentinel");
    }
}

fn modes(found: &mut Findings, path: &Path, secret: Option<&Line>) {
    let Ok(meta) = fs::metadata(path) else { return };
    let (mode, name) = (meta.mode(), path.display());
    if mode & OTHERS_WRITE != 0 {
        let problem =
            format!("{name} can be changed by others than its owner (mode {:o})", mode & 0o777);
        found.warn(None, problem, format!("chmod go-w {name}"));
    }
    if let Some(line) = secret.filter(|_| mode & OTHERS_READ != 0) {
        let problem = format!(
            "everybody on this machine can read the passwords in {name} (mode {:o})",
            mode & 0o777
        );
        found.warn(Some(Place::of(line)), problem, format!("chmod o-r {name}"));
    }
}

fn is_writable_by_others(path: &str) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.mode() & OTHERS_WRITE != 0)
}
