//! A translation has the headings, tables and code blocks of its original.

use std::path::Path;

use crate::markdown::Page;
use crate::pages;

/// What has to be the same: levels of headings, languages and contents of blocks without their comments, rows and columns of tables.
fn shape(page: &Page) -> Vec<String> {
    let headings = page
        .headings
        .iter()
        .map(|(level, _)| format!("heading {level}"));
    let tables = page.tables.iter().map(|rows| format!("table {rows:?}"));
    let blocks = page.blocks.iter().map(|(language, lines)| {
        let plain: Vec<&str> = lines.iter().map(|line| without_comment(line)).collect();
        format!("block {language}\n{}", plain.join("\n"))
    });
    headings.chain(tables).chain(blocks).collect()
}

/// Pages that operators need on a server: they have a translation.
const TRANSLATED: [&str; 5] = [
    "README.ja.md",
    "docs/ja/adopting.md",
    "docs/ja/recipes.md",
    "docs/ja/reading-output.md",
    "docs/ja/recovery.md",
];

/// Comments are translated: they begin with `# ` or stand behind two spaces and `# `.
fn without_comment(line: &str) -> &str {
    let line = match line.trim_start().starts_with("# ") {
        true => "",
        false => line.split("  # ").next().unwrap_or_default(),
    };
    line.trim_end()
}

#[test]
fn translations_have_the_shape_of_their_originals() {
    let pages = pages();
    let find = |name: &str| {
        let found = pages.iter().find(|(path, _)| path == Path::new(name));
        &found.unwrap_or_else(|| panic!("no {name}")).1
    };
    let translated = pages.iter().filter_map(|(path, _)| {
        let name = path.strip_prefix("docs/ja").ok()?;
        Some((
            format!("docs/{}", name.display()),
            path.display().to_string(),
        ))
    });
    let readme = ("README.md".to_owned(), "README.ja.md".to_owned());
    for (original, translation) in translated.chain([readme]) {
        let (wanted, there) = (shape(find(&original)), shape(find(&translation)));
        for (wanted, there) in wanted.iter().zip(&there) {
            assert_eq!(wanted, there, "{original} and {translation} differ");
        }
        assert_eq!(
            wanted.len(),
            there.len(),
            "{original} and {translation} differ"
        );
    }
}

#[test]
fn what_operators_need_is_translated() {
    let pages = pages();
    let is_there = |name: &&str| pages.iter().any(|(path, _)| path == Path::new(name));
    let missing: Vec<&str> = TRANSLATED
        .into_iter()
        .filter(|name| !is_there(name))
        .collect();
    assert_eq!(missing, [""; 0]);
}
