//! Entries of folders by descriptor, so that what is written goes where was looked: a folder may belong to a
//! user who puts a link in its place at any moment.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, fchown};
use std::path::Path;

use jiff::Timestamp;
use nix::errno::Errno;
use nix::fcntl::{OFlag, RenameFlags, openat, renameat, renameat2};
use nix::sys::stat::Mode;
use nix::unistd::{UnlinkatFlags, symlinkat, unlinkat};

/// How the names begin under which files and links are made before they take their place.
pub(super) const TEMPORARY: &str = ".watchme-apply-";

/// An open folder, and the name of an entry in it.
pub(super) struct EntryAt {
    pub folder: OwnedFd,
    pub name: OsString,
}

impl EntryAt {
    /// Opens the entry, which is no link; a new one is its owner's alone.
    pub(super) fn open(&self, flags: OFlag) -> io::Result<File> {
        let flags = flags | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let mode = Mode::from_bits_truncate(0o600);
        Ok(openat(&self.folder, self.name(), flags, mode)?.into())
    }

    /// Writes a file whole in place of what is there: made under another name that nobody had,
    /// owned and given its mode, and the time of its last change if that is not now, before it takes its place.
    pub(super) fn write(
        &self,
        content: &[u8],
        mode: u32,
        owner: Option<(u32, u32)>,
        modified: Option<Timestamp>,
    ) -> io::Result<()> {
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
            if let Some(time) = modified {
                file.set_modified(time.into())?;
            }
            file.sync_all()
        };
        self.take_place(&temporary, fill())
    }

    /// Puts a symbolic link in place of what is there.
    pub(super) fn link(&self, target: &Path) -> io::Result<()> {
        let make = |name: &OsStr| symlinkat(target, &self.folder, name);
        let (temporary, ()) = self.under_new_name(make)?;
        self.take_place(&temporary, Ok(()))
    }

    /// Removes a file or link; nothing there is fine.
    pub(super) fn remove(&self) -> io::Result<()> {
        match unlinkat(&self.folder, self.name(), UnlinkatFlags::NoRemoveDir) {
            Ok(()) => self.sync(),
            Err(Errno::ENOENT | Errno::ENOTDIR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn remove_empty(&self) -> io::Result<()> {
        let flags = UnlinkatFlags::RemoveDir;
        Ok(unlinkat(&self.folder, self.name(), flags)?)
    }

    /// Renames the entry within its file system.
    pub(super) fn rename(&self, to: &EntryAt) -> io::Result<()> {
        renameat(&self.folder, self.name(), &to.folder, to.name())?;
        to.sync()
    }

    /// Swaps two entries at once, renameat2(2).
    pub(super) fn exchange(&self, other: &EntryAt) -> io::Result<()> {
        let flags = RenameFlags::RENAME_EXCHANGE;
        let (folder, to) = (&self.folder, &other.folder);
        renameat2(folder, self.name(), to, other.name(), flags)?;
        self.sync()
    }

    /// Forces the names of the folder to the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        Ok(nix::unistd::fsync(&self.folder)?)
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
            self.sync()
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
