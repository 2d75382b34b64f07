//! Names: of containers on the host, and of services within a project.

use std::collections::{BTreeMap, BTreeSet};

use super::view::{View, say};
use crate::model::{Finding, Rule};
use crate::source::ParsedStack;
use crate::source::compose::Service;
use crate::source::error::nearest;

crate::rule! {
    CONTAINER_TWICE, "compose-container-name-twice", Error;
    UNKNOWN_SERVICE, "compose-service-unknown", Error;
    CYCLE, "compose-dependency-cycle", Error;
    NO_IMAGE, "compose-no-image", Error;
}

/// The rules of this file.
pub const RULES: &[&Rule] = &[&CONTAINER_TWICE, &UNKNOWN_SERVICE, &CYCLE, &NO_IMAGE];

/// Findings about names.
pub fn check(view: &View) -> Vec<Finding> {
    let mut findings = containers(view);
    findings.extend(services(view));
    for stack in view.stacks.iter().filter(|stack| stack.whole) {
        findings.extend(cycle(view, stack));
        for (name, service) in &stack.compose.services {
            findings.extend(no_image(view, stack, name, service));
        }
    }
    findings
}

/// A service that waits for itself.
fn cycle(view: &View, stack: &ParsedStack) -> Option<Finding> {
    let next = |name: &str| {
        let service = stack.compose.services.get(name);
        service.map(Service::named_services).unwrap_or_default()
    };
    let mut done: BTreeSet<String> = BTreeSet::new();
    for start in stack.compose.services.keys() {
        // The way to a service, each with those that it still has to be followed to.
        let mut way = vec![(start.clone(), next(start))];
        while let Some((name, left)) = way.last_mut() {
            let name = name.clone();
            let Some((key, other)) = left.pop() else {
                done.insert(name);
                way.pop();
                continue;
            };
            if done.contains(&other) {
                continue;
            }
            if way.iter().any(|(before, _)| *before == other) {
                let place = say(
                    view.at(stack, &name, &[key, &other]),
                    format!("service {name} waits for {other}, which waits for {name}"),
                    "compose refuses the file",
                    "remove one of the two dependencies",
                );
                return Some(Finding::at(&CYCLE, place));
            }
            let following = next(&other);
            way.push((other, following));
        }
    }
    None
}

fn no_image(view: &View, stack: &ParsedStack, name: &str, service: &Service) -> Option<Finding> {
    let keys = ["image", "build", "provider"];
    if keys.iter().any(|key| service.rest.contains_key(*key)) {
        return None;
    }
    let place = say(
        view.at(stack, name, &[]),
        format!("service {name} has neither an image nor a build"),
        "compose refuses the file",
        "write image: NAME:TAG, or build: FOLDER",
    );
    Some(Finding::at(&NO_IMAGE, place))
}

fn containers(view: &View) -> Vec<Finding> {
    let mut known: BTreeMap<&str, Vec<(&ParsedStack, &str)>> = BTreeMap::new();
    let mut findings = Vec::new();
    for (stack, service, definition) in view.started() {
        let Some(name) = definition
            .container_name
            .as_deref()
            .filter(|name| !name.is_empty())
        else {
            continue;
        };
        let own = (stack, service);
        let holders = known.entry(name).or_default();
        if let Some((other, holder)) = holders.iter().find(|other| view.run_together(own, **other))
        {
            let place = say(
                view.at(stack, service, &["container_name"]),
                format!(
                    "container name {name} is taken by service {holder} of project {}",
                    other.project
                ),
                "the engine has each name once",
                "choose another name, or leave container_name out",
            );
            findings.push(Finding::at(&CONTAINER_TWICE, place));
        } else {
            holders.push(own);
        }
    }
    findings
}

fn services(view: &View) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (stack, service, definition) in view.services() {
        if !stack.whole {
            continue;
        }
        for (key, name) in definition.named_services() {
            if name.is_empty() || stack.compose.services.contains_key(&name) {
                continue;
            }
            let known = stack.compose.services.keys().map(String::as_str);
            let help = match nearest(&name, known.filter(|known| *known != service)) {
                Some(near) => format!("did you mean {near}?"),
                None => format!(
                    "remove it, or add a service {name}; order to another project is systemd's to say (After=)"
                ),
            };
            let place = say(
                view.at(stack, service, &[key, &name]),
                format!(
                    "service {service} has {key}: {name}, and there is no such service in this project"
                ),
                "compose refuses the file",
                help,
            );
            findings.push(Finding::at(&UNKNOWN_SERVICE, place));
        }
    }
    findings
}
