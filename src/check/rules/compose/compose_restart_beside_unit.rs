//! Restart policies of services that a unit runs.

use crate::check::rules::compose::prelude::*;

pub(crate) static RULE: Rule = rule!(compose_restart_beside_unit, Warning, run)
    .grouped("services have a restart policy, and a unit runs them", None);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.projects();
    for (stack, name, service) in view.started() {
        findings.extend(restart(view, stack, name, service));
    }
}

fn restart(view: &View, stack: &ParsedStack, name: &str, service: &Service) -> Option<Finding> {
    let policy = service.restart()?;
    let unit = stack.unit.as_ref()?;
    if view.unit_of(stack).is_some_and(|unit| unit.alone) {
        return None;
    }
    // A stack's unit stops its containers at shutdown, and Docker does not start what was stopped.
    if stack.own && policy == "unless-stopped" {
        return None;
    }
    // Docker starts those with its daemon, whatever units say; on-failure it does not.
    if !["always", "unless-stopped"].contains(&policy.as_str()) {
        return None;
    }
    let message = format!("service {name} has restart: {policy}, and {unit} runs it");
    let help = match stack.attached {
        _ if stack.own => {
            "write restart: unless-stopped: Docker does not start what its unit stopped"
        }
        true => "remove it: the unit restarts the service with Restart=",
        false => "write restart: on-failure, which does not start it with the Docker daemon",
    };
    let expected = "at boot Docker starts it without the unit's After= and Requires=";
    let place = view.at(stack, name, &["restart"]);
    Some(RULE.at(say(place, message, expected, help)))
}
