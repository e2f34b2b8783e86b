//! The Sentinel: one pure state machine. Time, randomness, disk, sockets, DNS and scripts are
//! values that come in as [`Input`] and go out as [`Effect`].
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

// The contract: what comes in, what goes out.
mod address;
mod durable;
mod effect;
mod event;
mod ident;
mod input;
mod note;
mod query;
mod request;
mod settings;
mod time;
mod view;

// The host loop, and what all masters share.
mod census;
mod conns;
mod deadlines;
mod gate;
mod host;
mod incoming;
mod limits;
#[cfg_attr(not(feature = "mutants"), allow(unreachable_pub, reason = "public where it plants"))]
mod mutant;
mod outbox;
mod publishing;
mod rng;
mod rules;
mod sentinel;
mod tilt;

// The Sentinel's chapters.
mod agreement;
mod ask;
mod brake;
mod choice;
mod commands;
mod defer;
mod down;
mod election;
mod failover;
mod group;
mod hand_over;
mod hello;
mod info;
mod link;
mod loading;
mod node;
mod peer;
mod probing;
mod promote;
mod reconfigure;
mod repair;
mod scripts;
mod select;
mod standing;
mod switch;
mod throng;
mod vote;

pub use address::{Address, Endpoint, read_ip};
pub use agreement::{Count, Epochs, Position, Told, Worth, enough};
pub use census::{Census, GroupCensus};
pub use choice::{Candidate, Circumstances, Exclusion, choose, forbids, judge};
pub use durable::{Config, DurableChange, DurableState, SavedMaster, SavedSentinel, SavedVote};
pub use effect::Effect;
pub use event::{Detail, Event, EventKind, Part, Subject};
pub use ident::{
    ConnId, Epoch, Generation, JobId, MasterId, MasterName, RunId, Secret, SentinelId, Ticket,
};
pub use input::{Input, ScriptEnd};
#[cfg(feature = "mutants")]
pub use mutant::Mutant;
pub use note::{Hindrance, Note};
pub use query::{
    Answer, HandOverReply, HandOverState, Hello, InfoAnswer, InfoReport, Opinion, PingReply,
    Purpose, Query, ReplicationTarget, Role, TransactionCommand, TransactionOutcome,
};
pub use request::{
    ConfigOption, Manner, Refusal, Request, Response, SetItem, SetOption, SimulatedFailures, Wants,
};
pub use rules::{Rule, Rules};
pub use scripts::{ScriptArguments, ScriptCall};
pub use sentinel::Sentinel;
pub use settings::{LogLevel, MasterSettings, Renames, Settings, Tunable, Tunables};
pub use time::{Now, Span, Time, WallTime};
pub use view::{
    Counters, FailoverState, FailoverView, LinkView, MasterView, MemberView, NodeView, ProcessView,
    Publication, ReconfState, ReplicaView, ScriptView,
};
