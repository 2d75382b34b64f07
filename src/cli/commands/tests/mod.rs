//! What all commands have in common: each is in the list, has examples that work, and its JSON has a schema.

mod page;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::CommandFactory;

use super::Commands;
use crate::cli::args::{self, Args};
use crate::cli::json::{Document, Error};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Names of a folder's entries, without endings.
fn names(folder: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(repository().join(folder)).unwrap();
    let stem = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    entries.map(|entry| stem(entry.unwrap().path())).collect()
}

/// The program and its commands, inner ones too.
fn commands() -> Vec<clap::Command> {
    fn add(command: &clap::Command, all: &mut Vec<clap::Command>) {
        all.push(command.clone());
        let inner = command.get_subcommands();
        let inner = inner.filter(|command| command.get_name() != "help");
        inner.for_each(|inner| add(inner, all));
    }
    let mut program = Args::command();
    program.build();
    let mut all = Vec::new();
    add(&program, &mut all);
    all
}

#[test]
fn every_file_is_a_command_of_the_list() {
    let mut files = names("src/cli/commands");
    assert!(files.remove("mod") && files.remove("tests"));
    let listed = Args::command();
    let listed = listed.get_subcommands();
    let listed: BTreeSet<String> = listed
        .map(|command| command.get_name().replace('-', "_"))
        .collect();
    let missing: Vec<_> = files.symmetric_difference(&listed).collect();
    assert!(
        missing.is_empty(),
        "{missing:?}: not both a file here and in the list of mod.rs"
    );
}

/// The schemas in the repository are those of the code. `UPDATE_SCHEMAS=1` writes them.
#[test]
fn schemas_are_written_down() {
    let page = std::fs::read_to_string(repository().join("docs/json.md")).unwrap();
    let mut written = BTreeSet::new();
    for (name, schema) in Commands::schemas().into_iter().chain(Error::schemas()) {
        written.insert(name.to_owned());
        let path = repository().join("schema").join(format!("{name}.json"));
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let stale = std::fs::read_to_string(&path).unwrap_or_default() != text;
        assert!(
            !stale,
            "schema/{name}.json is stale: UPDATE_SCHEMAS=1 cargo test --lib cli::commands"
        );
        let link = format!("(../schema/{name}.json)");
        assert!(page.contains(&link), "docs/json.md lacks {link}");
    }
    // That one is for what is read, not printed.
    let mut there = names("schema");
    there.remove("watchme.schema");
    there.remove("watchme-service.schema");
    assert_eq!(there, written, "nothing prints the others");
}

/// Lines of a help's examples, as arguments.
fn examples(command: &clap::Command) -> Vec<Vec<OsString>> {
    let after = command.get_after_help().map(ToString::to_string);
    let after = after.unwrap_or_default();
    let (_, examples) = after.split_once("\nExample").unwrap_or(("", &after));
    let lines = examples
        .lines()
        .filter_map(|line| line.strip_prefix("  "))
        .filter_map(|line| line.split(" #").next());
    let words = |line: &str| {
        let line = line.trim_start_matches("git pull && ");
        let line = line.trim_start_matches("sudo ");
        // As a shell splits them, for what examples have of quotes.
        let parts = line.split('"').enumerate();
        let parts = parts.flat_map(|(at, part)| match at % 2 {
            0 => part.split_whitespace().map(OsString::from).collect(),
            _ => vec![OsString::from(part)],
        });
        parts.collect()
    };
    lines.map(words).collect()
}

#[test]
fn every_help_ends_with_examples_that_work() {
    for command in commands() {
        let name = command.get_bin_name().unwrap_or(command.get_name());
        let examples = examples(&command);
        assert!(!examples.is_empty(), "{name}");
        for words in examples {
            let parsed = args::parse(&words);
            assert!(parsed.is_ok(), "{name}: {words:?}: {}", parsed.unwrap_err());
        }
        let after = command.get_after_help().unwrap().to_string();
        let symbols = matches!(command.get_name(), "plan" | "apply");
        assert_eq!(after.starts_with("Symbols:"), symbols, "{name}");
    }
}

/// The first paragraph of docs/commands.md says which commands change the host.
#[test]
fn the_page_names_what_changes_the_host() {
    let mut changing = BTreeSet::new();
    for command in commands() {
        for words in examples(&command) {
            let args = args::parse(&words).unwrap();
            if args.command.changes_the_host() {
                let name = words
                    .get(1)
                    .map_or("apply".into(), |word| word.to_string_lossy());
                changing.insert(name.into_owned());
            }
        }
    }
    let (sentence, _) = page::HEAD.split_once(" change the host").unwrap();
    let (_, sentence) = sentence.rsplit_once("\n\n").unwrap();
    let named = sentence.split('`').skip(1).step_by(2);
    let named: BTreeSet<String> = named
        .filter_map(|name| name.split(' ').next().map(str::to_owned))
        .collect();
    assert_eq!(changing, named);
}
