//! Folders by descriptor, so that what is written lands where it was looked at: a folder may belong to a
//! user who puts a link in its place at any moment. openat2(2), path_resolution(7).

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat, openat2, renameat};
use nix::sys::stat::{Mode, mkdirat};
use nix::unistd::{UnlinkatFlags, symlinkat, unlinkat};

use super::TEMPORARY;

/// An open folder, and the name of an entry in it.
pub(super) struct Place {
    folder: OwnedFd,
    name: OsString,
}

impl Place {
    /// The entry at `path`, below the directory `root`; no link on the way is followed.
    pub fn open(root: &Path, path: &Path) -> io::Result<Self> {
        Self::open_with(root, path, OFlag::O_RDONLY)
    }

    /// The same to read the entry alone, which needs no right to list the folder.
    pub fn open_to_read(root: &Path, path: &Path) -> io::Result<Self> {
        Self::open_with(root, path, OFlag::O_PATH)
    }

    fn open_with(root: &Path, path: &Path, flags: OFlag) -> io::Result<Self> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let folder = path.parent().unwrap_or(Path::new("/"));
        Ok(Self {
            folder: open(root, folder, flags)?,
            name: name.to_owned(),
        })
    }

    /// Writes a file whole in place of what stands there: made under another name that nobody had,
    /// owned and given its mode before it takes its place.
    pub fn write(&self, content: &[u8], mode: u32, owner: Option<(u32, u32)>) -> io::Result<()> {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW;
        let make = |name: &OsStr| {
            let mode = Mode::from_bits_truncate(0o600);
            openat(&self.folder, name, flags | OFlag::O_CLOEXEC, mode)
        };
        let (temporary, file) = self.under_new_name(make)?;
        let fill = || -> io::Result<()> {
            let mut file = File::from(file);
            file.write_all(content)?;
            if let Some((user, group)) = owner {
                fchown(&file, Some(user), Some(group))?;
            }
            file.set_permissions(fs::Permissions::from_mode(mode))?;
            file.sync_all()
        };
        self.take_place(&temporary, fill())
    }

    /// Puts a symbolic link in place of what stands there.
    pub fn link(&self, target: &Path) -> io::Result<()> {
        let make = |name: &OsStr| symlinkat(target, &self.folder, name);
        let (temporary, ()) = self.under_new_name(make)?;
        self.take_place(&temporary, Ok(()))
    }

    /// Takes a file or link away; nothing there is fine.
    pub fn remove(&self) -> io::Result<()> {
        match unlinkat(&self.folder, self.name(), UnlinkatFlags::NoRemoveDir) {
            Ok(()) => sync(&self.folder),
            Err(Errno::ENOENT | Errno::ENOTDIR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes an empty folder away.
    pub fn remove_empty(&self) -> io::Result<()> {
        Ok(unlinkat(
            &self.folder,
            self.name(),
            UnlinkatFlags::RemoveDir,
        )?)
    }

    /// The content of a regular file of at most `most` bytes and what it is, as of one moment; `None`
    /// where no such file stands.
    pub fn read(&self, most: u64) -> io::Result<Option<(Vec<u8>, fs::Metadata)>> {
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let file = File::from(openat(&self.folder, self.name(), flags, Mode::empty())?);
        let metadata = file.metadata()?;
        if !metadata.is_file() || metadata.size() > most {
            return Ok(None);
        }
        let mut content = Vec::new();
        file.take(most).read_to_end(&mut content)?;
        Ok(Some((content, metadata)))
    }

    /// Makes something under a temporary name that nothing has yet.
    fn under_new_name<T>(
        &self,
        make: impl Fn(&OsStr) -> nix::Result<T>,
    ) -> io::Result<(OsString, T)> {
        // Only the names come from there: the closure makes it in this folder.
        let made = tempfile::Builder::new()
            .prefix(TEMPORARY)
            .make_in("/", |path| {
                let name = path.file_name().unwrap_or_default();
                Ok((name.to_owned(), make(name)?))
            })?;
        let (file, path) = made.into_parts();
        let _ = path.keep();
        Ok(file)
    }

    fn take_place(&self, temporary: &OsStr, filled: io::Result<()>) -> io::Result<()> {
        let put = filled.and_then(|()| {
            renameat(&self.folder, temporary, &self.folder, self.name())?;
            sync(&self.folder)
        });
        if put.is_err() {
            let _ = unlinkat(&self.folder, temporary, UnlinkatFlags::NoRemoveDir);
        }
        put
    }

    fn name(&self) -> &OsStr {
        &self.name
    }
}

/// Opens the folder at `path` below the directory `root`. A link on the way is an error.
fn open(root: &Path, path: &Path, flags: OFlag) -> io::Result<OwnedFd> {
    let flags = flags | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let base = nix::fcntl::open(root, flags, Mode::empty())?;
    let relative = relative(path);
    if relative.as_os_str().is_empty() {
        return Ok(base);
    }
    let how = OpenHow::new()
        .flags(flags)
        .resolve(ResolveFlag::RESOLVE_NO_SYMLINKS | ResolveFlag::RESOLVE_BENEATH);
    match openat2(&base, &relative, how) {
        // A kernel before 5.6, or a sandbox that does not know it.
        Err(Errno::ENOSYS | Errno::EPERM) => {
            let mut folder = base;
            for part in relative.components() {
                let flags = flags | OFlag::O_NOFOLLOW;
                folder = openat(&folder, part.as_os_str(), flags, Mode::empty())?;
            }
            Ok(folder)
        }
        opened => Ok(opened?),
    }
}

/// Makes the folder at `path` below the directory `root`, and those above it, mode 0755.
pub(super) fn make(root: &Path, path: &Path) -> io::Result<()> {
    // Mostly it is there.
    if open(root, path, OFlag::O_PATH).is_ok() {
        return Ok(());
    }
    let mut folder = OwnedFd::from(File::open(root)?);
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    for part in relative(path).components() {
        let part = part.as_os_str();
        let there = openat(&folder, part, flags, Mode::empty());
        if matches!(there, Err(Errno::ENOENT)) {
            match mkdirat(&folder, part, Mode::from_bits_truncate(0o755)) {
                Ok(()) | Err(Errno::EEXIST) => {}
                Err(error) => return Err(error.into()),
            }
            folder = openat(&folder, part, flags, Mode::empty())?;
        } else {
            folder = there?;
        }
    }
    Ok(())
}

/// Gives the folder at `path` below the directory `root` its permission bits, if it has others.
pub(super) fn set_mode(root: &Path, path: &Path, mode: u32) -> io::Result<()> {
    let folder = File::from(open(root, path, OFlag::O_RDONLY)?);
    match folder.metadata()?.mode() & 0o7777 == mode {
        true => Ok(()),
        false => folder.set_permissions(fs::Permissions::from_mode(mode)),
    }
}

/// Who put the link at `path` below the directory `root`: root, this user, or whoever owns that
/// directory may be followed, as `fs.protected_symlinks` has it, proc_sys_fs(5).
pub(super) fn is_followed(root: &Path, place: &Path) -> io::Result<bool> {
    let owner = fs::symlink_metadata(place)?.uid();
    let ours = [0, nix::unistd::Uid::effective().as_raw()];
    Ok(ours.contains(&owner) || fs::metadata(root)?.uid() == owner)
}

fn relative(path: &Path) -> PathBuf {
    let parts = path.components();
    let normal = parts.filter(|part| matches!(part, Component::Normal(_)));
    normal.collect()
}

fn sync(folder: &impl AsFd) -> io::Result<()> {
    Ok(nix::unistd::fsync(folder)?)
}
