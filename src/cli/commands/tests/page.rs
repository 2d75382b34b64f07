//! docs/commands.md: every command with its options, as clap knows them.

use std::fmt::Write;

use clap::{Arg, Command, CommandFactory};

use crate::cli::args::Args;

pub(super) const HEAD: &str = "\
# Commands

Written by `UPDATE_DOCS=1 cargo test --lib cli::commands`; do not edit.

`apply`, `confirm`, `rollback`, `drift --fix`, `secret load`, `backup run`, `restore`, `pause`, `resume`, `recover`, `prune` and `uninstall` change the host; without root they run again through sudo, and say so. The other commands only
read; `init`, `import`, `new`, `docs`, `capture`, `secret edit` and `secret rotate` write to the checkout. `init`, `new`, `docs`, `check`, `routes`, `ports`, `secret` and `plan --from` need no root. `plan`, `status`, `metrics`, `notify`, `drift`, `history`, `show`, `logs` and `backup list` need root once something was applied, because only root can read the records. `import` always needs root.

";

fn page() -> String {
    let mut program = Args::command();
    program.build();
    let mut text = HEAD.to_owned();
    section(&mut text, &program, 2);
    let commands = program
        .get_subcommands()
        .filter(|one| one.get_name() != "help");
    for command in commands {
        section(&mut text, command, 2);
        let inner = command
            .get_subcommands()
            .filter(|one| one.get_name() != "help");
        inner.for_each(|inner| section(&mut text, inner, 3));
    }
    format!("{}\n", text.trim_end())
}

fn section(text: &mut String, command: &Command, level: usize) {
    let name = command.get_bin_name().unwrap_or(command.get_name());
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let about = command.get_about().map(ToString::to_string);
    let _ = writeln!(text, "{} {name}\n", "#".repeat(level));
    let _ = writeln!(text, "{}.\n", about.unwrap_or_default());
    let _ = writeln!(text, "```\n{usage}\n```\n");
    let is_global = |arg: &&Arg| command.get_name() != "watchme-apply" && arg.is_global_set();
    let rows: Vec<String> = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && !is_global(arg) || of_the_command(command, arg))
        .filter(|arg| !matches!(arg.get_id().as_str(), "help" | "version"))
        .map(row)
        .collect();
    if !rows.is_empty() {
        let title = match command.get_name() {
            "watchme-apply" => "option of all commands",
            _ => "argument or option",
        };
        let _ = writeln!(
            text,
            "| {title} | meaning |\n|---|---|\n{}\n",
            rows.join("\n")
        );
    }
    if let Some(after) = command.get_after_help() {
        let _ = writeln!(text, "```\n{}\n```\n", after.to_string().trim_end());
    }
}

/// Options that a command shares with those below it are still its own.
fn of_the_command(command: &Command, arg: &Arg) -> bool {
    command.get_name() == "routes" && matches!(arg.get_id().as_str(), "rev" | "json")
}

fn row(arg: &Arg) -> String {
    let value = arg
        .get_value_names()
        .filter(|_| arg.get_action().takes_values())
        .and_then(|names| names.first())
        .map(ToString::to_string);
    let name = match (arg.get_short(), arg.get_long()) {
        (Some(short), Some(long)) => format!("-{short}, --{long}"),
        (None, Some(long)) => format!("--{long}"),
        _ => String::new(),
    };
    let name = match (name.is_empty(), value) {
        (true, Some(value)) => value,
        (false, Some(value)) => format!("{name} {value}"),
        (_, None) => name,
    };
    let help = arg.get_long_help().or(arg.get_help());
    let help = help.map(ToString::to_string).unwrap_or_default();
    let values: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|_| arg.get_action().takes_values())
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    let default = arg
        .get_default_values()
        .first()
        .filter(|_| arg.get_action().takes_values())
        .map(|value| value.to_string_lossy());
    let mut meaning = help.replace(['\n'], " ");
    if !values.is_empty() {
        let _ = write!(meaning, ": {}", values.join(", "));
    }
    if let Some(default) = default {
        let _ = write!(meaning, " [default: {default}]");
    }
    format!("| `{name}` | {} |", meaning.replace('|', "\\|"))
}

#[test]
fn the_page_of_commands_is_up_to_date() {
    let path = super::repository().join("docs/commands.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/commands.md is stale: UPDATE_DOCS=1 cargo test --lib cli::commands"
    );
}
