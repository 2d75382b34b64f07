//! What several keys of watchme.toml say together: which are needed, which exclude each other, and what comes of them.

use std::ops::Range;

use super::schema::{EtcPolicy, GatePolicy, Install, MemberPolicy, NetworkPolicy, Policy};
use super::server::{Host, Update};
use super::spanned::Spanned;
use super::values::Compose;
use crate::model::{
    self, Backend, Diagnostic, EtcAction, Firewall, Gate, Member, MemberName, Probe,
};

/// What is wrong, and what was expected.
type Conflict = (&'static str, &'static str);

impl Policy {
    /// The first error in keys that are right each on its own.
    pub(super) fn validate(&self) -> Result<(), Diagnostic> {
        let wrong =
            |span, (message, expected): Conflict| self.file.complain(span, message, expected, None);
        self.validate_notifiers()?;
        let host = &self.host;
        for (program, stated) in [
            (model::Program::Nginx, &host.nginx),
            (model::Program::Systemd, &host.systemd),
            (model::Program::Docker, &host.docker),
        ] {
            let Some(version) = stated else { continue };
            if let Some((message, expected)) = program.impossible(***version) {
                let span = version.span();
                return Err(self.file.complain(span, message, expected, None));
            }
        }
        for network in self.networks.values() {
            let mut known = Vec::new();
            for member in &network.members {
                let span = member.span();
                let name = member
                    .read()
                    .map_err(|what| wrong(span.clone(), what))?
                    .name;
                if known.contains(&name) {
                    let message = format!("the member {name} is listed twice");
                    return Err(self.file.complain(span, message, "expected it once", None));
                }
                known.push(name);
            }
        }
        for etc in self.etc.values() {
            if let (Some(_), Some(reload)) = (&etc.restart, &etc.reload) {
                let message = "a change cannot both restart and reload";
                let expected = "expected only one of restart and reload";
                return Err(wrong(reload.span(), (message, expected)));
            }
        }
        for stack in self.stacks.values() {
            if !*stack.unit && stack.update == Update::StartFirst {
                let message = "start-first needs units, which know which copy serves";
                let expected = "expected either unit = false or update = \"start-first\"";
                return Err(wrong(stack.unit.span(), (message, expected)));
            }
            let ports = &stack.ports;
            let conflict = match (stack.update, ports.as_slice()) {
                (Update::InPlace, []) => continue,
                (Update::InPlace, _) => (
                    "ports are those of copies, and this stack has none",
                    "expected them together with update = \"start-first\"",
                ),
                (Update::StartFirst, [a, b]) if a != b && *a > 0 && *b > 0 => continue,
                (Update::StartFirst, _) => (
                    "start-first needs two ports",
                    "expected ports such as [8101, 8102], which nothing else uses",
                ),
            };
            return Err(wrong(ports.span(), conflict));
        }
        self.firewall()?;
        self.packages.validate(&self.file)?;
        for gate in &self.gates {
            gate.read().map_err(|what| wrong(gate.span(), what))?;
        }
        Ok(())
    }

    /// What `[firewall]` wants, if there is one.
    pub fn firewall(&self) -> Result<Option<Firewall>, Diagnostic> {
        let policy = self.firewall.as_ref();
        policy.map(|policy| policy.read(&self.file)).transpose()
    }

    /// The gates, each with the bytes of what it asks.
    pub fn gates(&self) -> impl Iterator<Item = (Gate, Range<usize>)> {
        let gates = self.gates.iter();
        gates.filter_map(|gate| Some((gate.read().ok()?, gate.place().unwrap_or(gate.span()))))
    }
}

impl NetworkPolicy {
    /// The members, each with the bytes of its address or of itself.
    pub fn members(&self) -> impl Iterator<Item = (Member, Range<usize>)> {
        self.members.iter().filter_map(|member| {
            let place = member.address.as_ref().map(Spanned::span);
            Some((member.read().ok()?, place.unwrap_or(member.span())))
        })
    }
}

impl MemberPolicy {
    fn read(&self) -> Result<Member, Conflict> {
        let name = match (&self.container, &self.project, &self.service) {
            (Some(container), None, None) => MemberName::Container(container.to_string()),
            (None, Some(project), Some(service)) => MemberName::Service {
                project: project.to_string(),
                service: service.to_string(),
            },
            _ => {
                return Err((
                    "it is not clear which container this member is",
                    "expected either container, or project and service",
                ));
            }
        };
        if self.pin && self.address.is_none() {
            return Err(("a pinned member needs an address", "expected address"));
        }
        Ok(Member {
            name,
            address: self.address.as_ref().map(|address| ***address),
            pin: self.pin,
            aliases: self.aliases.iter().map(|name| name.to_string()).collect(),
        })
    }
}

impl EtcPolicy {
    /// What follows a change.
    pub fn action(&self) -> Option<EtcAction> {
        match (&self.restart, &self.reload) {
            (Some(unit), _) => Some(EtcAction::Restart(unit.to_string())),
            (None, Some(unit)) => Some(EtcAction::Reload(unit.to_string())),
            (None, None) => None,
        }
    }

    /// Whether it is linked into the store; `None` leaves it to what reads it.
    pub fn link(&self) -> Option<bool> {
        self.install.map(|install| install == Install::Link)
    }
}

impl GatePolicy {
    fn read(&self) -> Result<Gate, Conflict> {
        let probe = match (&self.url, &self.tcp, &self.container, &self.unit) {
            (Some(url), None, None, None) => Probe::Url {
                url: (***url).clone(),
                status: self.status.map_or(200, |status| status.0),
                verify: self.verify.unwrap_or(true),
            },
            (None, Some(tcp), None, None) => Probe::Tcp(***tcp),
            (None, None, Some(name), None) => Probe::Container(name.to_string()),
            (None, None, None, Some(name)) => Probe::Unit(name.to_string()),
            _ => {
                return Err((
                    "a gate needs exactly one of url, tcp, container and unit",
                    "",
                ));
            }
        };
        let is_https = matches!(&probe, Probe::Url { url, .. } if url.is_https());
        if self.status.is_some() && self.url.is_none() {
            return Err(("only a url answers with a status", "expected url"));
        }
        if self.verify.is_some() && !is_https {
            return Err((
                "only an https url has a certificate",
                "expected verify with an https url",
            ));
        }
        if self.timeout.is_zero() {
            return Err((
                "a gate with a timeout of zero never passes",
                "expected a timeout such as \"5s\"",
            ));
        }
        Ok(Gate {
            probe,
            timeout: *self.timeout,
            retries: self.retries,
            behind: Backend::default(),
        })
    }

    /// The bytes of what it asks.
    fn place(&self) -> Option<Range<usize>> {
        let url = self.url.as_ref().map(Spanned::span);
        let tcp = self.tcp.as_ref().map(Spanned::span);
        let container = self.container.as_ref().map(Spanned::span);
        let unit = self.unit.as_ref().map(Spanned::span);
        url.or(tcp).or(container).or(unit)
    }
}

impl From<&Host> for model::Target {
    fn from(host: &Host) -> Self {
        Self {
            nginx: host.nginx.as_ref().map(|version| ***version),
            systemd: host.systemd.as_ref().map(|version| ***version),
            compose: host.compose.map(Compose::version),
            docker: host.docker.as_ref().map(|version| ***version),
        }
    }
}
