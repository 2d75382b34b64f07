//! Which files packages have brought, and as what: dpkg-query(1), deb-conffiles(5) and ucf(1). Their lists are read once; no
//! program is run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};

use super::{Host, HostError};
use crate::model::hex;

/// A stanza for each package, with the hashes of its configuration files.
const STATUS: &str = "/var/lib/dpkg/status";
/// For each package, the list of its files.
const INFO: &str = "/var/lib/dpkg/info";
/// Configuration files that packages generate and keep apart, ucf(1) "FILES".
const UCF: &str = "/var/lib/ucf/hashfile";

/// Where a file comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It is as a package brought it.
    Package,
    /// A package brought it, and somebody edited it.
    Edited,
    /// No package knows it.
    Own,
}

/// What packages have brought below /etc.
#[derive(Debug, Default)]
pub(crate) struct Owned {
    files: BTreeSet<PathBuf>,
    /// Hashes of configuration files as packages brought them.
    hashes: BTreeMap<PathBuf, String>,
    /// Whether the host has dpkg.
    known: bool,
}

impl Host {
    /// What packages have brought below /etc.
    pub(crate) fn owned(&self) -> Result<Owned, HostError> {
        let text = |path: &Path| -> Result<Option<String>, HostError> {
            let bytes = self.root().read(path)?;
            Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
        };
        let Some(status) = text(Path::new(STATUS))? else {
            return Ok(Owned::default());
        };
        let mut owned = Owned {
            known: true,
            ..Owned::default()
        };
        if let Some(registered) = text(Path::new(UCF))? {
            owned.add_ucf(&registered);
        }
        owned.add_conffiles(&status);
        for list in self.root().list(Path::new(INFO))? {
            if list.extension().is_some_and(|kind| kind == "list") {
                let files = text(&list)?.unwrap_or_default();
                let of_etc = files.lines().filter(|path| path.starts_with("/etc/"));
                owned.files.extend(of_etc.map(PathBuf::from));
            }
        }
        Ok(owned)
    }
}

impl Owned {
    /// Whether it is known what packages have brought.
    pub(crate) fn is_known(&self) -> bool {
        self.known
    }

    /// Whether a package has something at this path.
    pub(crate) fn has(&self, path: &Path) -> bool {
        self.files.contains(path) || self.hashes.contains_key(path)
    }

    /// Where a file comes from.
    pub(crate) fn origin(&self, path: &Path, content: &[u8]) -> Origin {
        if let Some(hash) = self.hashes.get(path) {
            return match *hash == hex(&Md5::digest(content)) {
                true => Origin::Package,
                false => Origin::Edited,
            };
        }
        match self.files.contains(path) {
            true => Origin::Package,
            false => Origin::Own,
        }
    }

    /// The field `Conffiles` of each stanza: a path and a hash in each line, and words such as `obsolete` behind them. One that is
    /// still to come has the word `newconffile` in the place of the hash.
    fn add_conffiles(&mut self, status: &str) {
        let mut inside = false;
        for line in status.lines() {
            match line.strip_prefix(' ') {
                Some(entry) if inside => {
                    let mut words = entry.split_whitespace();
                    if let (Some(path), Some(hash)) = (words.next(), words.next())
                        && is_hash(hash)
                    {
                        self.hashes.insert(PathBuf::from(path), hash.to_owned());
                    }
                }
                Some(_) => {}
                None => inside = line == "Conffiles:",
            }
        }
    }

    /// A hash and a path in each line.
    fn add_ucf(&mut self, registered: &str) {
        for line in registered.lines() {
            if let Some((hash, path)) = line.split_once(char::is_whitespace)
                && is_hash(hash)
            {
                let path = PathBuf::from(path.trim());
                self.hashes.insert(path, hash.to_owned());
            }
        }
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_file_is_known_by_its_hash() {
        let mut owned = Owned::default();
        // MD5 of "a\n" and of "b\n".
        owned.add_conffiles(
            "Package: x\nConffiles:\n /etc/a 60b725f10c9c85c70d97880dfe8191b3\n /etc/old 3b5d5c3712955042212316173ccf37be obsolete\n \
             /etc/new newconffile\nDescription: y\n /etc/none 60b725f10c9c85c70d97880dfe8191b3\n",
        );
        owned.add_ucf("3b5d5c3712955042212316173ccf37be  /etc/default/b\nnonsense\n");
        owned.files.insert(PathBuf::from("/etc/listed"));
        let origin = |path: &str, text: &str| owned.origin(Path::new(path), text.as_bytes());
        for (path, text, expected) in [
            ("/etc/a", "a\n", Origin::Package),
            ("/etc/a", "edited\n", Origin::Edited),
            ("/etc/old", "b\n", Origin::Package),
            ("/etc/default/b", "b\n", Origin::Package),
            ("/etc/default/b", "c\n", Origin::Edited),
            ("/etc/listed", "x", Origin::Package),
            ("/etc/new", "x", Origin::Own),
            ("/etc/none", "a\n", Origin::Own),
        ] {
            assert_eq!(origin(path, text), expected, "{path}: {text}");
        }
        assert!(!owned.is_known());
        assert!(owned.has(Path::new("/etc/listed")) && !owned.has(Path::new("/etc/none")));
    }
}
