//! Networks that services are on, and that no file of the project declares.

use crate::check::rules::compose::prelude::*;
use crate::source::error::nearest;

pub(crate) static RULE: Rule = rule!(compose_network_undeclared, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.projects();
    for stack in view.stacks.iter().filter(|stack| stack.whole) {
        findings.extend(undeclared(view, stack));
    }
}

/// Networks that services are on, and that no file of the project declares.
fn undeclared(view: &View, stack: &ParsedStack) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (service, definition) in &stack.compose.services {
        for (key, _) in definition.networks.entries() {
            if key == "default" || stack.compose.networks.contains_key(key) {
                continue;
            }
            let infra = &view.subject.revision.desired.networks;
            let declared = stack.compose.networks.keys().map(String::as_str);
            let help = match (infra.contains_key(key), nearest(key, declared)) {
                (true, _) => format!("add networks: {key}: external: true at the end of the file"),
                (false, Some(near)) => format!("did you mean {near}?"),
                (false, None) => format!("declare {key} below networks: at the end of the file"),
            };
            findings.push(RULE.at(say(
                view.at(stack, service, &["networks", key]),
                format!("service {service} is on network {key}, which its file does not declare"),
                "compose refuses to start it",
                help,
            )));
        }
    }
    findings
}
