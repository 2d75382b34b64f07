//! Ports as JSON.

use serde::Serialize;

use super::Table;
use crate::check::ports::{By as Who, Declared, Port as Found, Ports as All};
use crate::cli::json::{self, FORMAT_VERSION};

/// `ports --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Ports {
    format_version: u32,
    /// The ports of the desired state.
    ports: Vec<Port>,
    /// Those of configuration that is elsewhere in the checkout, and is not applied.
    elsewhere: Vec<Elsewhere>,
    /// What listens on this host; `null` if nothing was applied here.
    listeners: Option<Vec<Listener>>,
    /// The free ports of the range of `--free`.
    free: Option<Vec<u16>>,
}

/// Files that one nginx reads, or the units of a folder.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Elsewhere {
    /// Their paths in the checkout.
    files: Vec<String>,
    ports: Vec<Port>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Port {
    port: u16,
    /// tcp, udp or sctp.
    protocol: String,
    declared: Vec<By>,
    proxied: Vec<Reference>,
}

json::document!(Ports = "ports");

/// Who declares a port.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct By {
    kind: HolderKind,
    /// The nginx site; `null` if another nginx file declares the port.
    site: Option<String>,
    /// The nginx file, in the checkout.
    file: Option<String>,
    project: Option<String>,
    service: Option<String>,
    /// The unit that runs the service, is made of the Quadlet, is the socket, or names the port in its command.
    unit: Option<String>,
    container: Option<String>,
    /// The address on the host; `null` for all addresses, or if it is not known.
    address: Option<String>,
    /// The port in the container.
    container_port: Option<u16>,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
enum HolderKind {
    /// nginx listens.
    Nginx,
    /// A compose service publishes it.
    Service,
    /// Podman publishes it for a Quadlet.
    Quadlet,
    /// systemd listens for a socket unit.
    Socket,
    /// The command or the environment of a unit names it: the unit probably listens there.
    Command,
}

/// A `proxy_pass` or a similar directive that leads to the port.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Reference {
    path: String,
    line: usize,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Listener {
    port: u16,
    /// tcp or udp.
    protocol: String,
    address: String,
    /// `null` if this user may not see it.
    program: Option<String>,
}

impl Ports {
    pub(super) fn new(table: &Table, free: Option<Vec<u16>>) -> Self {
        let listeners = table.listeners.as_ref().map(|listeners| {
            let listener = |one: &crate::model::Listener| Listener {
                port: one.port,
                protocol: one.protocol.to_owned(),
                address: one.address.to_string(),
                program: one.program.clone(),
            };
            listeners.iter().map(listener).collect()
        });
        let elsewhere = table.elsewhere.iter().map(|(part, ports)| Elsewhere {
            files: part.files(),
            ports: of(ports),
        });
        Self {
            format_version: FORMAT_VERSION,
            ports: of(&table.ports),
            elsewhere: elsewhere.collect(),
            listeners,
            free,
        }
    }
}

fn of(ports: &All) -> Vec<Port> {
    let port = |((port, protocol), found): (&(u16, String), &Found)| Port {
        port: *port,
        protocol: protocol.clone(),
        declared: found.declared.iter().map(by).collect(),
        proxied: found
            .proxied
            .iter()
            .map(|(path, line)| Reference {
                path: path.to_string_lossy().into_owned(),
                line: *line,
            })
            .collect(),
    };
    ports.iter().map(port).collect()
}

fn by(declared: &Declared) -> By {
    let of = |kind| By {
        kind,
        site: None,
        file: None,
        project: None,
        service: None,
        unit: None,
        container: None,
        address: declared.address.map(|address| address.to_string()),
        container_port: None,
    };
    match &declared.by {
        Who::Nginx { site, path } => By {
            site: site.clone(),
            file: Some(path.to_string_lossy().into_owned()),
            ..of(HolderKind::Nginx)
        },
        Who::Service {
            project,
            service,
            unit,
            container,
            inside,
        } => By {
            project: Some(project.clone()),
            service: Some(service.clone()),
            unit: unit.clone(),
            container: container.clone(),
            container_port: Some(*inside),
            ..of(HolderKind::Service)
        },
        Who::Podman { unit, container } => By {
            unit: Some(unit.clone()),
            container: container.clone(),
            ..of(HolderKind::Quadlet)
        },
        Who::Socket(unit) => By {
            unit: Some(unit.clone()),
            ..of(HolderKind::Socket)
        },
        Who::Command(unit) => By {
            unit: Some(unit.clone()),
            ..of(HolderKind::Command)
        },
    }
}
