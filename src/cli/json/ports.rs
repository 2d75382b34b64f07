//! `ports --json`.

use serde::Serialize;

use super::FORMAT_VERSION;
use crate::check::ports::Declared;
use crate::cli::ports::Table;

/// `ports --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Ports {
    format_version: u32,
    /// Those of the desired state.
    ports: Vec<Port>,
    /// Who listens on this host; `null` where nothing was applied.
    listeners: Option<Vec<Listener>>,
    /// Ports of the range of `--free` that nobody has.
    free: Option<Vec<u16>>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Port {
    port: u16,
    /// tcp, udp or sctp.
    protocol: String,
    declared: Vec<By>,
    proxied: Vec<Place>,
}

/// A site whose server listens, or a compose service that publishes it.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct By {
    site: Option<String>,
    project: Option<String>,
    service: Option<String>,
    /// The unit that runs the service.
    unit: Option<String>,
    container: Option<String>,
    /// The address of the host; `null` for all of them.
    address: Option<String>,
    /// The port in the container.
    container_port: Option<u16>,
}

/// A `proxy_pass` or the like that leads to the port.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Place {
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
    /// `null` where this user may not know it.
    program: Option<String>,
}

impl Ports {
    pub(in crate::cli) fn new(table: &Table) -> Self {
        let listeners = table.listeners.as_ref().map(|listeners| {
            let listener = |one: &crate::host::sockets::Listener| Listener {
                port: one.port,
                protocol: one.protocol.to_owned(),
                address: one.address.to_string(),
                program: one.program.clone(),
            };
            listeners.iter().map(listener).collect()
        });
        let ports = table.ports.iter().map(|((port, protocol), found)| Port {
            port: *port,
            protocol: protocol.clone(),
            declared: found.declared.iter().map(by).collect(),
            proxied: found
                .proxied
                .iter()
                .map(|(path, line)| Place {
                    path: path.to_string_lossy().into_owned(),
                    line: *line,
                })
                .collect(),
        });
        Self {
            format_version: FORMAT_VERSION,
            ports: ports.collect(),
            listeners,
            free: table.free.clone(),
        }
    }
}

fn by(declared: &Declared) -> By {
    match declared {
        Declared::Site(name) => By {
            site: Some(name.clone()),
            ..By::default()
        },
        Declared::Service {
            project,
            service,
            unit,
            container,
            address,
            inside,
        } => By {
            site: None,
            project: Some(project.clone()),
            service: Some(service.clone()),
            unit: unit.clone(),
            container: container.clone(),
            address: address.map(|address| address.to_string()),
            container_port: Some(*inside),
        },
    }
}
