//! Where a secret is edited: a file system in memory that only this process and its editor see, mount_namespaces(7). It goes
//! with them, however they end; what an editor puts beside the file, such as vim's swap file, goes as well.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use nix::unistd::{Gid, Uid};
use tempfile::TempDir;

use super::SecretFailure;

/// A secret has 8 MiB at most, and an editor may keep some copies of it.
const OPTIONS: &str = "size=64m,mode=0700";

/// A folder of this user alone, in memory.
pub(super) struct Memory {
    /// Goes before the folder.
    mounted: Option<Mounted>,
    folder: TempDir,
}

/// A file system that is mounted.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        if let Err(error) = umount2(&self.0, MntFlags::MNT_DETACH) {
            tracing::warn!(%error, "{} was not unmounted", self.0.display());
        }
    }
}

impl Memory {
    pub(super) fn new() -> Result<Self, SecretFailure> {
        let folder = in_memory()?;
        let failed = |doing: &str| {
            let doing = format!("{doing} {}", folder.path().display());
            move |source| SecretFailure::Io { doing, source }
        };
        let is_private = hide(folder.path()).map_err(failed("mount a file system at"))?;
        let mounted = is_private.then(|| Mounted(folder.path().to_owned()));
        Ok(Self { mounted, folder })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Whether others than this process and what it starts see nothing of it. Not where the kernel allows no namespace: what is
    /// in it stays there if this process is killed.
    pub(super) fn is_private(&self) -> bool {
        self.mounted.is_some()
    }

    pub(super) fn close(self) -> Result<(), SecretFailure> {
        let path = self.folder.path().to_owned();
        let failed = |source| SecretFailure::Io {
            doing: format!("remove {}", path.display()),
            source,
        };
        drop(self.mounted);
        self.folder.close().map_err(failed)
    }
}

/// Mounts a file system at `folder` that nobody else sees. Returns whether this process may do that.
fn hide(folder: &Path) -> io::Result<bool> {
    let (user, group) = (Uid::effective(), Gid::effective());
    let flags = match user.is_root() {
        true => CloneFlags::CLONE_NEWNS,
        // Whoever is not root may do it in a user namespace of their own, user_namespaces(7).
        false => CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUSER,
    };
    if unshare(flags).is_err() {
        return Ok(false);
    }
    if !user.is_root() {
        // The same user and group as before, and no others.
        std::fs::write("/proc/self/setgroups", "deny")?;
        std::fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
        std::fs::write("/proc/self/gid_map", format!("{group} {group} 1"))?;
    }
    match mount_at(folder) {
        Ok(()) => Ok(true),
        // A security module may forbid what the kernel allows.
        Err(Errno::EPERM | Errno::EACCES) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn mount_at(folder: &Path) -> nix::Result<()> {
    const NONE: Option<&Path> = None;
    // Without this, the mount would appear outside, where "/" is shared.
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(NONE, "/", NONE, private, NONE)?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("tmpfs"), folder, Some("tmpfs"), flags, Some(OPTIONS))
}

/// A folder of this user alone on a file system in memory.
fn in_memory() -> Result<TempDir, SecretFailure> {
    let own = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let places = own.into_iter().chain(["/dev/shm".into(), "/run".into()]);
    let is_memory = |place: &PathBuf| {
        statfs(place.as_path()).is_ok_and(|found| found.filesystem_type() == TMPFS_MAGIC)
    };
    let mut folders = places.filter(is_memory).filter_map(|place| {
        tempfile::Builder::new()
            .prefix("watchme-apply-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(place)
            .ok()
    });
    folders.next().ok_or(SecretFailure::NoMemory)
}
