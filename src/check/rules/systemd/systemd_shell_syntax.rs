//! What only a shell would read in command lines, "Command lines" in systemd.service(5).

use super::systemd_relative_command;
use crate::check::rules::systemd::prelude::*;
use crate::source::unit::exec::{Command, Word, base, is_shell};

pub(crate) static RULE: Rule = rule!(systemd_shell_syntax, Error, run);

/// Commands of the shell itself: there is no program of that name that would do the same.
const OF_THE_SHELL: [&str; 11] = [
    "cd", "source", ".", "export", "set", "unset", "eval", "exec", "if", "for", "while",
];

/// Programs that leave patterns to the shell.
const WITHOUT_PATTERNS: [&str; 16] = [
    "rm", "cp", "mv", "ls", "cat", "chmod", "chown", "touch", "du", "gzip", "gunzip", "bzip2",
    "xz", "ln", "tail", "head",
];

/// What a shell would have done with a word, and what helps.
struct Meant {
    what: String,
    help: &'static str,
}

const TO_A_SHELL: &str = "run it with a shell: /bin/sh -c '...', or put it into a script";

fn run(context: &Context, findings: &mut Findings) {
    for unit in &context.units().all {
        for line in &unit.lines {
            let commands = line.commands.iter();
            findings.extend(commands.filter_map(|command| find(line, command)));
        }
    }
}

/// A command of a line that is meant for a shell. One that systemd does not run at all has its finding.
pub(crate) fn find(line: &Line, command: &Command) -> Option<Finding> {
    if systemd_relative_command::find(line, command).is_some() {
        return None;
    }
    // systemd 258 has a prefix that asks for a shell.
    if command.prefix.contains('|') {
        return None;
    }
    let program = command.words.first()?;
    let found = command.words.iter().enumerate().find_map(|(at, word)| {
        let meant = match at {
            0 => of_program(word),
            _ => of_argument(word, &program.text),
        };
        Some((word, meant?))
    });
    let (word, meant) = found?;
    let Meant { what, help } = meant;
    let message = format!("{what}, and no shell reads {}", line.value.key);
    let expected = "to systemd a word like any other";
    let place = line
        .value
        .complain_about(word.span.clone(), message, expected);
    let help = Some(help.to_owned());
    Some(RULE.at(Diagnostic { help, ..place }))
}

fn of_program(word: &Word) -> Option<Meant> {
    let text = &word.text;
    if OF_THE_SHELL.contains(&text.as_str()) {
        let help = match text.as_str() {
            "cd" => "write WorkingDirectory= for the folder, and only the command here",
            "export" | "set" => "write Environment= or EnvironmentFile=, and only the command here",
            "exec" => "remove exec: systemd runs the command itself",
            _ => TO_A_SHELL,
        };
        let what = format!("{text:?} is a command of the shell");
        return Some(Meant { what, help });
    }
    let assigned = text.split_once('=').map(|(name, _)| name);
    if assigned.is_some_and(is_variable) {
        let what = format!("{text:?} is an assignment of the shell");
        let help = "write Environment= for the variable, and only the command here";
        return Some(Meant { what, help });
    }
    chain(word)
}

fn of_argument(word: &Word, program: &str) -> Option<Meant> {
    let text = word.text.as_str();
    if word.quoted {
        return None;
    }
    let operator = match text {
        "|" | "|&" => Some("is a pipe of the shell"),
        "&&" | "||" => Some("joins two commands of the shell"),
        "&" => Some("puts a command of the shell into the background"),
        _ if is_redirection(text) => Some("is a redirection of the shell"),
        _ => None,
    };
    if let Some(operator) = operator {
        let what = format!("{text:?} {operator}");
        let help = match text {
            "&" => "remove &: systemd does not wait for the command of a Type=simple service",
            "&&" => {
                "write one Exec line for each command, or run it with a shell: /bin/sh -c '...'"
            }
            _ if is_redirection(text) => {
                "write StandardOutput= or StandardError=, or run it with a shell: /bin/sh -c '...'"
            }
            _ => TO_A_SHELL,
        };
        return Some(Meant { what, help });
    }
    if let Some(meant) = chain(word) {
        return Some(meant);
    }
    // `$$` is one `$` for the program.
    let unescaped = text.replace("$$", "");
    if unescaped.contains("$(") || (text.starts_with('`') && !is_shell(program)) {
        let what = format!("{text:?} is a command substitution of the shell");
        return Some(Meant {
            what,
            help: TO_A_SHELL,
        });
    }
    if let Some(help) = parameter(&unescaped) {
        let what = format!("{text:?} is a parameter expansion of the shell");
        return Some(Meant { what, help });
    }
    // ssh and its like know `~` themselves.
    if (text == "~" || text.starts_with("~/")) && !base(program).contains("ssh") {
        let what = format!("{text:?} is the home folder only for a shell");
        let help = "write the absolute path, or %h for the home folder of root";
        return Some(Meant { what, help });
    }
    let is_pattern = text.starts_with(['/', '.']) && text.contains(['*', '?']);
    if is_pattern && WITHOUT_PATTERNS.contains(&base(program)) {
        let what = format!("{text:?} is a pattern of the shell");
        return Some(Meant {
            what,
            help: TO_A_SHELL,
        });
    }
    None
}

/// `;` behind a word: systemd's own separator is alone.
fn chain(word: &Word) -> Option<Meant> {
    let text = word.text.as_str();
    let is_chain = !word.quoted && text.len() > 1 && text.ends_with(';') && !text.ends_with("\\;");
    is_chain.then(|| Meant {
        what: format!(
            "the \";\" after {:?} ends a command of the shell",
            text.trim_end_matches(';')
        ),
        help: "write one Exec line for each command, or run it with a shell: /bin/sh -c '...'",
    })
}

/// `>`, `>>`, `2>`, `2>&1`, `&>`, `<`, each with or without a target behind it.
fn is_redirection(text: &str) -> bool {
    let behind = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.len() - behind.len();
    let behind = match digits {
        0 => behind.strip_prefix('&').unwrap_or(behind),
        _ => behind,
    };
    if let Some(target) = behind.strip_prefix('>') {
        return digits < 2 && !target.starts_with('=');
    }
    // An address may stand in such brackets.
    behind
        .strip_prefix('<')
        .is_some_and(|source| source.is_empty() || source.starts_with(['/', '.', '<', '(']))
}

/// What helps against `${NAME:-default}` and its like. systemd replaces `${NAME}` alone.
fn parameter(text: &str) -> Option<&'static str> {
    let (_, behind) = text.split_once("${")?;
    let (inside, _) = behind.split_once('}')?;
    let name = inside.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let operator = inside.get(name?..)?;
    (name? > 0 && operator.starts_with([':', '-', '=', '#', '%', '/', '?', '+'])).then_some(
        "set the default with Environment=, which EnvironmentFile= overrides, and write only ${NAME} here",
    )
}

fn is_variable(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}
