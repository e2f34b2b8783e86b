//! Names that do not resolve.

use vedette::lab::{BOUND, Lab, text};

use super::world::{MAKES, Make, World};
use crate::process::{alike, code};

#[test]
fn a_name_is_no_address_where_names_are_not_resolved() {
    let (ending, said) = alike("sentinel monitor m localhost 1 1\n", |setting| setting.refused());
    assert_eq!(ending, code(1));
    assert!(said.iter().any(|line| line == "Can't resolve instance hostname."), "{said:?}");
    assert!(said[0].ends_with("# Failed to resolve hostname 'localhost'"), "{said:?}");
    let answer = alike("", |setting| {
        let mut process = setting.start();
        let answer = setting.ask("SENTINEL MONITOR m localhost 1 1");
        process.terminate(BOUND).unwrap();
        (answer, setting.comparable(&setting.read("out"), process.pid()))
    });
    assert_eq!(answer.0, "-ERR Invalid IP address or hostname specified\r\n");
}

#[test]
fn unknown_names_are_refused_by_monitor() {
    for world in World::all() {
        let outcomes = MAKES.map(|make| {
            let lab = Lab::start(world.spec(make, &["sentinel resolve-hostnames yes"])).unwrap();
            let sentinel = &lab.sentinels[0];
            let monitor = |name: &str, host: &str| {
                text(&sentinel.ask(&["SENTINEL", "MONITOR", name, host, "1", "1"]).unwrap())
            };
            let answers = [monitor("m", "nobody.test"), monitor("k", "db.test")];
            // Ours says in the log which name it was; the reference only of those it keeps.
            let told = "Failed to resolve hostname 'nobody.test'";
            let log = sentinel.log();
            assert!(make == Make::Reference || log.contains(told), "{log}");
            answers
        });
        assert_eq!(outcomes[0], outcomes[1], "ours, the reference's");
        assert_eq!(outcomes[0], ["ERR Invalid IP address or hostname specified", "OK"]);
    }
}

/// H25: the reference saves `sentinel monitor k  1 1`, and does not start from that again.
#[test]
fn unresolved_names_are_saved_as_they_were_given() {
    for world in World::all() {
        save_unresolved(&world);
    }
}

fn save_unresolved(world: &World) {
    let lines = ["sentinel resolve-hostnames yes", "sentinel monitor k nobody.test 1 1"];
    let outcomes = MAKES.map(|make| {
        let mut lab = Lab::start(world.spec(make, &lines)).unwrap();
        lab.sentinels[0].ask(&["SENTINEL", "FLUSHCONFIG"]).unwrap();
        let file = std::fs::read_to_string(lab.sentinels[0].conf()).unwrap();
        let saved = file.lines().find(|line| line.starts_with("sentinel monitor k ")).unwrap();
        lab.sentinels[0].restart().unwrap();
        (saved.to_owned(), lab.sentinels[0].wait_until_ready().is_ok())
    });
    assert_eq!(outcomes[0], ("sentinel monitor k nobody.test 1 1".to_owned(), true));
    assert!(!outcomes[1].0.contains("nobody.test"), "the reference does better now: {outcomes:?}");
}
