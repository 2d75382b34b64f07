//! A mount namespace for one thread and the programs that it runs: it sees the host's files, may
//! write all of them, and nothing of that reaches the host; mount_namespaces(7).
//!
//! Every file system gets a layer on top (overlayfs) that is in memory. Where the kernel refuses
//! that for the root, its folders are bound read-only into a new root, except those in which
//! something is going to be written.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, pivot_root};

use super::mounts::{self, Mount};

/// Where the layers lie, inside the namespace only. Every host has this folder, and nothing of a
/// configuration is there.
const BASE: &str = "/tmp";
/// What layers may take of the memory: a candidate is some hundred kilobytes.
const OPTIONS: &str = "size=64m,mode=0755";
/// A file that is copied instead of bound is configuration; the content of a larger one, such as
/// a log, is left out.
const COPIED: u64 = 1 << 20;
/// Bound with everything that is mounted in them, as they are.
const KERNEL: [&str; 2] = ["/proc", "/sys"];
/// Folders in which `nginx -t` makes and opens files, and runtime folders.
const WRITABLE: [&str; 4] = [
    "/run",
    "/var/log/nginx",
    "/var/lib/nginx",
    "/var/cache/nginx",
];

/// The kernel, or who confines this process, allows no such namespace.
#[derive(Debug)]
pub(super) struct Refused {
    /// What was asked for.
    pub doing: &'static str,
    /// The answer.
    pub source: io::Error,
}

impl Refused {
    /// Whether something is wrong with the host, rather than not allowed here: what goes on
    /// would fail as well.
    pub(super) fn is_fault(&self) -> bool {
        let errno = self.source.raw_os_error().map(Errno::from_raw);
        matches!(
            errno,
            Some(
                Errno::EIO
                    | Errno::ENOSPC
                    | Errno::EROFS
                    | Errno::ENOMEM
                    | Errno::EMFILE
                    | Errno::ENFILE
            )
        )
    }
}

type Result<T> = std::result::Result<T, Refused>;

fn refused<E: Into<io::Error>>(doing: &'static str) -> impl FnOnce(E) -> Refused {
    move |source| Refused {
        doing,
        source: source.into(),
    }
}

/// Moves the calling thread into such a namespace; it ends with the thread and its programs.
/// `written` are paths that are going to be written.
pub(super) fn enter(written: &BTreeSet<PathBuf>) -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNS).map_err(refused("unshare"))?;
    // On real hosts "/" is shared: without this, every mount would appear outside.
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(NONE, "/", NONE, private, NONE).map_err(refused("make its mounts private"))?;
    let mounts = mounts::read().map_err(refused("read its mounts"))?;
    mount(
        Some("tmpfs"),
        BASE,
        Some("tmpfs"),
        MsFlags::empty(),
        Some(OPTIONS),
    )
    .map_err(refused("mount a tmpfs"))?;
    let mut view = View { layers: 0 };
    view.build(&mounts, written)?;
    let root = view.root();
    chdir(&root).map_err(refused("enter the new root"))?;
    // The old root ends up on top of the new one, pivot_root(2), and is taken off.
    pivot_root(".", ".").map_err(refused("change the root"))?;
    umount2(".", MntFlags::MNT_DETACH).map_err(refused("leave the old root"))?;
    chdir("/").map_err(refused("enter the new root"))
}

const NONE: Option<&Path> = None;

/// The new root in the making.
struct View {
    /// How many layers there are: names their folders.
    layers: u32,
}

impl View {
    fn root(&self) -> PathBuf {
        Path::new(BASE).join("root")
    }

    /// Where a path of the host is in the new root.
    fn place(&self, path: &Path) -> PathBuf {
        self.root().join(path.strip_prefix("/").unwrap_or(path))
    }

    fn build(&mut self, mounts: &[Mount], written: &BTreeSet<PathBuf>) -> Result<()> {
        fs::create_dir(self.root()).map_err(refused("make a folder"))?;
        if self.layer(Path::new("/")).is_err() {
            self.copy_root(&opened(written))?;
        }
        for kernel in KERNEL {
            let recursive = MsFlags::MS_BIND | MsFlags::MS_REC;
            mount(
                Some(kernel),
                &self.place(Path::new(kernel)),
                NONE,
                recursive,
                NONE,
            )
            .map_err(refused("bind /proc and /sys"))?;
        }
        for mount in mounts {
            if !is_made_by_us(&mount.point) {
                self.carry(mount)?;
            }
        }
        // Another inode than the one that somebody listens on is another socket, unix(7).
        for socket in mounts::sockets() {
            let _ = self.bind(&socket);
        }
        Ok(())
    }

    /// Brings what is mounted somewhere below "/" along: with a layer where that can be, else
    /// read-only. One that cannot be reached is hidden by another one.
    fn carry(&mut self, mount: &Mount) -> Result<()> {
        let Ok(metadata) = fs::symlink_metadata(&mount.point) else {
            return Ok(());
        };
        if metadata.is_dir() && !mount.is_of_the_kernel() && self.layer(&mount.point).is_ok() {
            return Ok(());
        }
        match self.bind(&mount.point) {
            Err(Errno::ENOENT) => Ok(()),
            other => other.map_err(refused("bind what is mounted")),
        }
    }

    /// Puts a layer over a folder, with the folder's own mode and owner.
    fn layer(&mut self, folder: &Path) -> io::Result<()> {
        self.layers += 1;
        let [upper, work] =
            ["upper", "work"].map(|kind| Path::new(BASE).join(format!("{kind}{}", self.layers)));
        fs::create_dir(&upper)?;
        fs::create_dir(&work)?;
        like(folder, &upper)?;
        let options = format!(
            "lowerdir={},upperdir={},workdir={}",
            escaped(folder),
            upper.display(),
            work.display()
        );
        let target = self.place(folder);
        mount(
            Some("overlay"),
            &target,
            Some("overlay"),
            MsFlags::empty(),
            Some(options.as_str()),
        )?;
        Ok(())
    }

    /// Binds a file or folder, without what is mounted in it, read-only.
    fn bind(&self, path: &Path) -> nix::Result<()> {
        let target = self.place(path);
        mount(Some(path), &target, NONE, MsFlags::MS_BIND, NONE)?;
        let read_only = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        mount(NONE, &target, NONE, read_only, NONE)
    }

    /// The root without a layer: what is in folders of `opened` is made anew, the rest is bound.
    fn copy_root(&self, opened: &BTreeSet<PathBuf>) -> Result<()> {
        let tmpfs = Some("tmpfs");
        mount(tmpfs, &self.root(), tmpfs, MsFlags::empty(), Some(OPTIONS))
            .map_err(refused("mount a tmpfs"))?;
        self.copy_folder(Path::new("/"), opened)
            .map_err(refused("copy folders"))
    }

    fn copy_folder(&self, folder: &Path, opened: &BTreeSet<PathBuf>) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            match self.copy_entry(&entry?.path(), opened) {
                // Runtime files come and go.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => other?,
            }
        }
        Ok(())
    }

    fn copy_entry(&self, path: &Path, opened: &BTreeSet<PathBuf>) -> io::Result<()> {
        let place = self.place(path);
        let metadata = fs::symlink_metadata(path)?;
        let kind = metadata.file_type();
        if kind.is_symlink() {
            return symlink(fs::read_link(path)?, &place);
        }
        if kind.is_dir() {
            fs::create_dir(&place)?;
            like(path, &place)?;
            return match opened.contains(path) {
                true => self.copy_folder(path, opened),
                false if is_made_by_us(path) => Ok(()),
                false => Ok(self.bind(path)?),
            };
        }
        if kind.is_file() && metadata.len() <= COPIED {
            fs::copy(path, &place)?;
        } else if kind.is_file() || kind.is_socket() {
            fs::File::create(&place)?;
        } else {
            return Ok(());
        }
        like(path, &place)
    }
}

/// Whether a path is one that is bound as a whole, or hidden by the layers.
fn is_made_by_us(path: &Path) -> bool {
    KERNEL
        .iter()
        .chain(&[BASE])
        .any(|own| path.starts_with(own))
}

/// Folders in which something is written, and those that lead there.
fn opened(written: &BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
    let fixed = WRITABLE.map(|folder| Path::new(folder).join("x"));
    let written = written.iter().chain(&fixed);
    written
        .flat_map(|path| path.ancestors().skip(1))
        .map(Path::to_owned)
        .collect()
}

/// Gives `to` the mode and the owner of `from`.
fn like(from: &Path, to: &Path) -> io::Result<()> {
    let metadata = fs::metadata(from)?;
    chown(to, Some(metadata.uid()), Some(metadata.gid()))?;
    fs::set_permissions(to, fs::Permissions::from_mode(metadata.mode() & 0o7777))
}

/// A path in the options of overlayfs, where `:` and `,` separate;
/// <https://docs.kernel.org/filesystems/overlayfs.html>.
fn escaped(path: &Path) -> String {
    let mut text = String::new();
    for c in path.to_string_lossy().chars() {
        if matches!(c, '\\' | ':' | ',') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}
