//! Which changes of a record had been made by an instant, as far as a replica can tell that was not there: by the clocks of
//! those who made them. Must not know when a server took a change.

use std::collections::BTreeSet;

use super::change::Change;
use crate::domain::ids::ChangeHash;

/// Goes through the changes of one record, dependencies first.
///
/// Nobody builds on what is not there yet. So a change had been made by then where its author's clock says so and that of
/// everybody whose changes it builds on: one whose clock is behind is held to be no earlier than what its author saw, and what
/// a clock ahead dates late takes along all that was built on it.
#[derive(Clone, Debug)]
pub struct MadeBefore {
    instant_ms: i64,
    later: BTreeSet<ChangeHash>,
}

impl MadeBefore {
    /// What had been made before this instant, milliseconds since 1970 UTC.
    pub fn new(instant_ms: i64) -> Self {
        Self { instant_ms, later: BTreeSet::new() }
    }

    /// Whether the next change is one of them.
    pub fn takes(&mut self, change: &Change) -> bool {
        let is_later = change.time_ms >= self.instant_ms
            || change.deps.iter().any(|built_on| self.later.contains(built_on));
        if is_later {
            self.later.insert(change.hash);
        }
        !is_later
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::ActorId;

    fn change(name: u8, time_ms: i64, built_on: &[u8]) -> Change {
        Change {
            hash: ChangeHash([name; 32]),
            actor: ActorId([1; 16]),
            seq: 1,
            start_op: 1,
            deps: built_on.iter().map(|name| ChangeHash([*name; 32])).collect(),
            time_ms,
            message: String::new(),
            ops: Vec::new(),
        }
    }

    /// Which of the changes had been made before instant 100.
    fn made(changes: &[Change]) -> Vec<bool> {
        let mut made = MadeBefore::new(100);
        changes.iter().map(|change| made.takes(change)).collect()
    }

    #[test]
    fn what_a_clock_dates_before_is_taken_and_the_instant_itself_is_not_before() {
        assert_eq!(made(&[change(1, 99, &[0]), change(2, 100, &[1])]), [true, false]);
        // Two who did not see each other.
        assert_eq!(made(&[change(1, 120, &[0]), change(2, 40, &[0])]), [false, true]);
    }

    #[test]
    fn nobody_builds_on_what_is_not_there_yet() {
        // A dead battery: its clock begins in 1970, but its author saw what was written later.
        let behind = [change(1, 150, &[0]), change(2, 0, &[1]), change(3, 90, &[2])];
        assert_eq!(made(&behind), [false, false, false]);
        // Who settles two values has seen both.
        let settled = [change(1, 50, &[0]), change(2, 150, &[0]), change(3, 60, &[1, 2])];
        assert_eq!(made(&settled), [true, false, false]);
    }
}
