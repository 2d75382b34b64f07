//! Documents: links, the shape of translations, and pages that must be complete.

mod code;
mod complete;
mod links;
mod markdown;
mod paths;
mod reasons;
mod steps;
mod translations;
mod workflow;

use std::fs;
use std::path::{Path, PathBuf};

use crate::markdown::Page;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All pages that people read, by their paths in the repository.
fn pages() -> Vec<(PathBuf, Page)> {
    let mut found = Vec::new();
    collect(repository(), false, &mut found);
    for folder in ["docs", "examples"] {
        collect(&repository().join(folder), true, &mut found);
    }
    found.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let relative = path.strip_prefix(repository()).unwrap().to_owned();
        (relative, Page::parse(&text))
    };
    found.into_iter().map(read).collect()
}

fn collect(folder: &Path, deep: bool, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && deep {
            collect(&path, true, found);
        } else if path.extension().is_some_and(|end| end == "md") {
            found.push(path);
        }
    }
}

#[test]
fn the_readme_is_short_and_has_the_commands_that_set_everything_up() {
    for name in ["README.md", "README.ja.md"] {
        let text = fs::read_to_string(repository().join(name)).unwrap();
        let lines = text.lines().count();
        assert!(lines <= 150, "{name} has {lines} lines");
        for command in ["./setup_server.sh --root \"$(mktemp -d)\"", "./tests/run"] {
            assert!(text.contains(command), "{name} lacks {command}");
        }
    }
}
