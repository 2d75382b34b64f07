//! The last runs, with how they ended.
//!
//! One bounded list that is written whole, not lines that are appended: what a reader finds is
//! always complete, dropping the oldest needs no second file, and a record that is damaged is
//! treated like every other one. It is written once in a run that changes something, after the
//! commit, so that its size costs nothing that counts.

use serde::{Deserialize, Serialize};

use super::{State, StateError};
use crate::model::RunRecord;

/// How many runs are remembered.
pub(super) const KEPT_RUNS: usize = 200;

const FORMAT_VERSION: u32 = 1;
const NAME: &str = "history.json";

#[derive(Default, Serialize, Deserialize)]
struct History {
    format_version: u32,
    runs: Vec<RunRecord>,
}

impl State {
    /// The last runs, the oldest first. A generation that the list lacks, because the list was
    /// lost or an older version of the program made it, is in it by its own record.
    ///
    /// # Errors
    /// When the list is damaged, or something cannot be read. A generation that is damaged is
    /// left out.
    pub(crate) fn history(&self) -> Result<Vec<RunRecord>, StateError> {
        let history: History = self.read_json(NAME)?.unwrap_or_default();
        let mut runs = history.runs;
        for number in self.generations()? {
            let known = runs.iter().any(|run| run.number == Some(number));
            if !known && let Ok(Some(record)) = self.generation_record(number) {
                runs.push(record);
            }
        }
        runs.sort_by_key(|run| run.time);
        Ok(runs)
    }

    /// Adds a run to the list, and drops the oldest beyond [`KEPT_RUNS`].
    ///
    /// # Errors
    /// When the list is damaged, so that nothing of it is lost by writing it anew, or when the
    /// file system refuses.
    pub(crate) fn remember(&self, run: RunRecord) -> Result<(), StateError> {
        let history: History = self.read_json(NAME)?.unwrap_or_default();
        let mut runs = history.runs;
        runs.push(run);
        let surplus = runs.len().saturating_sub(KEPT_RUNS);
        runs.drain(..surplus);
        let history = History {
            format_version: FORMAT_VERSION,
            runs,
        };
        self.write_json(self.path(NAME), &history)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::model::{Desired, Origin, RunKind, layout};
    use crate::root::Root;

    fn run(number: Option<u64>, second: i64) -> RunRecord {
        RunRecord {
            number,
            by: "test".into(),
            ..RunRecord::new(
                RunKind::Apply,
                Origin::default(),
                Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second),
            )
        }
    }

    fn state() -> (tempfile::TempDir, State) {
        let folder = tempfile::tempdir().unwrap();
        let state = State::new(Root::open(folder.path()).unwrap());
        (folder, state)
    }

    #[test]
    fn the_oldest_runs_are_dropped() {
        let (_folder, state) = state();
        for second in 0..KEPT_RUNS as i64 + 5 {
            state.remember(run(None, second)).unwrap();
        }
        let runs = state.history().unwrap();
        assert_eq!(runs.len(), KEPT_RUNS);
        assert_eq!(runs[0], run(None, 5));
    }

    #[test]
    fn a_generation_is_known_by_its_own_record_when_the_list_is_lost() {
        let (_folder, state) = state();
        for number in [1, 2] {
            let record = run(Some(number), number as i64);
            let desired = Desired::default();
            state
                .write_generation(number, &record, &desired, &[])
                .unwrap();
        }
        state.remember(run(None, 9)).unwrap();
        state.remember(run(Some(2), 2)).unwrap();
        let numbers = |runs: Vec<RunRecord>| runs.iter().map(|run| run.number).collect::<Vec<_>>();
        assert_eq!(numbers(state.history().unwrap()), [Some(1), Some(2), None]);
    }

    #[test]
    fn a_damaged_list_is_not_written_over() {
        let (folder, state) = state();
        let path = Path::new(layout::STATE).join(NAME);
        let place = folder.path().join(path.strip_prefix("/").unwrap());
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(&place, "{\"runs\": [").unwrap();
        let error = state.remember(run(None, 1)).unwrap_err();
        assert!(error.hint().unwrap().contains("history.json.damaged"));
        assert_eq!(std::fs::read_to_string(&place).unwrap(), "{\"runs\": [");
    }
}
