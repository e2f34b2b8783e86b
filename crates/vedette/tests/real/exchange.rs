//! One file, both programs: files written by the reference start ours, and the reverse.

use vedette::lab::{BOUND, GroupSpec, Lab, Template};

use crate::group::{kill_master, ours, redis_sentinel, spec, start, valkey_sentinel};

fn restart_all_as(lab: &mut Lab, template: &Template) {
    for sentinel in &mut lab.sentinels {
        sentinel.process().terminate(BOUND).unwrap();
        sentinel.restart_as(template.clone()).unwrap();
        sentinel.wait_until_ready().unwrap();
    }
    lab.wait_until_settled().unwrap();
}

fn ids(lab: &Lab) -> Vec<String> {
    let id = |sentinel: &vedette::lab::Sentinel| {
        vedette::lab::text(&sentinel.ask(&["SENTINEL", "MYID"]).unwrap())
    };
    lab.sentinels.iter().map(id).collect()
}

fn check(reference: &Template) {
    let mut lab = start(GroupSpec { sentinels: vec![reference.clone(); 3], ..spec() });
    let before = ids(&lab);
    restart_all_as(&mut lab, &ours());
    assert_eq!(ids(&lab), before);
    let (old, new) = kill_master(&mut lab);
    lab.shards[0].node(old).restart_as_replica_of(new).unwrap();
    lab.wait_until_settled().unwrap();
    restart_all_as(&mut lab, reference);
    assert_eq!(ids(&lab), before);
    assert_eq!(lab.agreed_master(lab.name()), Some(new));
}

#[test]
fn files_pass_from_redis_to_ours_and_back() {
    if let Some(reference) = redis_sentinel() {
        check(&reference);
    }
}

#[test]
fn files_pass_from_valkey_to_ours_and_back() {
    if let Some(reference) = valkey_sentinel() {
        check(&reference);
    }
}
