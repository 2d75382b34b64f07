//! The store and the links: what changes on the disk.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Run, StepError};
use crate::host::observe::resolve_owner;
use crate::model::{Action, Entry, File, Plan, layout};
use crate::root::Root;
use crate::state::Undo;

/// Marks a live tree with the run that made it.
pub(super) const MARK: &str = ".run";

impl Run<'_> {
    /// The first changed file switches them all: `next` is the live tree with the planned
    /// changes, and becomes the live tree in one exchange.
    pub(super) fn switch_once(&mut self, plan: &Plan) -> Result<(), StepError> {
        if self.switched.is_some() {
            return Ok(());
        }
        let root = self.host.root();
        let (live, next) = (Path::new(layout::LIVE), Path::new(layout::NEXT));
        root.make_folder(live)?;
        root.remove_folder(next)?;
        copy_tree(root, live, next)?;
        for change in &plan.changes {
            let Action::Store {
                path,
                file: Some(file),
                keep,
            } = &change.action
            else {
                continue;
            };
            if *keep {
                self.keep(&layout::live(path))?;
            }
            put_unsynced(root, &next.join(path), &file.content, file.mode(), None)?;
        }
        let run = self.time.to_string();
        put_unsynced(root, &next.join(MARK), run.as_bytes(), 0o644, None)?;
        root.sync(next)?;
        self.journal.record(Undo::Exchange { run })?;
        root.exchange(next, live)?;
        self.switched = Some(Timestamp::now());
        Ok(())
    }

    pub(super) fn remove_stored(&mut self, path: &Path) -> Result<(), StepError> {
        let live = layout::live(path);
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
        remove_empty_parents(self.host.root(), path, Path::new(layout::SYSTEMD));
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

    /// Takes away the empty file that systemd put at a checkout path to bind a stored file over
    /// it: git would take it for an untracked file that stands in the way of a later pull.
    pub(super) fn clear_mount_point(
        &mut self,
        path: &Path,
        checkout: &Path,
    ) -> Result<(), StepError> {
        let root = self.host.root();
        if let Entry::File {
            content,
            owner: (0, 0),
            ..
        } = root.entry(path)?
            && content.is_empty()
        {
            root.remove(path)?;
            remove_empty_parents(root, path, checkout);
            self.progress.say(&format!(
                "removed the empty file that systemd left at {}",
                path.display()
            ));
        }
        Ok(())
    }

    /// Keeps what stands at `path` in the backups, and says where.
    fn keep(&mut self, path: &Path) -> Result<(), StepError> {
        let entry: Entry = self.host.root().entry(path)?;
        if let Some(copy) = self.state.back_up(self.time, path, &entry)? {
            self.progress
                .say(&format!("kept {} as {}", path.display(), copy.display()));
        }
        Ok(())
    }
}

fn put_unsynced(
    root: &Root,
    path: &Path,
    content: &[u8],
    mode: u32,
    modified: Option<Timestamp>,
) -> Result<(), StepError> {
    make_parent(root, path)?;
    Ok(root.write_unsynced(path, content, mode, modified)?)
}

pub(super) fn make_parent(root: &Root, path: &Path) -> Result<(), StepError> {
    match path.parent() {
        Some(folder) => Ok(root.make_folder(folder)?),
        None => Ok(()),
    }
}

/// Takes folders away that the removal of `path` left empty, up to but not including `above`.
pub(super) fn remove_empty_parents(root: &Root, path: &Path, above: &Path) {
    let mut folder = path.parent();
    while let Some(empty) = folder.filter(|folder| folder.starts_with(above) && *folder != above) {
        root.remove_empty(empty);
        folder = empty.parent();
    }
}

/// What does not change keeps its time: systemd takes a unit file with another time for changed.
fn copy_tree(root: &Root, from: &Path, to: &Path) -> Result<(), StepError> {
    root.make_folder(to)?;
    let mut folders: Vec<PathBuf> = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for path in root.list(&from.join(&folder))? {
            let Some(name) = path.file_name() else {
                continue;
            };
            let relative = folder.join(name);
            match root.entry(&path)? {
                Entry::Directory => folders.push(relative),
                Entry::File {
                    content,
                    mode,
                    modified,
                    ..
                } => {
                    put_unsynced(
                        root,
                        &to.join(&relative),
                        &content,
                        mode & 0o777,
                        Some(modified),
                    )?;
                }
                Entry::Link { .. } | Entry::Missing | Entry::Other | Entry::Unreadable => {}
            }
        }
    }
    Ok(())
}
