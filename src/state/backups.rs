//! What is known of backups and of their rehearsals: a file for each, written by whoever makes one.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use nix::fcntl::{Flock, FlockArg};

use super::{State, StateError};
use crate::model::{Backup, BackupFailed, BackupMade, BackupRecord, RehearsalRecord, layout};
use crate::root::RootError;

const OF_REHEARSAL: &str = ".rehearsal.json";

/// Held while a restore of this name is rehearsed.
#[derive(Debug)]
pub(crate) struct RehearsalLock {
    _held: Flock<File>,
}

impl State {
    /// What is known of each of these backups, and which of them are not there any more.
    ///
    /// # Errors
    /// When a record cannot be read. One that is damaged says so itself.
    pub(crate) fn backups(
        &self,
        backups: &BTreeMap<String, Backup>,
    ) -> Result<BTreeMap<String, BackupRecord>, StateError> {
        let mut all = BTreeMap::new();
        for (name, backup) in backups {
            all.insert(name.clone(), self.backup(name, backup)?);
        }
        Ok(all)
    }

    /// What is known of a backup.
    ///
    /// # Errors
    /// When it cannot be read. A record that is damaged says so itself: it concerns nothing but this backup, and the next
    /// one that is good replaces it.
    pub(crate) fn backup(&self, name: &str, backup: &Backup) -> Result<BackupRecord, StateError> {
        let mut record: BackupRecord = match self.read_json_at(file(name, ".json")) {
            Ok(record) => record.unwrap_or_default(),
            Err(StateError::Damaged { path, .. }) => BackupRecord {
                damaged: Some(path),
                ..BackupRecord::default()
            },
            Err(error) => return Err(error),
        };
        if let Some(folder) = &backup.to {
            let all = record.kept.iter().chain(&record.good);
            let gone = all.filter(|made| !self.has_backup(folder, made));
            record.gone = gone.map(|made| made.name.clone()).collect();
        }
        Ok(record)
    }

    /// Whether a backup is in its folder, and is as large as it was written.
    fn has_backup(&self, folder: &Path, made: &BackupMade) -> bool {
        let found = self.root.metadata(&folder.join(&made.name));
        found.is_some_and(|file| file.is_file() && file.len() == made.bytes)
    }

    /// Writes down what is known of a backup.
    pub(crate) fn write_backup(&self, name: &str, record: &BackupRecord) -> Result<(), StateError> {
        self.root.make_private_folder(Path::new(layout::BACKUPS))?;
        self.write_json(file(name, ".json"), record)
    }

    /// What is known of the rehearsals of a backup.
    pub(crate) fn rehearsal(&self, name: &str) -> Result<RehearsalRecord, StateError> {
        match self.read_json_at(file(name, OF_REHEARSAL)) {
            // As that of a backup, it concerns nothing else, and the next rehearsal replaces it.
            Err(StateError::Damaged { path, .. }) => Ok(RehearsalRecord {
                failed: Some(BackupFailed {
                    time: Timestamp::now(),
                    why: format!("its record {} is damaged", path.display()),
                }),
                ..RehearsalRecord::default()
            }),
            record => Ok(record?.unwrap_or_default()),
        }
    }

    /// Writes down what is known of them.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BackupOf, Keep};
    use crate::root::Root;

    fn backup() -> Backup {
        Backup {
            of: BackupOf::Host(vec!["dump".to_owned()]),
            to: Some("/srv".into()),
            store: None,
            fetch: None,
            remove: None,
            restore: None,
            environment: Vec::new(),
            keep: Keep::default(),
            schedule: None,
            before_change: None,
            max_age: None,
            timeout: std::time::Duration::from_secs(60),
            rehearsal: None,
        }
    }

    fn made(second: i64) -> BackupMade {
        BackupMade {
            name: format!("db-{second}"),
            time: Timestamp::from_second(second).unwrap(),
            bytes: 3,
            sha256: String::new(),
            seconds: 1,
        }
    }

    #[test]
    fn what_is_not_there_as_it_was_written_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::new(Root::open(folder.path()).unwrap());
        let mut record = BackupRecord::default();
        record.add(made(1));
        record.add(made(2));
        record.add(made(2));
        assert_eq!(record.kept, [made(1), made(2)]);
        state.write_backup("db", &record).unwrap();
        let last = || state.backup("db", &backup()).unwrap().last().cloned();
        assert_eq!(last(), None);
        std::fs::create_dir(folder.path().join("srv")).unwrap();
        let write = |name: &str, content: &str| {
            std::fs::write(folder.path().join("srv").join(name), content).unwrap();
        };
        write("db-1", "abc");
        write("db-2", "");
        assert_eq!(last(), Some(made(1)));
        write("db-2", "abc");
        assert_eq!(last(), Some(made(2)));
    }

    #[test]
    fn a_damaged_record_concerns_its_backup_only() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::new(Root::open(folder.path()).unwrap());
        state.write_backup("a", &BackupRecord::default()).unwrap();
        let records = folder.path().join("var/lib/watchme-apply/backup");
        std::fs::write(records.join("b.json"), "{").unwrap();
        std::fs::write(records.join("b.rehearsal.json"), "[]").unwrap();
        let names = ["a", "b", "c"].map(|name| (name.to_owned(), backup()));
        let all = state.backups(&BTreeMap::from(names)).unwrap();
        let damaged = all.values().map(|record| record.damaged.is_some());
        assert_eq!(damaged.collect::<Vec<_>>(), [false, true, false]);
        let why = state.rehearsal("b").unwrap().failed.unwrap().why;
        assert!(why.ends_with("b.rehearsal.json is damaged"), "{why}");
    }
}
