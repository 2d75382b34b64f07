//! Networks that are missing, and members that are not on them.

use super::{Cause, What};
use crate::reconcile::doctor::facts::Facts;
use crate::reconcile::doctor::focus::Focus;

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
            found.push(cause.fixed("watchme-apply drift --fix"));
            continue;
        }
        for member in network
            .members
            .iter()
            .filter(|one| one.running && !one.connected)
        {
            let text = format!(
                "container {} is not on the network {name}: the others do not find its name",
                member.name
            );
            let cause = Cause::new(What::NetworkMissing, &member.name, text);
            found.push(cause.fixed("watchme-apply drift --fix"));
        }
    }
    found
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
