//! Programs whose name is almost a known one.

use super::{systemd_relative_command, systemd_shell_syntax};
use crate::check::rules::systemd::prelude::*;
use crate::source::error::misspelt;
use crate::source::unit::exec::{Command, base};

pub(crate) static RULE: Rule = rule!(systemd_command_misspelt, Error, run);

/// A program with a long name that is almost this one is this one.
const COMPOSE: &str = "docker-compose";

fn run(context: &Context, findings: &mut Findings) {
    for unit in &context.units().all {
        for line in &unit.lines {
            let commands = line.commands.iter();
            findings.extend(commands.filter_map(|command| find(line, command)));
        }
    }
}

fn find(line: &Line, command: &Command) -> Option<Finding> {
    let program = command.words.first()?;
    let name = base(&program.text);
    if name == COMPOSE || misspelt(name, [COMPOSE]).is_none() {
        return None;
    }
    // A command has one finding.
    let has_another = systemd_relative_command::find(line, command).is_some()
        || systemd_shell_syntax::find(line, command).is_some();
    if has_another {
        return None;
    }
    let message = format!("{name} is not a program: systemd does not find it");
    let place = line.value.complain_about(program.span.clone(), message, "");
    let help = format!("did you mean {COMPOSE}?");
    Some(RULE.at(place.helped(help)))
}
