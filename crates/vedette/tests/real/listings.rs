//! Listings have an order that does not change (spec: holes H41).

use vedette::lab::{BOUND, Folder, PortBlock, Sentinel};

use crate::group::ours;

/// Neither alphabetical nor any other order.
const NAMES: [&str; 8] = ["k", "c", "z", "a", "m", "b", "y", "d"];

fn listed(sentinel: &Sentinel) -> [Vec<String>; 3] {
    let field = |entries: Vec<std::collections::BTreeMap<String, String>>, key: &str| {
        entries.iter().filter_map(|entry| entry.get(key).cloned()).collect::<Vec<_>>()
    };
    let masters = sentinel.ask(&["SENTINEL", "MASTERS"]).unwrap();
    let masters = masters.items().unwrap_or_default().iter().map(vedette::lab::fields).collect();
    [
        field(masters, "name"),
        field(sentinel.list("REPLICAS", "a"), "port"),
        field(sentinel.list("SENTINELS", "a"), "port"),
    ]
}

#[test]
fn masters_and_members_are_listed_in_the_order_of_the_file() {
    let folder = Folder::new(None).unwrap();
    let mut ports = PortBlock::claim().unwrap();
    let port = ports.take().unwrap();
    let mut lines = vec![format!("port {port}"), "bind 127.0.0.1".to_owned()];
    // Nothing listens on these ports.
    lines.extend(
        NAMES
            .iter()
            .zip(1..)
            .map(|(name, port)| format!("sentinel monitor {name} 127.0.0.1 {port} 1")),
    );
    let members = [26, 22, 29, 21, 25, 23];
    for port in members {
        lines.push(format!("sentinel known-replica a 127.0.0.1 {port}"));
        let id = "0123456789".repeat(4).replace('0', "f");
        let id = format!("{port}{}", &id[2..]);
        lines.push(format!("sentinel known-sentinel a 127.0.0.1 {port} {id}"));
    }
    let members = members.map(|port| port.to_string()).to_vec();
    let expected = [NAMES.map(str::to_owned).to_vec(), members.clone(), members];
    let mut sentinel = Sentinel::start(ours(), port, &lines, folder.path()).unwrap();
    sentinel.wait_until_ready().unwrap();
    assert_eq!(listed(&sentinel), expected);
    sentinel.process().terminate(BOUND).unwrap();
    sentinel.restart().unwrap();
    sentinel.wait_until_ready().unwrap();
    assert_eq!(listed(&sentinel), expected, "after a restart");
}
