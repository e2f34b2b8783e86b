//! Names in the place of addresses, beside the reference (spec: behaviour 14).
//!
//! Every process sees a `/etc/hosts`, `nsswitch.conf` and `resolv.conf` of the test's, in a mount
//! namespace of its own that ends with it. Only the superuser can have one.

mod changing;
mod forms;
mod hanging;
mod refused;
mod world;
