//! Networks that are missing, and members that are not on them.

use std::collections::BTreeSet;

use super::{Cause, What, again};
use crate::model::Container;
use crate::reconcile::doctor::facts::Facts;
use crate::reconcile::doctor::focus::Focus;
use crate::reconcile::status::NetworkStatus;

/// What is wrong with networks.
pub(super) fn find(facts: &Facts, focus: &Focus) -> Vec<Cause> {
    let mut found = Vec::new();
    let networks = facts.networks.iter();
    for network in networks.filter(|network| focus.has_network(&network.name)) {
        let name = &network.name;
        if !network.exists {
            let members: Vec<&str> = network.members.iter().map(|one| &*one.name).collect();
            let cause = Cause::new(
                What::NetworkMissing,
                name,
                format!("the network {name} is missing"),
            );
            let cause = match members.is_empty() {
                true => cause,
                false => cause.shown([format!("its members: {}", members.join(", "))]),
            };
            let bound = bound_to_the_old_one(facts, network);
            found.push(match bound.is_empty() {
                true => cause.fixed("watchme-apply drift --fix"),
                false => {
                    let names: Vec<&str> = bound.iter().map(|one| one.name.as_str()).collect();
                    let text = format!(
                        "created on the network that is gone, and the engine connects them to no other: {}",
                        names.join(", ")
                    );
                    let cause = cause.shown([text]).fixed("watchme-apply drift --fix");
                    let again: BTreeSet<String> =
                        bound.iter().map(|one| again(facts, one)).collect();
                    again.into_iter().fold(cause, Cause::fixed)
                }
            });
            continue;
        }
        for member in network
            .members
            .iter()
            .filter(|one| one.running && !one.connected)
        {
            let text = format!(
                "container {} is not on the network {name}: the others cannot resolve its name",
                member.name
            );
            let cause = Cause::new(What::NetworkMissing, &member.name, text);
            found.push(cause.fixed("watchme-apply drift --fix"));
        }
    }
    found
}

/// Members that run and were made on a network of the same name that is gone: compose 2 makes them on its id, and the engine then
/// refuses each connection, "could not find a network matching network mode".
fn bound_to_the_old_one<'f>(facts: &'f Facts, network: &NetworkStatus) -> Vec<&'f Container> {
    let is_member = |container: &&Container| {
        let mut members = network.members.iter();
        members.any(|member| member.running && member.name == container.name)
    };
    let lost = |container: &&Container| {
        let docker = facts.docker.as_ref();
        docker.is_some_and(|docker| docker.has_lost_network(container))
    };
    facts.containers().filter(is_member).filter(lost).collect()
}

/// What a line says of a network.
pub(super) fn of_line(
    facts: &Facts,
    line: &str,
    name: Option<String>,
    place: &str,
    unit: Option<&str>,
) -> Cause {
    let named = name
        .clone()
        .unwrap_or_else(|| "that its compose file names".to_owned());
    let text = format!("{place} does not start: the network {named} is missing");
    let cause = Cause::new(What::NetworkMissing, place, text).shown([line.to_owned()]);
    let is_desired = name
        .as_ref()
        .is_some_and(|name| facts.desired.networks.contains_key(name));
    let engine = facts.engine().command();
    let cause = match (is_desired, name) {
        (true, _) => cause.fixed("watchme-apply drift --fix"),
        (false, Some(name)) => cause.fixed(format!(
            "sudo {engine} network create {name}; better: declare it in docker-compose.infra.yml of the desired state, then: watchme-apply"
        )),
        (false, None) => cause.fixed(format!("sudo {engine} network ls")),
    };
    match unit {
        Some(unit) => cause.fixed(format!("sudo systemctl restart {unit}")),
        None => cause,
    }
}
