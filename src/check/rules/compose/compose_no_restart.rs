//! Services that nothing restarts.

use crate::check::compose::is_job;
use crate::check::compose::view::{View, say};
use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};
use crate::model::Finding;
use crate::source::ParsedStack;
use crate::source::compose::Service;

/// The rule.
pub(crate) static RULE: Rule = rule!(compose_no_restart, Warning, run)
    .grouped(
        "services stay down after they exit: nothing restarts them",
        None,
    )
    .advice();

fn run(context: &Context, findings: &mut Findings) {
    let view = context.projects();
    for (stack, name, service) in view.started() {
        findings.extend(restart(view, stack, name, service));
    }
}

fn restart(view: &View, stack: &ParsedStack, name: &str, service: &Service) -> Option<Finding> {
    if service.restart().is_some() || is_job(view, stack, name, service) {
        return None;
    }
    let (message, help) = match &stack.unit {
        Some(unit) if !stack.attached && stays(view, stack) => (
            format!(
                "nothing restarts service {name}: {unit} starts it with up -d and does not look after it"
            ),
            match stack.own {
                true => "write restart: unless-stopped here",
                false => "write restart: on-failure here, or let the unit run up without -d",
            },
        ),
        // A unit that could not be read may run it.
        None if view.subject.is_whole() => (
            format!(
                "nothing restarts service {name}: it has no restart policy, and no unit runs it"
            ),
            "write restart: unless-stopped here, or add a unit that runs it",
        ),
        _ => return None,
    };
    let place = view.at(stack, name, &["restart"]);
    Some(RULE.at(say(place, message, "", help)))
}

/// Whether the unit of a project brings it up, and runs: one that only pulls or stops it does not.
fn stays(view: &View, stack: &ParsedStack) -> bool {
    let units = &view.subject.revision.desired.units;
    let unit = stack.unit.as_ref().and_then(|unit| units.get(unit));
    stack.up && unit.is_some_and(|unit| unit.start)
}
