//! Clients that no one here wrote: through failovers without help.

use vedette::lab::{Make, Order, RealClient};

mod plain;
mod rolling;
mod subscribers;
mod tls;

/// So many increments are not by chance.
pub(crate) const MANY: usize = 50;

/// A client, or None and a word about it.
pub(crate) fn client(make: Make, order: &Order) -> Option<RealClient> {
    let client = RealClient::start(make, order).unwrap();
    if client.is_none() {
        eprintln!("{} is not installed; .ci/prepare installs it", make.name());
        assert!(
            std::env::var_os("VEDETTE_REQUIRE_SERVERS").is_none(),
            "{} is missing",
            make.name()
        );
    }
    client
}
