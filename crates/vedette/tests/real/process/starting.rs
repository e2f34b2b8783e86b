//! The first lines, the command line, and why it does not start.

use std::net::{Ipv4Addr, TcpListener};

use rustix::process::Signal;
use vedette_wire::Dialect;

use super::run::{Make, Setting, alike, code};

const MASTER: &str = "sentinel monitor m 127.0.0.1 1 1\n";

#[test]
fn every_level_says_what_the_references_says() {
    for level in ["debug", "verbose", "notice", "warning"] {
        let lines = format!("{MASTER}loglevel {level}\n");
        let (ending, said) = alike(&lines, |setting| {
            setting.is_quiet = level == "warning";
            setting.serve_until(&[Signal::TERM])
        });
        assert_eq!(ending, code(0));
        let wanted = match level {
            "debug" => "Rewritten config file ($FOLDER/sentinel.conf) successfully",
            "warning" => "# +monitor master m 127.0.0.1 1 quorum 1",
            _ => "* Running mode=sentinel, port=$PORT.",
        };
        assert!(said.iter().any(|line| line.contains(wanted)), "{said:?}");
    }
}

#[test]
fn verbose_lines_tell_who_comes_and_goes() {
    let count = alike("loglevel verbose\n", |setting| {
        let mut process = setting.start();
        assert_eq!(setting.ask("PING"), "+PONG\r\n");
        let gone = " - Client closed connection id=";
        setting.wait_for("out", gone);
        let log = setting.read("out");
        let line = log.lines().find(|line| line.contains(gone)).unwrap().to_owned();
        let laddr = format!(" laddr=127.0.0.1:{} ", setting.port);
        assert!(line.contains(" addr=127.0.0.1:") && line.contains(&laddr), "{line}");
        let user = match setting.dialect {
            Dialect::Redis => "default",
            Dialect::Valkey => "*redacted*",
        };
        assert!(line.contains(&format!(" cmd=ping user={user} ")), "{line}");
        assert!(log.contains(" - Accepted 127.0.0.1:"), "{log}");
        process.terminate(vedette::lab::BOUND).unwrap().code()
    });
    assert_eq!(count, Some(0));
}

#[test]
fn words_after_the_file_win() {
    for words in [
        &["--loglevel", "warning"][..],
        &["--loglevel warning"],
        &["--LOGLEVEL", "WARNING"],
        &["--sentinel", "monitor", "m", "127.0.0.1", "1", "2"],
        &["--sentinel monitor m 127.0.0.1 1 2"],
        &["--sentinel"],
        &["--pidfile", "$FOLDER/pid", "--loglevel", "debug"],
    ] {
        let (ending, said) = alike("loglevel notice\n", |setting| {
            setting.set_after(words);
            setting.is_quiet = words[0].to_lowercase().contains("loglevel");
            setting.serve_until(&[Signal::TERM])
        });
        assert_eq!(ending, code(0), "{words:?}");
        let monitors =
            said.iter().any(|line| line.ends_with("+monitor master m 127.0.0.1 1 quorum 2"));
        assert_eq!(monitors, words.concat().contains("monitor"), "{words:?}: {said:?}");
    }
}

#[test]
fn wrong_words_are_refused_with_their_line() {
    for words in [
        &["--port", "1x"][..],
        &["--port", "99999"],
        &["--loglevel", "x"],
        &["stray"],
        &["--nonsense", "1"],
        &["--sentinel", "monitor", "m"],
        &["--port", "1", "2"],
        &["--port"],
        &["--bind \"127.0.0.1"],
        &["--include", "none"],
        &["--dir", "/nonexistent"],
    ] {
        let (ending, said) = alike("", |setting| {
            setting.set_after(words);
            setting.refused()
        });
        assert_eq!(ending, code(1), "{words:?}: {said:?}");
    }
}

/// Starts with `input` as standard input.
fn with_input(setting: &mut Setting, input: &str) {
    setting.write("input", input);
    setting.set_before(&["sh", "-c", "exec \"$0\" \"$@\" < \"$FOLDER/input\""]);
    setting.set_after(&["-"]);
}

#[test]
fn a_dash_that_is_not_the_last_word_is_a_value() {
    for words in [&["-", "--port", "$PORT"][..], &["--loglevel", "-", "--port", "1"], &["-", "-"]] {
        let (ending, said) = alike("", |setting| {
            with_input(setting, "loglevel warning\n");
            setting.set_after(words);
            setting.refused()
        });
        assert_eq!(ending, code(1), "{words:?}");
        assert!(said.iter().any(|line| line.contains("\"-\"")), "{words:?}: {said:?}");
    }
}

#[test]
fn words_without_a_file_are_judged_first() {
    for (words, wanted) in [
        (&["-"][..], "Sentinel needs config file on disk"),
        (&["--port", "$PORT", "-"], "Sentinel needs config file on disk"),
        (&["-", "sentinel.conf"], ">>> '\"sentinel.conf\"'"),
        (&["--port", "$PORT", "sentinel.conf"], ">>> 'port \"$PORT\" \"sentinel.conf\"'"),
        (&["--sentinel", "sentinel.conf"], ">>> 'sentinel \"sentinel.conf\"'"),
        (&["none.conf", "-"], "can't open config file '$FOLDER/none.conf'"),
    ] {
        let (ending, said) = alike("", |setting| {
            with_input(setting, "loglevel warning\n");
            setting.set_after(words);
            setting.end_of(&mut setting.start_on(&[]))
        });
        assert_eq!(ending, code(1), "{words:?}");
        assert!(said.iter().any(|line| line.contains(wanted)), "{words:?}: {said:?}");
    }
}

/// Ours has no text of the reference's, but ends as it does.
#[test]
fn help_ends_as_by_the_references() {
    alike("", |setting| {
        setting.set_after(&["--help"]);
        let (ending, said) = setting.end_of(&mut setting.start_on(&[]));
        assert!(said[0].starts_with("Usage: "), "{said:?}");
        ending
    });
}

#[test]
fn ours_tests_no_machine() {
    for dialect in [Dialect::Redis, Dialect::Valkey] {
        for word in ["--test-memory", "--check-system"] {
            let mut setting = Setting::new(Make::Ours, dialect, "");
            setting.set_after(&[word, "1"]);
            let (ending, said) = setting.end_of(&mut setting.start_on(&[]));
            assert_eq!(ending, code(1));
            let remedy = format!("run '{dialect}-server {word}' there");
            assert!(said[0].starts_with(word) && said[0].ends_with(&remedy), "{said:?}");
        }
    }
}

#[test]
fn standard_input_is_read_after_the_file() {
    for input in
        ["", "loglevel warning\n", "port 0\nport $PORT", "sentinel monitor k 127.0.0.1 2 1"]
    {
        let (ending, said) = alike("loglevel notice\n", |setting| {
            with_input(setting, input);
            setting.is_quiet = input.contains("loglevel");
            setting.serve_until(&[Signal::TERM])
        });
        assert_eq!(ending, code(0), "{said:?}");
    }
    for input in ["port x\n", "\n\nnonsense\n", "sentinel monitor k 127.0.0.1 2 0\n"] {
        let (ending, said) = alike("", |setting| {
            with_input(setting, input);
            setting.refused()
        });
        assert_eq!(ending, code(1), "{said:?}");
        assert!(
            said.iter().any(|line| line.starts_with("Reading the configuration file, at line"))
        );
    }
}

#[test]
fn includes_are_read_in_their_place() {
    let serve = |lines: &str, quiet: bool| {
        alike(lines, |setting| {
            setting.write("more.inc", "\nloglevel warning\n");
            setting.is_quiet = quiet;
            setting.serve_until(&[Signal::TERM])
        })
    };
    assert_eq!(serve("include more.inc\n", true).0, code(0));
    assert_eq!(serve("include $FOLDER/more.inc\nloglevel notice\n", false).0, code(0));
    assert_eq!(serve("include mo*.inc\n", true).0, code(0));
    assert_eq!(serve("include nothing*.inc\n", false).0, code(0));
    for (lines, wanted) in [
        ("include none.inc\n", "can't open config file 'none.inc'"),
        ("include bad.inc\n", "Reading the configuration file, at line 3"),
    ] {
        let (ending, said) = alike(lines, |setting| {
            setting.write("bad.inc", "\n\nnonsense 1\n");
            setting.refused()
        });
        assert_eq!(ending, code(1));
        assert!(said.iter().any(|line| line.contains(wanted)), "{said:?}");
    }
}

#[test]
fn a_start_that_cannot_work_is_refused_alike() {
    for (lines, wanted) in [
        ("port 0\n", "Configured to not listen anywhere, exiting."),
        ("bind 192.0.2.1\n", "bind: Cannot assign requested address"),
        (
            "bind no-such-host.invalid\n",
            "Could not create server TCP listening socket no-such-host.invalid",
        ),
        ("unixsocket /nonexistent/socket\n", "Failed opening Unix socket: bind: No such file"),
        ("logfile /nonexistent/log\n", "Can't open the log file: No such file or directory"),
        ("dir /nonexistent\n", "No such file or directory"),
        ("syslog-facility mail\n", "argument(s) must be one of the following: user, local0"),
    ] {
        let (ending, said) = alike(lines, |setting| {
            let (ending, said) = setting.refused();
            // Redis 8 tells the port before it listens.
            let is_kept = |line: &String| !line.contains("Running mode=sentinel");
            (ending, said.into_iter().filter(is_kept).collect::<Vec<_>>())
        });
        assert_eq!(ending, code(1), "{lines}");
        assert!(said.iter().any(|line| line.contains(wanted)), "{lines}: {said:?}");
    }
}

#[test]
fn a_port_in_use_is_told_and_ends_it() {
    let (ending, said) = alike("", |setting| {
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, setting.port)).unwrap();
        setting.refused()
    });
    assert_eq!(ending, code(1));
    assert!(said.iter().any(|line| line.ends_with("bind: Address already in use")), "{said:?}");
    assert!(said.last().unwrap().ends_with("# Failed listening on port $PORT (tcp), aborting."));
}

#[test]
fn few_descriptors_mean_fewer_clients_or_no_start() {
    let limited = |limit: &str, serves: bool| {
        alike("", |setting| {
            setting.set_before(&["prlimit", &format!("--nofile={limit}")]);
            if serves { setting.serve_until(&[Signal::TERM]) } else { setting.refused() }
        })
    };
    let (ending, said) = limited("200", true);
    assert_eq!(ending, code(0));
    let wanted = "maxclients has been reduced to 168";
    assert!(said.iter().any(|line| line.contains(wanted)), "{said:?}");
    let (ending, said) = limited("32", false);
    assert_eq!(ending, code(1));
    assert!(said.last().unwrap().contains("is not enough for the server to start"));
}

#[test]
fn files_that_are_not_there_are_told() {
    let (ending, said) = alike("", |setting| {
        let missing = setting.path("none.conf").display().to_string();
        let mut process = setting.start_on(&[missing]);
        setting.end_of(&mut process)
    });
    assert_eq!(ending, code(1));
    assert!(
        said[0].ends_with("can't open config file '$FOLDER/none.conf': No such file or directory")
    );
    let (ending, said) = alike("", |setting| setting.end_of(&mut setting.start_on(&[])));
    assert_eq!(ending, code(1));
    assert!(said[0].ends_with("# Sentinel needs config file on disk to save state. Exiting..."));
}

#[test]
fn ours_draws_no_logo_and_keeps_its_command_line() {
    let setting =
        Setting::new(Make::Ours, Dialect::Redis, "always-show-logo yes\nset-proc-title yes\n");
    let mut process = setting.start();
    setting.wait_for("out", " * Running mode=sentinel, port=");
    assert_eq!(setting.ask("PING"), "+PONG\r\n");
    let words = std::fs::read(format!("/proc/{}/cmdline", process.pid())).unwrap();
    let words = String::from_utf8(words).unwrap();
    assert!(words.contains("/redis-sentinel\0") && words.contains("/sentinel.conf\0"), "{words}");
    process.terminate(vedette::lab::BOUND).unwrap();
}
