//! Replies keep their order. What else holds for any bytes is tried in `vedette-trials`.

use proptest::collection::vec;
use proptest::prelude::{Just, any, prop, prop_assert, prop_assert_eq, prop_oneof};
use proptest::proptest;
use vedette_core::{Request, Response};

use super::stand_in::Host;
use crate::client::Action;

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
}
