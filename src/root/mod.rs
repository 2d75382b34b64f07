//! Files below a root directory: the live host's `/`, or an offline one. No link leads out of it.

mod folder;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use jiff::Timestamp;
use nix::fcntl::OFlag;

use crate::model::Entry;
use folder::Place;

/// Links that are followed on one path before it counts as a loop, path_resolution(7).
const MAX_LINKS: usize = 40;
/// Files that are looked at are configuration; a larger one is not read whole.
const MAX_SIZE: u64 = 8 << 20;
/// How the names begin under which files and links are made before they take their place.
const TEMPORARY: &str = ".watchme-apply-";

/// Something that the file system refused.
#[derive(Debug, thiserror::Error)]
#[error("could not {doing} {}", path.display())]
pub struct RootError {
    /// A verb such as `read`.
    pub doing: &'static str,
    /// The path, as it lies for this process.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

impl RootError {
    /// Whether this user may not do it.
    pub fn is_forbidden(&self) -> bool {
        self.source.kind() == io::ErrorKind::PermissionDenied
    }
}

/// A root directory. All paths given to it are absolute paths as the host sees them.
#[derive(Clone, Debug)]
pub struct Root {
    directory: PathBuf,
}

type Result<T> = std::result::Result<T, RootError>;

impl Root {
    /// The root at `directory`; `/` is the live host.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
        }
    }

    /// The directory itself.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Says what was being done to `path`, named as it lies for this process: on an offline root
    /// an advice must not lead to the machine's own file.
    fn failed(&self, doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> RootError {
        let path = self.join(path);
        move |source| RootError {
            doing,
            path,
            source,
        }
    }

    /// Where `path` lies for this process, no link looked at.
    pub fn join(&self, path: &Path) -> PathBuf {
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
    pub fn resolve(&self, path: &Path) -> Option<PathBuf> {
        let resolved = self.follow(path)?;
        fs::symlink_metadata(self.join(&resolved))
            .ok()
            .map(|_| resolved)
    }

    /// Follows all links of `path`; what does not exist stays as it is written.
    fn follow(&self, path: &Path) -> Option<PathBuf> {
        self.follow_if(path, |_| Ok(true)).ok()
    }

    /// [`Root::follow`] for what is written: a link that another user put is not followed, since
    /// that would let the user choose what is written to.
    fn follow_ours(&self, path: &Path) -> io::Result<PathBuf> {
        self.follow_if(path, |place| folder::is_followed(&self.directory, place))
    }

    fn follow_if(
        &self,
        path: &Path,
        may: impl Fn(&Path) -> io::Result<bool>,
    ) -> io::Result<PathBuf> {
        let mut todo: Vec<OsString> = parts(path).rev().collect();
        let mut done = PathBuf::from("/");
        let mut links = 0;
        while let Some(part) = todo.pop() {
            if part == ".." {
                done.pop();
                continue;
            }
            let next = done.join(&part);
            match fs::read_link(self.join(&next)) {
                Ok(target) => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(nix::errno::Errno::ELOOP.into());
                    }
                    if !may(&self.join(&next))? {
                        let place = self.join(&next);
                        let place = place.display();
                        return Err(io::Error::other(format!(
                            "{place} is a link of another user, which is not followed: ls -l {place}"
                        )));
                    }
                    if target.is_absolute() {
                        done = PathBuf::from("/");
                    }
                    todo.extend(parts(&target).rev());
                }
                Err(_) => done = next,
            }
        }
        Ok(done)
    }

    /// Whether something may be written at `path`, as far as the links on the way to it tell: one that another user made
    /// is not followed.
    ///
    /// # Errors
    /// Says which link that is.
    pub fn may_write(&self, path: &Path) -> Result<()> {
        let folder = self.follow_ours(path.parent().unwrap_or(Path::new("/")));
        folder.map(drop).map_err(self.failed("write", path))
    }

    /// The entry named by `path`, by descriptor, to write there.
    fn writable(&self, path: &Path) -> io::Result<Place> {
        let folder = self.follow_ours(path.parent().unwrap_or(Path::new("/")))?;
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        Place::open(&self.directory, &folder.join(name))
    }

    /// Where the entry named by `path` lies for this process: links on the way to its folder are
    /// followed inside the root, the entry itself is not.
    fn place(&self, path: &Path) -> PathBuf {
        let folder = path.parent().and_then(|folder| self.follow(folder));
        match (folder, path.file_name()) {
            (Some(folder), Some(name)) => self.join(&folder.join(name)),
            _ => self.join(path),
        }
    }

    /// What stands at `path`, the content of a regular file included.
    pub fn entry(&self, path: &Path) -> Result<Entry> {
        let place = self.place(path);
        let metadata = match fs::symlink_metadata(&place) {
            Ok(metadata) => metadata,
            Err(error) if is_absent(&error) => return Ok(Entry::Missing),
            Err(error) => return Err(self.failed("look at", path)(error)),
        };
        let kind = metadata.file_type();
        if kind.is_symlink() {
            let target = fs::read_link(&place).map_err(self.failed("read the link", path))?;
            let leads_to = self.resolve(path);
            return Ok(Entry::Link { target, leads_to });
        }
        if kind.is_dir() {
            return Ok(Entry::Directory);
        }
        if !kind.is_file() || metadata.len() > MAX_SIZE {
            return Ok(Entry::Other);
        }
        // Content, mode and owner are those of one file, whatever takes its place meanwhile.
        let read = || -> io::Result<_> {
            let folder = path.parent().and_then(|folder| self.follow(folder));
            let (Some(folder), Some(name)) = (folder, path.file_name()) else {
                return Ok(None);
            };
            Place::open_to_read(&self.directory, &folder.join(name))?.read(MAX_SIZE)
        };
        let (content, metadata) = match read() {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Entry::Other),
            Err(error) if is_absent(&error) => return Ok(Entry::Missing),
            Err(error) => return Err(self.failed("read", path)(error)),
        };
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

    /// Whether anything stands at `path`.
    pub fn is_there(&self, path: &Path) -> bool {
        fs::symlink_metadata(self.place(path)).is_ok()
    }

    /// The bytes of a regular file, links followed; `None` where there is none.
    pub fn read(&self, path: &Path) -> Result<Option<Vec<u8>>> {
        let Some(resolved) = self.resolve(path) else {
            return Ok(None);
        };
        match fs::read(self.join(&resolved)) {
            Ok(content) => Ok(Some(content)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(self.failed("read", path)(error)),
        }
    }

    /// The entries of a folder by their paths; none where there is no folder.
    pub fn list(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        let Some(resolved) = self.resolve(folder) else {
            return Ok(Vec::new());
        };
        let entries = match fs::read_dir(self.join(&resolved)) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            Err(error) => return Err(self.failed("list", folder)(error)),
        };
        let mut paths = Vec::new();
        for entry in entries {
            let entry = entry.map_err(self.failed("list", folder))?;
            paths.push(folder.join(entry.file_name()));
        }
        paths.sort();
        Ok(paths)
    }

    /// Makes a folder and those above it, mode 0755.
    pub fn make_folder(&self, folder: &Path) -> Result<()> {
        let make = || folder::make(&self.directory, &self.follow_ours(folder)?);
        make().map_err(self.failed("make the folder", folder))
    }

    /// Makes a folder that nobody but its owner may look into.
    pub fn make_private_folder(&self, folder: &Path) -> Result<()> {
        self.make_folder(folder)?;
        self.set_mode(folder, 0o700)
    }

    /// Gives a folder its permission bits, by descriptor.
    pub fn set_mode(&self, folder: &Path, mode: u32) -> Result<()> {
        let set = || folder::set_mode(&self.directory, &self.follow_ours(folder)?, mode);
        set().map_err(self.failed("set the mode of", folder))
    }

    /// Writes a file whole: a reader finds the old content or the new, after a power loss too.
    pub fn write(&self, path: &Path, content: &[u8], mode: u32) -> Result<()> {
        self.write_owned(path, content, mode, None)
    }

    /// [`Root::write`] with an owner and group.
    pub fn write_owned(
        &self,
        path: &Path,
        content: &[u8],
        mode: u32,
        owner: Option<(u32, u32)>,
    ) -> Result<()> {
        let write = || self.writable(path)?.write(content, mode, owner);
        write().map_err(self.failed("write", path))
    }

    /// Writes a new file below a folder that nobody reads yet; [`Root::sync`] follows. `modified`
    /// is when its content changed last; now, when nothing is said.
    pub fn write_unsynced(
        &self,
        path: &Path,
        content: &[u8],
        mode: u32,
        modified: Option<Timestamp>,
    ) -> Result<()> {
        let place = self.place(path);
        let write = || -> io::Result<()> {
            let mut file = File::create(&place)?;
            file.write_all(content)?;
            file.set_permissions(fs::Permissions::from_mode(mode))?;
            match modified {
                Some(time) => file.set_modified(time.into()),
                None => Ok(()),
            }
        };
        write().map_err(self.failed("write", path))
    }

    /// Forces the file system that holds `folder` to the disk, syncfs(2).
    pub fn sync(&self, folder: &Path) -> Result<()> {
        let sync = || -> io::Result<()> {
            let folder = File::open(self.place(folder))?;
            Ok(nix::unistd::syncfs(folder)?)
        };
        sync().map_err(self.failed("force to the disk", folder))
    }

    /// Puts a symbolic link, in place of whatever file or link stands there, at once.
    pub fn link(&self, path: &Path, target: &Path) -> Result<()> {
        let link = || self.writable(path)?.link(target);
        link().map_err(self.failed("put the link", path))
    }

    /// Opens a file for reading and writing, and makes it if there is none. No link is followed.
    pub fn open(&self, path: &Path) -> Result<File> {
        fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(OFlag::O_NOFOLLOW.bits())
            .open(self.place(path))
            .map_err(self.failed("open", path))
    }

    /// Cuts a file off behind so many bytes, and forces that to the disk. No link is followed.
    pub fn cut(&self, path: &Path, length: u64) -> Result<()> {
        let file = self.open(path)?;
        let cut = || {
            file.set_len(length)?;
            file.sync_all()
        };
        cut().map_err(self.failed("cut off the end of", path))
    }

    /// Takes a file or link away; nothing there is fine.
    pub fn remove(&self, path: &Path) -> Result<()> {
        match self.writable(path).and_then(|place| place.remove()) {
            Err(error) if is_absent(&error) => Ok(()),
            removed => removed.map_err(self.failed("remove", path)),
        }
    }

    /// Takes away what a killed run left in `folder` under a temporary name.
    pub fn remove_temporary(&self, folder: &Path) -> Result<()> {
        let is_temporary = |path: &&PathBuf| {
            let name = path.file_name().unwrap_or_default();
            name.to_string_lossy().starts_with(TEMPORARY)
        };
        let paths = self.list(folder)?;
        let mut temporary = paths.iter().filter(is_temporary);
        temporary.try_for_each(|path| self.remove(path))
    }

    /// Takes a folder away with all that is in it; nothing there is fine.
    pub fn remove_folder(&self, folder: &Path) -> Result<()> {
        match fs::remove_dir_all(self.place(folder)) {
            Ok(()) => Ok(()),
            Err(error) if is_absent(&error) => Ok(()),
            Err(error) => Err(self.failed("remove the folder", folder)(error)),
        }
    }

    /// Takes a folder away if it is empty.
    pub fn remove_empty(&self, folder: &Path) {
        let _ = self.writable(folder).and_then(|place| place.remove_empty());
    }

    /// Changes the names of two folders, at once; renameat2(2), `RENAME_EXCHANGE`.
    pub fn exchange(&self, one: &Path, other: &Path) -> Result<()> {
        use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
        let (a, b) = (self.place(one), self.place(other));
        renameat2(AT_FDCWD, &a, AT_FDCWD, &b, RenameFlags::RENAME_EXCHANGE)
            .map_err(|error| self.failed("exchange the folder", one)(error.into()))?;
        sync_folder(a.parent().unwrap_or(Path::new("/")))
            .map_err(self.failed("exchange the folder", one))
    }

    /// Renames an entry within its file system.
    pub fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let (source, place) = (self.place(from), self.place(to));
        fs::rename(source, &place).map_err(self.failed("rename", from))?;
        sync_folder(place.parent().unwrap_or(Path::new("/"))).map_err(self.failed("rename", from))
    }

    /// Appends to a file and forces it to the disk, with its name if it is new.
    pub fn append(&self, path: &Path, content: &[u8]) -> Result<()> {
        let append = || -> io::Result<()> {
            let mut file = fs::OpenOptions::new()
                .append(true)
                .create(true)
                .custom_flags(OFlag::O_NOFOLLOW.bits())
                .open(self.place(path))?;
            let is_new = file.metadata()?.len() == 0;
            file.write_all(content)?;
            file.sync_data()?;
            match self.place(path).parent().filter(|_| is_new) {
                Some(folder) => sync_folder(folder),
                None => Ok(()),
            }
        };
        append().map_err(self.failed("append to", path))
    }
}

fn parts(path: &Path) -> impl DoubleEndedIterator<Item = OsString> {
    path.components().filter_map(|part| match part {
        Component::Normal(part) => Some(part.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    })
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests;
