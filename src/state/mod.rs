//! What runs leave on record: lock, inventory, what is loaded, pauses, attempts, generations,
//! history, journal and those that were superseded, backups. All of it below the root.
//!
//! What reads a record fails where it cannot be read or is damaged, what writes one where the file system refuses; only what
//! fails in another way says so.

mod backups;
mod captured;
mod generations;
mod history;
mod journal;
mod lock;
mod notified;
mod records;
mod undo;
mod waiting;

pub(crate) use captured::CapturedFiles;
pub(crate) use journal::Journal;
pub(crate) use lock::{InProgress, Lock};
pub(crate) use notified::Told;
pub(crate) use undo::{Replicas, Saved, Undo};

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::model::{Entry, layout};
use crate::root::{Root, RootError};

/// A record that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    /// The file system refused.
    #[error(transparent)]
    Root(#[from] RootError),
    #[error("{} is damaged", path.display())]
    Damaged {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("could not record {}", path.display())]
    Unwritable {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("generation {number} is damaged: {} is not what was applied", path.display())]
    Generation {
        number: u64,
        folder: PathBuf,
        path: PathBuf,
    },
    #[error("the records in {} are readable by root only", path.display())]
    Forbidden { path: PathBuf },
    #[error("another run is in progress: {holder}")]
    Locked {
        /// Its process id and what it runs.
        holder: String,
    },
}

impl StateError {
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            StateError::Damaged { path, .. } => {
                // A generation goes as a whole: what else is in its folder is of no use alone.
                let moved = match (path.ends_with("desired.json"), path.parent()) {
                    (true, Some(folder)) => folder,
                    _ => path,
                };
                let moved = moved.display();
                format!("{}: sudo mv {moved} {moved}.damaged", way_out(path))
            }
            StateError::Generation { folder, .. } => format!(
                "move it away and apply again, which creates a new one: sudo mv {0} {0}.damaged",
                folder.display()
            ),
            StateError::Locked { .. } => "wait for it, or give --lock-timeout SECONDS".to_owned(),
            StateError::Forbidden { .. } => {
                let arguments: Vec<String> = std::env::args().skip(1).collect();
                format!("needs root: sudo watchme-apply {}", arguments.join(" "))
            }
            StateError::Root(error) => return error.hint(),
            StateError::Unwritable { .. } => return None,
        })
    }
}

/// What moving a damaged record away means, and what follows.
fn way_out(path: &Path) -> &'static str {
    match path.file_name().and_then(|name| name.to_str()) {
        Some("journal") => {
            "without it, the interrupted run cannot be undone: move it away, then let \
             `watchme-apply drift --fix` return the host to what was applied last, or \
             `watchme-apply apply` make it match git"
        }
        Some("history.json") => {
            "move it away; the generations that are kept have their own records"
        }
        Some("attempts.json") => {
            "move it away; unattended runs then try again what failed or was left"
        }
        Some("pauses.json") => {
            "move it away, which ends all pauses: pause again what must stay stopped"
        }
        Some("captured.json") => {
            "move it away; capture may then call a second edit of the same lines a conflict"
        }
        Some("confirm.json") => {
            "move it away; nothing waits for confirmation then, and you can go back with `watchme-apply rollback`"
        }
        Some("desired.json") => "move it away and apply again, which creates a new generation",
        _ => "move it away and apply again, which writes it again",
    }
}

/// Folders that only a run in progress needs.
fn leftovers() -> [PathBuf; 4] {
    [
        PathBuf::from(layout::NEXT),
        layout::live(layout::store::LEAVING),
        Path::new(layout::STATE).join("undo"),
        generations::unfinished(),
    ]
}

/// The records below a root.
#[derive(Clone, Debug)]
pub(crate) struct State {
    root: Root,
}

impl State {
    /// The records of the host at `root`.
    pub(crate) fn new(root: Root) -> Self {
        Self { root }
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::new(layout::STATE).join(name)
    }

    /// Whether this user may read records: what cannot be looked at must not count as missing.
    fn demand_readable(&self) -> Result<(), StateError> {
        if nix::unistd::Uid::effective().is_root() {
            return Ok(());
        }
        for folder in [layout::STATE, layout::GENERATIONS] {
            if let Err(error) = self.root.list(Path::new(folder))
                && error.is_forbidden()
            {
                let path = self.root.join(Path::new(folder));
                return Err(StateError::Forbidden { path });
            }
        }
        Ok(())
    }

    /// Whether a run that was killed behind its commit, or before it began, has left something of no
    /// use.
    pub(crate) fn has_leftovers(&self) -> bool {
        leftovers().iter().any(|path| self.root.is_there(path))
    }

    /// Takes that away. Only for who holds the lock, and where nothing is left to undo.
    pub(crate) fn clear_leftovers(&self) -> Result<(), StateError> {
        for path in leftovers() {
            if self.root.is_there(&path) {
                self.root.remove_folder(&path)?;
            }
        }
        Ok(())
    }

    /// Whether this host is, or was, managed.
    pub(crate) fn has_records(&self) -> bool {
        self.root.is_there(&self.path("inventory.json"))
    }

    /// Removes the store and all records but `kept` and what only a person may remove, and returns the folders of that:
    /// the files that were replaced, and what is known of backups. The inventory goes last, so that doing it again goes on.
    pub(crate) fn forget(&self, kept: &BTreeSet<&Path>) -> Result<Vec<PathBuf>, StateError> {
        self.empty(Path::new(layout::LIVE), kept)?;
        self.empty(Path::new(layout::HOME), kept)?;
        let of_a_person = [self.path("backups"), PathBuf::from(layout::BACKUPS)];
        let last = ["inventory.json", "lock"].map(|name| self.path(name));
        let later = of_a_person.iter().chain(&last).map(PathBuf::as_path);
        self.empty(Path::new(layout::STATE), &later.collect())?;
        for path in &last {
            self.root.remove(path)?;
        }
        self.root.remove_empty(Path::new(layout::STATE));
        let is_there = |folder: &PathBuf| self.root.is_there(folder);
        Ok(of_a_person.into_iter().filter(is_there).collect())
    }

    /// Empties a folder but for what is kept, and removes it where nothing is.
    fn empty(&self, folder: &Path, kept: &BTreeSet<&Path>) -> Result<(), StateError> {
        for path in self.root.list(folder)? {
            if kept.iter().any(|kept| kept.starts_with(&path)) {
                continue;
            }
            match self.root.entry(&path)? {
                Entry::Directory => self.root.remove_folder(&path)?,
                _ => self.root.remove(&path)?,
            }
        }
        self.root.remove_empty(folder);
        Ok(())
    }

    /// Keeps what is at `path` in the backups of the run that began at `time`, under
    /// `backups/%Y%m%d_%H%M%S/<path>`, and returns where.
    pub(crate) fn back_up(
        &self,
        time: Timestamp,
        path: &Path,
        entry: &Entry,
    ) -> Result<Option<PathBuf>, StateError> {
        let time = time.to_zoned(jiff::tz::TimeZone::system());
        let stamp = time.strftime("%Y%m%d_%H%M%S").to_string();
        let relative = path.strip_prefix("/").unwrap_or(path);
        self.root.make_private_folder(&self.path("backups"))?;
        let copy = self.path("backups").join(stamp).join(relative);
        if let Some(folder) = copy.parent() {
            self.root.make_folder(folder)?;
        }
        match entry {
            Entry::File { content, mode, .. } => self.root.write(&copy, content, mode & 0o700)?,
            Entry::Link { target, .. } => self.root.link(&copy, target)?,
            Entry::Missing | Entry::Directory | Entry::Other | Entry::Unreadable => {
                return Ok(None);
            }
        }
        Ok(Some(copy))
    }
}
