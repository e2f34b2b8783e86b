//! The table at the end.

use super::{Findings, median};

/// One row per figure: medians over the runs of ours, of the reference, and their ratio.
pub(super) fn print(teams: &[(&str, Vec<Findings>)]) {
    let names: Vec<&str> = teams.iter().map(|(name, _)| *name).collect();
    println!(
        "{:44} {}",
        "medians",
        names.iter().map(|name| format!("{name:>12}")).collect::<String>()
    );
    let runs = teams.iter().flat_map(|(_, runs)| runs);
    let fullest = runs.max_by_key(|findings| findings.0.len());
    for (label, _) in fullest.iter().flat_map(|findings| &findings.0) {
        let values: Vec<f64> = teams.iter().map(|(_, runs)| middle(label, runs)).collect();
        let shown: String = values.iter().map(|value| format!("{:>12}", show(*value))).collect();
        let ratio = match values[..] {
            [ours, theirs]
                if theirs != 0.0 && (ours / theirs).is_finite() && theirs.is_finite() =>
            {
                format!("{:>9.2} x", ours / theirs)
            }
            _ => String::new(),
        };
        println!("{label:44} {shown}{ratio}");
    }
}

fn middle(label: &str, runs: &[Findings]) -> f64 {
    let of_run = |findings: &Findings| {
        findings.0.iter().find(|(other, _)| *other == label).map(|(_, value)| *value)
    };
    median(runs.iter().filter_map(of_run).collect())
}

/// As many digits as say something.
fn show(value: f64) -> String {
    match value {
        _ if !value.is_finite() => "not in time".to_owned(),
        _ if value.fract() == 0.0 || value.abs() >= 1000.0 => format!("{value:.0}"),
        _ if value.abs() >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_the_median_of_its_runs() {
        let run = |value| Findings(vec![("other", 1.0), ("wanted", value)]);
        assert_eq!(middle("wanted", &[run(5.0), run(1.0), run(3.0)]), 3.0);
        assert!(middle("wanted", &[]).is_nan());
    }
}
