//! Docker and the networks have to be there before a unit runs containers.

use std::collections::{BTreeMap, BTreeSet};

use super::index::{Line, Unit, Units};
use super::order::Order;
use crate::check::engine::Rule;
use crate::check::rules::systemd::rule::{
    systemd_docker_not_required, systemd_network_not_required, systemd_not_after_docker,
    systemd_not_after_network,
};
use crate::model::{Finding, Stack};
use crate::source::unit::exec::base;

/// Either of them brings Docker up: the socket starts the service.
const DOCKER: [&str; 2] = ["docker.service", "docker.socket"];

/// Looks at all units that run containers at boot.
pub(crate) fn walk(units: &Units, order: &Order) -> Vec<Finding> {
    let after_docker = order.after(&DOCKER);
    let pulling_docker = order.pulling(&DOCKER);
    let networks = Networks::new(units, order);
    let mut findings = Vec::new();
    for unit in units.all.iter().filter(|unit| is_started(unit, units)) {
        let Some(line) = unit
            .lines
            .iter()
            .find(|line| line.runs().any(|run| is_docker(&run)))
        else {
            continue;
        };
        let name = unit.name.as_str();
        if !after_docker.contains(name) {
            let message = format!("{name} runs containers and may start before Docker does");
            let help = "write After=docker.service under [Unit]".to_owned();
            findings.push(at(&systemd_not_after_docker::RULE, line, message, help));
        }
        if !pulling_docker.contains(name) {
            let message = format!("{name} runs containers and does not require Docker");
            let help = "write Requires=docker.service under [Unit]".to_owned();
            findings.push(at(&systemd_docker_not_required::RULE, line, message, help));
        }
        findings.extend(networks.check(unit, line, units));
    }
    findings
}

/// Whether it runs by itself. What a timer starts, runs when everything else is up.
fn is_started(unit: &Unit, units: &Units) -> bool {
    let runs = unit.desired.start || units.is_pulled_in(unit.name.as_str());
    unit.is_ours() && !unit.name.is_template() && runs
}

fn is_docker(run: &[String]) -> bool {
    run.first()
        .is_some_and(|program| ["docker", "docker-compose"].contains(&base(program)))
}

fn at(rule: &'static Rule, line: &Line, message: String, help: String) -> Finding {
    let value = &line.value;
    let docker = line
        .commands
        .iter()
        .flat_map(|command| &command.words)
        .find(|word| word.text.contains("docker"));
    let place = match docker {
        Some(word) => value.complain_about(word.span.clone(), message, "needs it"),
        None => value.complain(message, "needs it"),
    };
    rule.at(place.helped(help))
}

/// The networks that units of their own bring up.
struct Networks<'a> {
    /// Of each network the unit that brings it up.
    owners: BTreeMap<&'a str, &'a str>,
    /// Of each owner the units that start after it, and those that pull it in.
    by_owner: BTreeMap<&'a str, (BTreeSet<&'a str>, BTreeSet<&'a str>)>,
}

impl<'a> Networks<'a> {
    fn new(units: &'a Units<'a>, order: &'a Order) -> Self {
        let policy = &units.revision.parsed.policy;
        let mut owners = BTreeMap::new();
        let infra = units.all.iter().find(|unit| {
            let mut files = unit.desired.stacks.iter().flat_map(|stack| &stack.files);
            files.any(|file| {
                let file = units.revision.desired.files.get(file);
                file.is_some_and(|file| file.source.ends_with(policy.folders.infra.as_str()))
            })
        });
        if let Some(unit) = infra {
            let names = units.revision.desired.networks.keys();
            owners.extend(names.map(|name| (name.as_str(), unit.name.as_str())));
        }
        for (name, network) in &policy.networks {
            if let Some(owner) = &network.owner {
                owners.insert(name, owner);
            }
        }
        let by_owner = owners
            .values()
            .map(|owner| (*owner, (order.after(&[*owner]), order.pulling(&[*owner]))))
            .collect();
        Self { owners, by_owner }
    }

    /// A unit whose compose files are elsewhere: what networks they join is not known here, and every other project of
    /// such a server joins one.
    fn unseen(&self, unit: &Unit, line: &Line) -> Option<Finding> {
        let name = unit.name.as_str();
        let is_outside = |stack: &Stack| {
            let mut files = stack.files.iter();
            files.any(|file| unit.desired.outside.contains(file))
        };
        let mentions = |owner: &&str| {
            let known = self.by_owner.get(*owner);
            known.is_some_and(|(after, pulling)| after.contains(name) || pulling.contains(name))
        };
        let mut owners = self.owners.values();
        let owner = owners.clone().next()?;
        if owners.any(|owner| *owner == name || mentions(owner))
            || !unit.desired.stacks.iter().any(is_outside)
        {
            return None;
        }
        let message = format!(
            "{name} runs compose files outside the checkout, and neither starts after {owner} nor requires it"
        );
        let help = format!(
            "if they join a network of {owner}, write After={owner} and Requires={owner} under [Unit]"
        );
        Some(at(&systemd_not_after_network::RULE, line, message, help))
    }

    fn check(&self, unit: &Unit, line: &Line, units: &Units) -> Vec<Finding> {
        let name = unit.name.as_str();
        if let Some(found) = self.unseen(unit, line) {
            return vec![found];
        }
        let mut findings = Vec::new();
        let used = used_networks(unit, units, &self.owners);
        for (network, owner) in &self.owners {
            let Some((after, pulling)) = self.by_owner.get(owner).filter(|_| *owner != name) else {
                continue;
            };
            let uses = used.contains(network);
            // Whoever requires the owner needs it first, whatever for.
            if (uses || pulling.contains(name)) && !after.contains(name) {
                let why = match uses {
                    true => format!("joins {network} and may start before {owner} has created it"),
                    false => format!("requires {owner} and does not start after it"),
                };
                let message = format!("{name} {why}");
                let help = format!("write After={owner} under [Unit]");
                findings.push(at(&systemd_not_after_network::RULE, line, message, help));
            }
            if uses && !pulling.contains(name) {
                findings.push(at(
                    &systemd_network_not_required::RULE,
                    line,
                    format!(
                        "{name} joins {network} and does not require {owner}, which creates it"
                    ),
                    format!("write Requires={owner} under [Unit]"),
                ));
            }
        }
        findings
    }
}

/// The networks of others that a unit's containers join, as far as its files are in the checkout.
fn used_networks<'a>(
    unit: &Unit,
    units: &Units,
    networks: &BTreeMap<&'a str, &str>,
) -> BTreeSet<&'a str> {
    let mut names: BTreeSet<String> = BTreeSet::new();
    for stack in &unit.desired.stacks {
        names.extend(external_networks(stack, units));
    }
    for run in unit
        .lines
        .iter()
        .flat_map(Line::runs)
        .filter(|run| is_docker(run))
    {
        for (at, word) in run.iter().enumerate() {
            let attached = ["--network=", "--net="]
                .iter()
                .find_map(|option| word.strip_prefix(option));
            let is_option = ["--network", "--net"].contains(&word.as_str());
            let next = run.get(at + 1).filter(|_| is_option).map(String::as_str);
            names.extend(attached.or(next).map(str::to_owned));
        }
    }
    let known = networks.keys().copied();
    known.filter(|network| names.contains(*network)).collect()
}

fn external_networks(stack: &Stack, units: &Units) -> BTreeSet<String> {
    let revision = units.revision;
    let composes: Vec<_> = stack
        .files
        .iter()
        .filter_map(|path| revision.desired.files.get(path))
        .filter_map(|file| revision.parsed.compose.get(&file.source))
        .map(|document| &document.compose)
        .collect();
    let mut external: BTreeMap<&str, String> = BTreeMap::new();
    for compose in &composes {
        for (key, network) in &compose.networks {
            let name = network
                .as_ref()
                .and_then(|network| network.external_name(key));
            external.extend(name.map(|name| (key.as_str(), name)));
        }
    }
    let mut found = BTreeSet::new();
    for (name, service) in composes.iter().flat_map(|compose| &compose.services) {
        if !stack.services.contains(name) {
            continue;
        }
        let entries = service.networks.entries();
        let keys: Vec<&str> = match entries.is_empty() {
            true => vec!["default"],
            false => entries.into_iter().map(|(key, _)| key).collect(),
        };
        found.extend(
            keys.into_iter()
                .filter_map(|key| external.get(key).cloned()),
        );
    }
    found
}
