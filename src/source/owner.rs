//! Who may decide what a host looks like: the owner of the checkout.
//!
//! A program that runs as root and follows a checkout gives root to everybody who can write
//! there. git has the same rule for its own reasons, `safe.directory` in git-config(1).

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::error::{Result, SourceError};

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    /// Effective user id.
    pub euid: u32,
    /// User ids that may own a checkout that root follows.
    pub trusted: Vec<u32>,
    /// The work tree that is asked for, if it is one of git.
    pub repository: Option<PathBuf>,
    /// Whether root's or the system's settings let git work there, whoever owns it.
    pub safe: bool,
}

impl Asker {
    /// This process, and the user who called sudo.
    pub(super) fn current(trusted: &[u32]) -> Self {
        let sudo = std::env::var("SUDO_UID")
            .ok()
            .and_then(|id| id.parse().ok());
        Self {
            euid: nix::unistd::geteuid().as_raw(),
            trusted: trusted.iter().copied().chain(sudo).collect(),
            repository: None,
            safe: false,
        }
    }
}

/// Owner and permission bits of one part of a checkout.
#[derive(Clone, Debug)]
pub(super) struct Part {
    path: PathBuf,
    owner: u32,
    mode: u32,
}

impl Part {
    /// Looks at a part, following links: what counts is what is read.
    pub(super) fn look(path: &Path) -> Result<Self> {
        let metadata = std::fs::metadata(path).map_err(|source| SourceError::Read {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            owner: metadata.uid(),
            mode: metadata.mode() & 0o7777,
        })
    }

    /// Its owner's user id.
    pub(super) fn owner(&self) -> u32 {
        self.owner
    }

    /// Whether this process's user owns it.
    pub(super) fn is_mine(&self) -> bool {
        self.owner == nix::unistd::geteuid().as_raw()
    }
}

/// Checks the parts of a checkout (its folder first) and returns their owner.
///
/// For root they need one owner who is trusted, and nobody else may write. Others only read,
/// so for them it is enough that the repository is not one that a third user put above the
/// folder.
pub(super) fn check(asker: &Asker, parts: &[Part]) -> Result<Option<u32>> {
    let Some(folder) = parts.first() else {
        return Ok(None);
    };
    if asker.euid != 0 {
        let known = [0, asker.euid, folder.owner];
        if let Some(part) = parts.iter().find(|part| !known.contains(&part.owner)) {
            let expected = "the owner of the desired state".into();
            return Err(foreign(asker, part, expected, folder.owner));
        }
        return Ok(Some(folder.owner));
    }
    let mut allowed = vec![0];
    allowed.extend(&asker.trusted);
    allowed.sort_unstable();
    allowed.dedup();
    for part in parts {
        if !asker.safe && !allowed.contains(&part.owner) {
            let ids: Vec<_> = allowed.iter().map(u32::to_string).collect();
            return Err(foreign(asker, part, one_of(&ids), 0));
        }
        if !asker.safe && part.owner != folder.owner {
            let expected = format!("{} like {}", folder.owner, folder.path.display());
            return Err(foreign(asker, part, expected, folder.owner));
        }
        if part.mode & 0o002 != 0 {
            return Err(SourceError::WorldWritable {
                path: part.path.clone(),
                mode: part.mode,
            });
        }
    }
    Ok(Some(folder.owner))
}

fn one_of(ids: &[String]) -> String {
    match ids {
        [only] => format!("user id {only}"),
        many => format!("one of the user ids {}", many.join(", ")),
    }
}

fn foreign(asker: &Asker, part: &Part, expected: String, wanted: u32) -> SourceError {
    SourceError::Owner {
        path: part.path.clone(),
        owner: part.owner,
        expected,
        help: format!(
            "run it through sudo as the user who owns the checkout, or give the checkout one \
             owner: sudo chown -R {wanted} {}{}",
            part.path.display(),
            match &asker.repository {
                Some(root) if asker.euid == 0 => format!(
                    ", or let root's git work in it whoever owns it: sudo git config --global --add safe.directory {}",
                    root.display()
                ),
                _ => String::new(),
            }
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(path: &str, owner: u32, mode: u32) -> Part {
        Part {
            path: path.into(),
            owner,
            mode,
        }
    }

    fn root(trusted: &[u32]) -> Asker {
        Asker {
            euid: 0,
            trusted: trusted.to_vec(),
            repository: Some("/srv/c".into()),
            safe: false,
        }
    }

    #[test]
    fn root_follows_only_trusted_owners() {
        let parts = [
            part("/srv/c", 1000, 0o755),
            part("/srv/c/.git", 1000, 0o755),
        ];
        assert_eq!(check(&root(&[1000]), &parts).ok(), Some(Some(1000)));
        let error = check(&root(&[]), &parts).map_err(|error| error.to_string());
        assert_eq!(
            error,
            Err("/srv/c belongs to user id 1000, not to user id 0".into())
        );
    }

    #[test]
    fn what_git_is_let_into_may_be_anybodys() {
        let safe = Asker {
            safe: true,
            ..root(&[])
        };
        let parts = [part("/srv/c", 1000, 0o755), part("/srv/c/.git", 0, 0o755)];
        assert_eq!(check(&safe, &parts).ok(), Some(Some(1000)));
        let open = [part("/srv/c", 1000, 0o777)];
        assert!(matches!(
            check(&safe, &open),
            Err(SourceError::WorldWritable { .. })
        ));
        let hint = check(&root(&[]), &parts)
            .err()
            .and_then(|error| error.hint());
        assert!(hint.is_some_and(|hint| {
            hint.ends_with("sudo git config --global --add safe.directory /srv/c")
        }));
    }

    #[test]
    fn root_wants_one_owner() {
        let parts = [part("/srv/c", 1000, 0o755), part("/srv/c/.git", 0, 0o755)];
        let error = check(&root(&[1000]), &parts);
        let Err(error @ SourceError::Owner { .. }) = error else {
            panic!("{error:?}")
        };
        assert_eq!(
            error.to_string(),
            "/srv/c/.git belongs to user id 0, not to 1000 like /srv/c"
        );
        assert!(
            error
                .hint()
                .is_some_and(|hint| hint.contains("chown -R 1000 /srv/c/.git"))
        );
    }

    #[test]
    fn root_refuses_what_everybody_may_write() {
        let error = check(&root(&[]), &[part("/tmp/c", 0, 0o777)]);
        assert_eq!(
            error.map_err(|error| error.to_string()),
            Err("/tmp/c is writable by every user of this machine (mode 0777)".into())
        );
    }

    #[test]
    fn others_read_but_not_through_a_third_users_repository() {
        let asker = Asker {
            euid: 1001,
            trusted: vec![],
            repository: None,
            safe: false,
        };
        let mine = part("/tmp/mine", 1001, 0o755);
        assert!(check(&asker, &[mine.clone(), part("/tmp/.git", 0, 0o755)]).is_ok());
        assert!(check(&asker, &[mine, part("/tmp/.git", 1002, 0o755)]).is_err());
    }
}
