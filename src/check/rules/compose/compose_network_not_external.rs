//! Networks of the infrastructure file that a project would make itself.

use crate::check::rules::compose::prelude::*;
use crate::source::compose::types::Network;

pub(crate) static RULE: Rule = rule!(compose_network_not_external, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.projects();
    for stack in &view.stacks {
        for (key, definition) in &stack.compose.networks {
            let definition = definition.clone().unwrap_or_default();
            findings.extend(match definition.external_name(key) {
                Some(name) => external(view, stack, key, &name, &definition),
                None => own(view, stack, key, &definition),
            });
        }
    }
}

/// An external network that says more than its name.
fn external(
    view: &View,
    stack: &ParsedStack,
    key: &str,
    name: &str,
    definition: &Network,
) -> Option<Finding> {
    let settings = [
        ("driver", definition.driver.is_some()),
        ("ipam", definition.ipam.is_some()),
    ];
    let (setting, _) = settings.into_iter().find(|(_, is_there)| *is_there)?;
    let place = say(
        view.top(stack, &["networks", key, setting]),
        format!("network {name} is external, but also has {setting}"),
        "docker compose 2 refuses the combination, docker-compose 1 ignores the setting",
        format!("remove {setting}: it is set where the network is created"),
    );
    Some(RULE.at(place).weighing(Severity::Warning))
}

/// A network that the project would make, and the infrastructure file makes.
fn own(view: &View, stack: &ParsedStack, key: &str, definition: &Network) -> Option<Finding> {
    let infra = &view.subject.revision.desired.networks;
    if view.is_infra(stack) {
        return None;
    }
    let named = definition.name.as_deref().unwrap_or(key);
    let name = [named, key]
        .into_iter()
        .find(|name| infra.contains_key(*name))?;
    let file = view.subject.revision.parsed.policy.folders.infra.as_str();
    let (place, what) = match definition.driver.is_some() {
        true => (
            view.top(stack, &["networks", key, "driver"]),
            "with a driver",
        ),
        false => (
            view.top(stack, &["networks", key]),
            "without external: true",
        ),
    };
    let message = format!("network {name} is declared here {what}, but {file} creates it");
    let expected = format!("{} would create a network of its own", stack.project);
    let help = format!("write external: true below {key}:, and nothing else");
    Some(RULE.at(say(place, message, expected, help)))
}
