//! The HELP texts: simple strings, each synopsis followed by indented explanations
//! (spec: interface 2.21).

use crate::dialect::Dialect;
use crate::reply::Reply;

/// A subcommand's synopsis without its container, and what it does.
type Topic = (&'static str, &'static str);

const SENTINEL: &[Topic] = &[
    ("CKQUORUM <master-name>", "Tell whether enough Sentinels are reachable for a failover."),
    ("CONFIG GET <pattern> [<pattern> ...]", "Show process-wide settings."),
    ("CONFIG SET <name> <value> [<name> <value> ...]", "Change and save process-wide settings."),
    ("DEBUG [<name> <ms> ...]", "Show or change periods and timeouts; never saved."),
    ("FAILOVER <master-name>", "Fail over by force, without a majority if there is none."),
    ("FLUSHCONFIG", "Write the configuration file."),
    ("GET-MASTER-ADDR-BY-NAME <master-name>", "Show the address of the master."),
    ("INFO-CACHE <master-name> [<master-name> ...]", "Show the last INFO of the whole group."),
    (
        "IS-MASTER-DOWN-BY-ADDR <ip> <port> <epoch> <runid>",
        "Used between Sentinels: give an opinion, and a vote.",
    ),
    ("MASTER <master-name>", "Describe one master."),
    ("MASTERS", "Describe all masters."),
    ("MONITOR <name> <ip> <port> <quorum>", "Start to monitor a master."),
    ("MYID", "Show the id of this Sentinel."),
    ("PENDING-SCRIPTS", "List the scripts that run or wait."),
    ("REMOVE <master-name>", "Stop to monitor a master."),
    ("REPLICAS <master-name>", "Describe the replicas of a master."),
    ("RESET <pattern>", "Forget replicas and Sentinels of all masters with such a name."),
    ("SENTINELS <master-name>", "Describe the other Sentinels of a master."),
    ("SET <master-name> <option> <value> [<option> <value> ...]", "Change settings of a master."),
    (
        "SIMULATE-FAILURE [CRASH-AFTER-ELECTION] [CRASH-AFTER-PROMOTION] [HELP]",
        "Arm a crash, for tests.",
    ),
];

const ACL: &[Topic] = &[
    ("CAT [<category>]", "List the categories, or the commands in one."),
    ("DELUSER <username> [<username> ...]", "Delete users and end their connections."),
    ("DRYRUN <username> <command> [<arg> ...]", "Tell whether a user may run a command."),
    ("GENPASS [<bits>]", "Make a random password of 256 bits, or as many as given."),
    ("GETUSER <username>", "Show the rules of a user in parts."),
    ("LIST", "List the users with their rules."),
    ("LOAD", "Take the users of the ACL file, all or none."),
    ("LOG [<count> | RESET]", "Show what rules refused lately, or forget it."),
    ("SAVE", "Write the users into the ACL file."),
    ("SETUSER <username> <rule> [<rule> ...]", "Create or change a user, by all rules or none."),
    ("USERS", "List the names of the users."),
    ("WHOAMI", "Name the user of this connection."),
];

const CLIENT: &[Topic] = &[
    ("CACHING (YES|NO)", "Steer tracking of the next command."),
    ("GETNAME", "Show the name of this connection."),
    ("GETREDIR", "Show where tracking messages go."),
    ("ID", "Show the number of this connection."),
    ("INFO", "Describe this connection."),
    ("KILL <ip:port>", "End the connection from this address."),
    (
        "KILL <option> <value> [<option> <value> ...]",
        "End connections by ID, TYPE, ADDR, LADDR, USER, MAXAGE; SKIPME spares this one.",
    ),
    ("LIST [TYPE <type>] [ID <id> ...]", "List connections."),
    ("NO-EVICT (ON|OFF)", "Exempt this connection from eviction."),
    ("PAUSE <ms> [WRITE|ALL]", "Hold the commands of all clients."),
    ("REPLY (ON|OFF|SKIP)", "Switch replies to this connection on or off."),
    ("SETINFO <LIB-NAME|LIB-VER> <value>", "Tell which library this connection uses."),
    ("SETNAME <name>", "Name this connection."),
    (
        "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix>]... [OPTIN] [OPTOUT] [NOLOOP]",
        "Switch tracking on or off.",
    ),
    ("TRACKINGINFO", "Show how tracking was switched on."),
    ("UNBLOCK <id> [TIMEOUT|ERROR]", "Unblock a client; none ever blocks here."),
    ("UNPAUSE", "End a pause."),
];

const COMMAND: &[Topic] = &[
    ("(no subcommand)", "Describe all commands."),
    ("COUNT", "Count the commands."),
    ("DOCS [<command-name> ...]", "Document commands."),
    ("GETKEYS <full-command>", "Extract the keys of a command; none has any here."),
    ("GETKEYSANDFLAGS <full-command>", "The same with the use of each key."),
    ("INFO [<command-name> ...]", "Describe commands."),
    ("LIST [FILTERBY (MODULE|ACLCAT|PATTERN) <value>]", "List the names of commands."),
];

/// `SENTINEL HELP`
#[must_use]
pub fn sentinel(name: &[u8], dialect: Dialect) -> Reply {
    help(name, SENTINEL, dialect)
}

/// `ACL HELP`
#[must_use]
pub fn acl(name: &[u8], dialect: Dialect) -> Reply {
    help(name, ACL, dialect)
}

/// `CLIENT HELP`
#[must_use]
pub fn client(name: &[u8], dialect: Dialect) -> Reply {
    help(name, CLIENT, dialect)
}

/// `COMMAND HELP`
#[must_use]
pub fn command(name: &[u8], dialect: Dialect) -> Reply {
    help(name, COMMAND, dialect)
}

/// `name` is what the client calls the container, which may have been renamed.
fn help(name: &[u8], topics: &[Topic], dialect: Dialect) -> Reply {
    let form = b" <subcommand> [<arg> [value] [opt] ...]. Subcommands are:";
    let first = [&name.to_ascii_uppercase()[..], form].concat();
    let topics = topics.iter().chain(&[("HELP", "Show this text.")]);
    let lines = topics.flat_map(|(synopsis, text)| [(*synopsis).to_owned(), format!("    {text}")]);
    let lines = lines.map(|line| dialect.wording(&line).to_string().into());
    Reply::Array(core::iter::once(first.into()).chain(lines).map(Reply::Simple).collect())
}
