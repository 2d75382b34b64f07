//! Names that containers look up and do not find: on another network, or nobody's.

use std::collections::BTreeSet;

use super::{Cause, What};
use crate::model::Container;
use crate::reconcile::doctor::facts::{Facts, Log};
use crate::reconcile::doctor::focus::Focus;
use crate::reconcile::doctor::said::{Said, said};

/// Names of which logs say that they do not resolve, and that still do not.
pub(super) fn find(facts: &Facts, focus: &Focus) -> Vec<Cause> {
    let mut found = Vec::new();
    let containers = facts.containers();
    for container in containers.filter(|one| focus.has_container(facts, one)) {
        let lines = facts.logs.get(&container.id).map(Log::lines);
        let lines = lines.unwrap_or_default();
        let mut names = BTreeSet::new();
        for line in lines.iter().rev() {
            if let Some(Said::NoName(name)) = said(line)
                && names.insert(name.clone())
            {
                found.extend(of_name(facts, container, &name, line));
            }
        }
    }
    found
}

fn of_name(facts: &Facts, asks: &Container, name: &str, line: &str) -> Option<Cause> {
    let mine: BTreeSet<&String> = asks.attachments.keys().collect();
    let known: Vec<&Container> = facts
        .containers()
        .filter(|other| other.id != asks.id && has_name(other, name))
        .collect();
    let shares = |other: &&Container| {
        other.is_running()
            && other
                .attachments
                .keys()
                .any(|network| mine.contains(network))
    };
    // By now it resolves.
    if known.iter().any(shares) {
        return None;
    }
    let text = format!("container {} cannot resolve the name {name}", asks.name);
    let on = |container: &Container| {
        let networks: Vec<&str> = container.attachments.keys().map(String::as_str).collect();
        match networks.is_empty() {
            true => format!("container {} is on no network of its own", container.name),
            false => format!("container {} is on {}", container.name, networks.join(", ")),
        }
    };
    let cause =
        Cause::new(What::NameUnresolved, &asks.name, text).shown([line.to_owned(), on(asks)]);
    let Some(other) = known.first() else {
        // A name of the world outside is the DNS's.
        let fix = match name.contains('.') {
            true => format!("getent hosts {name}; the DNS of this host, or the name, is wrong"),
            false => format!(
                "no container of this host has the name {name}: correct it in git, or start the container that has it"
            ),
        };
        return Some(cause.fixed(fix));
    };
    let cause = cause.shown([on(other)]);
    if !other.is_running() {
        let text = format!("container {} does not run", other.name);
        return Some(cause.shown([text]).fixed(super::again(facts, other)));
    }
    // A member by what was applied comes back by itself.
    let lost = facts.networks.iter().any(|network| {
        let is = |container: &Container| {
            let mut members = network.members.iter();
            members.any(|member| member.name == container.name)
        };
        is(asks) && is(other)
    });
    Some(match lost {
        true => cause.fixed("watchme-apply drift --fix connects them again"),
        false => cause.fixed(format!(
            "put {} and {} on one network, in git: networks of their compose files, or members in watchme.toml; then: watchme-apply",
            asks.name, other.name
        )),
    })
}

fn has_name(container: &Container, name: &str) -> bool {
    let service = container
        .compose
        .as_ref()
        .map(|(_, service)| service.as_str());
    let mut aliases = container.attachments.values().flat_map(|one| &one.aliases);
    container.name == name || service == Some(name) || aliases.any(|alias| alias == name)
}
