//! What a program in the sandbox sees: programs and libraries, /etc without secrets, empty folders where it
//! writes, and what it was shown by name. Everything else of the host is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::unistd::{chdir, pivot_root};

use crate::root::Root;

/// Where the view is put together, in the sandbox only.
const BASE: &str = "/tmp";
const ROOT: &str = "/tmp/view";
const OPTIONS: &str = "size=64m,mode=0755";
/// Folders of packages, and links to those, hier(7).
const PROGRAMS: [&str; 7] = ["bin", "lib", "lib32", "lib64", "libx32", "sbin", "usr"];
const ETC: &str = "/etc";
/// Devices that are nobody's.
const DEVICES: [&str; 5] = ["null", "zero", "full", "random", "urandom"];
/// Folders that everybody may write to.
const OPEN: [&str; 4] = ["/tmp", "/var/tmp", "/dev/shm", "/run/lock"];
/// The programs of the sandbox ask nobody but files for names.
const NAME_SERVICES: &str = "passwd: files\ngroup: files\nshadow: files\nhosts: files\nservices: files\nprotocols: files\nnetworks: files\n";

const NONE: Option<&Path> = None;

/// What is shown, beyond programs and what everybody may read in /etc.
#[derive(Clone, Debug, Default)]
pub(in crate::host::candidate) struct View {
    /// Folders in which the program may write, where the host has them; they are empty, but for
    /// those in /etc.
    pub folders: BTreeSet<PathBuf>,
    /// Files that read differently here: stand-ins.
    pub contents: BTreeMap<PathBuf, Vec<u8>>,
    /// Files that are shown as they are, whoever may read them on the host.
    pub shown: BTreeSet<PathBuf>,
    /// Names with stand-in addresses.
    pub names: BTreeSet<String>,
}

/// The address that names get which nobody is asked about: RFC 5737, no host has it.
const STAND_IN: &str = "192.0.2.1";

impl View {
    /// Whether a program finds what the host has at `path`.
    pub(crate) fn shows(&self, path: &Path) -> bool {
        let folder = path.starts_with(ETC)
            || PROGRAMS
                .iter()
                .any(|own| path.starts_with(Path::new("/").join(own)));
        folder || self.contents.contains_key(path) || self.shown.contains(path)
    }

    /// Makes it the root of the calling thread, which is in a mount namespace of its own.
    /// `id` is the user that may write in its folders.
    pub(super) fn enter(&self, id: u32) -> io::Result<()> {
        let host = Root::open("/").map_err(io::Error::other)?;
        tmpfs(Path::new(BASE))?;
        fs::create_dir(ROOT)?;
        tmpfs(Path::new(ROOT))?;
        let building = Building {
            host,
            root: Root::open(ROOT).map_err(io::Error::other)?,
            id,
        };
        building.programs()?;
        building.etc()?;
        building.devices()?;
        for folder in ["/proc", "/sys", "/root", "/home", "/srv", "/opt", "/var"] {
            fs::create_dir_all(building.root.join(Path::new(folder)))?;
        }
        // The other name of /run, hier(7).
        let _ = symlink("/run", building.root.join(Path::new("/var/run")));
        let _ = symlink("/run/lock", building.root.join(Path::new("/var/lock")));
        for folder in OPEN {
            let place = building.root.join(Path::new(folder));
            fs::create_dir_all(&place)?;
            fs::set_permissions(&place, Permissions::from_mode(0o1777))?;
        }
        for folder in ["/run", "/var/log", "/var/lib", "/var/cache"] {
            building.open_folder(Path::new(folder));
        }
        for folder in &self.folders {
            building.open_folder(folder);
        }
        for path in &self.shown {
            building.show(path)?;
        }
        for (path, content) in &self.contents {
            building.replace(path, content)?;
        }
        building.names(&self.names)?;
        leave_for(Path::new(ROOT))
    }
}

/// A view in the making. Links are followed inside it, never out of it.
struct Building {
    host: Root,
    root: Root,
    id: u32,
}

impl Building {
    fn programs(&self) -> io::Result<()> {
        for name in PROGRAMS {
            let from = Path::new("/").join(name);
            let to = self.root.join(&from);
            let Ok(metadata) = fs::symlink_metadata(&from) else {
                continue;
            };
            if metadata.is_symlink() {
                symlink(fs::read_link(&from)?, &to)?;
            } else if metadata.is_dir() {
                fs::create_dir(&to)?;
                bind(&from, &to, true)?;
            }
        }
        Ok(())
    }

    fn etc(&self) -> io::Result<()> {
        let to = self.root.join(Path::new(ETC));
        fs::create_dir(&to)?;
        bind(Path::new(ETC), &to, false)
    }

    fn devices(&self) -> io::Result<()> {
        let folder = self.root.join(Path::new("/dev"));
        fs::create_dir(&folder)?;
        for name in DEVICES {
            let to = folder.join(name);
            File::create(&to)?;
            let from = Path::new("/dev").join(name);
            mount(Some(&from), &to, NONE, MsFlags::MS_BIND, NONE)?;
        }
        for (name, target) in [
            ("fd", "/proc/self/fd"),
            ("stdin", "/proc/self/fd/0"),
            ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"),
        ] {
            symlink(target, folder.join(name))?;
        }
        Ok(())
    }

    /// Makes the folders of a path that the host has, with its links, and gives the last one away.
    /// What the host does not have is not there either: the program says so, as it would later.
    fn open_folder(&self, folder: &Path) {
        let Some(there) = self.host.resolve(folder) else {
            return;
        };
        if !self.host.is_folder(&there) {
            return;
        }
        self.links(folder);
        let place = self.root.join(&there);
        if fs::create_dir_all(&place).is_ok() {
            let _ = chown(&place, Some(self.id), Some(self.id));
            self.let_through(&there);
        }
    }

    /// Puts the links on the way to `path` into the view; those that lead on too.
    fn links(&self, path: &Path) {
        for link in self.host.links(path) {
            let place = self.root.join(&link.path);
            let Some(parent) = place.parent() else {
                continue;
            };
            if fs::symlink_metadata(&place).is_err() && fs::create_dir_all(parent).is_ok() {
                let _ = symlink(link.target, place);
            }
        }
    }

    /// Lets everybody through the folders above a path in the view.
    fn let_through(&self, path: &Path) {
        for folder in path.ancestors().skip(1) {
            let place = self.root.join(folder);
            let Ok(metadata) = fs::symlink_metadata(&place) else {
                continue;
            };
            let mode = metadata.mode() & 0o7777;
            if metadata.is_dir() && mode & 0o001 == 0 {
                let _ = fs::set_permissions(&place, Permissions::from_mode(mode | 0o011));
            }
        }
    }

    /// Shows a file as it is, for everybody to read.
    fn show(&self, path: &Path) -> io::Result<()> {
        let Some(there) = self.host.resolve(path) else {
            return Ok(());
        };
        match self.host.read(&there) {
            Ok(Some(content)) => self.replace(path, &content),
            _ => Ok(()),
        }
    }

    /// Puts a content for everybody to read at a path.
    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.links(path);
        let there = match self.root.resolve(path) {
            Some(there) => there,
            None => self.host.resolve(path).unwrap_or_else(|| path.to_owned()),
        };
        self.root.make_parent(&there).map_err(io::Error::other)?;
        self.let_through(&there);
        if self.root.write(&there, content, 0o644).is_ok() {
            return Ok(());
        }
        // A folder that is bound read-only, or a file that is a mount of its own.
        self.bind_over(&there, content, "in")
    }

    /// Binds a file with a content over a path that is there.
    fn bind_over(&self, there: &Path, content: &[u8], prefix: &str) -> io::Result<()> {
        let name = there.to_string_lossy().replace('/', "_");
        let stand_in = Path::new(BASE).join(format!("{prefix}{name}"));
        fs::write(&stand_in, content)?;
        fs::set_permissions(&stand_in, Permissions::from_mode(0o644))?;
        let to = self.root.join(there);
        Ok(mount(Some(&stand_in), &to, NONE, MsFlags::MS_BIND, NONE)?)
    }

    /// Name services: files alone, with stand-in addresses for `names`.
    fn names(&self, names: &BTreeSet<String>) -> io::Result<()> {
        let hosts = Path::new("/etc/hosts");
        let own = self.host.read(hosts).ok().flatten().unwrap_or_default();
        let mut text = String::from_utf8_lossy(&own).into_owned();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        for name in names {
            text.push_str(&format!("{STAND_IN} {name}\n"));
        }
        self.replace_mount(hosts, text.as_bytes())?;
        self.replace_mount(Path::new("/etc/nsswitch.conf"), NAME_SERVICES.as_bytes())?;
        self.replace_mount(Path::new("/etc/resolv.conf"), b"")
    }

    /// [`Building::replace`] for files that may be mounts of their own: always bound over, so that the
    /// namespace of the candidate keeps its own.
    fn replace_mount(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let there = self.root.resolve(path).unwrap_or_else(|| path.to_owned());
        match fs::symlink_metadata(self.root.join(&there)) {
            Err(_) => self.replace(&there, content),
            Ok(_) => self.bind_over(&there, content, "over"),
        }
    }
}

fn tmpfs(place: &Path) -> io::Result<()> {
    let kind = Some("tmpfs");
    let flags = MsFlags::MS_NOSUID;
    Ok(mount(kind, place, kind, flags, Some(OPTIONS))?)
}

/// Binds a folder with what is mounted in it. Nothing of the packages is written.
fn bind(from: &Path, to: &Path, read_only: bool) -> io::Result<()> {
    let recursive = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(Some(from), to, NONE, recursive, NONE)?;
    if read_only {
        let flags = MsFlags::MS_BIND
            | MsFlags::MS_REMOUNT
            | MsFlags::MS_RDONLY
            | MsFlags::MS_NOSUID
            | MsFlags::MS_NODEV;
        mount(NONE, to, NONE, flags, NONE)?;
    }
    Ok(())
}

/// Changes the root. The old one ends up on top of the new one, pivot_root(2), and is taken off.
fn leave_for(root: &Path) -> io::Result<()> {
    chdir(root)?;
    pivot_root(".", ".")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    Ok(chdir("/")?)
}
