//! Passwords that change while the group runs: the nodes', and those between Sentinels.

use vedette::lab::{BOUND, Client, GroupSpec, Lab, text, until};

use crate::group::{check_one_switch, kill_master, spec, start};

/// What comes from Sentinels is named after them once it has given the password.
const LINK: &str = " name=sentinel-";

fn links(client: &mut Client) -> Vec<String> {
    let list = text(&client.ask(&["CLIENT", "LIST"]).unwrap());
    list.lines().filter(|line| line.contains(LINK)).map(str::to_owned).collect()
}

fn id(line: &str) -> &str {
    line.split([' ', '=']).nth(1).unwrap()
}

/// Closes every link, so that each must give its password again, and waits for as many new ones.
fn start_anew(client: &mut Client, is_good: impl Fn(&str) -> bool) {
    let old = links(client);
    let enough = old.len();
    assert_ne!(enough, 0);
    for line in &old {
        // It may have gone by itself.
        client.ask(&["CLIENT", "KILL", "ID", id(line)]).unwrap();
    }
    until("new links", BOUND, || {
        let new = links(client);
        let is_new = |line: &&String| is_good(line) && !old.iter().any(|old| id(old) == id(line));
        (new.iter().filter(is_new).count() >= enough).then_some(())
    })
    .unwrap_or_else(|error| panic!("{error}: {:?}", links(client)));
}

#[track_caller]
fn order(client: &mut Client, words: &[&str]) {
    assert_eq!(text(&client.ask(words).unwrap()), "OK", "{words:?}");
}

/// The nodes' password first, then what the Sentinels give.
fn rotate_nodes(lab: &Lab, sentinels: &mut [Client], password: &str) {
    let nodes = lab.shards[0].nodes.iter();
    let mut nodes: Vec<Client> = nodes.map(|node| node.client().unwrap()).collect();
    for node in &mut nodes {
        order(node, &["CONFIG", "SET", "requirepass", password]);
        order(node, &["CONFIG", "SET", "masterauth", password]);
    }
    for sentinel in sentinels {
        order(sentinel, &["SENTINEL", "SET", lab.name(), "auth-pass", password]);
    }
    for node in &mut nodes {
        start_anew(node, |_| true);
    }
}

/// A user of their own with a password, and then with another.
fn rotate_peers(sentinels: &mut [Client], password: &str) {
    for sentinel in &mut *sentinels {
        let word = format!(">{password}");
        order(
            sentinel,
            &["ACL", "SETUSER", "peer", "on", "resetpass", &word, "allchannels", "+@all"],
        );
    }
    for sentinel in &mut *sentinels {
        order(sentinel, &["SENTINEL", "CONFIG", "SET", "sentinel-user", "peer"]);
        order(sentinel, &["SENTINEL", "CONFIG", "SET", "sentinel-pass", password]);
    }
    for sentinel in sentinels {
        start_anew(sentinel, |line| line.contains(" user=peer "));
    }
}

#[test]
fn passwords_are_rotated_while_the_group_runs() {
    let (password, sentinel_password) = (Some("old".to_owned()), Some("lookout".to_owned()));
    let mut lab = start(GroupSpec { password, sentinel_password, ..spec() });
    let clients = lab.sentinels.iter().map(|sentinel| sentinel.client().unwrap());
    let mut sentinels: Vec<Client> = clients.collect();
    rotate_nodes(&lab, &mut sentinels, "new");
    for password in ["first", "second"] {
        rotate_peers(&mut sentinels, password);
    }
    lab.wait_until_settled().unwrap();
    let (old, new) = kill_master(&mut lab);
    check_one_switch(&lab, old, new);
}
