//! The store and the links: what changes on the disk.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Run, StepError};
use crate::host::observe::resolve_owner;
use crate::model::{Entry, File, layout};
use crate::root::{Root, RootError};
use crate::state::Undo;

impl Run<'_> {
    pub(super) fn remove_stored(&mut self, path: &Path, keep: bool) -> Result<(), StepError> {
        let live = layout::live(path);
        if keep {
            self.keep(&live)?;
        }
        self.journal.save(&live)?;
        self.host.root().remove(&live)?;
        remove_empty_parents(self.host.root(), &live, Path::new(layout::LIVE));
        Ok(())
    }

    pub(super) fn put_link(
        &mut self,
        path: &Path,
        target: &Path,
        keep: bool,
    ) -> Result<(), StepError> {
        let present = self.host.root().entry(path)?;
        // The switch puts the links that nginx reads.
        if matches!(&present, Entry::Link { target: to, .. } if to == target) {
            return Ok(());
        }
        if keep {
            self.keep(path)?;
        }
        self.make_parent(path)?;
        self.journal.save(path)?;
        Ok(self.host.root().link(path, target)?)
    }

    pub(super) fn put_copy(
        &mut self,
        path: &Path,
        file: &File,
        mode: u32,
        owner: &str,
        keep: bool,
    ) -> Result<(), StepError> {
        if keep {
            self.keep(path)?;
        }
        let can_own = self.host.is_live() || nix::unistd::Uid::effective().is_root();
        let ids = resolve_owner(owner).filter(|_| can_own);
        if ids.is_none() && self.host.is_live() {
            return Err(StepError::NoOwner {
                path: path.display().to_string(),
                owner: owner.to_owned(),
            });
        }
        self.make_parent(path)?;
        self.journal.save(path)?;
        let root = self.host.root();
        Ok(root.write_owned(path, &file.content, mode, ids)?)
    }

    pub(super) fn remove(&mut self, path: &Path, keep: bool) -> Result<(), StepError> {
        if keep {
            self.keep(path)?;
        }
        self.journal.save(path)?;
        self.host.root().remove(path)?;
        for above in [layout::SYSTEMD, layout::QUADLETS] {
            remove_empty_parents(self.host.root(), path, Path::new(above));
        }
        Ok(())
    }

    /// Makes the folders above `path` that are missing, with what removes them on record.
    pub(super) fn make_parent(&mut self, path: &Path) -> Result<(), StepError> {
        let root = self.host.root();
        let missing = path
            .ancestors()
            .skip(1)
            .take_while(|folder| root.resolve(folder).is_none());
        let missing: Vec<PathBuf> = missing.map(Path::to_owned).collect();
        for folder in missing.into_iter().rev() {
            self.journal.record(Undo::RemoveFolder(folder.clone()))?;
            root.make_folder(&folder)?;
        }
        Ok(())
    }

    pub(super) fn clear_mount_point(
        &mut self,
        path: &Path,
        checkout: &Path,
    ) -> Result<(), StepError> {
        if clear_mount_point(self.host.root(), path, checkout)? {
            let text = format!(
                "removed the empty file that systemd left at {}",
                path.display()
            );
            self.progress.say(&text);
        }
        Ok(())
    }

    /// Keeps what stood at `path` before the run in the backups, and says where.
    pub(super) fn keep(&mut self, path: &Path) -> Result<(), StepError> {
        if !self.kept.insert(path.to_owned()) {
            return Ok(());
        }
        let entry: Entry = self.host.root().entry(path)?;
        if let Some(copy) = self.state.back_up(self.time, path, &entry)? {
            self.progress
                .say(&format!("kept {} as {}", path.display(), copy.display()));
        }
        Ok(())
    }
}

/// Takes away the empty file that systemd put at a checkout path to bind a stored file over it:
/// git would take it for an untracked file that blocks a later pull. Returns whether
/// there was one.
pub(crate) fn clear_mount_point(
    root: &Root,
    path: &Path,
    checkout: &Path,
) -> Result<bool, RootError> {
    let is_mount_point = matches!(
        root.entry(path)?,
        Entry::File { content, owner: (0, 0), .. } if content.is_empty()
    );
    if is_mount_point {
        root.remove(path)?;
        remove_empty_parents(root, path, checkout);
    }
    Ok(is_mount_point)
}

pub(super) fn put_unsynced(
    root: &Root,
    path: &Path,
    content: &[u8],
    mode: u32,
    modified: Option<Timestamp>,
) -> Result<(), StepError> {
    root.make_parent(path)?;
    Ok(root.write_unsynced(path, content, mode, modified)?)
}

/// Takes folders away that the removal of `path` left empty, up to but not including `above`.
pub(super) fn remove_empty_parents(root: &Root, path: &Path, above: &Path) {
    let mut folder = path.parent();
    while let Some(empty) = folder.filter(|folder| folder.starts_with(above) && *folder != above) {
        root.remove_empty(empty);
        folder = empty.parent();
    }
}
