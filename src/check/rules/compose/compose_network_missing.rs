//! Members of networks as watchme.toml lists them, whose compose files do not know.

use std::collections::BTreeMap;

use crate::check::compose::networks::name_of;
use crate::check::rules::compose::prelude::*;
use crate::model::MemberName;
use crate::source::compose::types::Networks;

pub(crate) static RULE: Rule = rule!(compose_network_missing, Error, run);

/// A service of a project.
type ServiceIn<'a> = (&'a ParsedStack, &'a str, &'a Service);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.projects();
    let networks = &view.subject.revision.parsed.policy.networks;
    // The part of a project that names the network may be what cannot be read.
    if networks.is_empty() || !view.subject.is_whole() {
        return;
    }
    let mut by_container: BTreeMap<&str, Vec<ServiceIn>> = BTreeMap::new();
    let mut by_service: BTreeMap<(&str, &str), Vec<ServiceIn>> = BTreeMap::new();
    for (stack, name, service) in view.services() {
        let held = (stack, name, service);
        if let Some(container) = &service.container_name {
            by_container.entry(container).or_default().push(held);
        }
        let key = (stack.project.as_str(), name);
        by_service.entry(key).or_default().push(held);
    }
    for (network, section) in networks {
        for (member, _) in section.members() {
            let held = match &member.name {
                MemberName::Container(container) => by_container.get(container.as_str()),
                MemberName::Service { project, service } => {
                    by_service.get(&(project.as_str(), service.as_str()))
                }
            };
            let held = held.map(Vec::as_slice).unwrap_or_default();
            findings.extend(missing(view, network, &member.name, held));
        }
    }
}

/// One finding for each unit that runs the member, in none of whose projects it is on the network: what a unit
/// pulls may be fewer files than what it brings up. Files that no unit runs count where no unit runs the member.
fn missing(view: &View, network: &str, member: &MemberName, held: &[ServiceIn]) -> Vec<Finding> {
    let mut by_unit: BTreeMap<Option<&str>, Vec<ServiceIn>> = BTreeMap::new();
    for one in held {
        let unit = one.0.unit.as_deref();
        by_unit.entry(unit).or_default().push(*one);
    }
    if by_unit.len() > 1 {
        by_unit.remove(&None);
    }
    let mut findings = Vec::new();
    for held in by_unit.into_values() {
        let is_fine = |held: &ServiceIn| !held.0.whole || is_on(*held, network);
        if let Some(last) = held.last().filter(|_| !held.iter().any(is_fine)) {
            findings.push(finding(view, network, member, *last));
        }
    }
    findings
}

/// Whether a service is on a network, or has a network of that name that another rule complains about.
fn is_on((stack, _, service): ServiceIn, network: &str) -> bool {
    let is = |key: &str| {
        let is_declared = stack.compose.networks.contains_key(key);
        key == network || is_declared && name_of(stack, key) == network
    };
    match service.network_mode() {
        Some(mode) if mode.starts_with("service:") || mode.starts_with("container:") => true,
        Some(mode) => mode == network,
        None => match &service.networks {
            Networks::Other(value) if !value.is_null() => true,
            networks => {
                let entries = networks.entries();
                entries.iter().any(|(key, _)| is(key)) || entries.is_empty() && is("default")
            }
        },
    }
}

fn finding(view: &View, network: &str, member: &MemberName, held: ServiceIn) -> Finding {
    let (stack, name, service) = held;
    let mut declared = stack.compose.networks.iter();
    let key = declared.find_map(|(key, definition)| {
        let external = definition.as_ref()?.external_name(key)?;
        (external == network).then_some(key.as_str())
    });
    let mut help = match key {
        Some(key) => format!("add networks: [{key}] to the service"),
        None => format!(
            "add networks: [{network}] to the service, and networks: {{{network}: {{external: true}}}} at the end of the file"
        ),
    };
    let mode = service.network_mode();
    if let Some(mode) = mode {
        help = format!("remove network_mode: {mode}, and {help}");
    }
    let path: &[&str] = match mode {
        Some(_) => &["network_mode"],
        None => &[],
    };
    let message = format!(
        "service {name} is not on network {network}, and watchme.toml lists {member} as its member"
    );
    let expected = "the other services cannot reach it by name";
    RULE.at(say(view.at(stack, name, path), message, expected, help))
}

#[cfg(test)]
mod tests {
    use crate::check::compose::tests::{NONE, UNIT, found};

    #[test]
    fn members_are_on_their_network() {
        let infra = (
            "docker-compose.infra.yml",
            "networks: {shared: {name: shared}}\n",
        );
        let policy = "checkout = \"/srv/c\"\n[[network.shared.member]]\ncontainer = \"s-prod\"\n[[network.shared.member]]\nproject = \"p\"\nservice = \"w\"\n";
        let missing = |files: &[(&str, &str)]| {
            let mut all = vec![("watchme.toml", policy), infra];
            all.extend(files);
            let found = found(&all);
            let own = found
                .iter()
                .filter_map(|one| one.strip_prefix("compose-network-missing "));
            own.map(|one| one.split(": ").next().unwrap_or_default().to_owned())
                .collect::<Vec<_>>()
        };
        let service = |service: &str, networks: &str| {
            format!(
                "services:\n  s: {{image: 'x:1', container_name: s-prod{service}}}\n{networks}\n"
            )
        };
        let external = "networks: {shared: {external: true}}";
        for (more, networks, expected) in [
            ("", "", Some("p/docker-compose.yml:2:3")),
            ("", external, Some("p/docker-compose.yml:2:3")),
            (", networks: ", external, Some("p/docker-compose.yml:2:3")),
            (
                ", networks: [own]",
                "networks: {own: {}}",
                Some("p/docker-compose.yml:2:3"),
            ),
            (
                ", network_mode: host",
                "",
                Some("p/docker-compose.yml:2:59"),
            ),
            (", networks: [shared]", external, None),
            (", networks: {shared: {aliases: [x]}}", external, None),
            (
                ", networks: [n]",
                "networks: {n: {external: true, name: shared}}",
                None,
            ),
            (
                "",
                "networks: {default: {external: true, name: shared}}",
                None,
            ),
            // Others complain about these.
            (", networks: [shared]", "", None),
            (", networks: [shared]", "networks: {shared: {}}", None),
            (", networks: shared", external, None),
            (", network_mode: shared", "", None),
            (", network_mode: 'container:x'", "", None),
        ] {
            let found = missing(&[("p/docker-compose.yml", &service(more, networks))]);
            assert_eq!(
                found.first().map(String::as_str),
                expected,
                "{more} {networks}"
            );
        }
        let bare = service("", "");
        let whole = service(", networks: [shared]", external);
        let prod = UNIT.replace("NAME", "p/prod");
        let both = UNIT.replace("NAME.yml", "p/prod.yml -f /srv/c/p/net.yml");
        let gone = UNIT.replace("NAME.yml", "p/prod.yml -f /srv/other.yml");
        let net = format!("services: {{s: {{networks: [shared]}}}}\n{external}\n");
        for (unit, prod, beside, expected) in [
            (
                &prod,
                &bare,
                ("p/docker-compose.yml", &whole),
                &["p/prod.yml:2:3"][..],
            ),
            (&prod, &whole, ("p/docker-compose.yml", &bare), &[]),
            (&both, &bare, ("p/net.yml", &net), &[]),
            (&gone, &bare, ("p/net.yml", &net), &[]),
        ] {
            let beside = (beside.0, beside.1.as_str());
            let files = [
                ("systemd/a.service", unit.as_str()),
                ("p/prod.yml", prod),
                beside,
            ];
            assert_eq!(missing(&files), expected, "{unit} {prod}");
        }
        let worker = "services:\n  w: {image: 'x:1'}\n";
        assert_eq!(
            missing(&[("p/docker-compose.yml", worker)]),
            ["p/docker-compose.yml:2:3"]
        );
        assert_eq!(missing(&[("q/docker-compose.yml", worker)]), NONE);
    }
}
