//! Networks and volumes of the infrastructure file, and the members of the networks.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use super::Networks;
use crate::model::{Diagnostic, Member, MemberName, Network};
use crate::source::compose::infra::{expected_in, usable};
use crate::source::compose::{self, Document, infra, interpolate, spans};
use crate::source::error::Result;
use crate::source::load::{Loader, Reads, Wrong, secrets, text, utf8, with_help};
use crate::source::policy::{Folders, NetworkPolicy};

/// A compose service on a network that its own file does not make.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) network: String,
    pub(crate) project: String,
    pub(crate) service: String,
    pub(crate) container: Option<String>,
    pub(crate) aliases: BTreeSet<String>,
    pub(crate) address: Option<String>,
    pub(crate) files: Vec<PathBuf>,
}

/// A member with the complaint that its address would deserve.
struct Placed {
    member: Member,
    /// `None` without an address.
    complaint: Option<Diagnostic>,
}

impl Reads for Networks {
    fn input<'f>(&self, folders: &'f Folders) -> Option<&'f str> {
        Some(&folders.infra)
    }

    /// They are read once it is known which services join them.
    fn complete(&self, loader: &mut Loader<'_, '_>) -> Result<()> {
        let networks = loader.networks();
        loader.pass(networks)?;
        let units = loader.out.desired.units.keys();
        let units: Vec<&str> = units.map(String::as_str).collect();
        for network in loader.policy().networks.values() {
            if let Some(owner) = &network.owner {
                loader.known("unit", owner, &units)?;
            }
        }
        Ok(())
    }
}

impl Loader<'_, '_> {
    fn networks(&mut self) -> Result<()> {
        let path = self.input(&self.policy().folders.infra.clone())?;
        if let Some(file) = self.inputs.file(&path)? {
            let on_server = self.checkout.join(&path);
            let (project, owner) = self.infra_project(&on_server);
            let environment = self.infra_environment(&path)?;
            let document = Document::parse(&path, utf8(&file)?, &environment)?;
            let compose = &document.compose;
            let project = project.unwrap_or_else(|| {
                let folder = on_server.parent().and_then(|folder| folder.file_name());
                let folder = folder.map(|name| name.to_string_lossy().into_owned());
                let name = compose.name.clone().or(folder);
                compose::project_name(&name.unwrap_or_default())
            });
            let read = infra::read(&document, &project)?;
            self.out.desired.networks = read.networks;
            self.out.desired.volumes = read.volumes;
            for network in self.out.desired.networks.values_mut() {
                network.owner = owner.clone();
            }
            self.out.parsed.compose.insert(path, Arc::new(document));
        }
        self.check_known()?;
        let mut networks = std::mem::take(&mut self.out.desired.networks);
        for (name, network) in &mut networks {
            let policy = self.policy().networks.get(name.as_str());
            if let Some(owner) = policy.and_then(|policy| policy.owner.as_ref()) {
                network.owner = Some(owner.to_string());
            }
            let placed = self.members(name, policy)?;
            // A survey leaves them to the rules, which tell all of them at once.
            if self.wrong == Wrong::Fails {
                check_addresses(name, network, &placed)?;
            }
            network.members = placed.into_iter().map(|placed| placed.member).collect();
        }
        self.out.desired.networks = networks;
        Ok(())
    }

    /// The project and unit that bring the infrastructure file up.
    fn infra_project(&self, on_server: &std::path::Path) -> (Option<String>, Option<String>) {
        for (name, unit) in &self.out.desired.units {
            let stack = unit
                .stacks
                .iter()
                .find(|stack| stack.files.iter().any(|file| file == on_server));
            if let Some(stack) = stack {
                return (Some(stack.project.clone()), Some(name.clone()));
            }
        }
        (None, None)
    }

    fn infra_environment(&self, path: &std::path::Path) -> Result<compose::Environment> {
        let path = path.with_file_name(".env");
        if let Some(file) = self.inputs.probe(&path)? {
            return Ok(interpolate::env_file(&text(&file)));
        }
        let lies = self.work.and_then(|work| work.read(&path).ok().flatten());
        Ok(lies.map_or_else(Default::default, |(content, _)| {
            secrets::withheld(interpolate::env_file(&String::from_utf8_lossy(&content)))
        }))
    }

    /// Every network of watchme.toml has to be defined.
    fn check_known(&self) -> Result<()> {
        let known = &self.out.desired.networks;
        for name in self.policy().networks.keys() {
            if !known.contains_key(name.as_str()) {
                let names = known.keys().map(String::as_str);
                let complaint = self.policy().unknown("network", name, names);
                let help = complaint.help.clone();
                let infra = self.policy().folders.infra.as_str();
                return Err(with_help(
                    Diagnostic {
                        expected: format!("expected the name of a network that {infra} defines"),
                        ..complaint
                    },
                    help,
                ));
            }
        }
        Ok(())
    }

    /// Members from watchme.toml, then those that only compose files know. What compose knows
    /// of a member that watchme.toml lists completes it.
    fn members(&self, network: &str, policy: Option<&NetworkPolicy>) -> Result<Vec<Placed>> {
        let file = &self.policy().file;
        let listed = policy.into_iter().flat_map(NetworkPolicy::members);
        let mut placed: Vec<Placed> = listed
            .map(|(member, span)| Placed {
                complaint: member.address.map(|_| file.complain(span, "", "", None)),
                member,
            })
            .collect();
        let candidates = self.out.candidates.iter();
        for candidate in candidates.filter(|found| found.network == network) {
            let (address, complaint) = match &candidate.address {
                None => (None, None),
                Some(text) => {
                    let complaint = self.complaint(candidate);
                    let address = text.parse::<IpAddr>().map_err(|_| Diagnostic {
                        message: format!("{text:?} is not an address"),
                        expected: "expected an IP address".into(),
                        ..complaint.clone()
                    })?;
                    (Some(address), Some(complaint))
                }
            };
            let known = placed
                .iter_mut()
                .find(|placed| candidate.is(&placed.member.name));
            match known {
                Some(known) => {
                    known
                        .member
                        .aliases
                        .extend(candidate.aliases.iter().cloned());
                    if known.member.address.is_none() && address.is_some() {
                        known.member.address = address;
                        known.member.pin = true;
                        known.complaint = complaint;
                    }
                }
                None => placed.push(Placed {
                    member: Member {
                        name: candidate.name(),
                        pin: address.is_some(),
                        address,
                        aliases: candidate.aliases.clone(),
                    },
                    complaint,
                }),
            }
        }
        Ok(placed)
    }

    /// An empty complaint about a candidate's address, in the file that gives it.
    fn complaint(&self, candidate: &Candidate) -> Diagnostic {
        let address = candidate.address.as_deref();
        let documents = candidate.files.iter().filter_map(|file| {
            let relative = self.in_checkout(file)?;
            self.out.parsed.compose.get(&relative)
        });
        let mut empty = None;
        for document in documents {
            let path = ["services", &candidate.service, "networks"];
            let span = spans(document.source(), &path, address);
            let hit =
                address.is_some_and(|address| document.source().get(span.clone()) == Some(address));
            let complaint = document.complain(span, "", "");
            if hit {
                return complaint;
            }
            empty.get_or_insert(complaint);
        }
        empty.unwrap_or_else(|| self.policy().file.complain(0..0, "", "", None))
    }
}

impl Candidate {
    fn name(&self) -> MemberName {
        match &self.container {
            Some(container) => MemberName::Container(container.clone()),
            None => MemberName::Service {
                project: self.project.clone(),
                service: self.service.clone(),
            },
        }
    }

    fn is(&self, name: &MemberName) -> bool {
        match name {
            MemberName::Container(container) => self.container.as_ref() == Some(container),
            MemberName::Service { project, service } => {
                *project == self.project && *service == self.service
            }
        }
    }
}

/// Every address has to be possible on the network, and one container's alone.
fn check_addresses(name: &str, network: &Network, members: &[Placed]) -> Result<()> {
    let mut holders: BTreeMap<IpAddr, String> = BTreeMap::new();
    for subnet in &network.subnets {
        if let Some(gateway) = subnet.gateway {
            holders.insert(gateway, "the gateway".into());
        }
    }
    for placed in members {
        let (Some(address), Some(complaint)) = (placed.member.address, &placed.complaint) else {
            continue;
        };
        let fail = |message: String, expected: String| {
            let complaint = complaint.clone();
            Err(Diagnostic {
                message,
                expected,
                ..complaint
            }
            .into())
        };
        let who = &placed.member.name;
        let fits = network
            .subnets
            .iter()
            .any(|subnet| usable(&subnet.subnet, &address));
        match network.subnets.first() {
            None if placed.member.pin => {
                let message = format!("the address {address} of {who} needs a subnet on {name}");
                return fail(
                    message,
                    "expected ipam.config.subnet in the infrastructure file".into(),
                );
            }
            Some(first) if !fits => {
                let message = format!(
                    "the address {address} of {who} is outside the subnet {}",
                    first.subnet
                );
                return fail(message, expected_in(&first.subnet));
            }
            _ => {}
        }
        if let Some(other) = holders.insert(address, who.to_string()) {
            let message = format!("the address {address} is given twice: to {other} and to {who}");
            return fail(message, "expected an address that is free".into());
        }
    }
    Ok(())
}
