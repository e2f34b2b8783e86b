//! The second story: what a Sentinel says that is the only one, so that all of it has one order.
//! Scripts that fail, a standstill, failovers that come to nothing, and hellos of others.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use vedette::lab::{BOUND, Event, Folder, GroupSpec, Lab, Saying, Template, text, until};
use vedette_resp::Frame;
use vedette_wire::Dialect;

use super::mask::Mask;
use super::peer;
use crate::group::{spec, start};

const MASTER: &str = "mymaster";
/// Another master, which nobody ever sees: what is told of it is told of it alone.
const TWIN: [&str; 3] = ["twin", "127.0.0.1", "1"];

/// It stands still for longer than TILT-TRIGGER says.
const TILT_TRIGGER: &str = "600";
const STANDSTILL: Duration = Duration::from_millis(1000);

/// A scene with a forced failover, and the line of the log that tells of one.
const CANDIDATE_HANGS: &str = "the candidate hangs";
const BY_OPERATOR: &str = "Executing user requested FAILOVER of ";
/// Ours tells of every connection that is refused, at level debug, the reference of those that are
/// refused at once. And ours may try once more, and find the master back (F2, F4).
const OURS_ALONE: [&str; 2] = ["-link-reconnection", "-failover-abort-master-is-back"];

/// A script that writes down its words. What it does then depends on how they end.
const SCRIPT: &str = r#"#!/bin/sh
line=
for word; do line="$line[$word]"; done
printf '%s\n' "$line" >> "$0.out"
case "$2" in
    *" 1016") while [ -e "$0.hold" ]; do sleep 0.02; done ;;
    *"syncs 12") exit 2 ;;
    *"syncs 13") kill -9 $$ ;;
    *"syncs 14") [ -e "$0.failed" ] || { : > "$0.failed"; exit 1; } ;;
    *"syncs 15") [ -e "$0.slept" ] || { : > "$0.slept"; exec sleep 60; } ;;
esac
"#;

/// What was said in one scene, in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scene {
    pub(super) name: &'static str,
    pub(super) lines: Vec<String>,
}

impl Scene {
    /// What a reference said, without what is known to differ.
    pub(super) fn but_for_known_differences(mut self, dialect: Dialect) -> Self {
        match dialect {
            // Redis 7.0 says at level warning what later ones say at level notice.
            Dialect::Redis => {
                for line in self.lines.iter_mut().filter(|line| line.starts_with(BY_OPERATOR)) {
                    *line = line.replace(" #", " *");
                }
            }
            // Valkey takes the master of a forced failover for down, and then says that it is back.
            Dialect::Valkey if self.name == CANDIDATE_HANGS => {
                self.lines.retain(|line| !line.starts_with("-sdown master"));
            }
            Dialect::Valkey => {}
        }
        self
    }

    /// Ours switches at the promotion, the references at the end (L7): the order differs, and by
    /// which address the master is named. Who hung is given up for once (H10), and the old master
    /// is demoted at once (R2).
    fn forget_when_it_switched(&mut self, old_master: &str) {
        let about_old = format!(" slave {old_master} ");
        let is_kept = |line: &String| !line.contains(&about_old) || line.starts_with("+slave ");
        let without_master = |line: &String| {
            let line = line.split(" @ ").next().unwrap_or_default();
            match line.split_once(" master mymaster ") {
                Some((event, _)) => event.to_owned(),
                None => line.to_owned(),
            }
        };
        let lines: BTreeSet<String> =
            self.lines.iter().filter(|line| is_kept(line)).map(without_master).collect();
        // Valkey's, see above.
        self.lines = lines.into_iter().filter(|line| line != "-sdown").collect();
    }
}

struct Stage {
    lab: Lab,
    mask: Mask,
    /// Where the events of the present scene begin.
    mark: usize,
    scenes: Vec<Scene>,
    /// The notification script, and the one that tells clients of a new master.
    script: PathBuf,
    reconfigure: PathBuf,
    _folder: Folder,
}

/// The first part: scripts, and a process that stands still.
pub(super) fn play_scripts(template: Template) -> Vec<Scene> {
    let mut stage = Stage::open(template, 1);
    stage.scripts_wait_in_order();
    stage.scripts_fail();
    stage.process_stands_still();
    stage.warnings_ran_the_script();
    stage.ends_of_scripts();
    stage.scenes
}

/// The second part: replicas that are not where they should be.
pub(super) fn play_repointing(template: Template) -> Vec<Scene> {
    let mut stage = Stage::open(template, 2);
    stage.replica_strays();
    stage.warnings_ran_the_script();
    stage.replica_hangs();
    stage.replica_hangs_for_longer();
    stage.scenes
}

/// The third part: failovers that come to nothing, and hellos.
pub(super) fn play_failures(template: Template) -> Vec<Scene> {
    let mut stage = Stage::open(template, 1);
    stage.candidate_hangs();
    stage.nobody_can_be_promoted();
    stage.nobody_votes();
    stage.hellos_are_heard();
    stage.warnings_ran_the_script();
    stage.scenes
}

impl Stage {
    fn open(template: Template, replicas: usize) -> Self {
        let folder = Folder::new(None).unwrap();
        let [script, reconfigure] = ["notify", "reconfigure"].map(|name| {
            let path = folder.path().join(name);
            std::fs::write(&path, SCRIPT).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            path
        });
        let lab = start(GroupSpec {
            sentinels: vec![template],
            replicas,
            quorum: 1,
            down_after_ms: 5000,
            failover_timeout_ms: 1000,
            sentinel_lines: vec![
                "loglevel debug".to_owned(),
                "sentinel deny-scripts-reconfig no".to_owned(),
                format!("sentinel notification-script {MASTER} {}", script.display()),
                format!("sentinel client-reconfig-script {MASTER} {}", reconfigure.display()),
            ],
            ..spec()
        });
        let mask = Mask::of(&lab);
        let mark = lab.events.len();
        let scenes = vec![];
        let mut stage = Self { lab, mask, mark, scenes, script, reconfigure, _folder: folder };
        stage.order(&["SENTINEL", "DEBUG", "INFO-PERIOD", "300", "SCRIPT-RETRY-DELAY", "1"]);
        // The subscriber may come late; and what was said before the last of these belongs to no
        // scene.
        stage.wait("the subscription", || {
            stage.set("quorum", "1");
            let events = stage.lab.events.since(stage.mark);
            events.iter().any(|event| event.is("+set", "quorum")).then_some(())
        });
        stage.set("parallel-syncs", "1");
        stage.skip_to(&["parallel-syncs 1"]);
        stage
    }

    fn ask(&self, words: &[&str]) -> Frame {
        let answer = self.lab.sentinels[0].ask(words).unwrap();
        assert!(!answer.is_error(), "{words:?}: {}", text(&answer));
        answer
    }

    fn order(&self, words: &[&str]) {
        self.ask(words);
    }

    fn set(&self, option: &str, value: &str) {
        self.order(&["SENTINEL", "SET", MASTER, option, value]);
    }

    fn wait(&self, what: &str, condition: impl FnMut() -> Option<()>) {
        until(what, BOUND, condition)
            .unwrap_or_else(|error| panic!("{error}: {}", self.lab.sentinels[0].log()));
    }

    /// Waits until all of these were said, and forgets what was said up to the last of them.
    fn skip_to(&mut self, last: &[&str]) {
        self.end_scene("", last);
        self.scenes.pop();
    }

    /// Waits until all of these were said, and writes down what was said up to the last of them.
    fn end_scene(&mut self, name: &'static str, last: &[&str]) {
        let position = |events: &[Event]| {
            let lines: Vec<_> = events.iter().map(|event| line(event, &self.mask)).collect();
            let find = |part: &&str| {
                lines.iter().position(|it| it.as_ref().is_some_and(|it| it.contains(part)))
            };
            let ends: Option<Vec<_>> = last.iter().map(find).collect();
            ends?.into_iter().max()
        };
        let what = format!("{last:?}");
        let end = self.lab.events.wait_for(&what, self.mark, BOUND, position).unwrap();
        let events = self.lab.events.since(self.mark);
        let lines = events[..=end].iter().filter_map(|event| line(event, &self.mask)).collect();
        self.mark += end + 1;
        self.scenes.push(Scene { name, lines });
    }

    fn beside_script(&self, ending: &str) -> PathBuf {
        beside(&self.script, ending)
    }

    /// The notification script's calls so far.
    fn calls(&self) -> Vec<String> {
        calls_of(&self.script).iter().map(|line| self.mask.apply(line)).collect()
    }

    /// Waits for a call of the other script, and writes down all of them.
    fn end_with_reconfiguration(&mut self, name: &'static str) {
        self.wait("the clients' script", || {
            (!calls_of(&self.reconfigure).is_empty()).then_some(())
        });
        self.wait_until_no_script_is_left();
        let words =
            |call: &String| self.mask.apply(&call.trim_matches(['[', ']']).replace("][", " "));
        let lines = calls_of(&self.reconfigure).iter().map(words).collect();
        self.scenes.push(Scene { name, lines });
    }

    fn pending_scripts(&self) -> Vec<Frame> {
        self.ask(&["SENTINEL", "PENDING-SCRIPTS"]).items().unwrap_or_default().to_vec()
    }

    fn wait_until_no_script_is_left(&self) {
        self.wait("all scripts", || self.pending_scripts().is_empty().then_some(()));
    }

    fn scripts_wait_in_order(&mut self) {
        self.wait_until_no_script_is_left();
        std::fs::write(self.beside_script("hold"), "").unwrap();
        let options =
            ["failover-timeout", "down-after-milliseconds", "master-reboot-down-after-period"];
        for option in options {
            self.set(option, "1016");
        }
        let are_running = || {
            let pending = self.pending_scripts();
            let running = pending.iter().filter(|it| shown(it).contains("running"));
            (running.count() == options.len()).then_some(())
        };
        self.wait("scripts that wait", are_running);
        let lines = self.pending_scripts().iter().map(|it| self.mask.apply(&shown(it))).collect();
        self.scenes.push(Scene { name: "pending scripts", lines });
        std::fs::remove_file(self.beside_script("hold")).unwrap();
        self.wait_until_no_script_is_left();
        self.set("down-after-milliseconds", "5000");
        self.end_scene("options", &["down-after-milliseconds 5000"]);
    }

    fn scripts_fail(&mut self) {
        self.set("parallel-syncs", "12");
        self.end_scene("a script fails", &["-script-error notify 0 2"]);
        self.set("parallel-syncs", "13");
        self.end_scene("a script is killed each time", &["-script-error notify 9 0"]);
        self.set("parallel-syncs", "14");
        self.wait("the second try", || {
            (self.calls().iter().filter(|call| call.ends_with("14]")).count() == 2).then_some(())
        });
        self.wait_until_no_script_is_left();
        self.end_scene("a script fails once", &["parallel-syncs 14"]);
        self.order(&["SENTINEL", "DEBUG", "SCRIPT-MAX-RUNTIME", "300"]);
        self.set("parallel-syncs", "15");
        self.wait("the second try", || {
            (self.calls().iter().filter(|call| call.ends_with("15]")).count() == 2).then_some(())
        });
        self.wait_until_no_script_is_left();
        self.end_scene("a script hangs", &["-script-timeout notify"]);
        self.order(&["SENTINEL", "DEBUG", "SCRIPT-MAX-RUNTIME", "60000"]);
        let away = self.beside_script("away");
        std::fs::rename(&self.script, &away).unwrap();
        self.set("parallel-syncs", "2");
        self.end_scene("a script is gone", &["-script-error notify 0 2"]);
        std::fs::rename(&away, &self.script).unwrap();
    }

    /// How each of them ended stands in the log alone.
    fn ends_of_scripts(&mut self) {
        let mut ends: Vec<String> = Vec::new();
        for words in self.lab.sentinels[0].log().lines().map(words_of_log) {
            if let [".", "-script-child", _pid, code, signal] = words[..]
                && [code, signal] != ["0", "0"]
            {
                ends.push(format!("-script-child {code} {signal}"));
            }
        }
        self.scenes.push(Scene { name: "ends of scripts", lines: ends });
    }

    fn process_stands_still(&mut self) {
        let shorten = ["SENTINEL", "DEBUG", "TILT-TRIGGER", TILT_TRIGGER, "TILT-PERIOD", "100"];
        self.order(&shorten);
        self.lab.sentinels[0].process().suspend();
        std::thread::sleep(STANDSTILL);
        self.lab.sentinels[0].process().resume();
        self.end_scene("standstill", &["-tilt"]);
        // On a busy machine it may stand still twice.
        self.last_scene().lines.dedup();
        self.order(&["SENTINEL", "DEBUG", "TILT-TRIGGER", "60000"]);
    }

    fn candidate_hangs(&mut self) {
        self.lab.wait_until_settled().unwrap();
        self.lab.shards[0].nodes[1].process().suspend();
        self.order(&["SENTINEL", "FAILOVER", MASTER]);
        self.end_scene(CANDIDATE_HANGS, &["-failover-abort-slave-timeout"]);
        self.lab.shards[0].nodes[1].restart().unwrap();
        self.end_scene("it comes back", &["+reboot slave"]);
        self.lab.wait_until_settled().unwrap();
    }

    fn give_priority(&self, priority: &str) {
        let mut replica = self.lab.shards[0].nodes[1].client().unwrap();
        replica.ask(&["CONFIG", "SET", "replica-priority", priority]).unwrap();
        self.wait("the priority", || {
            let replicas = self.lab.sentinels[0].list("REPLICAS", MASTER);
            (replicas[0].get("slave-priority")? == priority).then_some(())
        });
    }

    fn nobody_can_be_promoted(&mut self) {
        self.give_priority("0");
        // Ours looks again for a second.
        self.set("failover-timeout", "2500");
        self.set("down-after-milliseconds", "1000");
        self.lab.shards[0].nodes[0].process().kill();
        self.end_scene("nobody can be promoted", &["-failover-abort-no-good-slave"]);
        self.master_returns("the master returns");
        self.give_priority("100");
    }

    fn master_returns(&mut self, name: &'static str) {
        self.lab.shards[0].nodes[0].restart().unwrap();
        self.end_scene(name, &["-odown", "-sdown", "+reboot master"]);
        // Whether PING or INFO is answered first is a matter of moments.
        self.last_scene().lines.sort();
        let port = self.lab.shards[0].nodes[0].port();
        self.lab.wait_until_following(0, port).unwrap();
    }

    /// A hello of somebody else about `master`, at the address and under the epoch given.
    fn hello(&self, [id, master, address]: [&str; 3], port: u16, epoch: u64) {
        let id = id.repeat(40);
        let text = format!("127.0.0.1,{port},{id},{epoch},{master},{address},{epoch}");
        self.order(&["PUBLISH", "__sentinel__:hello", &text]);
    }

    fn nobody_votes(&mut self) {
        let port = peer::start();
        self.mask.add(port, "P");
        self.set("failover-timeout", "1000");
        let address = format!("127.0.0.1,{}", self.lab.shards[0].nodes[0].port());
        self.hello(["a", MASTER, &address], port, 0);
        self.wait("the peer", || {
            let peers = self.lab.sentinels[0].list("SENTINELS", MASTER);
            let is_up = |flags: &String| flags == "sentinel";
            peers.iter().any(|peer| peer.get("flags").is_some_and(is_up)).then_some(())
        });
        self.lab.shards[0].nodes[0].process().kill();
        self.end_scene("nobody votes", &["-failover-abort-not-elected"]);
        self.lab.shards[0].nodes[0].restart().unwrap();
        // Ours may have tried again meanwhile (F2).
        self.skip_to(&["-odown", "-sdown", "+reboot master"]);
    }

    fn hellos_are_heard(&mut self) {
        let [twin, host, port] = TWIN;
        self.order(&["SENTINEL", "MONITOR", twin, host, port, "1"]);
        let script = self.reconfigure.display().to_string();
        self.order(&["SENTINEL", "SET", twin, "client-reconfig-script", &script]);
        let master = format!("127.0.0.1,{}", self.lab.shards[0].nodes[0].port());
        self.hello(["b", MASTER, &master], 2, 0);
        self.hello(["b", twin, "127.0.0.1,1"], 2, 0);
        self.hello(["b", twin, "127.0.0.1,1"], 3, 0);
        self.hello(["c", twin, "127.0.0.1,1"], 3, 0);
        self.hello(["c", twin, "127.0.0.1,4"], 3, 100);
        self.end_scene("hellos", &["+slave slave 127.0.0.1:1"]);
        // Ours may have stood once more when the master came back (F2).
        self.last_scene().lines.retain(|line| !line.starts_with("-failover-abort-not-elected"));
        self.end_with_reconfiguration("an observer tells clients");
        self.order(&["SENTINEL", "REMOVE", twin]);
        self.end_scene("removed", &["-monitor"]);
    }

    /// An operator gives orders to a replica. (Nodes are asked often, and hellos sent often, since
    /// both are waited for.)
    fn replica_strays(&mut self) {
        self.order(&["SENTINEL", "DEBUG", "PUBLISH-PERIOD", "200"]);
        let [_, other, _] = self.lab.shards[0].ports()[..] else { panic!("three nodes") };
        let tell = |stage: &Self, words: &[&str]| {
            stage.lab.shards[0].nodes[2].client().unwrap().ask(words).unwrap();
        };
        tell(self, &["CONFIG", "SET", "replica-priority", "200"]);
        tell(self, &["REPLICAOF", "127.0.0.1", &other.to_string()]);
        self.end_scene("a replica follows another", &["+fix-slave-config"]);
        self.lab.wait_until_settled().unwrap();
        let master = self.lab.shards[0].nodes[0].port();
        self.lab.wait_until_following(0, master).unwrap();
        self.lab.wait_until_roles_are_known(master).unwrap();
        tell(self, &["REPLICAOF", "NO", "ONE"]);
        self.end_scene("a replica is a master", &["+convert-to-slave", "+role-change"]);
        self.lab.wait_until_following(0, master).unwrap();
        self.lab.wait_until_roles_are_known(master).unwrap();
    }

    /// Until SLAVE-RECONF-TIMEOUT gives it up.
    fn replica_hangs(&mut self) {
        self.fail_over_without_the_spare("300");
        self.end_with_reconfiguration("a leader tells clients");
        let ends = ["+failover-end ", "+switch-master", "+slave slave 127.0.0.1:N0"];
        self.end_scene("a replica hangs", &ends);
        self.last_scene().forget_when_it_switched("127.0.0.1:N0");
    }

    /// Until failover-timeout ends it all.
    fn replica_hangs_for_longer(&mut self) {
        self.lab.shards[0].nodes[2].process().resume();
        let master = self.lab.shards[0].nodes[1].port();
        self.lab.wait_until_following(0, master).unwrap();
        self.lab.wait_until_roles_are_known(master).unwrap();
        self.fail_over_without_the_spare("10000");
        let ends = ["+failover-end ", "+switch-master", "+slave slave 127.0.0.1:N1"];
        self.end_scene("a replica hangs for longer", &ends);
        self.last_scene().forget_when_it_switched("127.0.0.1:N1");
    }

    fn fail_over_without_the_spare(&mut self, reconf_timeout: &str) {
        self.lab.wait_until_settled().unwrap();
        // The references never give up the one that fills all places (H10).
        self.set("parallel-syncs", "2");
        self.skip_to(&["parallel-syncs 2"]);
        self.order(&["SENTINEL", "DEBUG", "SLAVE-RECONF-TIMEOUT", reconf_timeout]);
        self.lab.shards[0].nodes[2].process().suspend();
        self.order(&["SENTINEL", "FAILOVER", MASTER]);
    }

    fn last_scene(&mut self) -> &mut Scene {
        self.scenes.last_mut().expect("a scene that was played")
    }

    /// Each warning about an instance of the master was a call of the script, and nothing else was.
    fn warnings_ran_the_script(&mut self) {
        // When this is in the log, all that was said before is.
        self.set("failover-timeout", "1001");
        self.wait("the log", || {
            self.lab.sentinels[0].log().contains(" failover-timeout 1001\n").then_some(())
        });
        self.wait_until_no_script_is_left();
        let mut warned = BTreeSet::new();
        for words in self.lab.sentinels[0].log().lines().map(words_of_log) {
            let ["#", event, rest @ ..] = &words[..] else { continue };
            let is_of_nobody = ["+tilt", "-tilt", "-script-error", "-script-timeout"];
            if event.starts_with(['+', '-']) && !is_of_nobody.contains(event) {
                let payload = rest.join(" ");
                // The twin has no script, and once the master's was away.
                let is_called = !payload.contains(TWIN[0]) && payload != "100";
                if is_called && !payload.ends_with(" parallel-syncs 2") {
                    warned.insert(self.mask.apply(&format!("[{event}][{payload}]")));
                }
            }
        }
        let called: BTreeSet<String> = self.calls().into_iter().collect();
        assert_eq!(called, warned);
        self.levels();
    }

    /// Every event that was logged, with its level.
    fn levels(&mut self) {
        let mut levels = BTreeSet::new();
        for words in self.lab.sentinels[0].log().lines().map(words_of_log) {
            let [level, event, ..] = words[..] else { continue };
            let text = words[1..].join(" ");
            if text.starts_with(BY_OPERATOR) {
                levels.insert(format!("{text} {level}"));
            }
            if event.len() > 1
                && event.starts_with(['+', '-'])
                && !OURS_ALONE.iter().any(|ours| event.ends_with(ours))
            {
                levels.insert(format!("{event} {level}"));
            }
        }
        self.scenes.push(Scene { name: "levels", lines: levels.into_iter().collect() });
    }
}

fn beside(script: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}.{ending}", script.display()))
}

fn calls_of(script: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(beside(script, "out")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Level and words of a line of the log.
fn words_of_log(line: &str) -> Vec<&str> {
    line.split(' ').skip(5).collect()
}

/// What was said, masked; nothing for an address that the lab asked for.
fn line(event: &Event, mask: &Mask) -> Option<String> {
    let Saying::Message { channel, payload } = &event.saying else { return None };
    let line = format!("{channel} {}", mask.apply(payload));
    match channel.as_str() {
        // Its number is another one each time.
        "-script-timeout" => line.rsplit_once(' ').map(|(line, _)| line.to_owned()),
        _ => Some(line),
    }
}

/// An entry of PENDING-SCRIPTS, without numbers of processes and lengths of time.
fn shown(entry: &Frame) -> String {
    let items = entry.items().unwrap_or_default();
    let argv: Vec<_> = items[1].items().unwrap_or_default().iter().map(text).collect();
    let [name, flags, tries] = [6, 3, 9].map(|place| text(&items[place]));
    format!("{} {name} {flags} {tries}", argv.join(" "))
}
