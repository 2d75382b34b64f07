//! The files of a folder, as they lie.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use nix::fcntl::{AtFlags, OFlag};
use nix::sys::stat::{Mode, SFlag};

use super::{MAX_SIZE, Node, too_large};
use crate::source::error::{Result, SourceError};

/// Folders that are kept open: a process may have 1,024 files, getrlimit(2).
const MAX_OPEN: usize = 128;

/// The files of a folder.
///
/// Folders are opened one below the other without following links, so that a link that
/// somebody puts there between the look and the open leads nowhere.
pub struct FolderTree {
    root: PathBuf,
    is_a_hosts: bool,
    readers: Readers,
    written: BTreeMap<PathBuf, Vec<u8>>,
    folders: RefCell<HashMap<PathBuf, Rc<OwnedFd>>>,
}

/// Who has to be able to read a file for it to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Whoever runs this program.
    Caller,
    /// Everybody, or this user, who then owns the file or folder. What only root may read is not read for a revision that
    /// somebody else has written.
    Everybody {
        /// Who may read their own files, too; never root.
        or: Option<u32>,
    },
}

impl Readers {
    /// Whether they may read a file, or enter a folder, of this owner and mode; inode(7).
    fn may_read(self, owner: u32, mode: u32, is_folder: bool) -> bool {
        match self {
            Readers::Caller => true,
            Readers::Everybody { or } => {
                let needed = if is_folder { 0o001 } else { 0o004 };
                mode & needed != 0 || owner != 0 && or == Some(owner)
            }
        }
    }
}

impl FolderTree {
    /// The folder at `root`.
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.into(),
            is_a_hosts: false,
            readers: Readers::Caller,
            written: BTreeMap::new(),
            folders: RefCell::default(),
        }
    }

    /// The root folder of a host: absolute links begin there, path_resolution(7).
    pub fn of_host(root: &Path) -> Self {
        Self {
            is_a_hosts: true,
            ..Self::new(root)
        }
    }

    /// The same, with only those files that `readers` may read, whoever runs this program.
    pub fn readable_to(self, readers: Readers) -> Self {
        Self { readers, ..self }
    }

    /// The same as if these files had been written, each with its content.
    pub fn with_written(self, written: BTreeMap<PathBuf, Vec<u8>>) -> Self {
        Self { written, ..self }
    }

    /// What `written` puts at a path.
    fn written_at(&self, path: &Path) -> Option<Node> {
        if self.written.contains_key(path) {
            return Some(Node::File { executable: false });
        }
        let mut files = self.written.keys();
        let is_above = files.any(|file| file.starts_with(path));
        is_above.then_some(Node::Folder)
    }

    pub(super) fn is_a_hosts(&self) -> bool {
        self.is_a_hosts
    }

    fn open(&self, folder: &Path) -> Result<Option<Rc<OwnedFd>>> {
        if let Some(known) = self.folders.borrow().get(folder) {
            return Ok(Some(known.clone()));
        }
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let opened = match (folder.parent(), folder.file_name()) {
            (Some(parent), Some(name)) => match self.open(parent)? {
                Some(parent) => nix::fcntl::openat(
                    parent.as_fd(),
                    name,
                    flags | OFlag::O_NOFOLLOW,
                    Mode::empty(),
                ),
                None => return Ok(None),
            },
            _ => nix::fcntl::open(&self.root, flags, Mode::empty()),
        };
        match opened {
            Ok(fd) => {
                if self.readers != Readers::Caller && folder.parent().is_some() {
                    let stat = nix::sys::stat::fstat(&fd)
                        .map_err(|errno| read_error(folder, errno.into()))?;
                    self.demand(folder, stat.st_uid, stat.st_mode, true)?;
                }
                let fd = Rc::new(fd);
                let mut folders = self.folders.borrow_mut();
                if folders.len() >= MAX_OPEN {
                    folders.clear();
                }
                folders.insert(folder.into(), fd.clone());
                Ok(Some(fd))
            }
            Err(nix::Error::ENOENT | nix::Error::ENOTDIR | nix::Error::ELOOP) => Ok(None),
            Err(errno) => Err(read_error(folder, errno.into())),
        }
    }

    pub(super) fn node(&self, path: &Path) -> Result<Option<Node>> {
        if self.folders.borrow().contains_key(path) {
            return Ok(Some(Node::Folder));
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(None);
        };
        if let Some(written) = self.written_at(path) {
            return Ok(Some(written));
        }
        let Some(parent) = self.open(parent)? else {
            return Ok(None);
        };
        let look = nix::sys::stat::fstatat(parent.as_fd(), name, AtFlags::AT_SYMLINK_NOFOLLOW);
        let stat = match look {
            Ok(stat) => stat,
            Err(nix::Error::ENOENT | nix::Error::ENOTDIR) => return Ok(None),
            Err(errno) => return Err(read_error(path, errno.into())),
        };
        Ok(Some(
            match SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits()) {
                SFlag::S_IFREG => Node::File {
                    executable: stat.st_mode & 0o100 != 0,
                },
                SFlag::S_IFDIR => Node::Folder,
                SFlag::S_IFLNK => {
                    let target = nix::fcntl::readlinkat(parent.as_fd(), name)
                        .map_err(|errno| read_error(path, errno.into()))?;
                    Node::Link(PathBuf::from(target))
                }
                SFlag::S_IFIFO => Node::Special("a named pipe, not a file"),
                SFlag::S_IFSOCK => Node::Special("a socket, not a file"),
                SFlag::S_IFCHR | SFlag::S_IFBLK => Node::Special("a device, not a file"),
                _ => Node::Special("a special file, not a file"),
            },
        ))
    }

    pub(super) fn names(&self, folder: &Path) -> Result<Vec<Vec<u8>>> {
        let failed = |errno: nix::Error| read_error(folder, errno.into());
        let mut names: Vec<Vec<u8>> = self
            .written
            .keys()
            .filter_map(|file| file.strip_prefix(folder).ok()?.components().next())
            .map(|name| name.as_os_str().as_bytes().to_vec())
            .collect();
        if let Some(fd) = self.open(folder)? {
            let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
            let mut opened =
                nix::dir::Dir::openat(fd.as_fd(), ".", flags, Mode::empty()).map_err(failed)?;
            for entry in opened.iter() {
                let name = entry.map_err(failed)?.file_name().to_bytes().to_vec();
                if name != b"." && name != b".." {
                    names.push(name);
                }
            }
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    pub(super) fn read(&self, resolved: &Path, asked: &Path) -> Result<(Vec<u8>, bool)> {
        let failed = |source: std::io::Error| read_error(asked, source);
        if let Some(content) = self.written.get(resolved) {
            return Ok((content.clone(), false));
        }
        let (Some(parent), Some(name)) = (resolved.parent(), resolved.file_name()) else {
            return Ok((Vec::new(), false));
        };
        let Some(parent) = self.open(parent)? else {
            return Err(failed(std::io::ErrorKind::NotFound.into()));
        };
        // Not to hang on a pipe that took the file's place meanwhile.
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let fd = nix::fcntl::openat(parent.as_fd(), name, flags, Mode::empty())
            .map_err(|errno| failed(errno.into()))?;
        let file = std::fs::File::from(fd);
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(SourceError::Special {
                path: asked.into(),
                what: "a special file, not a file",
            });
        }
        self.demand(asked, metadata.uid(), metadata.mode(), false)?;
        // One byte more, so that a second read finds the end without more room.
        let length = metadata.len().min(MAX_SIZE) as usize;
        let mut content = Vec::with_capacity(length + 1);
        let size = file
            .take(MAX_SIZE + 1)
            .read_to_end(&mut content)
            .map_err(failed)?;
        if size as u64 > MAX_SIZE {
            return Err(too_large(asked, metadata.len().max(size as u64)));
        }
        Ok((content, metadata.mode() & 0o100 != 0))
    }

    /// Fails where the readers may not read something.
    fn demand(&self, path: &Path, owner: u32, mode: u32, is_folder: bool) -> Result<()> {
        match self.readers.may_read(owner, mode, is_folder) {
            true => Ok(()),
            false => Err(SourceError::Private { path: path.into() }),
        }
    }
}

fn read_error(path: &Path, source: std::io::Error) -> SourceError {
    SourceError::Read {
        path: path.into(),
        source,
    }
}
