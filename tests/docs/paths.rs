//! Files of the code that documents name in backquotes are there.

use crate::repository;

/// Names of files in backquotes, such as `kinds/mod.rs`; not patterns such as `kinds/NAME/data.rs`.
fn named(page: &str) -> Vec<&str> {
    let is_path = |c: char| c.is_ascii_alphanumeric() || "/_-.".contains(c);
    let is_pattern = |name: &&str| name.contains("NAME") || name.contains("FAMILY");
    let code = page.split('`').skip(1).step_by(2);
    code.filter(|name| name.contains('/') && name.ends_with(".rs") && name.chars().all(is_path))
        .filter(|name| !is_pattern(name))
        .collect()
}

/// A path is meant from the repository, from `src/`, or from the tests.
fn is_there(name: &str) -> bool {
    let bases = ["", "src", "src/cli", "tests", "tests/hosts"];
    bases
        .iter()
        .any(|base| repository().join(base).join(name).exists())
}

#[test]
fn they_are_there() {
    let mut missing = Vec::new();
    for (path, _) in crate::pages() {
        let name = path.to_string_lossy().into_owned();
        let is_about_code = ["ARCHITECTURE.md", "CONTRIBUTING.md"].contains(&name.as_str())
            || name.starts_with("docs/decisions");
        if is_about_code {
            let text = std::fs::read_to_string(repository().join(&path)).unwrap();
            let of_page = named(&text).into_iter().filter(|name| !is_there(name));
            missing.extend(of_page.map(|file| format!("{name}: {file}")));
        }
    }
    assert_eq!(missing, [""; 0]);
    assert_eq!(
        named("see `a/b.rs`, `c.rs`, `d/` and `cargo test x/y.rs`"),
        ["a/b.rs"]
    );
}
