//! Named limits and fixed times, each with its reason.

use crate::time::Span;

/// Commands pending per link and sharer before PING, INFO and hello are withheld
/// (spec: behaviour 4.7).
pub(crate) const PENDING_PER_SHARER: u32 = 100;
/// INFO interval of replicas when things are bad (spec: behaviour 5.1).
pub(crate) const FAST_INFO: Span = Span(1000);
/// An opinion lives this many ask periods (spec: behaviour 9.1).
pub(crate) const OPINION_ASK_PERIODS: u64 = 5;
/// Pauses before the first retries of a connection (rule E1).
pub(crate) const RETRY_PAUSES: [Span; 4] = [Span(50), Span(100), Span(200), Span(400)];
/// Masters are never pinged more often than this (rule E2).
pub(crate) const CLOSEST_PING: Span = Span(100);
/// PINGs per second of the whole process up to which masters are pinged closely (rule E2).
pub(crate) const CLOSE_PINGS_PER_SECOND: u64 = 200;
/// How often the reference looks (without rule E3).
pub(crate) const TICK: Span = Span(100);
/// A wake-up that comes later than this is a stall of the process (rule E4).
pub(crate) const STALL: Span = Span(25);
/// Pause before the second question; it grows by half up to ASK-PERIOD (rule S1).
pub(crate) const FIRST_ASK_PAUSE: Span = Span(50);
/// Bounds of one rank's head start (rule S3).
pub(crate) const HEAD_START: (Span, Span) = (Span(5), Span(1000));
/// With many masters, so many of them that are gone add a millisecond to a rank's head start, to
/// the patience with a voter and to the pause after a lost election (rules S3, S5, F2).
pub(crate) const THRONG: u64 = 2;
/// The most that all add.
pub(crate) const THRONG_MAX: Span = Span(1000);
/// A member that has not answered a vote request for this long counts as a refusal (rule S5),
/// and a forced failover waits this long for a majority (rule C1).
pub(crate) const BALLOT_PATIENCE: Span = Span(500);
/// A member that keeps answering with an older vote counts as a refusal after this (rule S5).
pub(crate) const LATE_VOTE_PATIENCE: Span = Span(1000);
/// A vote that is not durable by then is not told (rule V3).
pub(crate) const VOTE_PATIENCE: Span = Span(500);
/// After a vote, nobody else gets one for this long (rule V7).
pub(crate) const VOTE_REST: Span = Span(300);
/// First and longest pause after a lost election (rule F2).
pub(crate) const LOST_PAUSE: (Span, Span) = (Span(250), Span(2000));
/// Shortest pause after a lost election (rule F2).
pub(crate) const LOST_PAUSE_LOW: Span = Span(50);
/// The most that the reference adds to the moment from which it reckons its next attempt
/// (spec: behaviour 10.2; without rules F1, F2 and F3).
pub(crate) const DESYNC: Span = Span(999);
/// How long fresh INFO is awaited before ranking (rule L3).
pub(crate) const FRESH_INFO_PATIENCE: Span = Span(100);
/// How long a choice without anybody eligible is repeated (rule L3).
pub(crate) const CHOICE_PATIENCE: Span = Span(1000);
/// How long a stray master is not chosen while a replica is merely out of sight (rule L4). A leader
/// with the shortest failover-timeout has a second.
pub(crate) const STRAY_PATIENCE: Span = Span(500);
/// `SLAVEOF` leaves only if INFO was answered on the connection within this (rule L5).
pub(crate) const FRESH_INFO: Span = Span(1000);
/// First pause between INFO polls after a transaction; it grows by half (rule L6).
pub(crate) const POLL_PAUSE: Span = Span(20);
/// Longest pause between such polls.
pub(crate) const POLL_PAUSE_MAX: Span = Span(1000);
/// How long a master may hold writes while its replica catches up in a coordinated failover.
pub(crate) const HAND_OVER_PATIENCE: Span = Span(2000);
/// How much later the server must have ended by itself, and again after it was told to.
pub(crate) const HAND_OVER_GRACE: Span = Span(500);
/// Pause between requests to the replica to tell how far it is, while writes are held.
pub(crate) const HAND_OVER_ACK_PAUSE: Span = Span(10);
/// How long an order of a promotion counts against the brake at most: a host whose servers hang
/// must not hold up its other masters for longer.
pub(crate) const ORDER_COUNTS: Span = Span(1000);
/// An offered epoch this far above ours is ignored whole (spec: holes H17).
pub(crate) const FAR_EPOCH: u64 = 1 << 32;
/// How long what comes in while nothing is wrong may wait for company, where many masters are
/// watched: eight milliseconds on each of a handful of exchanges.
pub(crate) const COMPOSURE: Span = Span(8);
/// Nothing is wrong when nothing has happened to any master for so long.
pub(crate) const CALM_AFTER: Span = Span(5000);
/// With so many masters each has moments of its own for its regular messages, and they lie this
/// far from those of the next one.
pub(crate) const SLOT: Span = Span(100);
/// What leaves more often than this does not wait for such a moment.
pub(crate) const GATHERED_FROM: Span = Span(200);
/// A regular message leaves before its time by less than this part of its interval, so that others
/// of its master leave with it; a PING goes along with what leaves anyway if more than this part
/// of its interval has passed since the last one.
pub(crate) const JOINING: u64 = 2;
/// How often clients are shown the moments of PONGs while nothing is wrong.
pub(crate) const CLOCKS_SHOWN_EVERY: Span = Span(1000);
/// How long after the moments of regular messages: most answers are in by then.
pub(crate) const CLOCKS_SHOWN_AFTER: Span = Span(250);
/// Pauses between retries of a failed save.
pub(crate) const SAVE_RETRY: Span = Span(1000);
/// Commits whose median the head start uses (rule S3). In a calm group there may be none for days:
/// with more of them, a disk that was slow once would hold up the next failover.
pub(crate) const COMMITS_REMEMBERED: usize = 3;
/// Publish periods that a stray master or a wrong replica is given (spec: behaviour 7.4).
pub(crate) const STRAY_PUBLISH_PERIODS: u64 = 4;
/// Scripts queued, running ones included, in each of the two lanes (spec: behaviour 11.3).
pub(crate) const SCRIPT_QUEUE: usize = 256;
/// Scripts running at once in both lanes together.
pub(crate) const SCRIPTS_RUNNING: usize = 16;
/// Of these, notification scripts at most, so that client scripts always find a place (H37).
pub(crate) const NOTIFICATIONS_RUNNING: usize = 12;
/// Starts of one script.
pub(crate) const SCRIPT_ATTEMPTS: u32 = 10;
/// Sentinels remembered per master; more than this is an attack, not a group.
pub(crate) const MEMBERS: usize = 256;
/// Replicas remembered per master.
pub(crate) const REPLICAS: usize = 4096;
/// Vote requests that may wait for the disk, per master.
pub(crate) const WAITING_BALLOTS: usize = 1024;
/// Requests that may wait behind a change of the same master.
pub(crate) const PARKED_REQUESTS: usize = 4096;
/// Address moves of one Sentinel within a minute before it is called flapping (H21).
pub(crate) const FLAPPING_MOVES: u32 = 5;
