//! The one moment in which everything in the store becomes what is served.
//!
//! `next` is the live tree with the planned changes, and takes its place in one exchange of two
//! names. So that all that nginx reads changes in that moment, and not link by link, its links
//! are put before: until the exchange they lead to what nginx read at their place so far, which
//! is nothing where nothing stood. What leaves is emptied in the exchange, and goes afterwards.
//! Whenever a run is killed, the configuration is the old one or the new one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::files::put_unsynced;
use super::{Run, StepError};
use crate::effect::{Prime, Switch};
use crate::model::layout::store::LEAVING;
use crate::model::{Entry, layout};
use crate::root::{Root, RootError};
use crate::state::Undo;

/// Marks a live tree with the run that made it.
pub(super) const MARK: &str = ".run";

impl Run<'_> {
    /// Makes the next tree, and puts it in the place of the live one.
    pub(super) fn switch(&mut self, switch: &Switch) -> Result<(), StepError> {
        let root = self.host.root();
        let (live, next) = (Path::new(layout::LIVE), Path::new(layout::NEXT));
        root.make_folder(live)?;
        root.remove_folder(next)?;
        root.remove_folder(&live.join(LEAVING))?;
        // Edits that were made through a link are in the tree that the switch replaces.
        for path in &switch.keep {
            self.keep(&layout::live(path))?;
        }
        let leaving = self.prime(switch)?;
        build(root, live, next, switch)?;
        for path in leaving {
            put_unsynced(root, &next.join(LEAVING).join(path), b"", 0o644, None)?;
        }
        let run = self.time.to_string();
        put_unsynced(root, &next.join(MARK), run.as_bytes(), 0o644, None)?;
        root.sync(next)?;
        self.journal.record(Undo::Exchange { run })?;
        exchange(root)?;
        self.switched = Some(Timestamp::now());
        Ok(())
    }

    /// Makes what nginx reads lead into the live tree, and read the same there. Returns what
    /// leaves with the exchange, by its paths below [`LEAVING`].
    fn prime(&mut self, switch: &Switch) -> Result<Vec<PathBuf>, StepError> {
        let mut leaving = Vec::new();
        for prime in &switch.prime {
            match prime {
                Prime::Link {
                    path,
                    target,
                    leads_to,
                    keep,
                } => self.prime_link(path, target, *keep, leads_to)?,
                Prime::Leave { path, keep } => leaving.extend(self.prime_removal(path, *keep)?),
            }
        }
        Ok(leaving)
    }

    fn prime_link(
        &mut self,
        path: &Path,
        target: &Path,
        keep: bool,
        live: &Path,
    ) -> Result<(), StepError> {
        let now = read_now(self.host.root(), path)?.unwrap_or_default();
        self.put_now(live, &now)?;
        self.put_link(path, target, keep)
    }

    fn prime_removal(&mut self, path: &Path, keep: bool) -> Result<Option<PathBuf>, StepError> {
        let now = read_now(self.host.root(), path)?;
        let (Some(now), Ok(relative)) = (now, path.strip_prefix(layout::NGINX)) else {
            return Ok(None);
        };
        let live = layout::live(Path::new(LEAVING).join(relative));
        self.put_now(&live, &now)?;
        self.put_link(path, &live, keep)?;
        Ok(Some(relative.to_owned()))
    }

    fn put_now(&mut self, live: &Path, now: &Now) -> Result<(), StepError> {
        self.make_parent(live)?;
        self.journal.save(live)?;
        let owner = now.owner.filter(|_| self.host.is_live());
        let root = self.host.root();
        Ok(root.write_owned(live, &now.content, now.mode, owner)?)
    }
}

/// What nginx reads at a path, and who may.
struct Now {
    content: Arc<[u8]>,
    mode: u32,
    owner: Option<(u32, u32)>,
}

impl Default for Now {
    fn default() -> Self {
        Self {
            content: Arc::default(),
            mode: 0o644,
            owner: None,
        }
    }
}

fn read_now(root: &Root, path: &Path) -> Result<Option<Now>, StepError> {
    let Some(resolved) = root.resolve(path) else {
        return Ok(None);
    };
    let Entry::File {
        content,
        mode,
        owner,
        ..
    } = root.entry(&resolved)?
    else {
        return Ok(None);
    };
    Ok(Some(Now {
        content,
        mode: mode & 0o777,
        owner: Some(owner),
    }))
}

/// Puts the next tree in the live one's place. Daemons of any user may read the live tree, which files
/// below /etc link to; the other one is root's alone.
pub(super) fn exchange(root: &Root) -> Result<(), RootError> {
    let (live, next) = (Path::new(layout::LIVE), Path::new(layout::NEXT));
    root.set_mode(next, 0o755)?;
    root.exchange(next, live)?;
    root.set_mode(next, 0o700)
}

/// Makes `next`: the live tree with the planned changes. What does not change keeps its time:
/// systemd takes a unit file with another time for changed.
fn build(root: &Root, live: &Path, next: &Path, switch: &Switch) -> Result<(), StepError> {
    root.make_private_folder(next)?;
    let mut folders: Vec<PathBuf> = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for path in root.list(&live.join(&folder))? {
            let Some(name) = path.file_name().filter(|name| *name != LEAVING) else {
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
                    let place = next.join(&relative);
                    put_unsynced(root, &place, &content, mode & 0o777, Some(modified))?;
                }
                Entry::Link { .. } | Entry::Missing | Entry::Other | Entry::Unreadable => {}
            }
        }
    }
    for (path, file) in &switch.files {
        put_unsynced(root, &next.join(path), &file.content, file.mode(), None)?;
    }
    Ok(())
}
