//! Paths below a root. The kernel follows their links and keeps them below the root, openat2(2) with `RESOLVE_IN_ROOT`. Where
//! the links themselves matter, [`Base::follow`] takes one at a time.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2, readlinkat};
use nix::sys::stat::Mode;

/// Links that are followed on one path before it counts as a loop, path_resolution(7).
const MAX_LINKS: usize = 40;
/// How often a path is tried again on which something was renamed meanwhile, openat2(2).
const MAX_TRIES: usize = 100;

/// The open directory that paths are below.
#[derive(Debug)]
pub(super) struct Base(OwnedFd);

/// Where a path leads, without links. What does not exist is as it was written.
pub(super) struct Followed {
    pub path: PathBuf,
    /// Links on the way, in their order.
    pub links: Vec<Link>,
    /// What is there.
    pub found: Option<File>,
}

/// A link, its own path without links.
pub(crate) struct Link {
    pub path: PathBuf,
    /// What it says.
    pub target: PathBuf,
    pub(super) owner: u32,
}

impl Base {
    /// Opens a directory, and makes sure that the kernel resolves paths below it.
    pub(super) fn open(directory: &Path) -> io::Result<Self> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let base = Self(nix::fcntl::open(directory, flags, Mode::empty())?);
        match base.try_open(Path::new("."), flags, ResolveFlag::RESOLVE_IN_ROOT) {
            Ok(_) => Ok(base),
            Err(error) => Err(without_openat2(error)),
        }
    }

    /// Opens `path`; links on the way stay below the root, and so does the last one unless `flags` refuse it.
    pub(super) fn within(&self, path: &Path, flags: OFlag) -> io::Result<OwnedFd> {
        Ok(self.try_open(path, flags, ResolveFlag::RESOLVE_IN_ROOT)?)
    }

    /// Opens `path`; a link on the way is an error.
    pub(super) fn without_links(&self, path: &Path, flags: OFlag) -> io::Result<OwnedFd> {
        let resolve = ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_SYMLINKS;
        Ok(self.try_open(path, flags, resolve)?)
    }

    fn try_open(&self, path: &Path, flags: OFlag, resolve: ResolveFlag) -> nix::Result<OwnedFd> {
        let how = OpenHow::new()
            .flags(flags | OFlag::O_CLOEXEC)
            .resolve(resolve);
        let mut tries = 0;
        loop {
            tries += 1;
            match openat2(&self.0, path, how) {
                Err(Errno::EAGAIN | Errno::EINTR) if tries < MAX_TRIES => {}
                opened => return opened,
            }
        }
    }

    pub(super) fn owner(&self) -> io::Result<u32> {
        Ok(nix::sys::stat::fstat(&self.0)?.st_uid)
    }

    /// Follows the links of `path` one at a time.
    pub(super) fn follow(&self, path: &Path) -> io::Result<Followed> {
        // Without a slash at the end, which would follow the last link.
        let mut path: PathBuf = path.components().collect();
        let mut links = Vec::new();
        // A slash at the end of a link's target asks for a folder, path_resolution(7).
        let mut is_folder = false;
        loop {
            match self.first_link(&path)? {
                Way::Link(link) => {
                    if links.len() >= MAX_LINKS {
                        return Err(Errno::ELOOP.into());
                    }
                    let rest = path.strip_prefix(&link.path).unwrap_or(Path::new(""));
                    let folder = link.path.parent().unwrap_or(Path::new("/"));
                    let target = folder.join(&link.target);
                    let end = link.target.as_os_str().as_encoded_bytes();
                    is_folder |= rest.as_os_str().is_empty()
                        && (end.ends_with(b"/") || end.ends_with(b"/."));
                    path = target.components().chain(rest.components()).collect();
                    links.push(Link {
                        path: without_dots(&link.path),
                        ..link
                    });
                }
                Way::Plain(found) => {
                    let path = without_dots(&path);
                    let found = match found {
                        Some(file) if is_folder && !file.metadata()?.is_dir() => None,
                        found => found,
                    };
                    return Ok(Followed { path, links, found });
                }
            }
        }
    }

    /// The first link of a path: the longest beginning of it whose folders are no links.
    fn first_link(&self, path: &Path) -> io::Result<Way> {
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW;
        for part in path.ancestors() {
            let file = match self.without_links(part, flags) {
                Ok(fd) => File::from(fd),
                Err(error) if is_absent(&error) || is_loop(&error) => continue,
                Err(error) => return Err(error),
            };
            let metadata = file.metadata()?;
            return Ok(if metadata.is_symlink() {
                Way::Link(Link {
                    target: PathBuf::from(readlinkat(&file, "")?),
                    owner: metadata.uid(),
                    path: part.to_owned(),
                })
            } else {
                Way::Plain((part == path).then_some(file))
            });
        }
        Ok(Way::Plain(None))
    }
}

/// What the way to a path is.
enum Way {
    /// A link comes first.
    Link(Link),
    /// No links; with what is at its end.
    Plain(Option<File>),
}

/// The folder of a path and its name there; `/` and what ends with `..` are `.` in themselves.
pub(super) fn split(path: &Path) -> (&Path, &OsStr) {
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => (folder, name),
        _ => (path, OsStr::new(".")),
    }
}

/// A path that has no links, without `..`.
fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::Normal(part) => plain.push(part),
            Component::ParentDir => drop(plain.pop()),
            _ => {}
        }
    }
    plain
}

pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Whether no file can be at a path: it is a loop, longer than a name may be, or goes over a link of /proc, which
/// `RESOLVE_IN_ROOT` does not follow.
pub(super) fn leads_nowhere(error: &io::Error) -> bool {
    let nowhere = [Errno::ELOOP, Errno::ENAMETOOLONG, Errno::EXDEV];
    nowhere
        .iter()
        .any(|errno| error.raw_os_error() == Some(*errno as i32))
}

fn is_loop(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::ELOOP as i32)
}

/// What opening the root came to where the kernel, or a seccomp filter, does not know the call.
fn without_openat2(error: Errno) -> io::Error {
    match error {
        Errno::ENOSYS | Errno::EPERM => io::Error::new(
            io::ErrorKind::Unsupported,
            format!("the system call openat2 is not available: {}", error.desc()),
        ),
        error => error.into(),
    }
}
