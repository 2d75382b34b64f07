//! Applied revisions, each in a folder with all its inputs: `rollback` and `drift --fix` need no
//! git.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{State, StateError};
use crate::model::{Desired, File, Hash, RunRecord, layout};

/// How many generations are kept.
pub const KEPT_GENERATIONS: usize = 20;

/// What a generation's `desired.json` holds.
#[derive(Serialize, Deserialize)]
struct Written<T> {
    format_version: u32,
    record: RunRecord,
    desired: T,
}

const FORMAT_VERSION: u32 = 1;

impl State {
    /// The number that the next generation gets.
    ///
    /// # Errors
    /// When the folder of generations cannot be listed.
    pub fn next_number(&self) -> Result<u64, StateError> {
        Ok(self.numbers()?.last().map_or(1, |last| last + 1))
    }

    /// The generation that was applied last.
    ///
    /// # Errors
    /// When it cannot be read, or a file of it is not what was applied.
    pub fn latest_generation(&self) -> Result<Option<(RunRecord, Desired)>, StateError> {
        for number in self.numbers()?.into_iter().rev() {
            let folder = folder(number);
            let path = folder.join("desired.json");
            let Some(written) = self.read_json_at::<Written<Desired>>(path)? else {
                continue;
            };
            let mut desired = written.desired;
            self.fill(number, &mut desired)?;
            return Ok(Some((written.record, desired)));
        }
        Ok(None)
    }

    /// Keeps `desired` as a generation, and drops the oldest beyond [`KEPT_GENERATIONS`].
    ///
    /// # Errors
    /// When the file system refuses. The generation counts only once it is whole.
    pub fn write_generation(
        &self,
        record: &RunRecord,
        desired: &Desired,
    ) -> Result<(), StateError> {
        let final_folder = folder(record.number);
        let unfinished = Path::new(layout::GENERATIONS).join(".unfinished");
        self.root.remove_folder(&unfinished)?;
        for (path, file) in inputs(desired) {
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
        };
        self.write_json(unfinished.join("desired.json"), &written)?;
        self.root.rename(&unfinished, &final_folder)?;
        let numbers = self.numbers()?;
        let surplus = numbers.len().saturating_sub(KEPT_GENERATIONS);
        for number in numbers.into_iter().take(surplus) {
            self.root.remove_folder(&folder(number))?;
        }
        Ok(())
    }

    /// Removes a generation.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn forget_generation(&self, number: u64) -> Result<(), StateError> {
        Ok(self.root.remove_folder(&folder(number))?)
    }

    fn numbers(&self) -> Result<Vec<u64>, StateError> {
        let mut numbers: Vec<u64> = self
            .root
            .list(Path::new(layout::GENERATIONS))?
            .iter()
            .filter_map(|path| path.file_name()?.to_str()?.parse().ok())
            .collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Reads the content of every file, and checks it against the recorded hash.
    fn fill(&self, number: u64, desired: &mut Desired) -> Result<(), StateError> {
        let tree = folder(number).join("tree");
        for (path, file) in inputs_mut(desired) {
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

fn folder(number: u64) -> PathBuf {
    Path::new(layout::GENERATIONS).join(number.to_string())
}

/// Every input file of `desired` by its path in a generation's tree, which is the store's.
fn inputs(desired: &Desired) -> Vec<(PathBuf, File)> {
    let mut desired = desired.clone();
    inputs_mut(&mut desired)
        .into_iter()
        .map(|(path, file)| (path, file.clone()))
        .collect()
}

fn inputs_mut(desired: &mut Desired) -> Vec<(PathBuf, &mut File)> {
    use layout::store::{ETC, FILES, SITES, UNITS};
    let mut files = Vec::new();
    for (name, site) in &mut desired.sites {
        files.push((Path::new(SITES).join(name), &mut site.file));
    }
    for (name, unit) in &mut desired.units {
        let dropins = Path::new(UNITS).join(format!("{name}.d"));
        if let Some(file) = &mut unit.file {
            files.push((Path::new(UNITS).join(name), file));
        }
        for (dropin, file) in &mut unit.dropins {
            files.push((dropins.join(dropin), file));
        }
    }
    for (path, etc) in &mut desired.etc {
        files.push((Path::new(ETC).join(path), &mut etc.file));
    }
    for file in desired.files.values_mut() {
        files.push((Path::new(FILES).join(&file.source), file));
    }
    files
}
