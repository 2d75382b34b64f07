//! Links between documents.

use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::{pages, repository};

/// `a/b/../c` as `a/c`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

#[test]
fn links_lead_to_files_and_headings_that_are_there() {
    let pages = pages();
    let mut broken = Vec::new();
    for (path, page) in &pages {
        for (line, link) in &page.links {
            if link.contains("://") {
                continue;
            }
            let (file, anchor) = match link.split_once('#') {
                Some((file, anchor)) => (file, Some(anchor)),
                None => (link.as_str(), None),
            };
            let target = match file.is_empty() {
                true => path.clone(),
                false => plain(&path.parent().unwrap().join(file)),
            };
            if !repository().join(&target).exists() {
                broken.push(format!("{}:{line}: no file {link}", path.display()));
                continue;
            }
            let Some(anchor) = anchor else { continue };
            let there = pages.iter().find(|(other, _)| *other == target);
            if there.is_none_or(|(_, page)| !page.anchors().iter().any(|known| known == anchor)) {
                broken.push(format!("{}:{line}: no heading {link}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_page_of_docs_is_in_its_index() {
    let pages = pages();
    for index in ["docs/README.md", "docs/decisions/README.md"] {
        let text = fs::read_to_string(repository().join(index)).unwrap();
        let index = Path::new(index);
        for (path, _) in &pages {
            let inside = path.parent() == index.parent() && path != index;
            let name = path.file_name().unwrap().to_str().unwrap();
            assert!(
                !inside || text.contains(name),
                "{} lacks {name}",
                index.display()
            );
        }
    }
}
