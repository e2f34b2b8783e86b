//! What an input costs in memory, estimated.

use vedette_core::{
    Answer, ConfigOption, Endpoint, Hello, InfoAnswer, InfoReport, Input, Request, SetItem,
};

use crate::recorder::Entry;

/// The two counters of an `Arc` and what the allocator adds.
const ALLOCATION: usize = 32;

/// Bytes that a recorded input occupies: itself and what it points to.
pub(crate) fn weight(input: &Input) -> usize {
    size_of::<Entry>() + beyond(input)
}

fn beyond(input: &Input) -> usize {
    match input {
        Input::ConnectFailed { reason, .. } => text(reason),
        Input::Answered { answer, .. } => match answer {
            Answer::Info(InfoAnswer::Report(report)) => self::report(report),
            Answer::Info(InfoAnswer::Refused | InfoAnswer::Garbage)
            | Answer::Ignored
            | Answer::Ping(_)
            | Answer::Subscribed { .. }
            | Answer::Hello { .. }
            | Answer::Opinion(_)
            | Answer::Replicate(_) => 0,
        },
        Input::MessageReceived { hello, .. } => hello.as_deref().map_or(0, self::hello),
        Input::Resolved { host, .. } => text(host),
        Input::Requested { request, .. } => self::request(request),
        Input::DeadlineReached
        | Input::Connected { .. }
        | Input::Disconnected { .. }
        | Input::Persisted { .. }
        | Input::PersistFailed { .. }
        | Input::ScriptStarted { .. }
        | Input::ScriptFailedToStart { .. }
        | Input::ScriptEnded { .. } => 0,
    }
}

fn request(request: &Request) -> usize {
    match request {
        Request::IsMasterDown { address, .. } => endpoint(address),
        Request::Failover(name) | Request::Remove(name) => text(name),
        Request::Reset(names) => names.iter().map(|name| text(name) + size_of_val(name)).sum(),
        Request::Monitor { name, address, .. } => text(name) + endpoint(address),
        Request::Set { name, options } => {
            // The value itself is at most as long as its text, or a password.
            let item = |item: &SetItem| 2 * text(&item.shown) + size_of::<SetItem>() + ALLOCATION;
            text(name) + options.iter().map(item).sum::<usize>()
        }
        Request::ConfigSet(options) => options.len() * (size_of::<ConfigOption>() + 2 * ALLOCATION),
        Request::Tune(values) => size_of_val(&values[..]) + ALLOCATION,
        Request::Hello(hello) => hello.as_deref().map_or(0, self::hello),
        Request::FlushConfig | Request::SimulateFailure(_) => 0,
    }
}

fn report(report: &InfoReport) -> usize {
    let replicas = report.replicas.iter().map(|replica| endpoint(replica) + size_of_val(replica));
    let master = report.master.as_ref().map_or(0, endpoint);
    ALLOCATION + size_of::<InfoReport>() + report.text.len() + replicas.sum::<usize>() + master
}

fn hello(hello: &Hello) -> usize {
    let endpoints = endpoint(&hello.sentinel) + endpoint(&hello.address);
    ALLOCATION + size_of::<Hello>() + endpoints + text(&hello.master)
}

fn endpoint(endpoint: &Endpoint) -> usize {
    text(&endpoint.host)
}

fn text(text: &str) -> usize {
    text.len() + ALLOCATION
}
