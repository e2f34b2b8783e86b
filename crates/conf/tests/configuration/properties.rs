//! What holds for every state. What holds for every text is tried in `vedette-trials`.

use std::path::Path;
use std::sync::Arc;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use vedette_conf::{Document, SentinelFile, load};
use vedette_core::{
    DurableChange, DurableState, Endpoint, Epoch, LogLevel, MasterSettings, SavedMaster,
    SavedSentinel, Secret, SentinelId, Settings, Span,
};

use crate::memory_files::MemoryFiles;

/// Words that files and passwords are full of: blanks, quotes, controls, anything.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,8}",
        "[ \t\n\r\"'\\\\#x0-9a-f]{1,8}",
        "\\PC{1,8}",
        vec(any::<char>(), 1..6).prop_map(|chars| chars.into_iter().collect()),
    ]
}

fn secret() -> impl Strategy<Value = Secret> {
    vec(any::<u8>(), 1..8).prop_map(Secret::new)
}

fn text() -> impl Strategy<Value = Arc<str>> {
    hostile().prop_map(Into::into)
}

fn sentinel_id() -> impl Strategy<Value = SentinelId> {
    any::<[u8; 20]>().prop_map(SentinelId::from_random)
}

fn epoch() -> impl Strategy<Value = Epoch> {
    (0..=Epoch::MAX.get()).prop_map(|number| Epoch::new(number).unwrap_or_default())
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    (hostile(), any::<u16>()).prop_map(|(host, port)| Endpoint::new(&host, port))
}

fn settings() -> impl Strategy<Value = Settings> {
    let level = prop_oneof![
        Just(LogLevel::Debug),
        Just(LogLevel::Notice),
        Just(LogLevel::Warning),
        Just(LogLevel::Nothing)
    ];
    let texts = (option::of(text()), option::of(text()), option::of(secret()));
    (texts, option::of(1..=u16::MAX), any::<(bool, bool)>(), level).prop_map(
        |((announce_ip, sentinel_user, sentinel_pass), announce_port, flags, log_level)| Settings {
            announce_ip,
            announce_port,
            // Hosts of every kind can only be read with names allowed.
            resolve_hostnames: true,
            announce_hostnames: flags.0,
            deny_scripts_reconfig: flags.1,
            sentinel_user,
            sentinel_pass,
            log_level,
        },
    )
}

fn master_settings() -> impl Strategy<Value = MasterSettings> {
    let ms = || prop_oneof![Just(30_000), Just(180_000), 1..=u64::from(i32::MAX.unsigned_abs())];
    let script = || option::of(hostile().prop_map(|name| Arc::from(format!("{name}.sh"))));
    let renames = btree_map("[A-Z]{1,5}".prop_map(Arc::from), text(), 0..3);
    let small = 1..=u32::MAX / 2;
    (
        (small.clone(), ms(), ms(), small, 0..3_u64),
        (script(), script(), option::of(secret()), option::of(text()), renames),
    )
        .prop_map(|(numbers, texts)| MasterSettings {
            quorum: numbers.0,
            down_after: Span(numbers.1),
            failover_timeout: Span(numbers.2),
            parallel_syncs: numbers.3,
            reboot_down_after: Span(numbers.4),
            notification_script: texts.0,
            client_reconfig_script: texts.1,
            auth_pass: texts.2,
            auth_user: texts.3,
            renames: Arc::new(texts.4),
        })
}

prop_compose! {
    fn master()(
        name in text(),
        address in endpoint(),
        settings in master_settings(),
        config_epoch in epoch(),
        leader_epoch in option::of(epoch()),
        mut replicas in vec(endpoint(), 0..4),
        mut sentinels in vec((sentinel_id(), endpoint()), 0..4),
    ) -> SavedMaster {
        replicas.sort_by_key(|replica| (replica.host.to_lowercase(), replica.port));
        replicas.dedup_by_key(|replica| (replica.host.to_lowercase(), replica.port));
        sentinels.dedup_by_key(|(id, _)| *id);
        let sentinels =
            sentinels.into_iter().map(|(id, address)| SavedSentinel { id, address }).collect();
        SavedMaster {
            name, address, settings, config_epoch, leader_epoch, replicas, sentinels,
            last_vote: None,
        }
    }
}

prop_compose! {
    fn state()(
        my_id in sentinel_id(),
        settings in settings(),
        mut masters in vec(master(), 0..4),
        current_epoch in epoch(),
    ) -> DurableState {
        masters.sort_by(|one, other| one.name.cmp(&other.name));
        masters.dedup_by(|one, other| one.name == other.name);
        let highest = masters.iter().map(|master| master.config_epoch).max();
        let current_epoch = highest.max(Some(current_epoch));
        DurableState { my_id, current_epoch, settings, masters }
    }
}

/// The state that a text tells, as far as sets go in a fixed order.
fn read(text: &[u8]) -> DurableState {
    let files = MemoryFiles::main(text);
    let loaded = load(Path::new("main"), &[], None, &files);
    let loaded = loaded.unwrap_or_else(|error| panic!("{error}\n{}", text.escape_ascii()));
    assert_eq!(loaded.warnings, [], "{}", text.escape_ascii());
    sorted(loaded.state.durable(SentinelId::from_random([0; 20])))
}

fn sorted(mut state: DurableState) -> DurableState {
    state.masters.sort_by(|one, other| one.name.cmp(&other.name));
    for master in &mut state.masters {
        master.replicas.sort();
        master.sentinels.sort_by_key(|sentinel| (sentinel.id, sentinel.address.clone()));
    }
    state
}

/// The changes that lead from one state to another.
fn changes(from: &DurableState, to: &DurableState) -> Vec<DurableChange> {
    let gone = from.masters.iter().filter(|old| to.masters.iter().all(|new| new.name != old.name));
    let mut changes: Vec<_> = gone.map(|old| DurableChange::Removed(old.name.clone())).collect();
    changes.extend(to.masters.iter().map(|new| DurableChange::Master(Arc::new(new.clone()))));
    changes.push(DurableChange::Settings(Arc::new(to.settings.clone())));
    changes.extend(to.current_epoch.map(DurableChange::CurrentEpoch));
    changes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_saved_state_loads_again(states in vec(state(), 1..4)) {
        let first = DurableState { my_id: states[0].my_id, ..states[0].clone() };
        let mut file = SentinelFile::new(Document::parse(b"# mine\n"), &first, Path::new("/here"));
        let mut text = file.render();
        file.accept();
        prop_assert_eq!(read(&text), sorted(first.clone()));
        let mut now = first;
        for next in &states[1..] {
            let next = DurableState {
                my_id: now.my_id,
                current_epoch: now.current_epoch.max(next.current_epoch),
                ..next.clone()
            };
            changes(&now, &next).iter().for_each(|change| file.change(change));
            let attempt = file.render();
            prop_assert_eq!(read(&attempt), sorted(next.clone()));
            // A failed save leaves the file as it was; then it succeeds.
            file.reject();
            prop_assert_eq!(file.render().escape_ascii().to_string(), text.escape_ascii().to_string());
            changes(&now, &next).iter().for_each(|change| file.change(change));
            text = file.render();
            file.accept();
            prop_assert_eq!(read(&text), sorted(next.clone()));
            // Another Sentinel that starts from it changes nothing.
            let loaded = load(Path::new("main"), &[], None, &MemoryFiles::main(&text)).expect("good");
            let state = loaded.state.durable(now.my_id);
            let mut other = SentinelFile::new(loaded.document, &state, Path::new("/else"));
            prop_assert_eq!(other.render().escape_ascii().to_string(), text.escape_ascii().to_string());
            now = next;
        }
    }
}
