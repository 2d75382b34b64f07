//! What two copies of a stack that updates start-first cannot both have: they run side by side for a moment.

use std::collections::{BTreeMap, BTreeSet};

use super::Found;
use super::refused::COPIES;
use crate::source::compose::{Publish, Service, types};
use crate::source::error::{Result, SourceError};
use crate::source::load::Loader;

impl Loader<'_, '_> {
    /// Refuses what of a stack may exist only once.
    pub(super) fn refuse_what_is_fixed(&self, stack: &Found, port: u16) -> Result<()> {
        let mut serves = false;
        for (name, service) in stack.parsed.started_services() {
            self.refuse_fixed_name(stack, name, service)?;
            self.refuse_fixed_addresses(stack, name, service)?;
            serves |= self.refuse_fixed_ports(stack, name, service, port)?;
        }
        if !serves {
            let message = format!("no service of {} publishes ${{PORT}}", stack.name);
            let help = "write ports: [\"127.0.0.1:${PORT}:8000\"] at the service to which nginx passes requests";
            return Err(self.fixed(stack, &["services"], message, help));
        }
        self.refuse_fixed_networks(stack)?;
        self.refuse_own_volumes(stack)
    }

    fn refuse_fixed_name(&self, stack: &Found, name: &str, service: &Service) -> Result<()> {
        let Some(fixed) = &service.container_name else {
            return Ok(());
        };
        let message = format!("two copies of {name} cannot both be named {fixed}");
        let help = "remove container_name: others reach it by the name of its service";
        let keys = ["services", name, "container_name"];
        Err(self.fixed(stack, &keys, message, help))
    }

    fn refuse_fixed_addresses(&self, stack: &Found, name: &str, service: &Service) -> Result<()> {
        for (network, attachment) in service.networks.entries() {
            let Some(attachment) = attachment else {
                continue;
            };
            for (key, address) in [
                ("ipv4_address", &attachment.ipv4_address),
                ("ipv6_address", &attachment.ipv6_address),
            ] {
                if let Some(address) = address {
                    let message =
                        format!("two copies of {name} cannot both have the address {address}");
                    let help = "remove it: others reach it by the name of its service";
                    let keys = ["services", name, "networks", network, key];
                    return Err(self.fixed(stack, &keys, message, help));
                }
            }
        }
        Ok(())
    }

    /// Whether the service publishes the stack's port. Other ports are refused, and those of several containers.
    fn refuse_fixed_ports(
        &self,
        stack: &Found,
        name: &str,
        service: &Service,
        port: u16,
    ) -> Result<bool> {
        let of_second = stack.second.iter();
        let of_second = of_second.filter_map(|second| second.compose.services.get(name));
        let second = of_second.clone().next();
        if service.network_mode() == Some("host")
            && second.is_some_and(|other| other.rest == service.rest)
        {
            let message = format!("two copies of {name} cannot both listen on ports of the host");
            let help = "remove network_mode: host, or have it listen on ${PORT}";
            let keys = ["services", name, "network_mode"];
            return Err(self.fixed(stack, &keys, message, help));
        }
        let published = of_second.flat_map(Service::published);
        let kept: BTreeSet<Publish> = published.flat_map(|port| port.on_host()).collect();
        let mut serves = false;
        for published in service.published().iter().flat_map(|port| port.on_host()) {
            let is_fixed = kept.contains(&published);
            serves |= published.port == port && !is_fixed;
            if published.port != port || is_fixed {
                let port = published.port;
                let message = format!("two copies of {name} cannot both publish port {port}");
                let help = "write ${PORT}: it is one of the two ports of its stack in watchme.toml";
                return Err(self.fixed(stack, &["services", name, "ports"], message, help));
            }
        }
        let number = service.replicas();
        if serves && number > 1 {
            let message = format!("{number} containers of {name} cannot all publish port {port}");
            let help = "remove scale and replicas: one container of it publishes ${PORT}";
            let keys = match service.rest.contains_key("scale") {
                true => &["services", name, "scale"][..],
                false => &["services", name, "deploy", "replicas"],
            };
            return Err(self.fixed(stack, keys, message, help));
        }
        Ok(serves)
    }

    fn refuse_fixed_networks(&self, stack: &Found) -> Result<()> {
        let copied = &stack.name;
        for (key, network) in &stack.parsed.compose.networks {
            let own = network.as_ref();
            let Some(network) = own.filter(|own| !types::is_external(&own.external)) else {
                continue;
            };
            let help = "make it external: docker-compose.infra.yml or another stack defines it, and both copies are on it";
            let ranges = network.ipam.iter().flat_map(|ipam| &ipam.config);
            let mut subnets = ranges.filter_map(|range| range.subnet.as_ref());
            if let Some(subnet) = subnets.next() {
                let message = format!(
                    "each copy of {copied} would have a network {key}, and two networks cannot have the subnet {subnet}"
                );
                let keys = ["networks", key, "ipam"];
                return Err(self.fixed(stack, &keys, message, help));
            }
            if let Some(name) = &network.name {
                let message =
                    format!("each copy of {copied} would create and remove the network {name}");
                return Err(self.fixed(stack, &["networks", key, "name"], message, help));
            }
        }
        Ok(())
    }

    fn refuse_own_volumes(&self, stack: &Found) -> Result<()> {
        for (key, volume) in &stack.parsed.compose.volumes {
            let is_shared = volume.as_ref().is_some_and(|volume| {
                volume.name.is_some() || types::is_external(&volume.external)
            });
            if !is_shared {
                let copied = &stack.name;
                let message = format!("each copy of {copied} would have a volume {key} of its own");
                let help = "give it a name, or make it external, so that both have the same; a database belongs in a stack without copies";
                return Err(self.fixed(stack, &["volumes", key], message, help));
            }
        }
        Ok(())
    }

    /// Refuses ports of copies that another stack publishes: the second one is only used at an update.
    pub(super) fn refuse_ports_of_others(&self, stacks: &[Found]) -> Result<()> {
        let mut holders: BTreeMap<u16, Vec<&Found>> = BTreeMap::new();
        for stack in stacks {
            let started = stack.parsed.started_services();
            let published = started.flat_map(|(_, service)| service.host_ports());
            let ports: BTreeSet<u16> = match stack.policy.copies() {
                Some(ports) => ports.into_iter().collect(),
                None => published.collect(),
            };
            for port in ports {
                holders.entry(port).or_default().push(stack);
            }
        }
        for (port, holders) in &holders {
            let mut copied = holders.iter().filter(|one| one.policy.copies().is_some());
            let Some(copied) = copied.next_back() else {
                continue;
            };
            let mut others = holders.iter().filter(|other| other.name != copied.name);
            if let Some(other) = others.next() {
                let (one, other) = (&copied.name, &other.name);
                let message =
                    format!("port {port} is for a copy of {one}, and {other} publishes it");
                let help = "choose a port that nothing else uses: the second one is used at the next update";
                let span = copied.policy.ports.span();
                let help = Some(help.to_owned());
                return Err(self.policy().file.complain(span, message, "", help).into());
            }
        }
        Ok(())
    }

    /// An error about a key of a stack's first file that has it.
    fn fixed(&self, stack: &Found, keys: &[&str], message: String, help: &str) -> SourceError {
        let expected = format!("[stack.{}] has update = \"start-first\"", stack.name);
        self.refused((COPIES, stack), keys, (message, expected), help)
    }
}
