//! The folder of decrypted secrets: in memory, and nobody's but root's.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::OFlag;
use nix::sys::statfs::{FsType, TMPFS_MAGIC, fstatfs};
use zeroize::Zeroizing;

use super::SecretError;
use crate::model::layout;
use crate::root::Root;

/// What a link at the end of a path is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// The way to what is read.
    Followed,
    /// Something else than a file.
    Other,
}

/// What is at a path.
pub(super) enum Present {
    Nothing,
    /// No regular file, or one that is larger than asked.
    Other,
    File {
        content: Zeroizing<Vec<u8>>,
        /// Permission bits.
        mode: u32,
        /// Owner and group.
        owner: (u32, u32),
    },
}

/// Reads a file up to a size, into memory that is wiped. Nothing is waited for, whatever stands there.
pub(super) fn read(path: &Path, size: u64, link: Link) -> io::Result<Present> {
    let flags = match link {
        Link::Followed => OFlag::O_NONBLOCK,
        Link::Other => OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW,
    };
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits())
        .open(path);
    let file: File = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Present::Nothing),
        Err(error) if error.raw_os_error() == Some(nix::libc::ELOOP) => return Ok(Present::Other),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() > size {
        return Ok(Present::Other);
    }
    // With room for all of it nothing is left behind where it grew.
    let mut content = Zeroizing::new(Vec::with_capacity(size as usize + 1));
    file.take(size).read_to_end(&mut content)?;
    Ok(Present::File {
        content,
        mode: metadata.mode() & 0o7777,
        owner: (metadata.uid(), metadata.gid()),
    })
}

/// Makes the folder, if it lies in memory. Others get through it only where somebody beside root has to.
pub(super) fn make(root: &Root, is_shared: bool) -> Result<(), SecretError> {
    let folder = Path::new(layout::SECRETS);
    let above = folder.parent().unwrap_or(folder);
    // Looked at before it is made: what is on a disk gets no folder of ours.
    let below = above.parent().unwrap_or(above);
    demand_memory(root, below)?;
    root.make_folder(folder)?;
    demand_memory(root, folder)?;
    let found = root.metadata(folder).map(|found| found.mode() & 0o7777);
    match (is_shared, found) {
        (true, Some(0o711)) | (false, Some(0o700 | 0o711)) => Ok(()),
        (true, _) => Ok(root.set_mode(folder, 0o711)?),
        (false, _) => Ok(root.set_mode(folder, 0o700)?),
    }
}

fn demand_memory(root: &Root, folder: &Path) -> Result<(), SecretError> {
    let look = || -> io::Result<FsType> {
        let opened = File::open(root.join(folder))?;
        Ok(fstatfs(&opened)?.filesystem_type())
    };
    let failed = |source| SecretError::Key {
        path: folder.to_owned(),
        source,
    };
    let kind = look().map_err(failed)?;
    match kind == TMPFS_MAGIC {
        true => Ok(()),
        false => Err(SecretError::NotInMemory {
            path: folder.to_owned(),
        }),
    }
}
