//! Anything may come, in any pieces.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof};
use proptest::proptest;
use vedette_core::{Request, Response};

use super::stand_in::Host;
use crate::client::Action;
use crate::commands::COMMANDS;

/// A line that is a command more or less.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let names: Vec<String> = COMMANDS
        .iter()
        .flat_map(|command| command.subcommands.iter().chain([command]))
        // SHUTDOWN and the like end a connection early: seldom is enough.
        .map(|command| command.name.replace('|', " "))
        .collect();
    let word = prop_oneof![
        Just("mymaster".to_owned()),
        Just("*".to_owned()),
        Just("on".to_owned()),
        Just("quorum".to_owned()),
        Just("1".to_owned()),
        "[a-z0-9:-]{0,8}",
    ];
    (prop::sample::select(names), vec(word, 0..5))
        .prop_map(|(name, words)| format!("{name} {}\r\n", words.join(" ")).into_bytes())
}

fn anything() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        6 => line(),
        1 => vec(any::<u8>(), 0..20),
        1 => Just(b"*2\r\n$4\r\nPING\r\n$1\r\nx\r\n".to_vec()),
    ];
    vec(part, 0..20).prop_map(|parts| parts.concat())
}

/// A command whose reply tells which it was, and whether the core is asked.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Ping,
    Opinion,
    Flush,
}

impl Asked {
    fn command(self, number: usize) -> String {
        match self {
            Self::Ping => format!("PING {number}\r\n"),
            Self::Opinion => {
                format!("SENTINEL IS-MASTER-DOWN-BY-ADDR 10.0.0.1 1 {number} *\r\n")
            }
            Self::Flush => "SENTINEL FLUSHCONFIG\r\n".to_owned(),
        }
    }

    fn reply(self, number: usize) -> String {
        match self {
            Self::Ping => format!("${}\r\n{number}\r\n", number.to_string().len()),
            Self::Opinion => format!("*3\r\n:0\r\n$1\r\n*\r\n:{number}\r\n"),
            Self::Flush => "+OK\r\n".to_owned(),
        }
    }
}

/// What the core would say.
fn response(request: &Request) -> Response {
    match request {
        Request::IsMasterDown { epoch, .. } => {
            Response::Opinion { down: false, leader: None, leader_epoch: *epoch }
        }
        _ => Response::Done,
    }
}

proptest! {
    #[test]
    fn replies_keep_their_order_however_late_the_core_answers(
        asked in vec(
            prop_oneof![Just(Asked::Ping), Just(Asked::Opinion), Just(Asked::Flush)],
            0..200,
        ),
        picks in vec(any::<prop::sample::Index>(), 1..50),
    ) {
        let mut host = Host::new(None);
        let mut client = host.client();
        let numbered = || asked.iter().enumerate();
        let commands: String = numbered().map(|(number, asked)| asked.command(number)).collect();
        client.receive(commands.as_bytes(), host.now);
        let (mut open, mut written, mut picks) = (Vec::new(), Vec::new(), picks.iter().cycle());
        loop {
            client.advance(&mut host);
            while let Some(action) = client.poll_action() {
                if let Action::Submit { ticket, request } = action {
                    open.push((ticket, response(&request)));
                }
            }
            written.extend_from_slice(&client.output().split());
            prop_assert!(open.len() <= 64);
            if open.is_empty() {
                break;
            }
            let pick = picks.next().map_or(0, |pick| pick.index(open.len()));
            let (ticket, response) = open.swap_remove(pick);
            client.respond(ticket, &response);
        }
        let expected: String = numbered().map(|(number, asked)| asked.reply(number)).collect();
        prop_assert_eq!(String::from_utf8_lossy(&written), expected);
    }

    #[test]
    fn replies_do_not_depend_on_how_bytes_were_cut(bytes in anything(), cut in 1_usize..9) {
        let mut host = Host::new(None);
        let mut client = host.client();
        let whole = host.run(&mut client, &bytes);
        let mut host = Host::new(None);
        let mut client = host.client();
        let pieces: Vec<u8> =
            bytes.chunks(cut).flat_map(|piece| host.run(&mut client, piece)).collect();
        // The sizes in client lines are those of the moment.
        if !whole.windows(5).any(|window| window == b"qbuf=") {
            prop_assert_eq!(
                String::from_utf8_lossy(&pieces),
                String::from_utf8_lossy(&whole)
            );
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in vec(any::<u8>(), 0..400)) {
        for password in [None, Some("sesame")] {
            let mut host = Host::new(password);
            let mut client = host.client();
            host.run(&mut client, &bytes);
            prop_assert!(client.query_bytes() <= bytes.len() + 400 * 40);
        }
    }

    #[test]
    fn strangers_get_nothing_but_errors(lines in vec(line(), 1..10)) {
        let mut host = Host::new(Some("sesame"));
        let mut client = host.client();
        let reply = host.run(&mut client, &lines.concat());
        let reply = String::from_utf8_lossy(&reply).into_owned();
        let harmless = |line: &str| line.starts_with('-') || line == "+OK" || line == "<CLOSED>";
        prop_assert!(reply.lines().all(harmless), "{}", reply);
    }
}
