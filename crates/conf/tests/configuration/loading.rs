//! What a configuration means (spec: interface 8, holes H20, H24 to H32).

use std::path::Path;

use crate::memory_files::MemoryFiles;
use vedette_conf::{Loaded, inspect, load};
use vedette_core::{Endpoint, Epoch, Span};

const ID: &str = "0123456789012345678901234567890123456789";

fn loaded(files: &MemoryFiles, arguments: &[&str]) -> Loaded {
    let arguments: Vec<_> = arguments.iter().map(|word| word.as_bytes().to_vec()).collect();
    load(Path::new("main"), &arguments, None, files).expect("a good configuration")
}

fn from(text: &str) -> Loaded {
    loaded(&MemoryFiles::main(text), &[])
}

#[test]
fn order_and_case_do_not_matter() {
    let loaded = from(
        "SENTINEL Down-After-Milliseconds m 1234\r\nsentinel monitor m some.host 6379 2\r\n\
         sentinel config-epoch m 7\nsentinel RESOLVE-hostnames YES\n  PORT 1  \n",
    );
    let master = &loaded.state.masters[0];
    assert_eq!(master.address, Endpoint::new("some.host", 6379));
    assert_eq!(master.settings.down_after, Span(1234));
    assert_eq!(loaded.state.current_epoch, Epoch::new(7));
    assert_eq!(master.leader_epoch, None);
    assert_eq!(loaded.server.port, 1);
}

#[test]
fn everything_of_a_copied_server_file_is_accepted() {
    let text = "enable-protected-configs yes\nenable-debug-command yes\nsave ''\nappendonly yes\n\
                list-max-ziplist-entries 512\nmodule.setting 1\nloadmodule /x.so\nslaveof no one\n\
                primaryauth x\nio-threads 4\nsave 3600 1 300 100\nmaxmemory-clients 5%\n";
    assert_eq!(from(text).warnings, []);
}

#[test]
fn options_win_and_are_lines() {
    let files = MemoryFiles::main("port 1\nsentinel monitor m 127.0.0.1 6379 2\n");
    let loaded =
        loaded(&files, &["--port", "2", "--sentinel", "down-after-milliseconds", "m", "5"]);
    assert_eq!(loaded.server.port, 2);
    assert_eq!(loaded.state.masters[0].settings.down_after, Span(5));
}

#[test]
fn includes_are_read_in_place() {
    let files = MemoryFiles::main("include a\nport 2\ninclude none*\n").with("a", "port 1\n");
    assert_eq!(loaded(&files, &[]).server.port, 2);
}

#[test]
fn an_include_of_itself_ends() {
    let files = MemoryFiles::main("include main\n");
    assert!(load(Path::new("main"), &[], None, &files).is_err());
}

#[test]
fn includes_of_each_other_end() {
    let text = "include a*\n";
    let files = MemoryFiles::main(text).with("a1", text).with("a2", text);
    let inspection = inspect(Path::new("main"), &[], None, &files);
    let mut errors = inspection.errors.iter().map(ToString::to_string);
    assert!(errors.any(|error| error.contains("more than 1000 files are included")));
}

/// spec: holes H26
#[test]
fn identical_repetitions_are_harmless() {
    let text = format!(
        "sentinel monitor m 127.0.0.1 6379 2\nsentinel known-slave m 127.0.0.1 6380\n\
         sentinel known-replica m 127.0.0.1 6380\nsentinel known-sentinel m 127.0.0.1 1 {ID}\n\
         sentinel known-sentinel m 127.0.0.1 1 {ID}\nsentinel known-sentinel m 127.0.0.1 1\n"
    );
    let loaded = from(&text);
    let master = &loaded.state.masters[0];
    assert_eq!((master.replicas.len(), master.sentinels.len()), (1, 1));
    assert_eq!(loaded.warnings.len(), 2);
}

/// spec: holes H26: the main file holds the state.
#[test]
fn the_main_files_monitor_line_wins() {
    let files = MemoryFiles::main("include a\nsentinel monitor m 127.0.0.2 6379 2\n")
        .with("a", "sentinel monitor m 127.0.0.1 6379 2\n");
    let option = ["--sentinel", "monitor", "m", "127.0.0.1", "6379", "2"];
    let loaded = loaded(&files, &option);
    assert_eq!(loaded.state.masters.len(), 1);
    assert_eq!(loaded.state.masters[0].address, Endpoint::new("127.0.0.2", 6379));
}

/// spec: holes H20
#[test]
fn the_own_id_is_no_peer() {
    let loaded = from(&format!(
        "sentinel known-sentinel m 127.0.0.1 1 {ID}\nsentinel monitor m 127.0.0.1 6379 2\n\
         sentinel myid {ID}\n"
    ));
    assert_eq!(loaded.state.masters[0].sentinels, []);
    assert_eq!(loaded.warnings.len(), 1);
}

/// spec: holes H30
#[test]
fn the_stricter_password_rule_wins() {
    let loaded = from("requirepass x\nport 1\nuser default on nopass ~* &* +@all\n");
    let rules = loaded.server.users[0].rules.concat();
    assert!(rules.ends_with(b">x"));
    let warning = loaded.warnings[0].to_string();
    assert!(warning.contains("line 1") && warning.contains("line 3"), "{warning}");

    // The line that the reference derives from the password says the same.
    let sha = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
    let same = format!("requirepass x\nuser default on #{sha} ~* &* +@all\n");
    assert_eq!(from(&same).warnings, []);
    let other = same.replace("requirepass x", "requirepass y");
    assert!(from(&other).warnings[0].text.contains("has no effect"));
}

#[test]
fn quoted_values_are_read() {
    let loaded = from(
        "sentinel monitor \"a b\" 127.0.0.1 6379 2\nsentinel auth-pass 'a b' \"p\\x20\\\"q\\n\"\n",
    );
    let master = &loaded.state.masters[0];
    assert_eq!(&*master.name, "a b");
    let password = master.settings.auth_pass.as_ref().expect("a password");
    assert_eq!(password.expose(), b"p \"q\n");
}

#[test]
fn lenient_numbers_are_read_with_a_warning() {
    let loaded =
        from("sentinel monitor m 127.0.0.1 6379 2\nsentinel down-after-milliseconds m 5000ms\n");
    assert_eq!(loaded.state.masters[0].settings.down_after, Span(5000));
    assert_eq!(
        loaded.warnings[0].to_string(),
        "line 2: `5000ms` is read as 5000; write the number alone"
    );
}

#[test]
fn empty_values_are_not_set() {
    let loaded = from("sentinel announce-ip \"\"\nsentinel sentinel-pass \"\"\nrequirepass ''\n");
    assert_eq!(loaded.state.settings.announce_ip, None);
    assert_eq!(loaded.state.settings.sentinel_pass, None);
    assert_eq!(loaded.server.requirepass, None);
}

#[test]
fn secrets_do_not_show_when_debugged() {
    let text = "requirepass hidden\nuser a on >hidden\nsentinel monitor m 127.0.0.1 6379 2\n\
                sentinel auth-pass m hidden\ntls-key-file-pass hidden\nmasterauth hidden\n";
    let shown = format!("{:?}", from(text));
    assert!(!shown.contains("hidden"), "{shown}");
    let files = MemoryFiles::main("requirepass hidden x\n");
    let error = load(Path::new("main"), &[], None, &files).expect_err("refused");
    assert!(!format!("{error:?} {error}").contains("hidden"));
}
