//! Services without a health check.

use crate::check::compose::is_job;
use crate::check::rules::compose::prelude::*;

pub(crate) static RULE: Rule = rule!(compose_no_health_check, Warning, run)
    .grouped("services have no health check", None)
    .advice();

fn run(context: &Context, findings: &mut Findings) {
    let view = context.projects();
    for (stack, name, service) in view.started() {
        if !is_job(view, stack, name, service) {
            findings.extend(health(view, stack, name, service));
        }
    }
}

fn health(view: &View, stack: &ParsedStack, name: &str, service: &Service) -> Option<Finding> {
    if service
        .rest
        .get("healthcheck")
        .is_some_and(|check| !check.is_null())
    {
        return None;
    }
    let place = say(
        view.at(stack, name, &[]),
        format!("service {name} has no health check"),
        "",
        "add healthcheck: test: [\"CMD\", ...]; if the image has one, add an allow comment",
    );
    Some(RULE.at(place))
}
