//! Networks that somebody made by hand, and who is on them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::compose::{projects_of_units, unit_of};
use super::found::{Category, Found, Taken, quoted};
use super::look::Look;
use super::rewrite::double_quoted;
use crate::host::HostError;
use crate::model::{Container, DockerState, Kind, NetworkState, PROJECT_LABEL};
use crate::source::compose::Document;

/// Networks that every engine has.
const BUILT_IN: [&str; 6] = [
    "bridge",
    "host",
    "none",
    "docker_gwbridge",
    "ingress",
    "podman",
];
/// Drivers of networks of one host.
const DRIVERS: [&str; 3] = ["bridge", "macvlan", "ipvlan"];

/// Takes networks that no compose project makes, with their members.
pub(super) fn take(look: &Look<'_>, found: &mut Found) -> Result<(), HostError> {
    let Some(docker) = &look.docker else {
        return Ok(());
    };
    let of_units = projects_of_units(look);
    for (name, networks) in &docker.networks {
        let [network] = networks.as_slice() else {
            found.leave(format!("network {name}"), "several networks have this name");
            continue;
        };
        if BUILT_IN.contains(&name.as_str()) {
            continue;
        }
        let project = network.labels.get(PROJECT_LABEL);
        let is_taken = |project: &String| {
            let unit = unit_of(project);
            found.taken.iter().any(|taken| taken.id.name == unit)
        };
        match project {
            Some(_) if network.endpoints.is_empty() => continue,
            // One that only its own project is on goes with that.
            Some(project) if is_alone(docker, network, project) => continue,
            Some(project) if is_taken(project) => continue,
            Some(project) => {
                if let Some(unit) = of_units.get(project.as_str()) {
                    let why = format!(
                        "{unit} creates it from its own compose file; no file of the repository lists its members"
                    );
                    found.leave(format!("network {name}"), why);
                    continue;
                }
            }
            _ => {}
        }
        if !DRIVERS.contains(&network.driver.as_str()) {
            let why = format!("networks of the driver {} are not managed", network.driver);
            found.leave(format!("network {name}"), why);
            continue;
        }
        let from = format!("network {name}");
        let mut taken = Taken::new(Category::Networks, Kind::Network, name, from);
        taken.network = definition(name, network);
        let id = taken.id.clone();
        found.taken.push(taken);
        let mut known = BTreeSet::new();
        for container in members(docker, network) {
            if container.oneoff || named_by_stack(found, container, name) {
                continue;
            }
            let (text, shown) = member(name, container);
            if known.insert(text.clone()) {
                let from = format!("{shown} on the network {name}");
                let member = format!("{name}/{}", container.name);
                let mut taken = Taken::new(Category::Networks, Kind::Member, &member, from);
                taken.settings = text;
                taken.needs = Some(id.clone());
                found.taken.push(taken);
            }
        }
    }
    Ok(())
}

/// Whether nobody but containers of a project is on a network.
fn is_alone(docker: &DockerState, network: &NetworkState, project: &str) -> bool {
    let mut members = members(docker, network);
    members.all(|container| {
        let compose = container.compose.as_ref();
        compose.is_some_and(|(known, _)| known == project)
    })
}

fn members<'a>(
    docker: &'a DockerState,
    network: &'a NetworkState,
) -> impl Iterator<Item = &'a Container> {
    let containers = docker.containers.iter();
    containers.filter(|container| network.endpoints.contains_key(&container.id))
}

/// Whether the compose file of a stack that is taken says that a service is on a network.
fn named_by_stack(found: &Found, container: &Container, network: &str) -> bool {
    let Some((project, service)) = &container.compose else {
        return false;
    };
    let unit = unit_of(project);
    let Some(taken) = found.taken.iter().find(|taken| taken.id.name == unit) else {
        return false;
    };
    let files = taken.files.iter().filter(|file| !file.private);
    files.into_iter().any(|file| {
        let text = String::from_utf8_lossy(&file.content);
        let Ok(document) = Document::parse(&file.path, &text, &Default::default()) else {
            return false;
        };
        let mut networks = document.compose.networks_of(service).into_iter();
        networks.any(|(_, external)| external.as_deref() == Some(network))
    })
}

/// What the infrastructure file says of a network.
fn definition(name: &str, network: &NetworkState) -> String {
    let (name, driver) = (yaml(name), yaml(&network.driver));
    let mut text = format!("  {name}:\n    name: {name}\n    driver: {driver}\n");
    let mut add = |line: String| text.push_str(&line);
    if network.internal {
        add("    internal: true\n".to_owned());
    }
    if network.ipv6 {
        add("    enable_ipv6: true\n".to_owned());
    }
    map(&mut add, "driver_opts", network.options.iter());
    let own = |(label, _): &(&String, &String)| !label.starts_with("com.docker.compose.");
    map(&mut add, "labels", network.labels.iter().filter(own));
    if !network.subnets.is_empty() {
        add("    ipam:\n      config:\n".to_owned());
    }
    for range in &network.subnets {
        add(format!("        - subnet: \"{}\"\n", range.subnet));
        if let Some(gateway) = range.gateway {
            add(format!("          gateway: \"{gateway}\"\n"));
        }
        if let Some(part) = range.ip_range {
            add(format!("          ip_range: \"{part}\"\n"));
        }
    }
    text
}

fn map<'a>(
    add: &mut impl FnMut(String),
    key: &str,
    entries: impl Iterator<Item = (&'a String, &'a String)>,
) {
    let mut entries = entries.peekable();
    if entries.peek().is_some() {
        add(format!("    {key}:\n"));
    }
    for (name, value) in entries {
        add(format!("      {}: {}\n", yaml(name), yaml(value)));
    }
}

/// A text as the infrastructure file has it, in which `$` begins a variable.
fn yaml(text: &str) -> String {
    double_quoted(text).replace('$', "$$")
}

/// What watchme.toml says of a member, and what it is called.
pub(crate) fn member(network: &str, container: &Container) -> (String, String) {
    let mut text = format!("[[network.{}.member]]\n", quoted(network));
    let shown = match &container.compose {
        Some((project, service)) => {
            let (of, name) = (quoted(project), quoted(service));
            let _ = writeln!(text, "project = {of}\nservice = {name}");
            format!("service {service} of the compose project {project}")
        }
        None => {
            let _ = writeln!(text, "container = {}", quoted(&container.name));
            format!("container {}", container.name)
        }
    };
    let attachment = container.attachments.get(network);
    if let Some(address) = attachment.and_then(|found| found.configured.iter().next()) {
        let _ = writeln!(text, "address = \"{address}\"\npin = true");
    }
    let of_service = container.compose.as_ref().map(|(_, service)| service);
    let aliases = attachment.into_iter().flat_map(|found| &found.aliases);
    let further = aliases.filter(|alias| **alias != container.name && Some(*alias) != of_service);
    let further: Vec<String> = further.map(|alias| quoted(alias)).collect();
    if !further.is_empty() {
        let _ = writeln!(text, "aliases = [{}]", further.join(", "));
    }
    (text, shown)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::model::{Addresses, Attachment, Subnet};

    #[test]
    fn a_network_is_defined_as_it_is() {
        let network = NetworkState {
            driver: "bridge".to_owned(),
            internal: true,
            subnets: vec![Subnet {
                subnet: "172.27.0.0/16".parse().unwrap(),
                gateway: Some("172.27.0.1".parse().unwrap()),
                ip_range: None,
            }],
            ..NetworkState::default()
        };
        assert_eq!(
            definition("app-net", &network),
            "  \"app-net\":\n    name: \"app-net\"\n    driver: \"bridge\"\n    internal: true\n    ipam:\n      config:\n        \
             - subnet: \"172.27.0.0/16\"\n          gateway: \"172.27.0.1\"\n"
        );
    }

    #[test]
    fn a_fixed_address_is_pinned_and_another_one_is_not() {
        let address: IpAddr = "172.27.0.9".parse().unwrap();
        let mut container = Container {
            name: "api".to_owned(),
            ..Container::default()
        };
        let attachment = Attachment {
            addresses: Addresses::default().with(address),
            aliases: ["api".to_owned(), "old-api".to_owned()].into(),
            ..Attachment::default()
        };
        container
            .attachments
            .insert("net".to_owned(), attachment.clone());
        let (text, _) = member("net", &container);
        assert_eq!(
            text,
            "[[network.\"net\".member]]\ncontainer = \"api\"\naliases = [\"old-api\"]\n"
        );
        let fixed = Attachment {
            configured: Addresses::default().with(address),
            ..attachment
        };
        container.attachments.insert("net".to_owned(), fixed);
        let (text, _) = member("net", &container);
        assert!(
            text.contains("address = \"172.27.0.9\"\npin = true\n"),
            "{text}"
        );
    }
}
