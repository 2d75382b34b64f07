//! Services with a second `ExecStart=`.

use crate::check::rules::systemd::prelude::*;

pub(crate) static RULE: Rule = rule!(systemd_several_commands, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    for unit in context.units().services() {
        findings.extend(several_commands(unit, &ServiceType::of(unit)));
    }
}

fn several_commands(unit: &Unit, kind: &ServiceType) -> Option<Finding> {
    if kind.is_oneshot() {
        return None;
    }
    let mut commands = unit
        .lines_of("ExecStart")
        .flat_map(|line| line.commands.iter().map(move |command| (line, command)));
    let (first, _) = commands.next()?;
    let (line, command) = commands.next()?;
    let message = format!(
        "systemd refuses a second ExecStart in a service of {}",
        kind.written()
    );
    let start = command.words.first()?.span.start;
    let end = command.words.last()?.span.end;
    let place = line
        .value
        .complain_about(start..end, message, "expected one command");
    let in_file = |line: &Line| line.value.complain("", "").file;
    let help = match in_file(line) == in_file(first) {
        true => {
            "write Type=oneshot if each command ends, or ExecStartPre= for those that prepare the last"
        }
        false => "write an empty ExecStart= above it in this drop-in: that removes the first one",
    };
    Some(RULE.at(place.helped(help)))
}
