//! Going to the background (spec: interface 10.3).

use std::io;

/// Goes on in a child without a terminal; the parent exits with code 0. The working directory
/// stays. No thread may exist yet: a fork takes only the calling one along.
///
/// # Errors
/// If the system refuses to fork.
pub(crate) fn go_to_background() -> io::Result<()> {
    Ok(nix::unistd::daemon(true, false)?)
}
