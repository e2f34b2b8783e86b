use super::{Invariant, hold};
use crate::witness::{Scene, Seen};

/// Silence is judged only after reading (rule E3): when somebody is called down, nothing that had
/// reached the process before is unread.
#[derive(Default)]
pub(super) struct ReadsFirst;

impl Invariant for ReadsFirst {
    fn name(&self) -> &'static str {
        "silence is judged only after reading"
    }

    fn see(&mut self, _scene: &Scene<'_>, seen: &Seen<'_>) -> Result<(), String> {
        match seen {
            Seen::Judged { unread } => {
                hold(*unread == 0, || format!("a verdict with {unread} things unread"))
            }
            Seen::Started(_)
            | Seen::Ended
            | Seen::Took(_)
            | Seen::Ordered(_)
            | Seen::Counted { .. }
            | Seen::Heard { .. }
            | Seen::Responded { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::samples;
    use crate::sentinel_host::SentinelIndex;

    #[test]
    fn a_verdict_with_something_unread_is_found() {
        let disk = samples::disk(1);
        let (sentinel, id) = (SentinelIndex(0), disk.my_id);
        let scene = Scene {
            at_ms: 0,
            sentinel,
            id,
            rules: vedette_core::Rules::ALL,
            disk: &disk,
            snapshot: None,
        };
        assert!(ReadsFirst.see(&scene, &Seen::Judged { unread: 0 }).is_ok());
        assert!(ReadsFirst.see(&scene, &Seen::Judged { unread: 1 }).is_err());
    }
}
