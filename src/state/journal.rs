//! What undoes each step of a run, written to the disk before the step is done. A run that was
//! killed is undone from it by the next one.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Saved, State, StateError, Undo};
use crate::model::{Entry, layout};
use crate::root::Root;

/// How many journals are kept that a later run has superseded.
pub(super) const KEPT_JOURNALS: usize = 10;

/// The journal of the run in progress.
#[derive(Debug)]
pub(crate) struct Journal {
    root: Root,
    path: PathBuf,
    folder: PathBuf,
    undos: Vec<Undo>,
    /// Bytes of the file up to its last whole line, where something is behind them.
    whole: Option<u64>,
}

impl State {
    /// The journal. One that is not empty was left by a run that did not end.
    ///
    /// # Errors
    /// When it cannot be read. A last line that was cut off by a power loss is left out: its step
    /// was not begun.
    pub(crate) fn journal(&self) -> Result<Journal, StateError> {
        self.demand_readable()?;
        let path = self.path("journal");
        let text = self.root.read(&path)?.unwrap_or_default();
        let end = text.iter().rposition(|byte| *byte == b'\n');
        let whole = end.map_or(0, |end| end + 1);
        let mut undos = Vec::new();
        let lines = text.get(..whole).unwrap_or_default();
        for line in lines.split(|byte| *byte == b'\n') {
            if line.is_empty() {
                continue;
            }
            let undo = serde_json::from_slice(line).map_err(|source| StateError::Damaged {
                path: self.root.join(&path),
                source,
            })?;
            undos.push(undo);
        }
        Ok(Journal {
            root: self.root.clone(),
            path,
            folder: Path::new(layout::STATE).join("undo"),
            undos,
            whole: (whole < text.len()).then_some(whole as u64),
        })
    }
}

impl Journal {
    /// Whether a run has steps to undo.
    pub(crate) fn is_empty(&self) -> bool {
        self.undos.iter().all(is_mark)
    }

    /// What has to be undone, in the order in which it was done.
    pub(crate) fn undos(&self) -> &[Undo] {
        &self.undos
    }

    /// The socket of the engine that the run spoke to, if it was not this host's usual one.
    pub(crate) fn engine(&self) -> Option<&Path> {
        self.undos.iter().rev().find_map(|undo| match undo {
            Undo::Engine(socket) => Some(socket.as_path()),
            _ => None,
        })
    }

    /// Whether it is of a backup or a restore.
    pub(crate) fn is_of_backup(&self) -> bool {
        self.undos.contains(&Undo::OfBackup)
    }

    /// Writes down how to undo a step that is about to be done.
    ///
    /// # Errors
    /// When it cannot be forced to the disk; the step must not be done then.
    pub(crate) fn record(&mut self, undo: Undo) -> Result<(), StateError> {
        self.record_all(vec![undo])
    }

    /// [`Journal::record`] of several at once.
    pub(crate) fn record_all(&mut self, undos: Vec<Undo>) -> Result<(), StateError> {
        let mut new = undos;
        new.retain(|undo| !self.undos.contains(undo));
        let mut text = Vec::new();
        for undo in &new {
            text.extend(line(&self.path, undo)?);
        }
        if text.is_empty() {
            return Ok(());
        }
        if let Some(whole) = self.whole.take() {
            // A power loss has left the beginning of a line, which this one must not extend.
            self.root.cut(&self.path, whole)?;
        }
        self.root.append(&self.path, &text)?;
        self.undos.extend(new);
        Ok(())
    }

    /// Writes down what is at `path`, so that it can be put back.
    pub(crate) fn save(&mut self, path: &Path) -> Result<(), StateError> {
        let saved = match self.root.entry(path)? {
            Entry::Link { target, .. } => Saved::Link(target),
            Entry::File {
                content,
                mode,
                owner,
                ..
            } => {
                let copy = self.private_folder()?.join(self.undos.len().to_string());
                self.root.write(&copy, &content, 0o600)?;
                Saved::File { copy, mode, owner }
            }
            Entry::Missing | Entry::Directory | Entry::Other | Entry::Unreadable => Saved::Missing,
        };
        self.record(Undo::Restore {
            path: path.to_owned(),
            saved,
        })
    }

    /// A folder for what nobody else may see. What is left in it goes with the journal.
    pub(crate) fn private_folder(&self) -> Result<&Path, StateError> {
        self.root.make_private_folder(&self.folder)?;
        Ok(&self.folder)
    }

    /// Ends the run: nothing is left to undo. With the journal's file gone, that is so.
    pub(crate) fn clear(&mut self) -> Result<(), StateError> {
        self.root.remove(&self.path)?;
        self.undos.clear();
        if let Err(error) = self.root.remove_folder(&self.folder) {
            tracing::warn!(%error, "kept copies were not removed");
        }
        Ok(())
    }

    /// Ends the run in another way: what is left to undo stays to be read, and undoes nothing any
    /// more. Returns where. Only the last [`KEPT_JOURNALS`] are kept.
    ///
    /// # Errors
    /// When the file system refuses; as long as the journal is in its place, it counts.
    pub(crate) fn supersede(&mut self, now: Timestamp) -> Result<PathBuf, StateError> {
        let stamp = now.strftime("%Y%m%dT%H%M%S%.3fZ");
        let kept = Path::new(layout::STATE).join("journals");
        let place = kept.join(format!("{stamp}-superseded"));
        self.root.make_private_folder(&kept)?;
        self.root.make_private_folder(&place)?;
        self.root.rename(&self.path, &place.join("journal"))?;
        self.undos.clear();
        self.whole = None;
        if self.root.resolve(&self.folder).is_some() {
            self.root.rename(&self.folder, &place.join("undo"))?;
        }
        let all = self.root.list(&kept)?;
        let surplus = all.len().saturating_sub(KEPT_JOURNALS);
        for old in all.iter().take(surplus) {
            self.root.remove_folder(old)?;
        }
        Ok(self.root.join(&place))
    }

    /// Ends a rollback: only `undos` are left, for the next run to try again.
    pub(crate) fn keep(&mut self, undos: Vec<Undo>) -> Result<(), StateError> {
        if undos.is_empty() {
            return self.clear();
        }
        let engine = self.engine().map(Path::to_owned).map(Undo::Engine);
        let of_backup = self.is_of_backup().then_some(Undo::OfBackup);
        let marks = engine.into_iter().chain(of_backup);
        let marks = marks.filter(|mark| !undos.contains(mark));
        let undos: Vec<Undo> = marks.chain(undos.iter().cloned()).collect();
        let mut text = Vec::new();
        for undo in &undos {
            text.extend(line(&self.path, undo)?);
        }
        self.root.write(&self.path, &text, 0o600)?;
        self.undos = undos;
        Ok(())
    }
}

/// Whether it undoes nothing, and says something of the others.
fn is_mark(undo: &Undo) -> bool {
    matches!(undo, Undo::Engine(_) | Undo::OfBackup)
}

fn line(path: &Path, undo: &Undo) -> Result<Vec<u8>, StateError> {
    let mut line = serde_json::to_vec(undo).map_err(|source| StateError::Unwritable {
        path: path.to_owned(),
        source,
    })?;
    line.push(b'\n');
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(journal: &str) -> (tempfile::TempDir, State) {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path()).unwrap();
        root.make_folder(Path::new(layout::STATE)).unwrap();
        let path = Path::new(layout::STATE).join("journal");
        root.write(&path, journal.as_bytes(), 0o600).unwrap();
        (folder, State::new(root))
    }

    /// A power loss in the middle of the very first line: its step was not begun, and the next
    /// run's first line must not become a part of it.
    #[test]
    fn a_journal_that_was_cut_off_at_once_begins_anew() {
        let (_folder, state) = state("{\"restore\":{\"pa");
        let mut journal = state.journal().unwrap();
        assert!(journal.is_empty());
        journal.record(Undo::DaemonReload).unwrap();
        journal.record(Undo::ReloadNginx).unwrap();
        let found = state.journal().unwrap();
        assert_eq!(found.undos(), [Undo::DaemonReload, Undo::ReloadNginx]);
    }

    #[test]
    fn a_journal_that_is_superseded_can_be_read_and_undoes_nothing() {
        let (folder, state) = state("\"daemon-reload\"\n");
        state.journal().unwrap().private_folder().unwrap();
        for second in 0..KEPT_JOURNALS as i64 + 3 {
            let mut journal = state.journal().unwrap();
            journal.record(Undo::DaemonReload).unwrap();
            let time = Timestamp::from_second(second).unwrap();
            let place = journal.supersede(time).unwrap();
            let text = std::fs::read_to_string(place.join("journal")).unwrap();
            assert_eq!(text, "\"daemon-reload\"\n");
            assert!(state.journal().unwrap().is_empty());
        }
        let kept = folder.path().join("var/lib/watchme-apply/journals");
        assert_eq!(std::fs::read_dir(kept).unwrap().count(), KEPT_JOURNALS);
        assert!(!folder.path().join("var/lib/watchme-apply/undo").exists());
    }

    #[test]
    fn a_journal_knows_the_engine_of_its_steps() {
        let (_folder, state) = state("");
        let mut journal = state.journal().unwrap();
        journal.record(Undo::Engine("/run/e.sock".into())).unwrap();
        assert!(state.journal().unwrap().is_empty());
        journal.record(Undo::OfBackup).unwrap();
        assert!(state.journal().unwrap().is_empty());
        journal.record(Undo::RemoveNetwork("n".into())).unwrap();
        journal.record(Undo::DaemonReload).unwrap();
        let left = Undo::RemoveNetwork("n".into());
        journal.keep(vec![left.clone()]).unwrap();
        let kept = state.journal().unwrap();
        assert_eq!(kept.engine(), Some(Path::new("/run/e.sock")));
        assert!(kept.is_of_backup());
        assert_eq!(kept.undos().last(), Some(&left));
        journal.keep(Vec::new()).unwrap();
        assert_eq!(state.journal().unwrap().engine(), None);
    }

    #[test]
    fn only_a_last_line_may_be_cut_off() {
        let (_folder, cut) = state("\"daemon-reload\"\n\"reload-ng");
        assert_eq!(cut.journal().unwrap().undos(), [Undo::DaemonReload]);
        // What follows it does not become a part of it.
        let mut journal = cut.journal().unwrap();
        journal.record(Undo::RestartNginx).unwrap();
        assert_eq!(
            cut.journal().unwrap().undos(),
            [Undo::DaemonReload, Undo::RestartNginx]
        );
        let (_folder, damaged) = state("\"daemon-re\n\"reload-nginx\"\n");
        let error = damaged.journal().unwrap_err();
        assert!(error.to_string().contains("journal is damaged"), "{error}");
        assert!(error.hint().unwrap().contains("drift --fix"));
    }
}
