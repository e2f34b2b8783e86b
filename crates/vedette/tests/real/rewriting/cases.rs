//! Files and what is done to them. Nothing listens where the masters are, so nothing is discovered.

/// One file and its changes. `$FOLDER` is where it runs; port and `bind` stand before it.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) text: &'static str,
    /// Of the file `more.conf` in the same folder.
    pub(super) included: &'static str,
    pub(super) commands: &'static [&'static str],
}

/// What only ours write, with the row of `COMPAT.md`.
pub(super) const ONLY_OURS: &[(&str, &str)] = &[
    ("sentinel leader-epoch three 5", "V4: a master that is monitored anew may have been voted on"),
    ("sentinel master-reboot-down-after-period", "H31: the spelling that all can read"),
];

/// What only the reference writes, with the row of `COMPAT.md`.
pub(super) const ONLY_THEIRS: &[(&str, &str)] = &[
    ("user default &* +@all nopass on ~*", "H30: what is implied needs no line"),
    ("sentinel announce-ip ", "I13.6: an empty one is none"),
    ("sentinel primary-reboot-down-after-period", "H31: the spelling that all can read"),
    ("timeout 30", "H26: what an include says is not copied"),
    ("client-output-buffer-limit normal 0 0 0", "H29: it stands for a line at its default"),
];

const ID: &str = "sentinel myid 0123456789012345678901234567890123456789";

macro_rules! with_id {
    ($text:literal) => {
        concat!("sentinel myid 0123456789012345678901234567890123456789\n", $text)
    };
}

pub(super) const CASES: &[Case] = &[
    Case { name: "nothing but an id", text: ID, included: "", commands: &[] },
    Case {
        name: "comments, blank lines, odd spelling",
        text: with_id!(
            "# first\n\n\n   # indented\nSENTINEL Monitor  m 127.0.0.1 1 2\n# between\n\n\
             Sentinel DOWN-after-milliseconds m 5000\nloglevel NOTICE\n# last\n"
        ),
        included: "",
        commands: &["SENTINEL SET m down-after-milliseconds 6000"],
    },
    Case {
        name: "every option of a master",
        text: with_id!("# mine\nsentinel monitor m 127.0.0.1 1 2\n"),
        included: "",
        commands: &[
            "SENTINEL SET m down-after-milliseconds 7000",
            "SENTINEL SET m failover-timeout 70000",
            "SENTINEL SET m parallel-syncs 3",
            "SENTINEL SET m auth-user somebody auth-pass sesame",
            "SENTINEL SET m quorum 3",
            "SENTINEL SET m rename-command CONFIG GUESSED",
            "SENTINEL SET m rename-command SLAVEOF FOLLOW",
            "SENTINEL SET m master-reboot-down-after-period 500",
        ],
    },
    Case {
        name: "options given, changed and taken back",
        text: with_id!(
            "sentinel monitor m 127.0.0.1 1 2\nsentinel auth-pass m old\nsentinel auth-user m u\n\
             sentinel rename-command m CONFIG OLD\nsentinel down-after-milliseconds m 5000\n\
             sentinel parallel-syncs m 4\nsentinel failover-timeout m 5000\n"
        ),
        included: "",
        commands: &[
            "SENTINEL SET m auth-pass \"\"",
            "SENTINEL SET m auth-user \"\"",
            "SENTINEL SET m rename-command CONFIG CONFIG",
            "SENTINEL SET m parallel-syncs 5 failover-timeout 6000",
        ],
    },
    Case {
        name: "options of the process",
        text: with_id!(
            "sentinel announce-ip 10.0.0.1\nsentinel announce-port 7\nsentinel sentinel-pass a\n\
             sentinel resolve-hostnames yes\nsentinel deny-scripts-reconfig no\n"
        ),
        included: "",
        commands: &[
            "SENTINEL CONFIG SET announce-ip 10.0.0.2",
            "SENTINEL CONFIG SET announce-port 8",
            "SENTINEL CONFIG SET announce-hostnames yes",
            "SENTINEL CONFIG SET sentinel-user u",
            "SENTINEL CONFIG SET sentinel-pass b",
            "SENTINEL CONFIG SET resolve-hostnames no",
        ],
    },
    Case {
        name: "options of the process taken back",
        text: with_id!(
            "sentinel announce-ip \"10.0.0.1\"\nsentinel announce-port 7\n\
             sentinel sentinel-user u\nsentinel sentinel-pass a\n"
        ),
        included: "",
        commands: &[
            "SENTINEL CONFIG SET announce-ip \"\"",
            "SENTINEL CONFIG SET announce-port 0",
            "SENTINEL CONFIG SET sentinel-user \"\"",
            "SENTINEL CONFIG SET sentinel-pass \"\"",
        ],
    },
    Case {
        name: "masters that go and come",
        text: with_id!(
            "# one\nsentinel monitor one 127.0.0.1 1 2\nsentinel auth-pass one a\n\
             # two\nsentinel monitor two 127.0.0.1 2 2\nsentinel auth-pass two b\n\
             sentinel config-epoch two 4\nsentinel leader-epoch two 5\n"
        ),
        included: "",
        commands: &[
            "SENTINEL REMOVE one",
            "SENTINEL MONITOR three 127.0.0.1 3 1",
            "SENTINEL SET three auth-pass c",
            "SENTINEL MONITOR four 127.0.0.1 4 2",
            "SENTINEL REMOVE four",
        ],
    },
    Case {
        name: "members and epochs",
        text: with_id!(
            "sentinel monitor m 127.0.0.1 1 2\nsentinel known-replica m 127.0.0.1 2\n\
             sentinel known-replica m 127.0.0.1 3\nsentinel current-epoch 9\n\
             sentinel config-epoch m 7\nsentinel leader-epoch m 8\n\
             sentinel known-sentinel m 127.0.0.1 4 1111111111111111111111111111111111111111\n\
             sentinel known-sentinel m 127.0.0.1 5 2222222222222222222222222222222222222222\n"
        ),
        included: "",
        commands: &["SENTINEL SET m quorum 3"],
    },
    Case {
        name: "members of a master that is reset",
        text: with_id!(
            "sentinel monitor m 127.0.0.1 1 2\nsentinel known-replica m 127.0.0.1 2\n\
             sentinel known-sentinel m 127.0.0.1 4 1111111111111111111111111111111111111111\n"
        ),
        included: "",
        commands: &["SENTINEL RESET *"],
    },
    Case {
        name: "users",
        text: with_id!(
            "# users\nuser default on nopass ~* &* +@all\n\
             user watcher on >sesame -@all +sentinel|masters +subscribe &+switch-master\n\
             sentinel monitor m 127.0.0.1 1 2\n"
        ),
        included: "",
        commands: &[
            "ACL SETUSER second on >other +ping",
            "ACL SETUSER watcher +psubscribe",
            "ACL SETUSER gone on",
            "ACL DELUSER gone",
        ],
    },
    Case {
        name: "an include and renamed commands of its own",
        text: with_id!(
            "include $FOLDER/more.conf\nrename-command ROLE \"\"\n\
             sentinel monitor m 127.0.0.1 1 2\nloglevel warning\n"
        ),
        included: "# included\ntimeout 30\n",
        commands: &["SENTINEL SET m quorum 1"],
    },
    Case {
        name: "lines of a copied server file, and quotes",
        text: with_id!(
            "dir \"$FOLDER\"\nlogfile \"\"\nsave \"\"\nappendonly no\nmaxmemory 100mb\n\
             tcp-keepalive 60\nmaxclients 500\nlatency-tracking-info-percentiles 50 99\n\
             client-output-buffer-limit pubsub 32mb 8mb 60\n\
             sentinel monitor 'm' \"127.0.0.1\" 1 2\nsentinel auth-pass m 's e'\n"
        ),
        included: "",
        commands: &["SENTINEL SET m auth-pass plain"],
    },
];
