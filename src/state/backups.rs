//! What is known of backups and of their rehearsals: a file for each, written by whoever makes one.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};

use super::{State, StateError};
use crate::model::{BackupRecord, RehearsalRecord, layout};
use crate::root::RootError;

const OF_REHEARSAL: &str = ".rehearsal.json";

/// Held while a restore of this name is rehearsed.
#[derive(Debug)]
pub(crate) struct RehearsalLock {
    _held: Flock<File>,
}

impl State {
    /// What is known of each backup.
    ///
    /// # Errors
    /// When a record cannot be read or is damaged.
    pub(crate) fn backups(&self) -> Result<BTreeMap<String, BackupRecord>, StateError> {
        let mut all = BTreeMap::new();
        for path in self.root.list(Path::new(layout::BACKUPS))? {
            let name = path.file_name().and_then(|name| name.to_str());
            let name = name.filter(|name| !name.ends_with(OF_REHEARSAL));
            if let Some(name) = name.and_then(|name| name.strip_suffix(".json"))
                && let Some(record) = self.read_json_at(path.clone())?
            {
                all.insert(name.to_owned(), record);
            }
        }
        Ok(all)
    }

    /// What is known of a backup.
    ///
    /// # Errors
    /// When it cannot be read or is damaged.
    pub(crate) fn backup(&self, name: &str) -> Result<BackupRecord, StateError> {
        Ok(self.read_json_at(file(name, ".json"))?.unwrap_or_default())
    }

    /// Writes down what is known of a backup.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(crate) fn write_backup(&self, name: &str, record: &BackupRecord) -> Result<(), StateError> {
        self.root.make_private_folder(Path::new(layout::BACKUPS))?;
        self.write_json(file(name, ".json"), record)
    }

    /// What is known of the rehearsals of a backup.
    ///
    /// # Errors
    /// When it cannot be read or is damaged.
    pub(crate) fn rehearsal(&self, name: &str) -> Result<RehearsalRecord, StateError> {
        let record = self.read_json_at(file(name, OF_REHEARSAL))?;
        Ok(record.unwrap_or_default())
    }

    /// Writes down what is known of them.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(crate) fn write_rehearsal(
        &self,
        name: &str,
        record: &RehearsalRecord,
    ) -> Result<(), StateError> {
        self.root.make_private_folder(Path::new(layout::BACKUPS))?;
        self.write_json(file(name, OF_REHEARSAL), record)
    }

    /// Sees to it that one rehearsal of a name runs at a time.
    ///
    /// # Errors
    /// [`StateError::Locked`], or what the file system said.
    pub(crate) fn lock_rehearsal(&self, name: &str) -> Result<RehearsalLock, StateError> {
        let path = file(name, ".lock");
        self.root.make_private_folder(Path::new(layout::BACKUPS))?;
        let opened = self.root.open_or_make(&path)?;
        match Flock::lock(opened, FlockArg::LockExclusiveNonblock) {
            Ok(held) => Ok(RehearsalLock { _held: held }),
            Err((_, nix::errno::Errno::EWOULDBLOCK)) => Err(StateError::Locked {
                holder: format!("watchme-apply restore {name} --into-scratch"),
            }),
            Err((_, error)) => Err(RootError {
                doing: "lock",
                path: self.root.join(&path),
                source: error.into(),
            }
            .into()),
        }
    }
}

fn file(name: &str, end: &str) -> PathBuf {
    Path::new(layout::BACKUPS).join(format!("{name}{end}"))
}
