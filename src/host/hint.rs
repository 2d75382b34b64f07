//! What helps after a failure of the host.

use super::error::{BusError, DockerAbsence, HostError, server_answer};
use crate::model::Engine;

impl HostError {
    /// A command or a fact that helps a person on.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            HostError::Root(error) => error.hint(),
            HostError::Secret(error) => error.help().into_iter().next(),
            HostError::SystemdAbsent { .. } => Some(
                "on a machine without systemd use --root DIR, or leave units and sites out with --only; plan --from REV needs no host"
                    .to_owned(),
            ),
            HostError::Systemd { source, .. } => systemd_hint(source).map(str::to_owned),
            HostError::UnitFailed { unit, cause, .. } => {
                let unit = cause.as_ref().map_or(unit, |cause| &cause.unit);
                // systemd does not know one any more that the run has brought.
                Some(format!("journalctl -u {unit} -n 50"))
            }
            HostError::DockerAbsent { why, socket, .. } => {
                Some(docker_absent_hint(Engine::behind(socket), *why))
            }
            HostError::DockerMute { engine, .. } => {
                Some(docker_absent_hint(*engine, DockerAbsence::Mute))
            }
            HostError::Docker { engine, source, .. } => docker_hint(*engine, source),
            HostError::NotStopped { engine, container, .. } => {
                let command = engine.command();
                Some(format!("{command} top {container}; {command} kill {container}"))
            }
            HostError::NetworkExists { engine, name, .. } => {
                Some(format!("{} network inspect {name}", engine.command()))
            }
            HostError::NginxInvalid { reason } => Some(test_hint(reason).to_owned()),
            HostError::ReloadUnproved { log, .. } => Some(reload_hint(log).to_owned()),
            HostError::NginxStopped => Some("systemctl status nginx; systemctl start nginx".to_owned()),
            HostError::Certificate { .. } => Some(
                "correct the name, or take bootstrap_certificates out of watchme.toml".to_owned(),
            ),
            HostError::PullFailed { engine, image, user, said, .. } => {
                Some(super::images::hint(*engine, image, user, said))
            }
            HostError::BuildFailed { command, .. } => {
                Some(format!("to see all that the build prints: {command}"))
            }
            HostError::ImagePlatform { engine, image, .. } => Some(format!(
                "{} pull --platform linux/{} {image}, if it is made for that; else build it for this host",
                engine.command(),
                super::images::architecture()
            )),
            HostError::ImageGone { engine, image } => {
                Some(format!("{} image inspect {image}", engine.command()))
            }
            HostError::Firewall { program: "ufw", .. } => Some("ufw status numbered; ufw show added".to_owned()),
            HostError::Firewall { .. } => Some(format!(
                "nft -c -f {}; nft list ruleset",
                crate::model::layout::FIREWALL_RULES
            )),
            HostError::Apt { failure, .. } => Some(failure.hint().to_owned()),
            HostError::Loader { program, files, .. } => {
                let file = files.iter().next()?;
                let create = program.ends_with("tmpfiles").then_some(" --create");
                let create = create.unwrap_or_default();
                Some(format!("SYSTEMD_LOG_LEVEL=debug {program}{create} {}", file.display()))
            }
            HostError::ParameterDiffers { name, .. } => Some(format!(
                "systemd-analyze cat-config sysctl.d | grep {name}; sysctl {name}"
            )),
            HostError::SetParameter { name, .. } => Some(format!("sysctl {name}")),
            HostError::Timeout { .. }
            | HostError::UfwRuns { .. }
            | HostError::Interrupted
            | HostError::Program { .. }
            | HostError::Candidate { .. }
            | HostError::Proc { .. } => None,
        }
    }
}

fn systemd_hint(error: &BusError) -> Option<&'static str> {
    if let zbus::Error::FDO(error) = &error.0
        && matches!(
            **error,
            zbus::fdo::Error::AccessDenied(_)
                | zbus::fdo::Error::AuthFailed(_)
                | zbus::fdo::Error::InteractiveAuthorizationRequired(_)
        )
    {
        return Some("only root may do this: use sudo");
    }
    match error.name()? {
        "org.freedesktop.systemd1.UnitMasked" => Some("the unit is masked: systemctl unmask UNIT"),
        "org.freedesktop.systemd1.NoSuchUnit" => Some(
            "systemctl list-unit-files shows what systemd knows; a new file needs a daemon-reload",
        ),
        _ => None,
    }
}

fn docker_absent_hint(engine: Engine, why: DockerAbsence) -> String {
    let unit = engine.unit();
    let (package, allowed) = match engine {
        Engine::Docker => ("docker.io", "use sudo, or add the user to the group docker"),
        Engine::Podman => ("podman", "use sudo"),
    };
    match why {
        DockerAbsence::Forbidden => allowed.to_owned(),
        DockerAbsence::NoSocket => format!(
            "systemctl start {unit}; --only KIND leaves networks out; {engine} is installed with: apt install {package}"
        ),
        DockerAbsence::Refused | DockerAbsence::Mute | DockerAbsence::Other => format!(
            "systemctl status {unit}; journalctl -u {unit} -n 50; --only KIND leaves networks out"
        ),
    }
}

/// Messages of the engine that have a usual cause: moby's libnetwork/ and daemon/, Podman's libpod/ and libnetwork/.
fn docker_hint(engine: Engine, error: &bollard::errors::Error) -> Option<String> {
    let (_, message) = server_answer(error)?;
    let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
    let command = engine.command();
    if says(&["Pool overlaps", "is already used on the host"]) {
        let subnets = match engine {
            Engine::Docker => "{{range .IPAM.Config}}{{.Subnet}} {{end}}",
            Engine::Podman => "{{range .Subnets}}{{.Subnet}} {{end}}",
        };
        return Some(format!(
            "networks with their subnets: {command} network ls -q | xargs {command} network inspect -f '{{{{.Name}}}} {subnets}'; routes of the host: ip route"
        ));
    }
    if says(&["has active endpoints", "has associated containers"]) {
        return Some(format!(
            "{command} network inspect shows who is on it; {command} network disconnect -f NETWORK CONTAINER takes one off"
        ));
    }
    if says(&["Address already in use", "is already allocated"]) {
        return Some(format!(
            "{command} network inspect shows which container holds the address"
        ));
    }
    if message.contains("user configured subnets") {
        return Some(
            "an address can be requested only on a network that was created with a subnet"
                .to_owned(),
        );
    }
    None
}

fn test_hint(reason: &[String]) -> &'static str {
    if reason.iter().any(|line| line.contains("Permission denied")) {
        return "only root can test it: sudo nginx -t";
    }
    "nginx -t"
}

fn reload_hint(log: &[String]) -> &'static str {
    if log
        .iter()
        .any(|line| line.contains("Address already in use"))
    {
        return "ss -ltnp shows which process holds the port";
    }
    if log
        .iter()
        .any(|line| line.contains("while previously it used"))
    {
        return "a shared memory zone's key changed, which needs: systemctl restart nginx";
    }
    "tail /var/log/nginx/error.log"
}
