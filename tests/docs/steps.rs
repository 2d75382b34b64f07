//! The pages that add something step by step: their diffs fit the code as it is.

use std::fs;
use std::path::Path;
use std::process::Command;

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
    wrong.extend(there.map(|path| format!("{path} already exists")));
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
            "README.md already exists"
        ]
    );
}

/// Does in a copy of the repository what a page says.
fn follow(page: &str, copy: &Path) {
    let blocks = page.split("\n```diff\n").skip(1);
    for block in blocks.filter_map(|rest| rest.split("\n```").next()) {
        for file in block.split("--- ").filter(|file| !file.is_empty()) {
            let (head, hunks) = file.split_once("\n+++ b/").expect("two names");
            let (path, hunks) = hunks.split_once('\n').expect("lines");
            let path = copy.join(path);
            if head == "/dev/null" {
                let lines = hunks
                    .lines()
                    .map(|line| line.strip_prefix('+').expect(line));
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(
                    path,
                    lines.map(|line| format!("{line}\n")).collect::<String>(),
                )
                .unwrap();
                continue;
            }
            let mut text = fs::read_to_string(&path).unwrap();
            for hunk in hunks.split("@@").skip(1) {
                let (section, lines) = hunk.split_once('\n').expect("lines");
                let side = |other: char| -> String {
                    let lines = lines.lines().filter(|line| !line.starts_with(other));
                    lines.map(|line| format!("{}\n", &line[1..])).collect()
                };
                let (mut before, mut after) = (side('+'), side('-'));
                // Without a line around it, it comes below the line that the hunk names.
                if before.is_empty() {
                    before = format!("{}\n", section.trim());
                    after = before.clone() + &after;
                }
                assert_eq!(text.matches(&before).count(), 1, "{before}");
                text = text.replacen(&before, &after, 1);
            }
            fs::write(path, text).unwrap();
        }
    }
}

/// Runs cargo in a copy of the repository.
fn cargo(copy: &Path, args: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(args)
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", copy.with_extension("target"))
        .envs(["UPDATE_RULES", "UPDATE_DOCS", "UPDATE_SCHEMAS"].map(|name| (name, "1")))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {text}\n{errors}");
    text
}

#[test]
#[ignore = "builds the program anew: tests/run --all"]
fn what_the_pages_add_builds_and_passes() {
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("adding");
    let _ = fs::remove_dir_all(&copy);
    let from = repository().to_str().unwrap();
    let clone = [
        "clone",
        "-q",
        "--no-hardlinks",
        from,
        copy.to_str().unwrap(),
    ];
    assert!(Command::new("git").args(clone).status().unwrap().success());
    for page in ["rule", "kind", "command"] {
        let page = copy.join(format!("docs/adding-a-{page}.md"));
        follow(&fs::read_to_string(page).unwrap(), &copy);
    }
    // Writes what is generated.
    cargo(&copy, &["test", "--locked", "--lib", "check::"]);
    cargo(&copy, &["test", "--locked", "--lib", "cli::commands"]);
    for (filter, passes) in [
        ("kinds::sysctl", 1),
        ("rule::compose_privileged", 2),
        ("cli::commands", 10),
    ] {
        let said = cargo(&copy, &["test", "--locked", "--lib", filter]);
        let passed = said.matches(" ... ok").count();
        assert!(passed >= passes, "{filter}: {said}");
    }
    let said = cargo(&copy, &["test", "--locked", "--test", "cli", "files::"]);
    assert!(
        said.contains("files::files_are_listed_with_their_sizes ... ok"),
        "{said}"
    );
    cargo(&copy, &["test", "--locked", "--test", "architecture"]);
    fs::remove_dir_all(copy.with_extension("target")).unwrap();
}
