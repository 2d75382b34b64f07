//! Reading inputs, and remembering what was read.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Component, Path, PathBuf};

use source_text::SourceFile;

use crate::model::{Diagnostic, File, Hash, Unit};
use crate::source::error::Result;
use crate::source::git::Ignored;
use crate::source::tree::{Node, Tree};

/// The files of a checkout as far as they belong to its desired state.
pub(crate) struct Inputs<'t> {
    /// Where they are read from.
    pub tree: &'t Tree<'t>,
    /// What git leaves out, when the work tree of a repository is read.
    pub ignored: Option<&'t Ignored<'t>>,
    /// Whether `tree` is a commit, so that all of its files are in git.
    pub committed: bool,
    /// The inputs: asked for often, and in order only at the end.
    found: RefCell<HashMap<PathBuf, File>>,
    /// The rest of what was read.
    read: RefCell<Read>,
}

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// Inputs by path.
    pub found: BTreeMap<PathBuf, File>,
    /// Paths that would be inputs if a file stood there.
    pub absent: BTreeSet<PathBuf>,
    /// Folders whose files are inputs, with the names in them.
    pub folders: BTreeMap<PathBuf, BTreeSet<String>>,
    /// Copies in those folders that people and editors left, which are no inputs.
    pub backups: BTreeSet<PathBuf>,
    /// Folders that images are built from.
    pub contexts: BTreeSet<PathBuf>,
    /// Folders that containers mount and cannot write to.
    pub mounted: BTreeSet<PathBuf>,
}

impl<'t> Inputs<'t> {
    /// Inputs of a commit.
    pub(crate) fn of_commit(tree: &'t Tree<'t>) -> Self {
        Self {
            committed: true,
            ..Self::of_folder(tree, None)
        }
    }

    /// Inputs of a folder; `ignored` when it is a work tree.
    pub(crate) fn of_folder(tree: &'t Tree<'t>, ignored: Option<&'t Ignored<'t>>) -> Self {
        Self {
            tree,
            ignored,
            committed: false,
            found: RefCell::default(),
            read: RefCell::default(),
        }
    }

    /// What was read so far.
    pub(crate) fn into_read(self) -> Read {
        Read {
            found: self.found.into_inner().into_iter().collect(),
            ..self.read.into_inner()
        }
    }

    /// Whether git leaves a path out. Env files hold secrets: those that are not in git are
    /// left where they are even when no rule ignores them.
    pub(crate) fn left_out(&self, path: &Path) -> bool {
        if self.committed {
            return false;
        }
        match self.ignored {
            Some(ignored) if is_env_file(path) => !ignored.tracked(path, false),
            Some(ignored) => ignored.contains(path, false),
            None => is_env_file(path),
        }
    }

    /// Whether git leaves a folder out.
    pub(crate) fn folder_left_out(&self, path: &Path) -> bool {
        let ignored = self.ignored.filter(|_| !self.committed);
        ignored.is_some_and(|ignored| ignored.contains(path, true))
    }

    /// Reads an input; `None` when there is no such file.
    pub(crate) fn file(&self, path: &Path) -> Result<Option<File>> {
        let file = self.probe(path)?;
        if file.is_none() && !is_env_file(path) {
            self.read.borrow_mut().absent.insert(path.into());
        }
        Ok(file)
    }

    /// Like [`Inputs::file`] for a path that only may be meant as one.
    pub(crate) fn probe(&self, path: &Path) -> Result<Option<File>> {
        let path = self.tree.place(path)?;
        if let Some(known) = self.found.borrow().get(&path) {
            return Ok(Some(known.clone()));
        }
        if self.left_out(&path) {
            return Ok(None);
        }
        let Some((content, executable)) = self.tree.read(&path)? else {
            return Ok(None);
        };
        let file = File::new(&path, content, executable);
        self.found.borrow_mut().insert(path, file.clone());
        Ok(Some(file))
    }

    /// Names in a folder of inputs, without those that are never inputs.
    pub(crate) fn names(&self, folder: &Path) -> Result<Vec<String>> {
        let mut names = self.tree.list(folder)?;
        let copies = names.iter().filter(|name| is_copy(name));
        let copies = copies.map(|name| folder.join(name));
        let copies: Vec<PathBuf> = copies.filter(|path| !self.left_out(path)).collect();
        names.retain(|name| !is_backup(name));
        let known = names.iter().cloned().collect();
        let mut read = self.read.borrow_mut();
        read.backups.extend(copies);
        read.folders.insert(folder.into(), known);
        let mut kept = Vec::with_capacity(names.len());
        for name in names {
            if !self.left_out(&self.tree.place(&folder.join(&name))?) {
                kept.push(name);
            }
        }
        Ok(kept)
    }

    /// A hash of what a folder holds that an image is built from, without what git ignores; `None` where that is not known, as with files that are too
    /// large for an input.
    pub(crate) fn digest(&self, folder: &Path) -> Option<Hash> {
        self.read.borrow_mut().contexts.insert(folder.into());
        self.digest_without(folder, &|path, is_folder| match is_folder {
            true => self.folder_left_out(path),
            false => self.left_out(path),
        })
    }

    /// The same of what is in git of a folder that containers mount: they may write other files there. Files in git that
    /// somebody changed count for the commit if the containers cannot have done so.
    pub(crate) fn digest_of_tracked(&self, folder: &Path, is_read_only: bool) -> Option<Hash> {
        if is_read_only {
            self.read.borrow_mut().mounted.insert(folder.into());
        }
        self.digest_without(folder, &|path, is_folder| !self.is_tracked(path, is_folder))
    }

    fn digest_without(&self, folder: &Path, skips: &dyn Fn(&Path, bool) -> bool) -> Option<Hash> {
        let id = self.tree.digest(folder, skips).ok().flatten()?;
        Some(Hash::of(id.as_bytes()))
    }

    /// Whether git has a path; all that is there where there is no git.
    pub(crate) fn is_tracked(&self, path: &Path, is_folder: bool) -> bool {
        let ignored = self.ignored.filter(|_| !self.committed);
        ignored.is_none_or(|ignored| ignored.tracked(path, is_folder))
    }

    /// Where a path leads and what is there.
    pub(crate) fn node(&self, path: &Path) -> Result<Option<(PathBuf, Node)>> {
        self.tree.resolve(path)
    }
}

/// Names of `.env` and its likes.
pub(crate) fn is_env_file(path: &Path) -> bool {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    name.is_some_and(|name| {
        let example = ["example", "sample", "template", "dist"];
        // What SOPS has encrypted is meant for git.
        let kept = example.iter().any(|word| name.ends_with(word)) || name.ends_with(".sops.env");
        !kept
            && (name == ".env"
                || name.ends_with(".env")
                || name.starts_with(".env.")
                || name.starts_with(".env-"))
    })
}

/// Copies that people and editors leave beside a file, and what explains a folder: never resources.
pub(crate) fn is_backup(name: &str) -> bool {
    is_copy(name)
        || name.starts_with("README")
        || [".gitkeep", ".gitignore", ".gitattributes", ".DS_Store"].contains(&name)
        || (name.starts_with('.') && (name.ends_with(".swp") || name.ends_with(".swo")))
}

/// Copies that people and editors leave beside a file.
fn is_copy(name: &str) -> bool {
    name.contains(".backup.")
        || name.ends_with(".bak")
        || name.ends_with(".backup")
        || name.ends_with('~')
}

/// `base` and a relative path without `.` and `..`; `None` when it leaves the checkout.
pub(crate) fn join(base: &Path, relative: &str) -> Option<PathBuf> {
    let mut joined = PathBuf::new();
    for part in base.join(relative).components() {
        match part {
            Component::ParentDir => {
                if !joined.pop() {
                    return None;
                }
            }
            Component::Normal(name) => joined.push(name),
            Component::CurDir => {}
            _ => return None,
        }
    }
    Some(joined)
}

/// Folders in which what is there comes and goes while the system runs.
const PASSING: [&str; 5] = ["/run", "/var/run", "/tmp", "/proc", "/dev"];

/// Has a file outside the checkout watched, one that is meant as that.
pub(crate) fn outside(unit: &mut Unit, path: &Path) {
    let is_plain = !path.to_string_lossy().contains(['*', '?', '[', '$', '%']);
    if is_plain && !PASSING.iter().any(|folder| path.starts_with(folder)) {
        unit.outside.insert(path.into());
    }
}

/// The text of a file that has to be UTF-8: TOML and YAML are, nothing else is read.
pub(crate) fn utf8(file: &File) -> Result<&str> {
    std::str::from_utf8(&file.content).map_err(|error| {
        let shown = String::from_utf8_lossy(&file.content);
        let at = error.valid_up_to();
        let after = shown.get(at..).and_then(|rest| rest.chars().next());
        let span = at..at + after.map_or(0, char::len_utf8);
        let message = "this byte is not valid UTF-8";
        let expected = "the whole file has to be UTF-8";
        Diagnostic::at(
            &SourceFile::new(&file.source, shown),
            span,
            message,
            expected,
        )
        .into()
    })
}

/// A file's text. nginx and systemd take any bytes in comments, so that those that are not
/// UTF-8 must not fail here.
pub(crate) fn text(file: &File) -> Cow<'_, str> {
    match std::str::from_utf8(&file.content) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(&file.content),
    }
}

/// The folder of a path; `/` has none and stays.
pub(crate) fn folder_of(path: &Path) -> PathBuf {
    path.parent().unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_known_by_name() {
        for (name, env, backup) in [
            (".env", true, false),
            ("prod.env", true, false),
            (".env.local", true, false),
            (".env.example", false, false),
            ("db.sops.env", false, false),
            ("environment", false, false),
            ("a.service.backup.20250101_000000", false, true),
            ("a.bak", false, true),
            ("a~", false, true),
            ("README.md", false, true),
        ] {
            assert_eq!(
                (is_env_file(Path::new(name)), is_backup(name)),
                (env, backup),
                "{name}"
            );
        }
    }

    #[test]
    fn paths_stay_in_the_checkout() {
        let text =
            |relative| join(Path::new("a/b"), relative).map(|path| path.display().to_string());
        assert_eq!(text("../c/./d").as_deref(), Some("a/c/d"));
        assert_eq!(text("../../../c"), None);
        assert_eq!(text("/c"), None);
    }
}
