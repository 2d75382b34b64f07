//! Networks that services are on, and that no file of the project declares.

use crate::check::rules::compose::prelude::*;
use crate::source::error::nearest;

pub(crate) static RULE: Rule = rule!(compose_network_undeclared, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.projects();
    for (stack, service, definition) in view.services().filter(|(stack, ..)| stack.whole) {
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
            let message =
                format!("service {service} is on network {key}, which its file does not declare");
            let place = view.at(stack, service, &["networks", key]);
            findings.push(RULE.at(say(place, message, "compose refuses to start it", help)));
        }
    }
}
