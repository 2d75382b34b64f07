//! Networks that somebody else has to make, and nobody makes.

use std::collections::BTreeSet;

use crate::check::compose::networks::name_of;
use crate::check::rules::compose::prelude::*;
use crate::source::compose::types::is_external;
use crate::source::error::nearest;

pub(crate) static RULE: Rule = rule!(compose_network_unknown, Warning, run);

/// Networks that every Docker engine has.
const BUILT_IN: [&str; 4] = ["bridge", "host", "none", "ingress"];

fn run(context: &Context, findings: &mut Findings) {
    let view = context.projects();
    let made = made(view);
    for stack in &view.stacks {
        for (key, definition) in &stack.compose.networks {
            let Some(definition) = definition else {
                continue;
            };
            let says_more = definition.driver.is_some() || definition.ipam.is_some();
            if let Some(name) = definition.external_name(key).filter(|_| !says_more) {
                findings.extend(external(view, stack, key, &name, &made));
            }
        }
    }
}

/// Names of the networks that somebody makes.
fn made(view: &View) -> BTreeSet<String> {
    let infra = view.subject.revision.desired.networks.keys().cloned();
    let mut made: BTreeSet<String> = infra.collect();
    for stack in &view.stacks {
        for (key, definition) in &stack.compose.networks {
            let definition = definition.as_ref();
            if !definition.is_some_and(|definition| is_external(&definition.external)) {
                made.insert(name_of(stack, key));
            }
        }
        made.insert(format!("{}_default", stack.project));
    }
    made
}

/// A network that somebody else has to make.
fn external(
    view: &View,
    stack: &ParsedStack,
    key: &str,
    name: &str,
    made: &BTreeSet<String>,
) -> Option<Finding> {
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
    let file = view.subject.revision.parsed.policy.folders.infra.as_str();
    let help = match near {
        Some(near) => format!("did you mean {near}?"),
        None => format!("define it in {file}, so that it is there before the service needs it"),
    };
    let message = format!("network {name} is external, but nothing here creates it");
    let finding = RULE.at(say(view.top(stack, &["networks", key]), message, "", help));
    Some(finding.weighing_where(near.is_some(), Severity::Error))
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
