//! The desired state that is shipped, and the examples.

mod applied;
mod content;
mod services;

use std::fs;
use std::path::{Path, PathBuf};

use watchme_apply::model::Desired;
use watchme_apply::source::policy::{self, Policy};
use watchme_apply::source::{Checkout, Which};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A copy outside git, so that the state of this repository's work tree has no part in it.
fn copy_of(relative: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(
        &repository().join(relative),
        &folder.path().join("desired-state"),
    );
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

/// The shipped state, where its own policy says that the server has it: `desired-state` in the checkout.
fn read(folder: &Path) -> (Desired, Vec<String>) {
    let revision = Checkout::open(folder, &[])
        .unwrap()
        .read(&Which::Worktree)
        .unwrap();
    (revision.desired, revision.warnings)
}

/// The shipped state as a checkout in git, as the server has it: paths of units lead into it.
fn shipped() -> (Desired, Vec<String>) {
    let folder = copy_of("desired-state");
    git2::Repository::init(folder.path()).unwrap();
    read(&folder.path().join("desired-state"))
}

/// The shipped watchme.toml.
fn policy() -> Policy {
    policy_of(&repository().join("desired-state"))
}

/// The watchme.toml of a desired state.
fn policy_of(folder: &Path) -> Policy {
    let path = folder.join("watchme.toml");
    policy::parse(&path, &fs::read_to_string(&path).unwrap()).unwrap()
}

/// Every text file below a folder.
fn texts(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(texts(&path)),
            false => found.push((path.clone(), fs::read_to_string(&path).unwrap())),
        }
    }
    found
}
