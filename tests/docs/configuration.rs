//! docs/configuration.md has every key of watchme.toml. The program itself tells which there are: an unknown key is an error that lists them.

use std::fs;
use std::path::Path;

use assert_cmd::cargo::cargo_bin_cmd;

use crate::repository;

/// A heading of the page, and how a file gets into that table.
const TABLES: [(&str, &str); 12] = [
    ("### The top level", ""),
    ("### `[folders]`", "[folders]"),
    ("### `[budget]`", "[budget]"),
    ("### `[ports]`", "[ports]"),
    ("### `[site.\"NAME\"]`", "[site.\"x\"]"),
    ("### `[unit.\"NAME.service\"]`", "[unit.\"x.service\"]"),
    ("### `[network.NAME]`", "[network.x]"),
    ("### `[[network.NAME.member]]`", "[[network.x.member]]"),
    ("### `[etc.\"PATH\"]`", "[etc.\"x\"]"),
    ("### `[[route]]`", "[[route]]"),
    ("### `[[gate]]`", "[[gate]]"),
    ("### `[check]`", "[check.\"x\"]"),
];

/// The keys that the program knows in a table. Empty: there is no such table.
fn keys(folder: &Path, table: &str) -> Vec<String> {
    fs::write(
        folder.join("watchme.toml"),
        format!("{table}\nnonsense-key = 1\n"),
    )
    .unwrap();
    let mut command = cargo_bin_cmd!("watchme-apply");
    command.args(["check", "--desired-state"]).arg(folder);
    let output = command.output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    let listed = said.split_once("the keys here are ").map(|(_, keys)| keys);
    listed
        .and_then(|keys| keys.lines().next())
        .map(|keys| keys.split(", ").map(|key| key.trim().to_owned()).collect())
        .unwrap_or_default()
}

/// The keys in the first column of the table below a heading.
fn documented(page: &str, heading: &str) -> Vec<String> {
    let Some((_, section)) = page.split_once(&format!("{heading}\n")) else {
        return Vec::new();
    };
    let section = section.split("\n### ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split_once('`'))
        .map(|(key, _)| key.to_owned())
        .collect()
}

#[test]
fn every_key_is_on_the_page() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("systemd")).unwrap();
    let page = fs::read_to_string(repository().join("docs/configuration.md")).unwrap();
    let top = keys(folder.path(), "");
    for (heading, table) in TABLES {
        let name = table.trim_matches(['[', ']']).split('.').next().unwrap();
        if !name.is_empty() && !top.iter().any(|key| key == name) {
            continue;
        }
        let known = keys(folder.path(), table);
        assert!(!known.is_empty(), "{table}: no keys");
        let here = documented(&page, heading);
        let is_table = |key: &String| {
            heading == "### The top level"
                && TABLES.iter().any(|(_, other)| {
                    let name = other.trim_matches(['[', ']']).split('.').next();
                    name == Some(key.as_str())
                })
        };
        let missing: Vec<_> = known
            .iter()
            .filter(|key| !here.contains(key) && !is_table(key))
            .collect();
        assert!(
            missing.is_empty(),
            "docs/configuration.md, {heading} lacks {missing:?}"
        );
        let gone: Vec<_> = here.iter().filter(|key| !known.contains(key)).collect();
        assert!(
            gone.is_empty(),
            "docs/configuration.md, {heading} has {gone:?}"
        );
    }
}

#[test]
fn every_table_of_the_top_level_has_a_section() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("systemd")).unwrap();
    let page = fs::read_to_string(repository().join("docs/configuration.md")).unwrap();
    let top = documented(&page, "### The top level");
    for key in keys(folder.path(), "") {
        let section = [format!("### `[{key}"), format!("### `[[{key}")];
        assert!(
            top.contains(&key) || section.iter().any(|start| page.contains(start)),
            "{key} has no row and no section"
        );
    }
}
