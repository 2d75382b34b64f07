//! Upstreams that only containers can reach by name.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use source_text::word_list;

use crate::check::nginx::published::Publications;
use crate::check::nginx::target::{Groups, Target, behind, group_of};
use crate::check::rules::nginx::prelude::*;
use crate::source::error::misspelt;
use crate::source::nginx::Directive;

pub(crate) static RULE: Rule = rule!(nginx_container_upstream, Error, run)
    .same_fix("write localhost in all of them, with the port that is published on the host");

/// Names that Docker and Podman give the host inside of containers.
const OF_THE_HOST: [&str; 4] = word_list(
    "host.docker.internal gateway.docker.internal kubernetes.docker.internal \
    host.containers.internal",
);

/// Names that only Docker's own DNS knows.
struct Containers<'v> {
    names: BTreeSet<&'v str>,
    /// Names that etc/hosts gives the host.
    hosts: BTreeSet<String>,
}

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    let containers = Containers::of(view);
    // A group may be used many times.
    let mut seen: HashSet<*const Directive> = HashSet::new();
    for block in context.blocks() {
        for &(_, pass) in &block.passes {
            let group = group_of(context.groups(), pass);
            let group = group.map(|group| std::ptr::from_ref(group.directive));
            if group.is_some_and(|group| !seen.insert(group)) {
                continue;
            }
            for (target, node) in behind(context.groups(), pass) {
                findings.extend(misspelt_group(view, context.groups(), target, node));
                if seen.insert(std::ptr::from_ref(node.directive)) {
                    let published = context.published();
                    findings.extend(unreachable(view, &containers, published, target, node));
                }
            }
        }
    }
}

impl<'v> Containers<'v> {
    /// Services and containers of the compose files, and aliases of network members.
    fn of(view: &View<'v>) -> Self {
        let revision = view.subject.revision;
        let mut names = BTreeSet::new();
        for document in revision.parsed.compose.values() {
            for (name, service) in &document.compose.services {
                names.insert(name.as_str());
                names.extend(service.container_name.as_deref());
            }
        }
        let members = revision.desired.networks.values();
        for member in members.flat_map(|network| &network.members) {
            names.extend(member.aliases.iter().map(String::as_str));
            if let crate::model::MemberName::Container(name) = &member.name {
                names.insert(name);
            }
        }
        let hosts = revision.desired.etc.get(Path::new("hosts"));
        let hosts = hosts.map(|hosts| String::from_utf8_lossy(&hosts.file.content).into_owned());
        let words = hosts.iter().flat_map(|text| text.split_whitespace());
        Self {
            names,
            hosts: words.map(str::to_owned).collect(),
        }
    }
}

fn unreachable(
    view: &View<'_>,
    containers: &Containers<'_>,
    published: &Publications<'_>,
    target: Target<'_>,
    node: &Node<'_>,
) -> Option<Finding> {
    let host = target.host;
    // nginx asks its resolver for it while it runs.
    let mut words = node.args().iter().skip(1);
    let is_looked_up = words.any(|word| word.text == "resolve");
    if containers.hosts.contains(host) || target.is_loopback() || is_looked_up {
        return None;
    }
    let (message, severity) = if OF_THE_HOST.contains(&host) {
        let message =
            format!("only containers know {host}, and this nginx runs on the host itself");
        (message, Severity::Error)
    } else if containers.names.contains(host) {
        let message =
            format!("{host} is the name of a container: nginx on the host cannot resolve it");
        (message, Severity::Error)
    } else if target.is_bare_name() && target.port.is_some() && view.subject.is_whole() {
        let message =
            format!("{host} is not a DNS name: nginx does not start if it cannot resolve it");
        (message, Severity::Warning)
    } else {
        return None;
    };
    let port = match OF_THE_HOST.contains(&host) {
        true => target.port,
        false => published.port_of(host, target.port),
    };
    let text = node.first();
    let address = format!(
        "localhost:{}",
        port.map_or("PORT".into(), |port| port.to_string())
    );
    let fixed = text.replacen(target.authority, &address, 1);
    let help = match port {
        Some(_) => format!("write {} {fixed};", node.name()),
        None => format!(
            "write {} {fixed}; with the port that it publishes on the host",
            node.name()
        ),
    };
    let span = node.args().first()?.span.clone();
    let place = view.complain(
        node.path,
        span,
        message,
        "the host resolves this name",
        help,
    );
    Some(RULE.at(place).weighing(severity))
}

/// A bare name without a port that is almost that of a group.
fn misspelt_group(
    view: &View<'_>,
    groups: &Groups<'_>,
    target: Target<'_>,
    node: &Node<'_>,
) -> Option<Finding> {
    if !target.is_bare_name() || target.port.is_some() {
        return None;
    }
    let stacks = &view.subject.revision.parsed.policy.stacks;
    let copied = stacks
        .iter()
        .filter(|(_, policy)| policy.copies().is_some());
    let copied = copied.map(|(name, _)| name.as_str());
    let known: BTreeSet<&str> = groups.keys().copied().chain(copied).collect();
    if known.contains(target.host) {
        return None;
    }
    let near = misspelt(target.host, known)?;
    let host = target.host;
    let message =
        format!("no upstream is named {host}: nginx does not start if it cannot resolve it");
    let help = format!("did you mean {near}?");
    let span = node.args().first()?.span.clone();
    let place = view.complain(node.path, span, message, "", help);
    Some(RULE.at(place).weighing(Severity::Warning))
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::stacks::{LOOPBACK, behind};

    #[test]
    fn names_that_only_containers_know() {
        let found = |pass: &str, more: &[(&str, &str)]| {
            behind("nginx-container-upstream", pass, LOOPBACK, more)
        };
        for (pass, expected) in [
            (
                "http://api:80/",
                "E sites-available/a:1:34: api is the name of a container",
            ),
            (
                "http://the-api",
                "E sites-available/a:1:34: the-api is the name of a container",
            ),
            (
                "http://host.docker.internal:8001",
                "E sites-available/a:1:34: only containers know host.docker.internal",
            ),
            (
                "http://nowhere:8001",
                "W sites-available/a:1:34: nowhere is not a DNS name",
            ),
        ] {
            let said = found(pass, &[]);
            assert!(
                said.len() == 1 && said[0].contains(expected),
                "{pass}: {said:?}"
            );
        }
        for pass in [
            "http://localhost:8001",
            "http://127.0.0.1:8001",
            "http://[::1]:8001",
            "http://172.27.0.3:80",
            "http://api.example.org",
            "http://elsewhere",
            "http://$api:80",
            "http://unix:/run/api.sock",
        ] {
            assert_eq!(found(pass, &[]), [""; 0], "{pass}");
        }
        let named = ("etc/hosts", "127.0.0.1 localhost\n10.0.0.7 nowhere\n");
        assert_eq!(found("http://nowhere:8001", &[named]), [""; 0]);
        let group = |server: &str| {
            format!(
                "upstream api {{ server {server}; }}\nserver {{ listen 81; location / {{ proxy_pass http://api; }} location /x {{ proxy_pass http://api; }} }}"
            )
        };
        let (good, bad) = (group("localhost:8001"), group("api:80"));
        assert_eq!(
            found("http://api", &[("sites-available/g", &good)]),
            [""; 0]
        );
        let good = good.replace("api", "shop-pool");
        let said = found("http://shop-pol", &[("sites-available/g", &good)]);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].contains("no upstream is named shop-pol"),
            "{said:?}"
        );
        // It is looked up while nginx runs.
        let resolved = group("api:80 resolve");
        let said = found("http://api", &[("sites-available/g", &resolved)]);
        assert_eq!(said, [""; 0]);
        let said = found("http://api", &[("sites-available/g", &bad)]);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with("E sites-available/g:1:23"), "{said:?}");
    }
}
