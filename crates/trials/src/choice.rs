//! The choice of a replica: every candidate has a verdict, the best eligible one is chosen whatever
//! the order, and a better priority or a higher offset never makes a candidate lose.
//!
//! Input: a tape of circumstances and candidates.

use vedette_core::{Candidate, Circumstances, Role, RunId, Span, Time, choose, judge};

use crate::Tape;

/// More than most groups have.
const CANDIDATES_MAX: usize = 8;

/// The trial.
pub fn run(data: &[u8]) {
    let mut tape = Tape::new(data);
    let at = circumstances(&mut tape);
    let count = tape.below(CANDIDATES_MAX + 1);
    let mut candidates: Vec<Candidate> =
        (0..count).map(|number| candidate(&mut tape, number)).collect();
    is_total(&candidates, &at);
    is_monotone(&candidates, &at);

    let before = choose(&candidates, &at).map(|index| candidates[index].clone());
    for _ in 0..count {
        let (one, other) = (tape.below(count), tape.below(count));
        candidates.swap(one, other);
        let after = choose(&candidates, &at).map(|index| candidates[index].clone());
        assert_eq!(after, before, "the order counts");
    }
}

/// Everybody gets a verdict; somebody is chosen exactly if somebody may be; nobody better is left.
fn is_total(candidates: &[Candidate], at: &Circumstances) {
    let verdicts = judge(candidates, at);
    assert_eq!(verdicts.len(), candidates.len());
    let chosen = choose(candidates, at);
    assert_eq!(chosen.is_some(), verdicts.iter().any(Option::is_none));
    let Some(chosen) = chosen else { return };
    assert_eq!(verdicts[chosen], None, "the chosen one is excluded");
    let best = &candidates[chosen];
    assert!(!best.down && best.linked && best.priority > 0);
    let eligible = candidates.iter().zip(&verdicts).filter(|(_, verdict)| verdict.is_none());
    for (other, _) in eligible {
        // Among those of one kind, as the documentation of Sentinel tells it.
        if kind(other, at) == kind(best, at) {
            assert!(other.priority >= best.priority);
            assert!(other.priority > best.priority || other.offset <= best.offset);
        }
    }
}

/// What counts before priority and offset (rule L4).
fn kind(candidate: &Candidate, at: &Circumstances) -> (Role, bool) {
    let since = at.down_since.unwrap_or(Time(0));
    match candidate.role {
        Role::Replica => (Role::Replica, candidate.link_down_ms >= 0),
        Role::Master => (Role::Master, candidate.turned_at.is_some_and(|turned| turned >= since)),
    }
}

/// The winner stays the winner when it gets better; a loser who gets worse does not win.
fn is_monotone(candidates: &[Candidate], at: &Circumstances) {
    let chosen = choose(candidates, at);
    for index in 0..candidates.len() {
        let with = |change: &dyn Fn(&mut Candidate)| {
            let mut changed = candidates.to_vec();
            change(&mut changed[index]);
            choose(&changed, at)
        };
        if Some(index) == chosen {
            let better: [&dyn Fn(&mut Candidate); 4] = [
                &|one| one.priority = 1,
                &|one| one.priority = (one.priority - 1).max(1),
                &|one| one.offset = one.offset.saturating_add(1),
                &|one| one.offset = u64::MAX,
            ];
            for change in better {
                assert_eq!(with(change), chosen, "the winner loses by getting better");
            }
        } else {
            let worse: [&dyn Fn(&mut Candidate); 4] = [
                &|one| one.priority = 0,
                &|one| one.priority = one.priority.saturating_add(u32::from(one.priority > 0)),
                &|one| one.offset = one.offset.saturating_sub(1),
                &|one| one.offset = 0,
            ];
            for change in worse {
                assert_eq!(with(change), chosen, "a loser wins by getting worse");
            }
        }
    }
}

fn circumstances(tape: &mut Tape<'_>) -> Circumstances {
    let now = Time(100_000);
    let down_since = tape.flag().then(|| Time(90_000 + tape.number() % 12_000));
    Circumstances {
        now,
        down_since,
        silence_known: tape.flag(),
        down_after: Span(tape.number() % 5_000),
        ping_period: Span(tape.number() % 2_000),
        info_period: Span(tape.number() % 20_000),
    }
}

/// Mostly eligible ones, with few different values, so that they compete. Run ids differ.
fn candidate(tape: &mut Tape<'_>, number: usize) -> Candidate {
    let now = Time(100_000);
    let odd = tape.byte();
    let rare = |bit: u8| odd & bit != 0;
    let ago = |tape: &mut Tape<'_>, rare: bool| {
        if rare { now - Span(tape.number()) } else { now - Span(u64::from(tape.byte() & 3)) }
    };
    let id = format!("{number}{}", "a".repeat(39));
    let run_id = RunId::parse(if tape.flag() { &id } else { "" });
    Candidate {
        down: rare(1),
        linked: !rare(2),
        ok_reply_at: ago(tape, rare(4)),
        info_at: (!rare(8)).then(|| ago(tape, odd & 12 == 4)),
        priority: if rare(16) { u32::from(tape.byte() & 1) } else { 100 },
        offset: if rare(32) { tape.number() } else { u64::from(tape.byte() & 3) },
        // Without an id there is one at most of its kind, by its port.
        run_id: run_id.or_else(|| if number > 0 { RunId::parse(&id) } else { None }),
        link_down_ms: if rare(64) { tape.number().cast_signed() } else { 0 },
        link_up: tape.flag(),
        role: if rare(128) { Role::Master } else { Role::Replica },
        follows_master: !tape.flag(),
        changed_at: ago(tape, tape.clone().flag()),
        turned_at: if tape.flag() { Some(ago(tape, true)) } else { None },
    }
}
