//! Services without a command.

use crate::check::rules::systemd::prelude::*;
use crate::check::systemd::service::has_misspelt_command;

pub(crate) static RULE: Rule = rule!(systemd_no_command, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    for unit in context.units().services() {
        findings.extend(no_command(unit, &ServiceType::of(unit)));
    }
}

/// The conditions of `service_verify`, as systemd.service(5) tells them.
fn no_command(unit: &Unit, kind: &ServiceType) -> Option<Finding> {
    let has = |key: &str| unit.lines_of(key).next().is_some();
    let succeeds = unit
        .settings
        .last("Unit", "SuccessAction")
        .is_some_and(|value| value.text != "none");
    if has("ExecStart") || has_misspelt_command(unit) {
        return None;
    }
    let (message, help) = if !kind.is_oneshot() {
        (
            format!(
                "a service of Type={} has no ExecStart: systemd refuses it",
                kind.name
            ),
            "write ExecStart=, or Type=oneshot",
        )
    } else if !has("ExecStop") && !succeeds {
        (
            "a service without ExecStart and ExecStop does nothing: systemd refuses it".to_owned(),
            "write ExecStart=",
        )
    } else if !kind.remains && !succeeds {
        (
            "a service without ExecStart needs RemainAfterExit=yes: systemd refuses it".to_owned(),
            "write RemainAfterExit=yes, or ExecStart=",
        )
    } else {
        return None;
    };
    let source = unit.settings.sources().first()?;
    let mut headers = source.parsed.sections.iter();
    let section = headers.find(|section| section.name == "Service");
    let span = section
        .or(source.parsed.sections.first())
        .map_or(0..0, |section| section.span.clone());
    let place = source.complain(span, message, "expected ExecStart below");
    Some(RULE.at(place.helped(help)))
}
