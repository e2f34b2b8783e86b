//! `SENTINEL RESET` (spec: interface 2.10).

use vedette_core::Request;

use crate::glob::{Case, matches};
use crate::snapshot::Snapshot;

/// The masters whose name matches; none if no name does.
#[must_use]
pub fn parse(pattern: &[u8], snapshot: &Snapshot) -> Option<Request> {
    let fits = |name: &str| matches(pattern, name.as_bytes(), Case::Sensitive);
    let names: Vec<_> =
        snapshot.masters().filter(|view| fits(&view.name)).map(|view| view.name.clone()).collect();
    (!names.is_empty()).then_some(Request::Reset(names))
}
