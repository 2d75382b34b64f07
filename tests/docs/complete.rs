//! Pages that list something of the code name all of it.

use std::fs;

use crate::repository;

fn read(path: &str) -> String {
    let path = repository().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What is between two marks.
fn between<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    let (_, rest) = text
        .split_once(from)
        .unwrap_or_else(|| panic!("no {from:?}"));
    let (found, _) = rest.split_once(to).unwrap_or_else(|| panic!("no {to:?}"));
    found
}

/// What is quoted, line by line.
fn quoted(text: &str) -> Vec<&str> {
    let of_line = |line| str::split(line, '"').skip(1).step_by(2);
    text.lines().flat_map(of_line).collect()
}

/// Those that do not occur in backquotes.
fn missing<'t>(names: &[&'t str], page: &str) -> Vec<&'t str> {
    let is_there = |name: &&&str| page.contains(&format!("`{name}`"));
    names
        .iter()
        .filter(|name| !is_there(name))
        .copied()
        .collect()
}

#[test]
fn the_page_of_json_names_every_verb() {
    let words = read("src/effect/words.rs");
    let verbs = quoted(between(&words, "\nfn kind(", "\n}\n"));
    assert!(verbs.contains(&"restart"), "{verbs:?}");
    assert_eq!(missing(&verbs, &read("docs/json.md")), [""; 0]);
}

#[test]
fn the_page_of_the_output_names_every_kind() {
    let table = read("src/kinds/table.rs");
    let kinds = quoted(between(&table, "$then! {", "\n        }\n"));
    assert!(kinds.contains(&"unit"), "{kinds:?}");
    for (path, from) in [
        ("docs/reading-output.md", "\nKinds are "),
        ("docs/ja/reading-output.md", "\nKIND は "),
    ] {
        let page = read(path);
        assert_eq!(
            missing(&kinds, between(&page, from, "\n\n")),
            [""; 0],
            "{path}"
        );
    }
}
