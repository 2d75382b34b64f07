//! The pages that add something step by step: their diffs fit the code as it is.

use std::fs;

use crate::repository;

/// Lines that a diff expects in the file named above them, and files that it makes.
#[derive(Debug, Default, PartialEq)]
struct Expected {
    lines: Vec<(String, String)>,
    new: Vec<String>,
}

fn expected(page: &str) -> Expected {
    let mut expected = Expected::default();
    let blocks = page.split("\n```diff\n").skip(1);
    for block in blocks.filter_map(|rest| rest.split("\n```").next()) {
        let (mut from, mut path) = (String::new(), String::new());
        for line in block.lines() {
            if let Some(name) = line.strip_prefix("--- ") {
                from = name.to_owned();
            } else if let Some(name) = line.strip_prefix("+++ b/") {
                path = name.to_owned();
                if from == "/dev/null" {
                    expected.new.push(path.clone());
                }
            } else if let Some(text) = line.strip_prefix([' ', '-']) {
                expected.lines.push((path.clone(), text.to_owned()));
            } else if let Some(text) = line.strip_prefix("@@ ") {
                expected.lines.push((path.clone(), text.to_owned()));
            }
        }
    }
    expected
}

/// What does not fit, as lines of text.
fn wrong(page: &str) -> Vec<String> {
    let expected = expected(page);
    let mut wrong = Vec::new();
    for (path, line) in &expected.lines {
        let text = fs::read_to_string(repository().join(path)).unwrap_or_default();
        if !text.lines().any(|known| known == line) {
            wrong.push(format!("{path} has no line {line:?}"));
        }
    }
    let there = expected
        .new
        .iter()
        .filter(|path| repository().join(path).exists());
    wrong.extend(there.map(|path| format!("{path} is there already")));
    wrong
}

#[test]
fn their_diffs_fit() {
    let mut pages = 0;
    for entry in fs::read_dir(repository().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("adding-a-") {
            let page = fs::read_to_string(&path).unwrap();
            assert!(
                !expected(&page).lines.is_empty(),
                "{name} has no diff of a file that is there"
            );
            assert_eq!(wrong(&page), [""; 0], "{name}");
            pages += 1;
        }
    }
    assert!(pages >= 2, "{pages}");
}

#[test]
fn a_diff_that_does_not_fit_is_found() {
    let page = "\n```diff\n--- a/Cargo.toml\n+++ b/Cargo.toml\n@@ [workspace]\n no such line\n+new\n--- /dev/null\n+++ b/README.md\n+x\n```\n";
    assert_eq!(
        wrong(page),
        [
            "Cargo.toml has no line \"no such line\"",
            "README.md is there already"
        ]
    );
}
