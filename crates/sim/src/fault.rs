//! What can go wrong in a run. A fault is concrete and printable: a run is its plan and the list of
//! its incidents, and a shorter list is a run too (see `minimise`).

use vedette_node::Revival;

/// Something that happens at a moment of the safety phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Counted from the beginning of the phase.
    pub at_ms: u64,
    /// What.
    pub fault: Fault,
    /// Its place in the plan as it was drawn; it keeps it when others are taken out.
    pub number: usize,
}

/// A data node as a plan names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodePick {
    /// Whoever most Sentinels call the master of this group at that moment.
    Master(usize),
    /// The n-th node of a group.
    Node(usize, usize),
}

/// A process with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A Sentinel.
    Sentinel(usize),
    /// A data node.
    Node(NodePick),
}

/// The moment of a failover at which a trap closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// A candidate waits for votes.
    Standing,
    /// A leader chooses.
    Choosing,
    /// A leader is about to send `SLAVEOF NO ONE`.
    Sending,
    /// A leader waits for the promotion.
    Waiting,
    /// The promotion was just announced.
    Announced,
}

impl Moment {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Standing, Self::Choosing, Self::Sending, Self::Waiting, Self::Announced];
}

/// What befalls whoever steps into a trap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trap {
    /// It crashes.
    Crash,
    /// It stands still for so many milliseconds.
    Stall(u64),
    /// It is cut off from everybody for so many milliseconds.
    Isolate(u64),
    /// The replica it chose is killed for so many milliseconds.
    KillChosen(u64),
}

/// Which way a network fault works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Both ways.
    Both,
    /// Nothing arrives there any more.
    Into,
    /// Nothing leaves any more.
    OutOf,
}

/// What an operator does to a node directly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `REPLICAOF NO ONE`.
    BecomeMaster,
    /// `REPLICAOF` another node of the group.
    Follow(usize),
}

/// What an operator types into a Sentinel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// `SENTINEL FAILOVER`.
    Failover,
    /// `SENTINEL FAILOVER … COORDINATED`.
    Coordinated,
    /// `SENTINEL RESET`.
    Reset,
    /// `SENTINEL REMOVE`, and `MONITOR` with `SET` a while later.
    RemoveAndMonitor,
    /// `SENTINEL MONITOR` at the address that the others name, and `SET`.
    Monitor,
    /// `SENTINEL SET <option> <value>`.
    Set(&'static str, u64),
    /// `SENTINEL CONFIG SET loglevel`.
    LogLevel(&'static str),
    /// `SENTINEL CKQUORUM`.
    Ckquorum,
    /// `SENTINEL FLUSHCONFIG`.
    FlushConfig,
    /// `SENTINEL SIMULATE-FAILURE`.
    SimulateFailure(&'static str),
}

/// Everything that can go wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// With a data node.
    Node(NodePick, NodeHarm),
    /// With a Sentinel's process, clock or disk.
    Sentinel(usize, SentinelHarm),
    /// With the network.
    Network(NetworkHarm),
    /// Whoever leads a failover of this group is caught at this moment.
    Trapped { group: usize, moment: Moment, trap: Trap },
    /// Whoever next gives its vote in this group, while another candidate asks for it at the same
    /// epoch, crashes right after telling it.
    VoterCrashes { group: usize, for_ms: u64, silently: bool },
    /// An operator types a command.
    Typed { sentinel: usize, group: usize, typed: Typed },
}

/// What befalls a data node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeHarm {
    /// Its process dies and comes back. `silently`: nobody hears it (loss of power).
    Dies { for_ms: u64, back: Revival, silently: bool },
    /// It answers nothing.
    Hangs { for_ms: u64 },
    /// It accepts no connections; with `cut`, those it has are lost.
    Refuses { for_ms: u64, cut: bool },
    /// It answers `-LOADING`.
    Loads { for_ms: u64 },
    /// It answers `-BUSY`.
    Busy { for_ms: u64, has_written: bool },
    /// The replication stream arrives late.
    Lags { lag_ms: u64, for_ms: u64 },
    /// Somebody gives it an order behind the Sentinels' back.
    Ordered(Order),
    /// It restarts under another address with its data, as containers do, and follows whom the
    /// Sentinels name by then if it `asks`. `silently`: nobody hears that it is gone.
    Moves { for_ms: u64, to: NewHome, asks: bool, silently: bool },
}

/// What is new of the address of a data node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewHome {
    /// The host.
    Host,
    /// The port.
    Port,
}

/// What befalls a Sentinel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SentinelHarm {
    /// It crashes and restarts from its disk. `silently`: nobody hears it (loss of power).
    Crashes { for_ms: u64, silently: bool, side_file_lost: bool },
    /// It restarts under another address.
    Moves { for_ms: u64 },
    /// Its process stands still.
    Stalls { for_ms: u64 },
    /// Its wall clock is set.
    WallClockJumps { by_ms: i64 },
    /// Saves take this much longer.
    DiskSlow { ms: u64, for_ms: u64 },
    /// Saves fail.
    DiskFull { for_ms: u64 },
    /// Saves do not end.
    DiskStuck { for_ms: u64 },
}

/// What befalls the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkHarm {
    /// Two processes do not hear each other.
    Cut { one: Place, other: Place, way: Way, for_ms: u64 },
    /// A process is cut off from everybody.
    Isolated { place: Place, way: Way, for_ms: u64 },
    /// The network falls in two: a process is on the side of its bit.
    Split { mask: u64, for_ms: u64 },
    /// What passes between two processes takes longer.
    Slow { one: Place, other: Place, ms: u64, for_ms: u64 },
    /// All connections of a process are reset.
    Reset { place: Place },
    /// All connections of a process die without a word.
    HalfOpen { place: Place },
}

/// The kinds of faults; a run has most of them switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Masters die. Never off: without it nothing happens.
    MasterDies,
    /// Masters hang.
    MasterHangs,
    /// Any node dies.
    NodeDies,
    /// Nodes hang, refuse, load, are busy.
    NodeSick,
    /// Replication lags.
    Lag,
    /// Orders behind the Sentinels' back.
    Orders,
    /// Sentinels crash.
    Crash,
    /// Leaders are caught.
    Traps,
    /// Short stalls.
    Stalls,
    /// Stalls that lead into TILT.
    LongStalls,
    /// Wall clocks.
    WallClock,
    /// Slow disks.
    DiskSlow,
    /// Full disks.
    DiskFull,
    /// Stuck disks.
    DiskStuck,
    /// Partial partitions.
    Cuts,
    /// Processes are isolated.
    Isolation,
    /// The network falls in two.
    Splits,
    /// Slow links.
    SlowLinks,
    /// Lost connections.
    Resets,
    /// Half-open connections.
    HalfOpen,
    /// `SENTINEL FAILOVER`.
    Forced,
    /// Other commands.
    Typed,
    /// Voters crash between two candidates.
    Voters,
    /// Hosts change their address.
    Moves,
    /// `SENTINEL FAILOVER … COORDINATED`.
    Coordinated,
    /// Data nodes change their address.
    NodeMoves,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 26] = [
        Self::MasterDies,
        Self::MasterHangs,
        Self::NodeDies,
        Self::NodeSick,
        Self::Lag,
        Self::Orders,
        Self::Crash,
        Self::Traps,
        Self::Stalls,
        Self::LongStalls,
        Self::WallClock,
        Self::DiskSlow,
        Self::DiskFull,
        Self::DiskStuck,
        Self::Cuts,
        Self::Isolation,
        Self::Splits,
        Self::SlowLinks,
        Self::Resets,
        Self::HalfOpen,
        Self::Forced,
        Self::Typed,
        Self::Voters,
        Self::Moves,
        Self::Coordinated,
        Self::NodeMoves,
    ];
}
