//! Where a name is shown and where an address, in each combination of the two settings.

use std::collections::BTreeMap;

use vedette::lab::{BOUND, GroupSpec, Lab, text, until};
use vedette_wire::Dialect;

use super::world::{MAKES, Make, NAME, World, start_asking_often, without_ports};
use crate::group::{bring_back, kill_master};

const RESOLVE: &str = "sentinel resolve-hostnames yes";

/// All places where hosts are shown, with the ports masked.
fn shown(lab: &Lab) -> Vec<String> {
    let sentinel = &lab.sentinels[0];
    let address = sentinel.ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", lab.name()]).unwrap();
    let mut all = vec![format!(
        "address {:?}",
        address.items().unwrap().iter().map(text).collect::<Vec<_>>()
    )];
    let field = |entry: &BTreeMap<String, String>, name: &str| {
        format!("{name} {}", entry.get(name).cloned().unwrap_or_default())
    };
    let master = sentinel.master(lab.name());
    all.extend(["ip", "port"].map(|name| field(&master, name)));
    let replicas = until("what the replica says of its master", BOUND, || {
        let replicas = sentinel.list("REPLICAS", lab.name());
        let told = |replica: &BTreeMap<String, String>| replica["master-host"] != "?";
        (!replicas.is_empty() && replicas.iter().all(told)).then_some(replicas)
    });
    for replica in replicas.unwrap() {
        all.extend(["name", "ip", "port", "master-host"].map(|name| field(&replica, name)));
    }
    let info = text(&sentinel.ask(&["INFO", "sentinel"]).unwrap());
    all.extend(info.lines().filter(|line| line.starts_with("master0:")).map(str::to_owned));
    all.push(hello(lab));
    all.extend(saved(lab));
    all.iter().map(|line| without_ports(line, lab)).collect()
}

/// What the Sentinel announces of the master, without identities and epochs.
fn hello(lab: &Lab) -> String {
    let master = lab.agreed_master(lab.name()).unwrap();
    let node = lab.shards[0].nodes.iter().find(|node| node.port() == master).unwrap();
    let mut client = node.client().unwrap();
    client.ask(&["SUBSCRIBE", "__sentinel__:hello"]).unwrap();
    until("a hello with the master", BOUND, || {
        let message = client.receive().ok()?;
        let hello = text(message.items()?.get(2)?);
        let fields: Vec<&str> = hello.split(',').collect();
        (fields.len() == 8 && fields[6] == master.to_string())
            .then(|| format!("hello {} {} {} {}", fields[0], fields[1], fields[5], fields[6]))
    })
    .unwrap()
}

/// The lines of the file that name hosts, once the replica is in it.
fn saved(lab: &Lab) -> Vec<String> {
    let replica =
        lab.shards[0].ports().into_iter().find(|&port| lab.agreed_master(lab.name()) != Some(port));
    let wanted = format!(" {}", replica.unwrap());
    let lines = until("the replica in the file", BOUND, || {
        let text = std::fs::read_to_string(lab.sentinels[0].conf()).ok()?;
        let is_host = |line: &&str| line.contains(" monitor ") || line.contains("known-replica");
        let lines: Vec<String> = text.lines().filter(is_host).map(str::to_owned).collect();
        let is_saved = |line: &String| line.contains("known-replica") && line.ends_with(&wanted);
        lines.iter().any(is_saved).then_some(lines)
    });
    lines.unwrap()
}

/// Shown before a failover, said during it, shown afterwards.
fn through_a_failover(spec: GroupSpec) -> (Vec<String>, String) {
    let mut lab = start_asking_often(spec);
    let mut all = shown(&lab);
    let (old, new) = kill_master(&mut lab);
    bring_back(&mut lab, old, new);
    lab.wait_until_settled().unwrap();
    lab.wait_until_roles_are_known(new).unwrap();
    let events = lab.events.since(0);
    let switch = events.iter().find(|event| event.is("+switch-master", lab.name())).unwrap();
    // Without the moment.
    all.push(without_ports(&format!("{:?}", switch.saying), &lab));
    all.extend(shown(&lab));
    (all, first_discovery(&lab))
}

/// The host by which the replica was called when it was found.
fn first_discovery(lab: &Lab) -> String {
    let log = lab.sentinels[0].log();
    let found = log.split_once("+slave slave ").unwrap().1;
    found.split(':').next().unwrap().to_owned()
}

/// Beside one reference, since a failover takes its time.
fn check(dialect: Dialect, announce: &str, wanted: &str) {
    let Some(world) = World::beside(dialect) else { return };
    let announce = format!("sentinel announce-hostnames {announce}");
    let outcomes = MAKES.map(|make| {
        let mut spec = world.spec(make, &[RESOLVE, &announce]);
        spec.master_host = NAME.to_owned();
        spec.node_lines.push(format!("replica-announce-ip {NAME}"));
        through_a_failover(spec)
    });
    let [(ours, found_by_ours), (reference, found_by_reference)] = outcomes;
    assert_eq!(ours, reference, "ours, the reference's");
    assert_eq!(ours[0], format!("address [\"{wanted}\", \"A\"]"));
    // The reference looks a name up before it goes on; ours says at once what it found.
    assert_eq!((found_by_ours.as_str(), found_by_reference.as_str()), (NAME, wanted));
}

#[test]
fn names_are_shown_where_they_are_announced() {
    check(Dialect::Redis, "yes", NAME);
}

#[test]
fn addresses_are_shown_where_names_are_only_resolved() {
    check(Dialect::Valkey, "no", "127.0.0.1");
}

#[test]
fn replicas_that_announce_names_stay_unknown_where_none_is_resolved() {
    for (dialect, announce) in [(Dialect::Redis, "no"), (Dialect::Valkey, "yes")] {
        let Some(world) = World::beside(dialect) else { return };
        let line = format!("sentinel announce-hostnames {announce}");
        let outcome = |make: Make| {
            let mut spec = world.spec(make, &[&line]);
            spec.node_lines.push(format!("replica-announce-ip {NAME}"));
            let lab = Lab::start_early(spec).unwrap();
            let refusal = format!("Failed to resolve hostname '{NAME}'");
            until("the refusal", BOUND, || lab.sentinels[0].log().contains(&refusal).then_some(()))
                .unwrap_or_else(|error| panic!("{error}: {}", lab.sentinels[0].log()));
            let replicas = lab.sentinels[0].list("REPLICAS", lab.name()).len();
            let master = lab.sentinels[0].master(lab.name());
            (replicas, master["ip"].clone(), without_ports(&hello(&lab), &lab))
        };
        let [ours, reference] = MAKES.map(outcome);
        assert_eq!(ours, reference, "ours, the reference's");
        assert_eq!((ours.0, ours.1.as_str()), (0, "127.0.0.1"));
    }
}
