//! Medians and maxima side by side.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Outcome, Team};

/// One measured quantity.
struct Quantity {
    label: &'static str,
    key: &'static str,
    of: fn(&Outcome) -> Option<Duration>,
    /// Counted from down-after-milliseconds on.
    is_noticed: bool,
}

const QUANTITIES: [Quantity; 6] = [
    Quantity { label: "first ODOWN", key: "odown", of: |run| run.odown, is_noticed: true },
    Quantity {
        label: "first write accepted by the promoted replica",
        key: "write",
        of: |run| Some(run.write),
        is_noticed: true,
    },
    Quantity {
        label: "first Sentinel switched",
        key: "first_switch",
        of: |run| Some(run.first_switch),
        is_noticed: true,
    },
    Quantity {
        label: "last Sentinel switched",
        key: "last_switch",
        of: |run| Some(run.last_switch),
        is_noticed: true,
    },
    Quantity {
        label: "last replica in sync",
        key: "in_sync",
        of: |run| Some(run.in_sync),
        is_noticed: true,
    },
    Quantity {
        label: "old master writable after the command",
        key: "old_writable",
        of: |run| run.old_writable,
        is_noticed: false,
    },
];

/// The figures of one implementation.
pub(crate) struct Summary<'a> {
    team: &'a Team,
    /// Subtracted from quantities that follow the noticing.
    down_after_ms: f64,
}

impl<'a> Summary<'a> {
    pub(crate) fn new(team: &'a Team, down_after: Option<Duration>) -> Self {
        let down_after_ms = down_after.map_or(0.0, |span| span.as_secs_f64() * 1e3);
        Self { team, down_after_ms }
    }

    /// Runs whose election needed more than one epoch.
    pub(crate) fn splits(&self) -> usize {
        self.team.outcomes.iter().filter(|run| run.epochs > 1).count()
    }

    /// Runs in which some Sentinel switched more than once.
    pub(crate) fn second_failovers(&self) -> usize {
        self.team.outcomes.iter().filter(|run| run.switches > 1).count()
    }

    fn figures(&self, quantity: &Quantity) -> Option<(f64, f64)> {
        let offset = if quantity.is_noticed { self.down_after_ms } else { 0.0 };
        let times = self.team.outcomes.iter().filter_map(quantity.of);
        let mut times: Vec<f64> = times.map(|time| time.as_secs_f64() * 1e3 - offset).collect();
        times.sort_by(f64::total_cmp);
        Some((median(&times)?, *times.last()?))
    }

    pub(crate) fn json(&self) -> Value {
        let mut value = json!({
            "implementation": self.team.name,
            "runs": self.team.outcomes.len(),
            "split_elections": self.splits(),
            "second_failovers": self.second_failovers(),
        });
        for quantity in &QUANTITIES {
            if let Some((median, max)) = self.figures(quantity) {
                value[quantity.key] = json!({ "median_ms": median, "max_ms": max });
            }
        }
        value
    }
}

fn median(sorted: &[f64]) -> Option<f64> {
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = *sorted.get((sorted.len() - 1) / 2)?;
    Some((lower + upper) / 2.0)
}

/// Prints all implementations side by side; the last column is the ratio of the medians of the
/// last to the first.
pub(crate) fn print(summaries: &[Summary<'_>]) {
    print!("{:46}", "");
    for summary in summaries {
        print!("  {:>20}", summary.team.name);
    }
    println!();
    print!("{:46}", "ms");
    for _ in summaries {
        print!("  {:>10}{:>10}", "median", "max");
    }
    println!();
    for quantity in &QUANTITIES {
        print_row(quantity, summaries);
    }
    print_counts("elections that needed a second epoch", summaries, |summary| summary.splits());
    print_counts("runs with a second failover", summaries, |summary| summary.second_failovers());
}

fn print_row(quantity: &Quantity, summaries: &[Summary<'_>]) {
    let figures: Vec<_> = summaries.iter().map(|summary| summary.figures(quantity)).collect();
    if figures.iter().all(Option::is_none) {
        return;
    }
    print!("{:46}", quantity.label);
    for figure in &figures {
        match figure {
            Some((median, max)) => print!("  {median:>10.1}{max:>10.1}"),
            None => print!("  {:>10}{:>10}", "-", "-"),
        }
    }
    if let [Some((ours, _)), .., Some((theirs, _))] = figures[..]
        && ours > 0.0
    {
        print!("  {:>7.1} x", theirs / ours);
    }
    println!();
}

fn print_counts(label: &str, summaries: &[Summary<'_>], count: fn(&Summary<'_>) -> usize) {
    print!("{label:46}");
    for summary in summaries {
        print!("  {:>20}", format!("{} of {}", count(summary), summary.team.outcomes.len()));
    }
    println!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_count_lies_between() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[1.0]), Some(1.0));
        assert_eq!(median(&[1.0, 2.0, 4.0, 9.0]), Some(3.0));
    }
}
