//! Networks: who makes them, and who joins them.

use std::collections::BTreeSet;

use super::view::{View, say};
use crate::model::{Finding, Rule, Severity};
use crate::source::ParsedStack;
use crate::source::compose::types::{Network, is_external};
use crate::source::error::nearest;

crate::rule! {
    NOT_EXTERNAL, "compose-network-not-external", Error;
    UNDECLARED, "compose-network-undeclared", Error;
    UNKNOWN, "compose-network-unknown", Warning;
}

/// The rules of this file.
pub const RULES: &[&Rule] = &[&NOT_EXTERNAL, &UNDECLARED, &UNKNOWN];

/// Networks that every Docker engine has.
const BUILT_IN: [&str; 4] = ["bridge", "host", "none", "ingress"];

/// Findings about networks.
pub fn check(view: &View) -> Vec<Finding> {
    let mut findings = Vec::new();
    let made = made(view);
    for stack in &view.stacks {
        for (key, definition) in &stack.compose.networks {
            let definition = definition.clone().unwrap_or_default();
            findings.extend(match definition.external_name(key) {
                Some(name) => external(view, stack, key, &name, &definition, &made),
                None => own(view, stack, key, &definition),
            });
        }
        if stack.whole {
            findings.extend(undeclared(view, stack));
        }
    }
    findings
}

/// The engine's name of a network of a project.
pub fn name_of(stack: &ParsedStack, key: &str, definition: &Network) -> String {
    let own = || {
        definition
            .name
            .clone()
            .unwrap_or_else(|| format!("{}_{key}", stack.project))
    };
    definition.external_name(key).unwrap_or_else(own)
}

/// Names of the networks that somebody makes.
fn made(view: &View) -> BTreeSet<String> {
    let infra = view.subject.revision.desired.networks.keys().cloned();
    let mut made: BTreeSet<String> = infra.collect();
    for stack in &view.stacks {
        let none = Network::default();
        for (key, definition) in &stack.compose.networks {
            let definition = definition.as_ref().unwrap_or(&none);
            if !is_external(&definition.external) {
                made.insert(name_of(stack, key, definition));
            }
        }
        made.insert(format!("{}_default", stack.project));
    }
    made
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
    let file = &view.subject.revision.parsed.policy.folders.infra;
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
    Some(Finding::at(
        &NOT_EXTERNAL,
        say(
            place,
            format!("network {name} is declared here {what}, and {file} makes it"),
            format!("{} would make a network of its own", stack.project),
            format!("write external: true below {key}:, and nothing else"),
        ),
    ))
}

/// A network that somebody else has to make.
fn external(
    view: &View,
    stack: &ParsedStack,
    key: &str,
    name: &str,
    definition: &Network,
    made: &BTreeSet<String>,
) -> Option<Finding> {
    let settings = [
        ("driver", definition.driver.is_some()),
        ("ipam", definition.ipam.is_some()),
    ];
    if let Some((setting, _)) = settings.into_iter().find(|(_, is_there)| *is_there) {
        return Some(
            Finding::at(
                &NOT_EXTERNAL,
                say(
                    view.top(stack, &["networks", key, setting]),
                    format!("network {name} is external, and has {setting} beside that"),
                    "docker compose 2 refuses both, docker-compose 1 ignores it",
                    format!("remove {setting}: who makes the network says that"),
                ),
            )
            .weighing(Severity::Warning),
        );
    }
    // A service's own repository does not say who makes it.
    let has_infra = view.stacks.iter().any(|stack| view.is_infra(stack));
    if made.contains(name)
        || !has_infra
        || BUILT_IN.contains(&name)
        || name.is_empty()
        || !view.subject.is_whole()
        || made_by_a_command(view, name)
    {
        return None;
    }
    let near = nearest(
        name,
        made.iter()
            .map(String::as_str)
            .filter(|near| !near.ends_with("_default")),
    );
    let file = &view.subject.revision.parsed.policy.folders.infra;
    let help = match near {
        Some(near) => format!("did you mean {near}?"),
        None => format!("define it in {file}, so that it is there before the service needs it"),
    };
    let finding = Finding::at(
        &UNKNOWN,
        say(
            view.top(stack, &["networks", key]),
            format!("network {name} is external, and nothing here makes it"),
            "",
            help,
        ),
    );
    Some(match near {
        Some(_) => finding.weighing(Severity::Error),
        None => finding,
    })
}

/// Whether a unit runs `docker network create NAME`.
fn made_by_a_command(view: &View, name: &str) -> bool {
    let mut units = view.subject.revision.parsed.units.values();
    units.any(|unit| {
        let commands = unit.matching("Service", |key| key.starts_with("Exec"));
        commands.iter().any(|command| {
            let mut words = command
                .text
                .split(|c: char| c.is_whitespace() || "\"';".contains(c));
            command.text.contains("network create") && words.any(|word| word == name)
        })
    })
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
            findings.push(Finding::at(
                &UNDECLARED,
                say(
                    view.at(stack, service, &["networks", key]),
                    format!(
                        "service {service} is on network {key}, which its file does not declare"
                    ),
                    "compose refuses to start it",
                    help,
                ),
            ));
        }
    }
    findings
}
