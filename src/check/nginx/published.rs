//! Ports of the host that containers publish.

use std::collections::BTreeSet;

use crate::check::compose::ports::Entry;
use crate::check::ports::by_podman;
use crate::source::compose::{Service, types};
use crate::source::{ParsedStack, Revision};

/// What the containers of a desired state publish.
#[derive(Default)]
pub struct Publications<'a> {
    /// All that can be read.
    pub(crate) all: Vec<Entry<'a>>,
    /// Whether more may be published than is known.
    pub more: bool,
    /// Whether a container has no network of its own, so that it needs to publish nothing.
    pub on_host: bool,
    /// Ports of the host.
    pub ports: BTreeSet<u16>,
}

impl<'a> Publications<'a> {
    /// Those of a revision.
    pub fn of(revision: &'a Revision) -> Self {
        let mut found = Self {
            more: runs_unknown(revision),
            ..Self::default()
        };
        for (_, run) in by_podman(revision) {
            found.more |= run.published.is_empty() && !run.in_pod;
            let ports = run.published.iter().map(|published| published.port);
            found.ports.extend(ports);
        }
        for stack in &revision.parsed.stacks {
            found.more |= stack.unit.is_some() && (!stack.whole || stack.files.is_empty());
            for (name, service) in &stack.compose.services {
                found.add(stack, name, service);
            }
        }
        found
    }

    fn add(&mut self, stack: &'a ParsedStack, service: &'a str, definition: &'a Service) {
        self.on_host |= definition.network_mode() == Some("host");
        let ports = definition.published();
        // One that cannot be read, and one whose variable has no value here: `:80`.
        let mut texts = definition.ports.iter().filter_map(types::text);
        self.more |=
            ports.len() < definition.ports.len() || texts.any(|text| text.starts_with(':'));
        self.ports.extend(definition.host_ports());
        self.all.extend(ports.into_iter().map(|port| Entry {
            stack,
            service,
            definition,
            port,
        }));
    }

    /// The port of the host that leads to a port of a container or service.
    pub fn port_of(&self, name: &str, port: Option<u16>) -> Option<u16> {
        let named = |one: &&Entry<'_>| {
            one.service == name || one.definition.container_name.as_deref() == Some(name)
        };
        self.all.iter().filter(named).find_map(|one| {
            let (host, inside) = (one.port.host.as_ref()?, &one.port.container);
            let port = port.unwrap_or(*inside.start());
            let at = inside.contains(&port).then(|| port - inside.start())?;
            host.start()
                .checked_add(at)
                .filter(|found| host.contains(found))
        })
    }
}

/// Whether a unit starts containers in a way that is not understood.
fn runs_unknown(revision: &Revision) -> bool {
    let units = revision.desired.units.iter();
    let mut others = units.filter(|(_, unit)| unit.stacks.is_empty());
    others.any(|(name, _)| {
        let settings = revision.parsed.units.get(name);
        let commands = settings
            .map(|settings| settings.matching("Service", |key| key.starts_with("Exec")))
            .unwrap_or_default();
        let mut texts = commands.iter().map(|command| command.text.as_str());
        texts.any(|text| text.contains("docker") || text.contains("podman"))
    })
}
