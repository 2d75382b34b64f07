//! Backups as files in a folder.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::StreamError;
use crate::model::hex;

/// A backup that is being written, under a name that no backup has.
#[derive(Debug)]
pub(crate) struct Written {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
    done: bool,
}

fn failed<'p>(doing: &'static str, path: &'p Path) -> impl FnOnce(io::Error) -> StreamError + 'p {
    move |source| StreamError::File {
        doing,
        path: path.to_owned(),
        source,
    }
}

impl Written {
    /// Begins a backup in a folder, which is made if it is not there. What a killed run has left of the same backup goes.
    pub(crate) fn begin(folder: &Path, backup: &str, name: &str) -> Result<Self, StreamError> {
        let mut builder = DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(folder);
        made.map_err(failed("create the folder", folder))?;
        let temporary = folder.join(format!(".{backup}.partial"));
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("remove", &temporary)(error));
            }
            _ => {}
        }
        let mut options = OpenOptions::new();
        let opened = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary);
        Ok(Self {
            file: opened.map_err(failed("write", &temporary))?,
            path: folder.join(name),
            temporary,
            done: false,
        })
    }

    pub(crate) fn add(&mut self, chunk: &[u8]) -> Result<(), StreamError> {
        let written = self.file.write_all(chunk);
        written.map_err(failed("write", &self.temporary))
    }

    /// Forces it to the disk, and gives it its name.
    pub(crate) fn finish(mut self) -> Result<PathBuf, StreamError> {
        let synced = self.file.sync_all();
        synced.map_err(failed("force to the disk", &self.temporary))?;
        let renamed = fs::rename(&self.temporary, &self.path);
        renamed.map_err(failed("rename", &self.temporary))?;
        self.done = true;
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(failed("force to the disk", folder))?;
        Ok(self.path.clone())
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        if !self.done {
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Names of the files in a folder; none where there is no such folder.
pub(crate) fn names(folder: &Path) -> Result<Vec<String>, StreamError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed("list", folder))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed("list", folder))?;
        if entry.file_type().is_ok_and(|kind| kind.is_file()) {
            names.extend(entry.file_name().into_string().ok());
        }
    }
    names.sort();
    Ok(names)
}

pub(crate) fn remove(path: &Path) -> Result<(), StreamError> {
    fs::remove_file(path).map_err(failed("remove", path))
}

/// Opens a backup, and no link in its place.
///
/// # Errors
/// When it is not there, or is no file.
pub(crate) fn open(path: &Path) -> Result<File, StreamError> {
    let mut options = OpenOptions::new();
    let opened = options
        .read(true)
        .custom_flags(nix::libc::O_NOFOLLOW)
        .open(path);
    opened.map_err(failed("read", path))
}

pub(crate) fn sha256(path: &Path) -> Result<String, StreamError> {
    let mut file = open(path)?;
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; super::CHUNK];
    loop {
        match file.read(&mut chunk).map_err(failed("read", path))? {
            0 => return Ok(hex(&hasher.finalize())),
            count => hasher.update(chunk.get(..count).unwrap_or_default()),
        }
    }
}

/// Makes an empty folder that is root's alone, in the place of what a killed run has left.
pub(crate) fn empty_folder(path: &Path) -> Result<(), StreamError> {
    remove_folder(path)?;
    let mut builder = DirBuilder::new();
    let made = builder.recursive(true).mode(0o700).create(path);
    made.map_err(failed("create the folder", path))
}

/// Removes a folder with what is in it.
pub(crate) fn remove_folder(path: &Path) -> Result<(), StreamError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(failed("remove the folder", path)(error))
        }
        _ => Ok(()),
    }
}

/// Removes whatever has this name; a link, and not what it leads to.
pub(crate) fn remove_any(path: &Path) -> Result<(), StreamError> {
    match path.symlink_metadata() {
        Ok(found) if found.is_dir() => remove_folder(path),
        Ok(_) => remove(path),
        Err(_) => Ok(()),
    }
}

/// Gives what has a name another one, which nothing has.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), StreamError> {
    fs::rename(from, to).map_err(failed("write", to))
}

/// Swaps the names of two files or folders, renameat2(2).
pub(crate) fn exchange(one: &Path, other: &Path) -> Result<(), StreamError> {
    use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
    let swapped = renameat2(AT_FDCWD, one, AT_FDCWD, other, RenameFlags::RENAME_EXCHANGE);
    swapped.map_err(|error| failed("exchange", other)(error.into()))
}
