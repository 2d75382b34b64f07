//! A new checkout: a repository with everything in one commit.

use std::path::Path;

use git2::{IndexAddOption, Repository, RepositoryInitOptions, Signature};

use super::error::{Result, SourceError};
use super::git;

/// The branch of a new repository.
const BRANCH: &str = "main";
/// Who commits where git knows no name.
const NOBODY: (&str, &str) = ("watchme-apply", "watchme-apply@localhost");

/// Whether a folder is in a repository already.
pub(crate) fn is_in_git(folder: &Path) -> bool {
    git::find(folder).is_some()
}

/// Has a new repository in `folder` hold all files there that git does not ignore, in its one commit. A second call replaces
/// that commit.
pub(crate) fn commit_all(folder: &Path, subject: &str) -> Result<()> {
    let commit = || {
        let mut options = RepositoryInitOptions::new();
        // Templates of the system may bring hooks.
        options.external_template(false).initial_head(BRANCH);
        let repo = Repository::init_opts(folder, &options)?;
        let mut index = repo.index()?;
        index.clear()?;
        index.add_all(["*"], IndexAddOption::DEFAULT, None)?;
        index.write()?;
        let tree = repo.find_tree(index.write_tree()?)?;
        let who = match repo.signature() {
            Ok(who) => who,
            Err(_) => Signature::now(NOBODY.0, NOBODY.1)?,
        };
        let id = repo.commit(None, &who, &who, subject, &tree, &[])?;
        let branch = format!("refs/heads/{BRANCH}");
        repo.reference(&branch, id, true, subject)?;
        repo.set_head(&branch)
    };
    commit().map_err(|source| SourceError::Begin {
        folder: folder.into(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_in_one_commit_and_nothing_that_git_ignores() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |path: &str, text: &str| std::fs::write(folder.path().join(path), text).unwrap();
        write(".gitignore", ".env\n");
        write(".env", "PASSWORD=x\n");
        write("a", "1\n");
        write("b", "1\n");
        commit_all(folder.path(), "First").unwrap();
        std::fs::remove_file(folder.path().join("b")).unwrap();
        commit_all(folder.path(), "First").unwrap();
        let repo = Repository::open(folder.path()).unwrap();
        let head = repo.head().unwrap().peel_to_commit().unwrap();
        assert_eq!(head.parent_count(), 0);
        let tree = head.tree().unwrap();
        let names: Vec<_> = tree
            .iter()
            .map(|entry| entry.name().unwrap().to_owned())
            .collect();
        assert_eq!(names, [".gitignore", "a"]);
        assert!(
            repo.statuses(None)
                .unwrap()
                .iter()
                .all(|entry| entry.status().is_ignored())
        );
        assert!(is_in_git(folder.path()));
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = commit_all(Path::new("/proc/none"), "First").unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot create a git repository in /proc/none"
        );
    }
}
