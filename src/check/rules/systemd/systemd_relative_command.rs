//! Commands whose path is relative, "Command lines" in systemd.service(5).

use crate::check::rules::systemd::prelude::*;
use crate::source::unit::exec::Command;

pub(crate) static RULE: Rule = rule!(systemd_relative_command, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    for unit in &context.units().all {
        for line in &unit.lines {
            let commands = line.commands.iter();
            findings.extend(commands.filter_map(|command| find(line, command)));
        }
    }
}

/// A command of a line that has a relative path.
pub(crate) fn find(line: &Line, command: &Command) -> Option<Finding> {
    let program = command.words.first()?;
    let text = &program.text;
    // Names without a slash are looked up in a fixed list of folders.
    let is_path = text.contains('/') && !text.starts_with('/') && !text.contains(['=', '%', '$']);
    if !is_path {
        return None;
    }
    let message = format!("{text:?} is not an absolute path: systemd does not run it");
    let place = line
        .value
        .complain_about(program.span.clone(), message, "expected /...");
    let help = match text.strip_prefix("~/") {
        Some(rest) => format!("systemd does not expand ~: write /home/USER/{rest}"),
        None => "write the absolute path; WorkingDirectory= does not apply to the command itself"
            .to_owned(),
    };
    Some(RULE.at(place.helped(help)))
}
