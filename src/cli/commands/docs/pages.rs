//! The Markdown files of a checkout.

use std::path::{Path, PathBuf};

use crate::model::Entry;
use crate::root::{Root, RootError};
use crate::source::Checkout;

/// How deep is looked, and at how many names.
const MAX_DEPTH: usize = 32;
const MAX_NAMES: usize = 20_000;
/// Folders of other people's files.
const FOREIGN: [&str; 4] = ["node_modules", "vendor", "target", "venv"];

/// The Markdown files that were found.
#[derive(Default)]
pub(super) struct Pages {
    /// Their texts by their path in the checkout.
    pub(super) found: Vec<(PathBuf, String)>,
    /// The first name that was not looked at any more: there are too many.
    pub(super) ends_at: Option<PathBuf>,
    /// The first folder that is too deep to be looked into.
    pub(super) too_deep: Option<PathBuf>,
}

impl Pages {
    /// What was not looked at, and why.
    pub(super) fn warnings(&self) -> Vec<String> {
        let many = self.ends_at.as_ref().map(|path| {
            format!(
                "the checkout has more than {MAX_NAMES} files and folders: {} and those after it were not read",
                path.display()
            )
        });
        let deep = self.too_deep.as_ref().map(|path| {
            format!(
                "{} is more than {MAX_DEPTH} folders deep, and was not read",
                path.display()
            )
        });
        many.into_iter().chain(deep).collect()
    }
}

/// All of a checkout. No link is followed.
pub(super) fn pages(checkout: &Checkout) -> Result<Pages, RootError> {
    let root = Root::open(checkout.root())?;
    let mut pages = Pages::default();
    let mut left = MAX_NAMES;
    walk(&root, Path::new("/"), MAX_DEPTH, &mut left, &mut pages)?;
    Ok(pages)
}

fn walk(
    root: &Root,
    folder: &Path,
    depth: usize,
    left: &mut usize,
    pages: &mut Pages,
) -> Result<(), RootError> {
    for path in root.list(folder)? {
        let name = path.file_name().and_then(|name| name.to_str());
        let Some(name) = name.filter(|name| !name.starts_with('.')) else {
            continue;
        };
        if *left == 0 {
            let path = path.strip_prefix("/").unwrap_or(&path);
            pages.ends_at.get_or_insert_with(|| path.to_owned());
            return Ok(());
        }
        *left -= 1;
        if name.to_ascii_lowercase().ends_with(".md") {
            if let Entry::File { content, .. } = root.entry(&path)?
                && let Ok(text) = std::str::from_utf8(&content)
            {
                let path = path.strip_prefix("/").unwrap_or(&path).to_owned();
                pages.found.push((path, text.to_owned()));
            }
            continue;
        }
        let is_folder =
            std::fs::symlink_metadata(root.join(&path)).is_ok_and(|found| found.is_dir());
        if !is_folder || FOREIGN.contains(&name) {
            continue;
        }
        if depth == 0 {
            let path = path.strip_prefix("/").unwrap_or(&path);
            pages.too_deep.get_or_insert_with(|| path.to_owned());
            continue;
        }
        walk(root, &path, depth - 1, left, pages)?;
    }
    Ok(())
}
