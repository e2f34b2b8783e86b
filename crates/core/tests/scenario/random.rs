//! Commands by chance: whatever is typed in whatever order, what must hold in every run holds.

/// A small generator, so that a seed is a whole scenario.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        let index = usize::try_from(self.below(words.len() as u64)).expect("few words");
        words[index]
    }
}

/// A scenario of so many commands.
pub(crate) fn commands(seed: u64, length: usize) -> Vec<String> {
    let mut dice = Dice::new(seed);
    let me = dice.one_of(&["a", "b", "c"]);
    let quorum = 1 + dice.below(3);
    let down_after = dice.one_of(&["300", "1000", "5000"]);
    let timeout = dice.one_of(&["4000", "180000"]);
    let syncs = 1 + dice.below(2);
    let options = format!(
        "quorum={quorum} down-after={down_after} failover-timeout={timeout} parallel-syncs={syncs} \
         notification=/n client=/c seed={seed}"
    );
    let mut lines = vec![
        format!("group me={me} {options}"),
        "master k 10.0.1.101:6379".to_owned(),
        "replica 10.0.1.102:6379".to_owned(),
        format!("peer {}", if me == "a" { "b" } else { "a" }),
        "stranger z 10.0.0.29:26379".to_owned(),
        "dns db.example 10.0.0.2".to_owned(),
        "settle".to_owned(),
    ];
    lines.extend((0..length).map(|_| command(&mut dice, me)));
    lines
}

fn command(dice: &mut Dice, me: &str) -> String {
    let others: Vec<&str> = ["a", "b", "c"].into_iter().filter(|name| *name != me).collect();
    let peer = dice.one_of(&others);
    let node = dice.one_of(&["n1", "n2", "n3", "n101", "n102"]);
    let anybody = dice.one_of(&["a", "b", "c", "z"]);
    let party = if anybody == me || dice.below(2) == 0 { node } else { anybody };
    let epoch = dice.below(12);
    let config = dice.below(epoch + 1);
    let address = dice.one_of(&[
        "10.0.0.1:6379",
        "10.0.0.2:6379",
        "10.0.0.3:6379",
        "10.0.0.1:6379",
        "10.0.0.9:6379",
    ]);
    let span = [1, 10, 100, 1000, 5000][usize::try_from(dice.below(5)).expect("few")];
    let span = span + dice.below(span);
    match dice.below(34) {
        0..=9 => format!("wait {span}"),
        10 | 11 => format!("{} {party}", dice.one_of(&["kill", "hang", "gone"])),
        12..=14 => format!("revive {party}"),
        15 => format!("kill {}", dice.one_of(&["n1", "n101"])),
        16 => format!("stall {}", 1 + dice.below(4000)),
        17 => {
            format!("store {}", dice.one_of(&["ok", "ok", "slow 30", "slow 700", "fail", "never"]))
        }
        18..=20 => format!("hello from {peer} epoch={epoch} config={config} addr={address}"),
        21 => format!("hello from z epoch={epoch} config={config} addr=db.example:6379"),
        22..=24 => format!("ask from {peer} epoch={epoch} vote={peer} addr={address}"),
        25 => format!("ask from {peer} epoch={epoch} vote={anybody} addr=10.0.1.101:6379"),
        26 => "request failover m".to_owned(),
        27 => format!("request {}", dice.one_of(&["reset m", "reset m k", "remove k", "flush"])),
        28 => format!("request monitor k 10.0.1.101:6379 {}", 1 + dice.below(3)),
        29 => format!("request set m quorum={} auth-user=u{epoch}", 1 + dice.below(3)),
        30 => format!(
            "{peer} {}",
            dice.one_of(&[
                "delay=1",
                "delay=40",
                "commit=200",
                "grants=no",
                "grants=yes",
                "says=up"
            ])
        ),
        31 | 32 => format!(
            "{node} {}",
            dice.one_of(&[
                "role=master",
                "role=master run=x",
                "follows=10.0.0.1:6379",
                "follows=10.0.0.2:6379",
                "ping=loading",
                "ping=pong",
                "ping=busy",
                "info=garbage",
                "info=fine",
                "delay=1",
                "delay=30",
                "promote=200",
                "promote=never",
                "refuses=slaveof",
                "refuses=config-rewrite",
                "subscribe=no",
                "subscribe=yes",
                "run=y",
                "priority=0",
                "priority=10",
            ])
        ),
        _ => dice
            .one_of(&[
                "restart",
                "restart forgetful",
                "request config announce-port=5000",
                "drop n1 commands",
                "drop n2 subscription",
                "scripts hang",
                "scripts exit 1",
                "hello from a at=10.0.0.77:26379",
            ])
            .to_owned(),
    }
}
