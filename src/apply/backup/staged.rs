//! Files of a backup: unpacked where nothing reads them, and put in the place of what is there once that is complete.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::restore::extract;
use super::{BackupError, OneBackup, Source};
use crate::host::streams::{RunIn, StreamError, files};
use crate::model::{BackupOf, layout};

/// Files of a backup that are unpacked. They go with it.
#[derive(Debug)]
pub(crate) struct Staged {
    folder: PathBuf,
    /// The paths that the backup has.
    pub has: Vec<PathBuf>,
    /// Those that it does not have.
    pub lacks: Vec<PathBuf>,
}

impl Drop for Staged {
    fn drop(&mut self) {
        let _ = files::remove_folder(&self.folder);
    }
}

impl Staged {
    /// Where a path is unpacked.
    fn unpacked(&self, path: &Path) -> PathBuf {
        self.folder.join(path.strip_prefix("/").unwrap_or(path))
    }
}

impl OneBackup<'_> {
    /// Unpacks a backup of files beside all that is used; nothing for a backup of anything else.
    ///
    /// # Errors
    /// What failed, or that the backup has what it was not asked for. Nothing is replaced then.
    pub(crate) async fn stage(&self, source: &Source) -> Result<Option<Staged>, BackupError> {
        let BackupOf::Files(paths) = &self.backup.of else {
            return Ok(None);
        };
        source.verify()?;
        // No backup has a name with a dot: nothing else is called this.
        let folder = Path::new(layout::SCRATCH).join(format!("{}.restore", self.name));
        files::empty_folder(&folder)?;
        let mut staged = Staged {
            folder,
            has: Vec::new(),
            lacks: Vec::new(),
        };
        // GNU tar makes links that lead out of the folder last, and follows none of them: "Integrity" in its manual.
        let command = extract(&staged.folder);
        self.pour(source, RunIn::Host(Path::new("/")), &command)
            .await?;
        if let Some(path) = unasked(&staged.folder, Path::new("/"), paths)? {
            let name = source.name.clone();
            return Err(BackupError::Unasked { name, path });
        }
        let is_below = |path: &Path| paths.iter().any(|one| one != path && path.starts_with(one));
        for path in paths.iter().filter(|path| !is_below(path)) {
            let is_there = staged.unpacked(path).symlink_metadata().is_ok();
            match is_there && path.file_name().is_some() {
                true => staged.has.push(path.clone()),
                false => staged.lacks.push(path.clone()),
            }
        }
        match staged.has.is_empty() {
            true => Err(BackupError::HasNone {
                name: source.name.clone(),
            }),
            false => Ok(Some(staged)),
        }
    }

    /// Puts them in the place of what is there.
    pub(super) async fn put(&self, staged: &Staged) -> Result<(), BackupError> {
        let mut beside = Vec::new();
        let mut replaced = Ok(());
        for path in &staged.has {
            let own = beside_of(path);
            beside.push((own.clone(), path.clone()));
            replaced = self.put_beside(&staged.unpacked(path), &own).await;
            if replaced.is_err() {
                break;
            }
        }
        let replaced = replaced.and_then(|()| swap(&beside));
        // What was there before, or what was not put in its place.
        for (own, _) in &beside {
            files::remove_any(own)?;
        }
        replaced
    }

    /// Brings what is unpacked to the file system of its place.
    async fn put_beside(&self, from: &Path, beside: &Path) -> Result<(), BackupError> {
        if let Some(folder) = beside.parent() {
            let mut builder = DirBuilder::new();
            let made = builder.recursive(true).mode(0o755).create(folder);
            made.map_err(|source| refused("create the folder", folder, source))?;
        }
        files::remove_any(beside)?;
        match fs::rename(from, beside) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                let words = ["cp", "--archive", "--no-target-directory", "--"];
                let paths = [from, beside].map(|path| path.to_string_lossy().into_owned());
                let words = words.map(str::to_owned).into_iter().chain(paths);
                let command: Vec<String> = words.collect();
                let place = RunIn::Host(Path::new("/"));
                let copy = self.host.begin(place, &command, &[], false).await?;
                copy.answer(self.bounds()).await?;
                Ok(())
            }
            renamed => Ok(renamed.map_err(|source| refused("write", beside, source))?),
        }
    }
}

fn refused(doing: &'static str, path: &Path, source: io::Error) -> StreamError {
    StreamError::File {
        doing,
        path: path.to_owned(),
        source,
    }
}

/// What is put in the place of a path, before and after that.
fn beside_of(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".watchme-apply-restore");
    path.with_file_name(name)
}

/// The first path of what is unpacked that is neither one of these, nor below one, nor a folder on the way to one.
fn unasked(folder: &Path, path: &Path, paths: &[PathBuf]) -> Result<Option<PathBuf>, BackupError> {
    let entries = fs::read_dir(folder);
    let entries = entries.map_err(|source| refused("list", folder, source))?;
    for entry in entries {
        let entry = entry.map_err(|source| refused("list", folder, source))?;
        let path = path.join(entry.file_name());
        if paths.iter().any(|one| path.starts_with(one)) {
            continue;
        }
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if !is_folder || !paths.iter().any(|one| one.starts_with(&path)) {
            return Ok(Some(path));
        }
        if let Some(found) = unasked(&entry.path(), &path, paths)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Swaps all, or none.
fn swap(beside: &[(PathBuf, PathBuf)]) -> Result<(), BackupError> {
    let mut done: Vec<(&PathBuf, &PathBuf, bool)> = Vec::new();
    for (own, path) in beside {
        let was_there = path.symlink_metadata().is_ok();
        if let Err(source) = replace(own, path, was_there) {
            let mut left = Vec::new();
            for (own, path, was_there) in done.into_iter().rev() {
                let back = match was_there {
                    true => files::exchange(own, path),
                    false => files::rename(path, own),
                };
                if back.is_err() {
                    left.push(path.clone());
                }
            }
            let path = path.clone();
            return Err(BackupError::NotReplaced { path, left, source });
        }
        done.push((own, path, was_there));
    }
    Ok(())
}

fn replace(own: &Path, path: &Path, was_there: bool) -> Result<(), StreamError> {
    match was_there {
        true => files::exchange(own, path),
        false => files::rename(own, path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_asked_for_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["/etc/app", "/srv/conf/a"].map(PathBuf::from);
        let found = || unasked(folder.path(), Path::new("/"), &paths).unwrap();
        let write = |path: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        };
        write("etc/app/conf");
        write("srv/conf/a");
        assert_eq!(found(), None);
        for other in ["srv/conf/b", "root/.ssh/keys", "etc/application"] {
            write(other);
            let top = found().unwrap();
            assert!(Path::new("/").join(other).starts_with(&top), "{top:?}");
            let top = folder.path().join(top.strip_prefix("/").unwrap());
            files::remove_any(&top).unwrap();
        }
        // A link on the way is no folder.
        fs::remove_dir_all(folder.path().join("srv")).unwrap();
        std::os::unix::fs::symlink("etc", folder.path().join("srv")).unwrap();
        assert_eq!(found(), Some("/srv".into()));
    }

    #[test]
    fn one_that_cannot_be_replaced_leaves_all_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for (name, content) in [("a", "old"), (".a", "new"), (".b", "new")] {
            fs::write(path(name), content).unwrap();
        }
        let pair = |name: &str| (path(&format!(".{name}")), path(name));
        let error = swap(&[pair("a"), pair("b"), pair("c")]).unwrap_err();
        assert!(
            matches!(&error, BackupError::NotReplaced { left, .. } if left.is_empty()),
            "{error}"
        );
        assert_eq!(fs::read_to_string(path("a")).unwrap(), "old");
        assert!(!path("b").exists());
        swap(&[pair("a"), pair("b")]).unwrap();
        assert_eq!(fs::read_to_string(path("a")).unwrap(), "new");
        assert_eq!(fs::read_to_string(path("b")).unwrap(), "new");
    }
}
