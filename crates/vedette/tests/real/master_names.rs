//! Names of masters that hold more than letters: taken as by the references, announced in hellos,
//! saved so that both programs read them again.

use vedette::lab::{BOUND, GroupSpec, Template, text, until};
use vedette_wire::Dialect;

use crate::group::{redis_sentinel, speaking, spec, start, valkey_sentinel};

const NAMES: [&str; 9] = ["a:b", "a/b", "é", "\"q\"", "a'b", "#x", "a\\b", "*", "a=b"];

/// One of the reference and one of ours are told of the same node under each name, and hear of
/// each other under each; ours finds the names in its file again, and so does the reference there.
fn check(dialect: Dialect, reference: Template) {
    let sentinels = vec![reference.clone(), speaking(dialect)];
    let mut lab = start(GroupSpec { sentinels, replicas: 0, quorum: 1, ..spec() });
    let node = lab.shards[0].nodes[0].port().to_string();
    let told = |name| lab.sentinels.iter().map(move |sentinel| (name, sentinel));
    for (name, sentinel) in NAMES.iter().flat_map(told) {
        sentinel.ask(&["SENTINEL", "DEBUG", "publish-period", "200"]).unwrap();
        let answer = sentinel.ask(&["SENTINEL", "MONITOR", name, "127.0.0.1", &node, "1"]);
        assert_eq!(text(&answer.unwrap()), "OK", "{name}");
    }
    for name in NAMES {
        for sentinel in &lab.sentinels {
            until(name, BOUND, || {
                let master = sentinel.master(name);
                (master.get("num-other-sentinels")? == "1").then_some(())
            })
            .unwrap();
        }
    }
    let ours = &mut lab.sentinels[1];
    // What is known of others may be saved later than it is shown.
    assert_eq!(text(&ours.ask(&["SENTINEL", "FLUSHCONFIG"]).unwrap()), "OK");
    for template in [speaking(dialect), reference] {
        ours.restart_as(template).unwrap();
        ours.wait_until_ready().unwrap();
        for name in NAMES {
            let master = ours.master(name);
            assert_eq!(master.get("name").map(String::as_str), Some(name), "{master:?}");
            assert_eq!(master.get("num-other-sentinels").map(String::as_str), Some("1"), "{name}");
        }
    }
}

#[test]
fn names_are_taken_as_by_redis() {
    if let Some(reference) = redis_sentinel() {
        check(Dialect::Redis, reference);
    }
}

#[test]
fn names_are_taken_as_by_valkey() {
    if let Some(reference) = valkey_sentinel() {
        check(Dialect::Valkey, reference);
    }
}
