//! Texts as clients, nodes, Sentinels and operators write them, more or less.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use vedette_wire::commands::COMMANDS;

/// The id of some Sentinel.
const ID: &str = "53de6bcccfa17c872bbb2dc0038e96b74dd067da";

/// The options before a stream: the first two bytes of an input.
fn options() -> impl Strategy<Value = Vec<u8>> {
    (select(b"01236".as_slice()), any::<u8>()).prop_map(|(options, cuts)| vec![options, cuts])
}

/// A tape of values: small numbers mean most.
pub(crate) fn tape() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![3 => 0..16_u8, 1 => any::<u8>(), 1 => Just(0)], 0..200)
}

/// Words that files, names and passwords are full of: blanks, quotes, controls, anything.
fn word() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "[a-z]{1,8}".prop_map(String::into_bytes),
        1 => "[ \t\n\r\"'\\\\#x0-9a-f]{1,8}".prop_map(String::into_bytes),
        1 => "\\PC{1,8}".prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..8),
    ]
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0..100_u32).prop_map(|number| number.to_string()),
        1 => any::<i64>().prop_map(|number| number.to_string()),
        1 => select(["-1", "0", "007", "1x", "", "2147483648", "18446744073709551616"].as_slice())
            .prop_map(str::to_owned),
    ]
}

fn host() -> impl Strategy<Value = String> {
    let odd = ["", "a,b", "a b", "redis-0.svc", "::1", "fe80::1%eth0", "\"", "ä"];
    prop_oneof![3 => "10\\.0\\.0\\.[1-9]", 1 => select(odd.to_vec()).prop_map(str::to_owned)]
}

fn command() -> impl Strategy<Value = Vec<u8>> {
    vec(word(), 1..5).prop_map(|words| {
        let bulks = words
            .iter()
            .map(|word| [format!("${}\r\n", word.len()).as_bytes(), word, b"\r\n"].concat());
        let head = format!("*{}\r\n", words.len()).into_bytes();
        std::iter::once(head).chain(bulks).collect::<Vec<_>>().concat()
    })
}

pub(crate) fn requests() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        4 => command(),
        2 => "[a-z\"' \\\\]{0,12}\r?\n".prop_map(String::into_bytes),
        1 => "[*][0-9-]{1,2}\r\n([$][0-9-]{1,2}\r\n)?".prop_map(String::into_bytes),
    ];
    (options(), vec(token, 0..8)).prop_map(|(head, tokens)| [head, tokens.concat()].concat())
}

fn reply() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        "[+-][A-Za-z ]{0,9}\r\n".prop_map(String::into_bytes),
        (select([":", "(", ","].as_slice()), number())
            .prop_map(|(kind, number)| format!("{kind}{number}\r\n").into_bytes()),
        (select(["$", "!"].as_slice()), word()).prop_map(|(kind, text)| {
            [format!("{kind}{}\r\n", text.len()).as_bytes(), &text, b"\r\n"].concat()
        }),
        select(
            ["_\r\n", "#t\r\n", "#f\r\n", "$-1\r\n", "*-1\r\n", ",nan\r\n", "=5\r\ntxt:a\r\n"]
                .as_slice()
        )
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        (select([('*', 1), ('~', 1), ('>', 1), ('%', 2), ('|', 2)].as_slice()), vec(inner, 0..6))
            .prop_map(|((kind, each), mut items)| {
                items.truncate(items.len() / each * each);
                let head = format!("{kind}{}\r\n", items.len() / each).into_bytes();
                [head, items.concat()].concat()
            })
    })
}

pub(crate) fn replies() -> impl Strategy<Value = Vec<u8>> {
    (options(), vec(reply(), 0..6)).prop_map(|(head, replies)| [head, replies.concat()].concat())
}

/// Options, queries and what a node could answer to them.
pub(crate) fn link() -> impl Strategy<Value = Vec<u8>> {
    let answers = ["+PONG\r\n", "+OK\r\n", "+QUEUED\r\n", "-NOPERM no\r\n", "-EXECABORT no\r\n"];
    let answers = [
        answers.as_slice(),
        &[
            "-LOADING x\r\n",
            "$12\r\nrole:master\n\r\n",
            "*3\r\n:1\r\n$1\r\n*\r\n:0\r\n",
            "*4\r\n+OK\r\n:1\r\n:1\r\n:1\r\n",
            "*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n",
            "*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$1\r\ny\r\n",
        ],
    ]
    .concat();
    let answer = prop_oneof![
        6 => select(answers).prop_map(|text| text.as_bytes().to_vec()),
        1 => reply(),
    ];
    (0..2_u8, any::<u8>(), vec(any::<u8>(), 0..12), vec(answer, 0..16)).prop_map(
        |(purpose, cuts, queries, answers)| {
            let count = u8::try_from(queries.len()).unwrap_or(0);
            [vec![purpose, cuts, count], queries, answers.concat()].concat()
        },
    )
}

pub(crate) fn words() -> impl Strategy<Value = Vec<u8>> {
    let quoted = prop_oneof![
        word(),
        "\"[a-z \\\\\"']{0,6}\"".prop_map(String::into_bytes),
        "'[a-z \\\\\"']{0,6}'".prop_map(String::into_bytes),
    ];
    vec(quoted, 0..6).prop_map(|words| words.join(&b' '))
}

pub(crate) fn votes() -> impl Strategy<Value = Vec<u8>> {
    let line = (word(), number(), number()).prop_map(|(name, epoch, at)| {
        [b"vote ".as_slice(), &name, format!(" {ID} {epoch} {at}\n").as_bytes()].concat()
    });
    vec(line, 0..5).prop_map(|lines| lines.concat())
}

pub(crate) fn users() -> impl Strategy<Value = Vec<u8>> {
    let rules = ["on", "off", "nopass", "NOPASS", "resetpass", "reset", ">pw", "<pw", "#00", "!00"];
    let others = ["~*", "&*", "+@all", "-@all", "+sentinel|masters", "(+ping)", "sanitize-payload"];
    let more =
        ["%R~a", "&c", "+@slow", "-@admin", "-sentinel", "+ping|x", "(~x", "&y)", "+@nosuch"];
    let rule = prop_oneof![
        6 => select([rules.as_slice(), &others, &more].concat())
            .prop_map(|rule| rule.as_bytes().to_vec()),
        1 => word(),
    ];
    let name = prop_oneof![Just(b"default".to_vec()), Just(b"alice".to_vec()), word()];
    let line = (name, vec(rule, 0..7)).prop_map(|(name, rules)| {
        std::iter::once(name).chain(rules).collect::<Vec<_>>().join(&b' ')
    });
    (word(), vec(line, 0..4)).prop_map(|(password, lines)| {
        std::iter::once(password).chain(lines).collect::<Vec<_>>().join(&b'\n')
    })
}

pub(crate) fn info() -> impl Strategy<Value = Vec<u8>> {
    let pair = |key: &'static str, value: String| format!("{key}:{value}\r\n");
    let keys = ["master_port", "slave_repl_offset", "slave_priority", "replica_announced"];
    let line = prop_oneof![
        select(
            ["role:master\r\n", "role:slave\r\n", "# Server\r\n", "master_link_status:up\n"]
                .as_slice()
        )
        .prop_map(str::to_owned),
        (select(keys.to_vec()), number()).prop_map(move |(key, value)| pair(key, value)),
        number().prop_map(move |secs| pair("master_link_down_since_seconds", secs)),
        host().prop_map(move |host| pair("master_host", host)),
        (host(), number())
            .prop_map(|(host, port)| format!("slave0:ip={host},port={port},state=online\r\n")),
        (host(), number()).prop_map(|(host, port)| format!("slave1:{host},{port},online\r\n")),
        Just(format!("run_id:{ID}\r\n")),
    ];
    vec(line, 0..12).prop_map(|lines| lines.concat().into_bytes())
}

pub(crate) fn hello() -> impl Strategy<Value = Vec<u8>> {
    ((host(), number(), number()), (host(), number(), number()), word()).prop_map(
        |((ip, port, epoch), (host, master_port, config_epoch), name)| {
            let name = String::from_utf8_lossy(&name).into_owned();
            format!("{ip},{port},{ID},{epoch},{name},{host},{master_port},{config_epoch}")
                .into_bytes()
        },
    )
}

/// A line that loads, if `m` is monitored.
fn good_line() -> impl Strategy<Value = String> {
    let numbers = "down-after-milliseconds failover-timeout parallel-syncs config-epoch \
                   leader-epoch master-reboot-down-after-period";
    let of_master: Vec<&str> = numbers.split(' ').collect();
    let general =
        ["port", "timeout", "maxclients", "sentinel current-epoch", "SENTINEL \"announce-port\""];
    let texts = [
        "sentinel auth-pass m",
        "sentinel auth-user m",
        "sentinel sentinel-user",
        "sentinel sentinel-pass",
        "requirepass",
        "sentinel announce-ip",
        "logfile",
        "user",
    ];
    let text = r#""[ a'#\\x0-9]{0,3}( |\x01|ä|\\n|\\"|\\\\)?""#;
    let others = [
        "",
        "# text",
        "include a.conf",
        "# Generated by CONFIG REWRITE",
        "loglevel debug",
        "sentinel resolve-hostnames yes",
        "sentinel notification-script m /a.sh",
    ];
    prop_oneof![
        3 => (select(of_master), 1..100_u8)
            .prop_map(|(option, number)| format!("sentinel {option} m {number}")),
        1 => (select(general.to_vec()), 1..100_u8)
            .prop_map(|(option, number)| format!("{option} {number}")),
        2 => (select(texts.to_vec()), text).prop_map(|(name, text)| format!("{name} {text}")),
        2 => (select(["known-replica", "known-slave"].as_slice()), 1..9_u8)
            .prop_map(|(option, number)| format!("sentinel {option} m 10.0.0.{number} 6379")),
        1 => select(others.to_vec()).prop_map(str::to_owned),
    ]
}

/// A directive with words behind it.
fn any_line() -> impl Strategy<Value = String> {
    let of_master = "monitor down-after-milliseconds parallel-syncs config-epoch auth-pass \
                     notification-script known-replica known-sentinel rename-command";
    let of_process = "myid current-epoch announce-port announce-ip sentinel-pass nonsense";
    let general = "port bind loglevel requirepass dir save include user proc-title-template mod.x \
                   client-output-buffer-limit rename-command nonsense";
    let of_master: Vec<&str> = of_master.split(' ').collect();
    let of_process: Vec<&str> = of_process.split(' ').collect();
    let general: Vec<&str> = general.split(' ').collect();
    let name = select(["m", "m", "other", "\"a b\"", "\""].as_slice());
    let value = || prop_oneof![4 => number(), 2 => host(), 1 => Just(ID.to_owned())];
    let values = || vec(value(), 0..4).prop_map(|values| values.join(" "));
    prop_oneof![
        3 => (select(of_master), name, values())
            .prop_map(|(option, name, values)| format!("sentinel {option} {name} {values}")),
        1 => (select(of_process), values())
            .prop_map(|(option, values)| format!("sentinel {option} {values}")),
        2 => (select(general), values()).prop_map(|(name, values)| format!("{name} {values}")),
    ]
}

/// Half of them load.
pub(crate) fn configuration() -> impl Strategy<Value = Vec<u8>> {
    let end = || select(["\n", "\n", "\r\n"].as_slice());
    let lines = vec((good_line(), end()), 0..14);
    let more = prop_oneof![1 => Just(Vec::new()), 1 => vec((any_line(), end()), 0..5)];
    let include = vec((good_line(), end()), 0..3);
    (lines, more, include, any::<u8>()).prop_map(|(lines, more, include, parts)| {
        let text = |lines: Vec<(String, &str)>| -> String {
            lines.iter().map(|(line, end)| format!("{line}{end}")).collect()
        };
        let main = format!("sentinel monitor m 10.0.0.1 6379 2\n{}{}", text(lines), text(more));
        match parts % 4 {
            0 => format!("{main}\x1c{}", text(include)).into_bytes(),
            1 => format!("{main}\x1c\x1c{}", text(include)).into_bytes(),
            _ => format!("{main}\x1c").into_bytes(),
        }
    })
}

/// A line that is a command more or less.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let names: Vec<String> = COMMANDS
        .iter()
        .flat_map(|command| command.subcommands.iter().chain([command]))
        .map(|command| command.name.replace('|', " "))
        .collect();
    let known = [
        "mymaster",
        "*",
        "on",
        "off",
        "skip",
        "quorum",
        "1",
        "3",
        "auth",
        "default",
        "+sdown",
        "yes",
        "Pw-of-this-Sentinel-4711",
        "auth-pass",
        "Pw-of-the-Master-0815",
        "write",
        "a.sh",
        "get",
        "set",
        "10.0.0.1",
    ];
    let word = prop_oneof![
        6 => select(known.to_vec()).prop_map(|word| word.as_bytes().to_vec()),
        1 => "[a-z0-9:-]{0,8}".prop_map(String::into_bytes),
        1 => "\"[a-z\\\\ ]{0,8}\"".prop_map(String::into_bytes),
    ];
    (select(names), vec(word, 0..5)).prop_map(|(name, words)| {
        std::iter::once(name.into_bytes()).chain(words).collect::<Vec<_>>().join(&b' ')
    })
}

/// A dialogue that often begins with what makes the rest possible.
pub(crate) fn commands() -> impl Strategy<Value = Vec<u8>> {
    let usual = [
        "HELLO 3",
        "AUTH Pw-of-this-Sentinel-4711",
        "SUBSCRIBE +sdown a",
        "PSUBSCRIBE *",
        "!event",
        "UNSUBSCRIBE",
        "CLIENT REPLY ON",
        "!wait",
        "PING",
        // Control characters cannot be saved: the refusal must not repeat the password.
        "SENTINEL CONFIG SET sentinel-pass \"Pw-of-the-Master-0815\\n\"",
        "SENTINEL SET mymaster auth-pass \"Pw-of-the-Master-0815\\n\"",
    ];
    let line = prop_oneof![
        2 => select(usual.to_vec()).prop_map(|line| line.as_bytes().to_vec()),
        5 => line(),
    ];
    (select(b"01".as_slice()), vec(line, 0..10))
        .prop_map(|(options, lines)| [vec![options], lines.join(&b'\n')].concat())
}

pub(crate) fn client_stream() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        6 => line().prop_map(|line| [line, b"\r\n".to_vec()].concat()),
        1 => command(),
        1 => vec(any::<u8>(), 0..20),
    ];
    (options(), vec(part, 0..16)).prop_map(|(head, parts)| [head, parts.concat()].concat())
}
