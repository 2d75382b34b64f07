//! The Markdown files of a checkout.

use std::path::{Path, PathBuf};

use crate::model::Entry;
use crate::root::{Root, RootError};
use crate::source::Checkout;

/// How deep is looked, and at how many names.
const MAX_DEPTH: usize = 8;
const MAX_NAMES: usize = 20_000;
/// Folders of other people's files.
const FOREIGN: [&str; 4] = ["node_modules", "vendor", "target", "venv"];

/// Those with a marker, by their path in the checkout. No link is followed.
pub(super) fn pages(checkout: &Checkout) -> Result<Vec<(PathBuf, String)>, RootError> {
    let root = Root::open(checkout.root())?;
    let mut pages = Vec::new();
    let mut left = MAX_NAMES;
    walk(&root, Path::new("/"), MAX_DEPTH, &mut left, &mut pages)?;
    Ok(pages)
}

fn walk(
    root: &Root,
    folder: &Path,
    depth: usize,
    left: &mut usize,
    pages: &mut Vec<(PathBuf, String)>,
) -> Result<(), RootError> {
    for path in root.list(folder)? {
        let name = path.file_name().and_then(|name| name.to_str());
        let Some(name) = name.filter(|name| !name.starts_with('.')) else {
            continue;
        };
        *left = left.saturating_sub(1);
        if *left == 0 {
            return Ok(());
        }
        if name.to_ascii_lowercase().ends_with(".md") {
            if let Entry::File { content, .. } = root.entry(&path)?
                && let Ok(text) = std::str::from_utf8(&content)
            {
                let path = path.strip_prefix("/").unwrap_or(&path).to_owned();
                pages.push((path, text.to_owned()));
            }
            continue;
        }
        let is_folder =
            std::fs::symlink_metadata(root.join(&path)).is_ok_and(|found| found.is_dir());
        if is_folder && depth > 0 && !FOREIGN.contains(&name) {
            walk(root, &path, depth - 1, left, pages)?;
        }
    }
    Ok(())
}
