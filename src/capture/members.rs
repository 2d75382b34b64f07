//! Containers that somebody connected to a network of the desired state: `docker network connect`.

use std::path::Path;

use super::named::Names;
use super::{Captured, Look, settings};
use crate::import::member_settings;
use crate::kinds::find_members;
use crate::model::{Container, Kind, NetworkState, ResourceId};
use crate::root::RootError;
use crate::source::compose::Document;

/// Takes each of them into watchme.toml.
pub(super) fn take(
    look: &Look<'_>,
    names: &mut Names<'_>,
    captured: &mut Captured,
) -> Result<(), RootError> {
    let Some(docker) = &look.seen.observed.docker else {
        return Ok(());
    };
    for (network, spec) in &look.seen.desired.networks {
        let Some([present]) = docker.networks.get(network).map(Vec::as_slice) else {
            continue;
        };
        // What the checkout says already was not applied yet.
        let wanted = look.revision.desired.networks.get(network).unwrap_or(spec);
        let members = spec.members.iter().chain(&wanted.members);
        let members = members.flat_map(|member| find_members(docker, &member.name));
        let members: Vec<&str> = members.map(|container| container.id.as_str()).collect();
        for container in &docker.containers {
            let id = ResourceId::new(Kind::Member, format!("{network}/{}", container.name));
            let is_new = present.endpoints.contains_key(&container.id)
                && !members.contains(&container.id.as_str())
                && !container.oneoff
                && !was_made_there(container, network, present)
                && !is_in_its_file(look, container, network);
            if !is_new || !names.has(&id, &[Path::new(&container.name)]) {
                continue;
            }
            let (lines, shown) = member_settings(network, container);
            let from = format!("{shown} on the network {network}");
            if !settings::add(look, (&id, &from), &lines, captured)? {
                let why = "watchme.toml has its members in a form to which no table can be added";
                let lines: Vec<&str> = lines.lines().collect();
                let help = format!("add it to them by hand: {}", lines.join("; "));
                captured.leave(from, why, help);
                continue;
            }
            compose_file_too(look, network, container, captured);
        }
    }
    Ok(())
}

/// Says what its compose file lacks: `check` refuses a member whose compose file knows nothing of the network.
fn compose_file_too(
    look: &Look<'_>,
    network: &str,
    container: &Container,
    captured: &mut Captured,
) {
    let Some((project, name)) = &container.compose else {
        return;
    };
    let stacks = look.revision.parsed.stacks.iter();
    let mut stacks = stacks.filter(|stack| stack.project == *project);
    let Some((stack, service)) =
        stacks.find_map(|stack| Some((stack, stack.compose.services.get(name)?)))
    else {
        return;
    };
    let mode = service.network_mode();
    if mode.is_some_and(|mode| mode.starts_with("service:") || mode.starts_with("container:")) {
        return;
    }
    let Some(file) = stack.files.last() else {
        return;
    };
    let declared = stack.compose.networks.iter().find_map(|(key, definition)| {
        let external = definition.as_ref()?.external_name(key)?;
        (external == network).then_some(key.as_str())
    });
    let key = declared.unwrap_or(network);
    let keys = stack.compose.networks_of(name).into_iter();
    let mut keys: Vec<&str> = keys.map(|(key, _)| key).collect();
    // Without networks of its own it is on this one, and stays there.
    if keys.is_empty() && mode.is_none() {
        keys.push("default");
    }
    keys.push(key);
    let mut help = format!("in {}: ", look.shown(file));
    if let Some(mode) = mode {
        help.push_str(&format!("remove network_mode: {mode}, and "));
    }
    let keys = keys.join(", ");
    help.push_str(&format!("set networks: [{keys}] of the service {name}"));
    if declared.is_none() {
        help.push_str(&format!(
            ", and add at its end: networks: {{{network}: {{external: true}}}} (into the table of networks, if it has one)"
        ));
    }
    let what = format!("the network {network} in the compose file of {name}");
    let why = "the member is written, and check refuses it until its compose file also puts it on the network (compose-network-missing)";
    captured.leave(what, why, help);
}

/// Whether a container was made on a network: whoever makes it again puts it there again.
fn was_made_there(container: &Container, network: &str, present: &NetworkState) -> bool {
    container.network_mode == network || container.network_mode == present.id
}

/// Whether the compose files of a container put it on a network.
fn is_in_its_file(look: &Look<'_>, container: &Container, network: &str) -> bool {
    let Some((project, service)) = &container.compose else {
        return false;
    };
    container.config_files.iter().any(|path| {
        let Ok(Some(content)) = look.host.root().read(path) else {
            return false;
        };
        let text = String::from_utf8_lossy(&content);
        let Ok(document) = Document::parse(path, &text, &Default::default()) else {
            return false;
        };
        let networks = document.compose.networks_of(service).into_iter();
        let mut names =
            networks.map(|(key, external)| external.unwrap_or_else(|| format!("{project}_{key}")));
        names.any(|name| name == network)
    })
}
