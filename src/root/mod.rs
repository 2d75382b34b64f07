//! Files below a root directory: the live host's `/`, or an offline one. No link leads out of it.

mod entry_at;
mod resolve;
pub(crate) mod work_tree;
mod write;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use nix::fcntl::{OFlag, readlinkat};

use crate::model::Entry;
pub(crate) use resolve::Link;
use resolve::{Base, is_absent, leads_nowhere};

/// Files that are looked at are configuration; a larger one is not read whole.
const MAX_SIZE: u64 = 8 << 20;

/// Something that the file system refused.
#[derive(Debug, thiserror::Error)]
#[error("could not {doing} {}", path.display())]
pub(crate) struct RootError {
    /// A verb such as `read`.
    pub doing: &'static str,
    /// The path, as this process sees it.
    pub path: PathBuf,
    #[source]
    pub source: io::Error,
}

impl RootError {
    /// Whether this user may not do it.
    pub(crate) fn is_forbidden(&self) -> bool {
        self.source.kind() == io::ErrorKind::PermissionDenied
    }

    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self.source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                let folder = self.path.parent().unwrap_or(&self.path);
                let folder = folder.display();
                return Some(format!(
                    "df -h {folder}; df -i {folder}; docker system df; journalctl --disk-usage"
                ));
            }
            io::ErrorKind::Unsupported => {
                "Linux 5.6 or newer has it (uname -r); in a container, its seccomp profile has to allow it: update Docker (20.10) and \
             libseccomp (2.5) on the container's host, or start it with --security-opt seccomp=unconfined"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// A root directory. All paths given to it are absolute paths as the host sees them.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    directory: PathBuf,
    base: Arc<Base>,
}

type Result<T> = std::result::Result<T, RootError>;

impl Root {
    /// The root at `directory`; `/` is the live host. It stays the same one in a thread that changes its root.
    ///
    /// # Errors
    /// When it is not a directory, or the kernel does not resolve paths below one.
    pub(crate) fn open(directory: impl Into<PathBuf>) -> Result<Self> {
        let directory = directory.into();
        match Base::open(&directory) {
            Ok(base) => Ok(Self {
                directory,
                base: Arc::new(base),
            }),
            Err(source) => Err(RootError {
                doing: "open",
                path: directory,
                source,
            }),
        }
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Says what was being done to `path`, named as this process sees it: on an offline root
    /// an advice must not lead to the machine's own file.
    fn failed(&self, doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> RootError {
        let path = self.join(path);
        move |source| RootError {
            doing,
            path,
            source,
        }
    }

    /// Where `path` is for this process, no link followed.
    pub(crate) fn join(&self, path: &Path) -> PathBuf {
        let mut joined = self.directory.clone();
        for part in path.components() {
            if let Component::Normal(part) = part {
                joined.push(part);
            }
        }
        joined
    }

    /// Where `path` leads, every link on the way followed inside the root. `None` when it leads
    /// nowhere, or in circles.
    pub(crate) fn resolve(&self, path: &Path) -> Option<PathBuf> {
        let followed = self.base.follow(path).ok()?;
        followed.found.map(|_| followed.path)
    }

    /// The links on the way to `path`, itself included.
    pub(crate) fn links(&self, path: &Path) -> Vec<Link> {
        let followed = self.base.follow(path);
        followed.map_or_else(|_| Vec::new(), |followed| followed.links)
    }

    /// What `path` leads to; `None` when that is nothing that this user may look at.
    pub(crate) fn metadata(&self, path: &Path) -> Option<fs::Metadata> {
        let found = self.base.within(path, OFlag::O_PATH).ok()?;
        File::from(found).metadata().ok()
    }

    /// Whether `path` leads to a folder.
    pub(crate) fn is_folder(&self, path: &Path) -> bool {
        self.metadata(path).is_some_and(|found| found.is_dir())
    }

    /// What is at `path`, the content of a regular file included. Links on the way to it are followed, it is not.
    pub(crate) fn entry(&self, path: &Path) -> Result<Entry> {
        let found = match self.base.within(path, OFlag::O_PATH | OFlag::O_NOFOLLOW) {
            Ok(found) => File::from(found),
            Err(error) if is_absent(&error) => return Ok(Entry::Missing),
            Err(error) if leads_nowhere(&error) => return Ok(Entry::Other),
            Err(error) => return Err(self.failed("look at", path)(error)),
        };
        let metadata = found.metadata().map_err(self.failed("look at", path))?;
        let kind = metadata.file_type();
        if kind.is_symlink() {
            let target = readlinkat(&found, "")
                .map_err(|error| self.failed("read the link", path)(error.into()))?
                .into();
            let leads_to = self.resolve(path);
            return Ok(Entry::Link { target, leads_to });
        }
        if kind.is_dir() {
            return Ok(Entry::Directory);
        }
        if !kind.is_file() || metadata.len() > MAX_SIZE {
            return Ok(Entry::Other);
        }
        match self.file(path) {
            Ok(entry) => Ok(entry),
            Err(error) if is_absent(&error) => Ok(Entry::Missing),
            Err(error) => Err(self.failed("read", path)(error)),
        }
    }

    /// Content, mode and owner of one file, whatever takes its place meanwhile.
    fn file(&self, path: &Path) -> io::Result<Entry> {
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
        let file = File::from(self.base.within(path, flags)?);
        let metadata = file.metadata()?;
        if !metadata.is_file() || metadata.len() > MAX_SIZE {
            return Ok(Entry::Other);
        }
        // One byte more, so that a second read finds the end without more room.
        let mut content = Vec::with_capacity(metadata.len() as usize + 1);
        file.take(MAX_SIZE).read_to_end(&mut content)?;
        Ok(Entry::File {
            content: content.into(),
            mode: metadata.mode() & 0o7777,
            owner: (metadata.uid(), metadata.gid()),
            modified: metadata
                .modified()
                .ok()
                .and_then(|time| Timestamp::try_from(time).ok())
                .unwrap_or(Timestamp::UNIX_EPOCH),
        })
    }

    /// Whether anything is at `path`, a link that leads nowhere included.
    pub(crate) fn is_there(&self, path: &Path) -> bool {
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW;
        self.base.within(path, flags).is_ok()
    }

    /// Opens a file to read it, links followed.
    pub(crate) fn open_to_read(&self, path: &Path) -> io::Result<File> {
        let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK;
        Ok(self.base.within(path, flags)?.into())
    }

    /// The bytes of a file, links followed; `None` where there is none.
    pub(crate) fn read(&self, path: &Path) -> Result<Option<Vec<u8>>> {
        let read = || {
            let mut content = Vec::new();
            self.open_to_read(path)?.read_to_end(&mut content)?;
            Ok(content)
        };
        self.unless_nowhere("read", path, read())
    }

    /// The entries of a folder by their paths; none where there is no folder.
    pub(crate) fn list(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        let list = || {
            let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY;
            let opened = self.base.within(folder, flags)?;
            let mut paths = Vec::new();
            for entry in nix::dir::Dir::from_fd(opened)?.iter() {
                let entry = entry?;
                let name = entry.file_name().to_bytes();
                if name != b"." && name != b".." {
                    paths.push(folder.join(OsStr::from_bytes(name)));
                }
            }
            paths.sort();
            Ok(paths)
        };
        let listed = self.unless_nowhere("list", folder, list())?;
        Ok(listed.unwrap_or_default())
    }

    /// What a look came to; `None` where `path` leads nowhere.
    fn unless_nowhere<T>(
        &self,
        doing: &'static str,
        path: &Path,
        result: io::Result<T>,
    ) -> Result<Option<T>> {
        match result {
            Ok(found) => Ok(Some(found)),
            Err(error) if is_absent(&error) || self.metadata(path).is_none() => Ok(None),
            Err(error) => Err(self.failed(doing, path)(error)),
        }
    }
}

#[cfg(test)]
mod tests;
