//! Applied revisions, each in a folder with all its inputs: `rollback` and `drift --fix` need no
//! git.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::{State, StateError};
use crate::model::{Desired, Hash, RanImage, Recorded, RunRecord, layout};

/// How many generations are kept.
pub(crate) const KEPT_GENERATIONS: usize = 20;

/// What a generation's `desired.json` holds.
#[derive(Serialize, Deserialize)]
struct Written<T> {
    format_version: u32,
    record: RunRecord,
    desired: T,
    /// What ran when it was verified; none in records of an earlier version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    images: Vec<RanImage>,
}

const FORMAT_VERSION: u32 = 1;

impl State {
    /// Numbers of the generations that are kept, the oldest first.
    pub(crate) fn generations(&self) -> Result<Vec<u64>, StateError> {
        self.demand_readable()?;
        let number = |path: &PathBuf| path.file_name()?.to_str()?.parse().ok();
        let kept = self.root.list(Path::new(layout::GENERATIONS))?;
        let mut numbers: Vec<u64> = kept.iter().filter_map(number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Where they lie for this process.
    pub(crate) fn generations_folder(&self) -> PathBuf {
        self.root.join(Path::new(layout::GENERATIONS))
    }

    /// The number that the next generation gets: never one that was given before, as far as is
    /// known.
    pub(crate) fn next_number(&self, recorded: &Recorded) -> Result<u64, StateError> {
        let kept = self.generations()?.last().copied();
        Ok(kept
            .max(recorded.inventory.generation)
            .map_or(1, |last| last + 1))
    }

    /// A generation: what made it, and what it wanted; `None` where there is none of that number.
    ///
    /// # Errors
    /// When it cannot be read, or a file of it is not what was applied.
    pub(crate) fn generation(
        &self,
        number: u64,
    ) -> Result<Option<(RunRecord, Desired)>, StateError> {
        let Some(written) = self.read_generation::<Desired>(number)? else {
            return Ok(None);
        };
        let mut desired = written.desired;
        self.fill(number, &mut desired)?;
        Ok(Some((written.record, desired)))
    }

    /// What made a generation, whatever state its files are in.
    pub(crate) fn generation_record(&self, number: u64) -> Result<Option<RunRecord>, StateError> {
        let written = self.read_generation::<IgnoredAny>(number)?;
        Ok(written.map(|written| written.record))
    }

    /// What ran when a generation was verified; nothing of one that an earlier version of the program made.
    pub(crate) fn generation_images(&self, number: u64) -> Result<Vec<RanImage>, StateError> {
        let written = self.read_generation::<IgnoredAny>(number)?;
        Ok(written.map(|written| written.images).unwrap_or_default())
    }

    /// The youngest generation that is kept.
    pub(crate) fn latest_generation(&self) -> Result<Option<(RunRecord, Desired)>, StateError> {
        for number in self.generations()?.into_iter().rev() {
            if let Some(found) = self.generation(number)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn read_generation<T: DeserializeOwned>(
        &self,
        number: u64,
    ) -> Result<Option<Written<T>>, StateError> {
        let path = folder(number).join("desired.json");
        let written: Option<Written<T>> = self.read_json_at(path)?;
        // The folder's name is what people go by.
        Ok(written.map(|mut written| {
            written.record.number = Some(number);
            written
        }))
    }

    /// Keeps `desired` as a generation, with what ran when it was verified.
    ///
    /// # Errors
    /// When the file system refuses. The generation counts only once it is whole.
    pub(crate) fn write_generation(
        &self,
        number: u64,
        record: &RunRecord,
        desired: &Desired,
        images: &[RanImage],
    ) -> Result<(), StateError> {
        let final_folder = folder(number);
        let unfinished = unfinished();
        self.root.remove_folder(&unfinished)?;
        self.root
            .make_private_folder(Path::new(layout::GENERATIONS))?;
        for (path, file) in desired.inputs() {
            let path = unfinished.join("tree").join(path);
            if let Some(folder) = path.parent() {
                self.root.make_folder(folder)?;
            }
            self.root.write(&path, &file.content, file.mode())?;
        }
        let written = Written {
            format_version: FORMAT_VERSION,
            record: record.clone(),
            desired,
            images: images.to_vec(),
        };
        self.write_json(unfinished.join("desired.json"), &written)?;
        Ok(self.root.rename(&unfinished, &final_folder)?)
    }

    /// Drops the oldest generations beyond [`KEPT_GENERATIONS`]. Not before the commit: a run that
    /// is undone leaves them all.
    pub(super) fn drop_surplus(&self) -> Result<(), StateError> {
        let numbers = self.generations()?;
        let surplus = numbers.len().saturating_sub(KEPT_GENERATIONS);
        for number in numbers.into_iter().take(surplus) {
            self.root.remove_folder(&folder(number))?;
        }
        Ok(())
    }

    /// Removes a generation, and one that was not written to its end.
    pub(crate) fn forget_generation(&self, number: u64) -> Result<(), StateError> {
        self.root.remove_folder(&unfinished())?;
        Ok(self.root.remove_folder(&folder(number))?)
    }

    /// Reads the content of every file, and checks it against the recorded hash.
    fn fill(&self, number: u64, desired: &mut Desired) -> Result<(), StateError> {
        let tree = folder(number).join("tree");
        for (path, file) in desired.inputs_mut() {
            let damaged = || StateError::Generation {
                number,
                folder: self.root.join(&folder(number)),
                path: self.root.join(&tree.join(&path)),
            };
            let content = match self.root.read(&tree.join(&path)) {
                Ok(content) => content.ok_or_else(damaged)?,
                // Without root a private file stays unread: its hash is known.
                Err(error) if file.private && error.is_forbidden() => continue,
                Err(error) => return Err(error.into()),
            };
            if Hash::of(&content) != file.hash {
                return Err(damaged());
            }
            file.content = Arc::from(content);
        }
        Ok(())
    }
}

/// Where a generation is written before it gets its number.
pub(super) fn unfinished() -> PathBuf {
    Path::new(layout::GENERATIONS).join(".unfinished")
}

fn folder(number: u64) -> PathBuf {
    Path::new(layout::GENERATIONS).join(number.to_string())
}
