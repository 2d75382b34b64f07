//! Services without a health check.

use crate::check::compose::is_job;
use crate::check::rules::compose::prelude::*;

pub(crate) static RULE: Rule = rule!(compose_no_health_check, Warning, run)
    .grouped("services have no health check", None)
    .advice();

fn run(context: &Context, findings: &mut Findings) {
    let view = context.projects();
    for (stack, name, service) in view.started() {
        let check = service.rest.get("healthcheck");
        if is_job(view, stack, name, service) || check.is_some_and(|check| !check.is_null()) {
            continue;
        }
        let message = format!("service {name} has no health check");
        let help =
            "add healthcheck: test: [\"CMD\", ...]; if the image has one, add an allow comment";
        findings.push(RULE.at(say(view.at(stack, name, &[]), message, "", help)));
    }
}
