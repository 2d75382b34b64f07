//! Names: of containers on the host, and of services within a project.

use std::collections::BTreeMap;

use super::view::{View, say};
use crate::model::{Finding, Rule};
use crate::source::error::nearest;

crate::rule! {
    CONTAINER_TWICE, "compose-container-name-twice", Error;
    UNKNOWN_SERVICE, "compose-service-unknown", Error;
}

/// The rules of this file.
pub const RULES: &[&Rule] = &[&CONTAINER_TWICE, &UNKNOWN_SERVICE];

/// Findings about names.
pub fn check(view: &View) -> Vec<Finding> {
    let mut findings = containers(view);
    findings.extend(services(view));
    findings
}

fn containers(view: &View) -> Vec<Finding> {
    let mut known: BTreeMap<&str, (&str, &str, Option<&str>)> = BTreeMap::new();
    let mut findings = Vec::new();
    for (stack, service, definition) in view.started() {
        let Some(name) = definition
            .container_name
            .as_deref()
            .filter(|name| !name.is_empty())
        else {
            continue;
        };
        let own = (stack.project.as_str(), service, stack.unit.as_deref());
        let Some(other) = known.get(name) else {
            known.insert(name, own);
            continue;
        };
        // The same service again, or a file beside the one that runs: never both at once.
        let same = (other.0, other.1) == (own.0, own.1);
        let apart =
            (own.2.is_none() || other.2.is_none()) && (own.2 == other.2 || own.0 == other.0);
        if same
            || (apart && own.0 != other.0)
            || (own.2.is_none() && own.0 == other.0 && own.1 == other.1)
        {
            continue;
        }
        let place = say(
            view.at(stack, service, &["container_name"]),
            format!(
                "container name {name} is taken by service {} of project {}",
                other.1, other.0
            ),
            "the engine has each name once",
            "choose another name, or leave container_name out",
        );
        findings.push(Finding::at(&CONTAINER_TWICE, place));
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
