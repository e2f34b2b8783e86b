//! A name that gets another address.

use vedette::lab::{BOUND, Lab, text, until};

use super::world::{MAKES, Make, NAME, World, start_asking_often};

/// The host by which the master is shown, then those of its replicas.
fn hosts(lab: &Lab) -> Vec<String> {
    let sentinel = &lab.sentinels[0];
    let address = sentinel.ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", lab.name()]).unwrap();
    let replicas = sentinel.list("REPLICAS", lab.name());
    let of_replicas = replicas.iter().filter_map(|replica| replica.get("ip").cloned());
    std::iter::once(text(&address.items().unwrap()[0])).chain(of_replicas).collect()
}

/// Every connection to the nodes ends.
fn cut(lab: &Lab) {
    for node in &lab.shards[0].nodes {
        let mut client = node.client().unwrap();
        for kind in ["normal", "pubsub"] {
            client.ask(&["CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes"]).unwrap();
        }
    }
}

#[test]
fn a_name_that_changes_its_address_is_followed() {
    let Some(world) = World::new() else { return };
    for make in MAKES {
        world.give("127.0.0.1");
        let mut spec = world.spec(make, &["sentinel resolve-hostnames yes"]);
        spec.master_host = NAME.to_owned();
        spec.node_lines.push(format!("replica-announce-ip {NAME}"));
        let lab = start_asking_often(spec);
        assert_eq!(hosts(&lab), ["127.0.0.1", "127.0.0.1"], "{make:?}");
        world.give("127.0.0.2");
        cut(&lab);
        let is_followed = |hosts: &[String]| match make {
            Make::Ours => hosts == ["127.0.0.2", "127.0.0.2"],
            // It may list the replica twice now, at either address.
            Make::Reference => hosts[0] == "127.0.0.2",
        };
        until("the new address", BOUND, || is_followed(&hosts(&lab)).then_some(()))
            .unwrap_or_else(|error| panic!("{make:?}: {error}: {:?}", hosts(&lab)));
        if make == Make::Ours {
            lab.wait_until_settled().unwrap();
        }
        let events = lab.events.since(0);
        let switches = events.iter().filter(|event| event.is("+switch-master", lab.name()));
        assert_eq!(switches.count(), 0, "{make:?}: the same master");
    }
}
