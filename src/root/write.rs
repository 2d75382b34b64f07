//! The only writes to a host's files. A link on the way is followed if root, this user or the owner of the root made it, as
//! `fs.protected_symlinks` has it, proc_sys_fs(5): another user's would let that user choose what is written to.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, mkdirat};

use super::entry_at::{EntryAt, TEMPORARY};
use super::resolve::{Followed, is_absent, split};
use super::{Result, Root};

impl Root {
    /// Whether the links on the way to `path` allow that something is written there.
    ///
    /// # Errors
    /// Names the link that another user made.
    pub(crate) fn may_write(&self, path: &Path) -> Result<()> {
        let followed = self.follow_ours(split(path).0);
        followed.map(drop).map_err(self.failed("write", path))
    }

    /// Makes a folder and those above it, mode 0755.
    pub(crate) fn make_folder(&self, folder: &Path) -> Result<()> {
        let make = || {
            let Followed { path, found, .. } = self.follow_ours(folder)?;
            match found {
                Some(found) if found.metadata()?.is_dir() => Ok(()),
                _ => self.make_folders(&path),
            }
        };
        make().map_err(self.failed("create the folder", folder))
    }

    /// Makes the folders above a path, mode 0755.
    pub(crate) fn make_parent(&self, path: &Path) -> Result<()> {
        path.parent()
            .map_or(Ok(()), |folder| self.make_folder(folder))
    }

    /// Makes a folder that nobody but its owner may look into.
    pub(crate) fn make_private_folder(&self, folder: &Path) -> Result<()> {
        self.make_folder(folder)?;
        self.set_mode(folder, 0o700)
    }

    /// Gives a folder its permission bits, if it has others.
    pub(crate) fn set_mode(&self, folder: &Path, mode: u32) -> Result<()> {
        let set = || {
            let folder = File::from(self.own_folder(folder)?);
            match folder.metadata()?.mode() & 0o7777 == mode {
                true => Ok(()),
                false => folder.set_permissions(fs::Permissions::from_mode(mode)),
            }
        };
        set().map_err(self.failed("set the mode of", folder))
    }

    /// Gives a folder to an owner and group.
    pub(crate) fn set_owner(&self, folder: &Path, (user, group): (u32, u32)) -> Result<()> {
        let set = || {
            let folder = File::from(self.own_folder(folder)?);
            std::os::unix::fs::fchown(&folder, Some(user), Some(group))
        };
        set().map_err(self.failed("set the owner of", folder))
    }

    /// Writes a file whole: a reader finds the old content or the new, after a power loss too.
    pub(crate) fn write(&self, path: &Path, content: &[u8], mode: u32) -> Result<()> {
        self.write_owned(path, content, mode, None)
    }

    /// [`Root::write`] with an owner and group.
    pub(crate) fn write_owned(
        &self,
        path: &Path,
        content: &[u8],
        mode: u32,
        owner: Option<(u32, u32)>,
    ) -> Result<()> {
        let write = || self.place(path)?.write(content, mode, owner, None);
        write().map_err(self.failed("write", path))
    }

    /// [`Root::write_owned`] of a copy that changed last when what it is copied from did.
    pub(crate) fn write_copy(
        &self,
        path: &Path,
        content: &[u8],
        (mode, owner): (u32, (u32, u32)),
        modified: Timestamp,
    ) -> Result<()> {
        let write = || {
            let place = self.place(path)?;
            place.write(content, mode, Some(owner), Some(modified))
        };
        write().map_err(self.failed("write", path))
    }

    /// Writes a new file below a folder that nobody reads yet; [`Root::sync`] follows. `modified`
    /// is when its content changed last; now, when nothing is said.
    pub(crate) fn write_unsynced(
        &self,
        path: &Path,
        content: &[u8],
        mode: u32,
        modified: Option<Timestamp>,
    ) -> Result<()> {
        let write = || -> io::Result<()> {
            let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_TRUNC;
            let mut file = self.place(path)?.open(flags)?;
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
    pub(crate) fn sync(&self, folder: &Path) -> Result<()> {
        let sync = || -> io::Result<()> { Ok(nix::unistd::syncfs(self.own_folder(folder)?)?) };
        sync().map_err(self.failed("force to the disk", folder))
    }

    /// Puts a symbolic link, in place of whatever file or link is there, at once.
    pub(crate) fn link(&self, path: &Path, target: &Path) -> Result<()> {
        let link = || self.place(path)?.link(target);
        link().map_err(self.failed("put the link", path))
    }

    /// Opens a file for reading and writing, and makes it if there is none.
    pub(crate) fn open_or_make(&self, path: &Path) -> Result<File> {
        let flags = OFlag::O_RDWR | OFlag::O_CREAT;
        let opened = self.place(path).and_then(|place| place.open(flags));
        opened.map_err(self.failed("open", path))
    }

    /// Cuts a file off behind so many bytes, and forces that to the disk.
    pub(crate) fn cut(&self, path: &Path, length: u64) -> Result<()> {
        let file = self.open_or_make(path)?;
        let cut = || {
            file.set_len(length)?;
            file.sync_all()
        };
        cut().map_err(self.failed("cut off the end of", path))
    }

    /// Appends to a file and forces it to the disk, with its name if it is new.
    pub(crate) fn append(&self, path: &Path, content: &[u8]) -> Result<()> {
        let append = || -> io::Result<()> {
            let place = self.place(path)?;
            let mut file = place.open(OFlag::O_WRONLY | OFlag::O_APPEND | OFlag::O_CREAT)?;
            let is_new = file.metadata()?.len() == 0;
            file.write_all(content)?;
            file.sync_data()?;
            match is_new {
                true => place.sync(),
                false => Ok(()),
            }
        };
        append().map_err(self.failed("append to", path))
    }

    /// Removes a file or link; nothing there is fine.
    pub(crate) fn remove(&self, path: &Path) -> Result<()> {
        match self.place(path).and_then(|place| place.remove()) {
            Err(error) if is_absent(&error) => Ok(()),
            removed => removed.map_err(self.failed("remove", path)),
        }
    }

    /// Removes what a killed run left in `folder` under a temporary name.
    pub(crate) fn remove_temporary(&self, folder: &Path) -> Result<()> {
        let is_temporary = |path: &&PathBuf| {
            let name = path.file_name().unwrap_or_default();
            name.to_string_lossy().starts_with(TEMPORARY)
        };
        let paths = self.list(folder)?;
        let mut temporary = paths.iter().filter(is_temporary);
        temporary.try_for_each(|path| self.remove(path))
    }

    /// Removes a folder with all that is in it; nothing there is fine.
    pub(crate) fn remove_folder(&self, folder: &Path) -> Result<()> {
        let remove = || {
            let (above, name) = split(folder);
            let above = self.follow_ours(above)?.path;
            fs::remove_dir_all(self.join(&above.join(name)))
        };
        match remove() {
            Err(error) if is_absent(&error) => Ok(()),
            removed => removed.map_err(self.failed("remove the folder", folder)),
        }
    }

    /// Removes a folder if it is empty.
    pub(crate) fn remove_empty(&self, folder: &Path) {
        let _ = self.place(folder).and_then(|place| place.remove_empty());
    }

    /// Swaps the names of two folders at once.
    pub(crate) fn exchange(&self, one: &Path, other: &Path) -> Result<()> {
        let exchange = || self.place(one)?.exchange(&self.place(other)?);
        exchange().map_err(self.failed("exchange the folder", one))
    }

    /// Renames an entry within its file system.
    pub(crate) fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let rename = || self.place(from)?.rename(&self.place(to)?);
        rename().map_err(self.failed("rename", from))
    }

    /// The entry named by `path`, to write there.
    fn place(&self, path: &Path) -> io::Result<EntryAt> {
        let (folder, name) = split(path);
        Ok(EntryAt {
            folder: self.own_folder(folder)?,
            name: name.to_owned(),
        })
    }

    /// Opens a folder to write in it.
    fn own_folder(&self, folder: &Path) -> io::Result<OwnedFd> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY;
        match self.base.without_links(folder, flags) {
            Err(error) if error.raw_os_error() == Some(nix::libc::ELOOP) => {
                let plain = self.follow_ours(folder)?.path;
                self.base.without_links(&plain, flags)
            }
            opened => opened,
        }
    }

    /// Where `path` leads, if all links on the way may be followed to write.
    fn follow_ours(&self, path: &Path) -> io::Result<Followed> {
        let followed = self.base.follow(path)?;
        for link in &followed.links {
            let ours = [0, nix::unistd::Uid::effective().as_raw()];
            if !ours.contains(&link.owner) && self.base.owner()? != link.owner {
                let place = self.join(&link.path);
                let place = place.display();
                return Err(io::Error::other(format!(
                    "{place} is a link of another user, which is not followed: ls -l {place}"
                )));
            }
        }
        Ok(followed)
    }

    /// Makes the folders of a path that has no links.
    fn make_folders(&self, path: &Path) -> io::Result<()> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY;
        let mut folder = self.base.without_links(Path::new("/"), flags)?;
        let mut parts: Vec<&Path> = path.ancestors().collect();
        while let Some(part) = parts.pop() {
            folder = match self.base.without_links(part, flags) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    match mkdirat(&folder, split(part).1, Mode::from_bits_truncate(0o755)) {
                        Ok(()) | Err(nix::Error::EEXIST) => {}
                        Err(error) => return Err(error.into()),
                    }
                    self.base.without_links(part, flags)?
                }
                opened => opened?,
            };
        }
        Ok(())
    }
}
