//! A shell that outlives this process for a moment and ends what it left running.
//!
//! Drop handlers do not run after Ctrl-C, `kill -9` or an abort. The warden reads from a pipe which
//! processes and folders belong to the lab; when the pipe closes, for whatever reason, it ends the
//! processes that are left and removes the folders.

use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

const SCRIPT: &str = r#"
trap '' INT TERM HUP QUIT
pids= folders=
while read -r verb what; do
  case $verb in
    add) pids="$pids $what" ;;
    gone) rest=
      for pid in $pids; do [ "$pid" = "$what" ] || rest="$rest $pid"; done
      pids=$rest ;;
    folder) folders="$folders$what
" ;;
  esac
done
for pid in $pids; do kill -9 "$pid" 2>/dev/null; done
printf '%s' "$folders" | while read -r folder; do [ -z "$folder" ] || rm -rf -- "$folder"; done
"#;

static PIPE: OnceLock<Mutex<Option<ChildStdin>>> = OnceLock::new();

/// The process is to be ended when this one is gone.
pub(super) fn add(pid: u32) {
    tell(&format!("add {pid}\n"));
}

/// The process has been waited for: its number may belong to somebody else from now on.
pub(super) fn forget(pid: u32) {
    tell(&format!("gone {pid}\n"));
}

/// The folder is to be removed when this process is gone.
pub(super) fn add_folder(folder: &Path) {
    tell(&format!("folder {}\n", folder.display()));
}

fn tell(line: &str) {
    let pipe = PIPE.get_or_init(|| Mutex::new(start().ok()));
    let mut pipe = pipe.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pipe) = pipe.as_mut() {
        // Without a warden only the drop handlers are left, which is enough in the usual case.
        let _ = pipe.write_all(line.as_bytes());
    }
}

fn start() -> io::Result<ChildStdin> {
    let mut shell = Command::new("/bin/sh")
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .current_dir("/")
        .process_group(0)
        .spawn()?;
    shell.stdin.take().ok_or_else(|| io::ErrorKind::BrokenPipe.into())
}
