//! Services of `Type=oneshot` that are to be restarted always.

use crate::check::rules::systemd::prelude::*;
use crate::check::systemd::service::has_misspelt_command;

pub(crate) static RULE: Rule = rule!(systemd_oneshot_restart, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    for unit in context.units().services() {
        findings.extend(oneshot_restart(unit, &ServiceType::of(unit)));
    }
}

fn oneshot_restart(unit: &Unit, kind: &ServiceType) -> Option<Finding> {
    if has_misspelt_command(unit) {
        return None;
    }
    let restart = unit.service("Restart")?;
    if !kind.is_oneshot() || !["always", "on-success"].contains(&restart.text.as_str()) {
        return None;
    }
    let message = format!(
        "systemd refuses Restart={} in a service of Type=oneshot",
        restart.text
    );
    let expected = "expected no or on-failure";
    let help = "remove the line, or write Restart=on-failure; where the command keeps running, remove Type=oneshot";
    Some(RULE.at(restart.complain(message, expected).helped(help)))
}
