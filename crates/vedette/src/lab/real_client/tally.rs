//! What became of a client's increments.

use std::fmt;

/// Counted when a client has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Increments that were acknowledged.
    pub acknowledged: usize,
    /// Acknowledged ones that a later master knew nothing of.
    pub lost: usize,
    /// What went wrong, in the client's words.
    pub errors: Vec<String>,
}

impl Tally {
    /// Of one writer's values in the order in which it heard them. A value not below a later
    /// one was given twice: the increment behind it is gone.
    pub(super) fn new(values: impl IntoIterator<Item = u64>, errors: Vec<String>) -> Self {
        let values: Vec<u64> = values.into_iter().collect();
        let mut lowest_later = u64::MAX;
        let mut lost = 0;
        for &value in values.iter().rev() {
            lost += usize::from(value >= lowest_later);
            lowest_later = lowest_later.min(value);
        }
        Self { acknowledged: values.len(), lost, errors }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { acknowledged, lost, errors } = self;
        write!(f, "{acknowledged} acknowledged, {lost} of them lost, {} errors", errors.len())
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn values_that_come_again_are_lost_increments() {
        let lost = |values: &[u64]| Tally::new(values.iter().copied(), vec![]).lost;
        assert_eq!(lost(&[1, 2, 3]), 0);
        // An increment that was carried out, but whose answer was lost.
        assert_eq!(lost(&[1, 2, 5, 6]), 0);
        assert_eq!(lost(&[1, 2, 3, 4, 3, 4, 5]), 2);
        assert_eq!(lost(&[7, 8, 1]), 2);
    }
}
