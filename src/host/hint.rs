//! What helps after a failure of the host.

use super::error::{BusError, DockerAbsence, HostError, server_answer};

impl HostError {
    /// A command or a fact that helps a person on.
    pub fn hint(&self) -> Option<String> {
        match self {
            HostError::Root(_) => None,
            HostError::SystemdAbsent { .. } => Some(
                "on a machine without systemd use --root DIR, or leave units and sites out with --only; plan --from REV needs no host"
                    .to_owned(),
            ),
            HostError::Systemd { source, .. } => systemd_hint(source).map(str::to_owned),
            HostError::UnitFailed { unit, cause, .. } => {
                let unit = cause.as_ref().map_or(unit, |cause| &cause.unit);
                Some(format!(
                    "systemctl status {unit}; journalctl -u {unit} -n 50"
                ))
            }
            HostError::DockerAbsent { why, .. } => Some(docker_absent_hint(*why).to_owned()),
            HostError::DockerMute { .. } => {
                Some(docker_absent_hint(DockerAbsence::Mute).to_owned())
            }
            HostError::Docker { source, .. } => docker_hint(source).map(str::to_owned),
            HostError::NetworkExists { name, .. } => Some(format!("docker network inspect {name}")),
            HostError::NginxInvalid { reason } => Some(test_hint(reason).to_owned()),
            HostError::ReloadUnproved { log, .. } => Some(reload_hint(log).to_owned()),
            HostError::NginxStopped => Some("systemctl status nginx; systemctl start nginx".to_owned()),
            HostError::Certificate { .. } => Some("openssl version".to_owned()),
            HostError::Program { program, .. } if program.starts_with("openssl") => Some(
                "apt-get install openssl, or take bootstrap_certificates out of watchme.toml".to_owned(),
            ),
            HostError::PullFailed { image, user, said, .. } => Some(super::images::hint(image, user, said)),
            HostError::ImagePlatform { image, .. } => Some(format!(
                "docker pull --platform linux/{} {image}, if it is made for that; else build it for this host",
                super::images::architecture()
            )),
            HostError::ImageGone { image } => Some(format!("docker image inspect {image}")),
            HostError::Timeout { .. }
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

fn docker_absent_hint(why: DockerAbsence) -> &'static str {
    match why {
        DockerAbsence::Forbidden => "use sudo, or add the user to the group docker",
        DockerAbsence::NoSocket => {
            "systemctl start docker; --only KIND leaves networks out; Docker is installed with: apt install docker.io"
        }
        DockerAbsence::Refused | DockerAbsence::Mute | DockerAbsence::Other => {
            "systemctl status docker; journalctl -u docker -n 50; --only KIND leaves networks out"
        }
    }
}

/// Messages of the engine that have a usual cause, moby's libnetwork/ and daemon/.
fn docker_hint(error: &bollard::errors::Error) -> Option<&'static str> {
    let (_, message) = server_answer(error)?;
    if message.contains("Pool overlaps") {
        return Some(
            "networks with their subnets: docker network ls -q | xargs docker network inspect -f '{{.Name}} {{range .IPAM.Config}}{{.Subnet}} {{end}}'; routes of the host: ip route",
        );
    }
    if message.contains("has active endpoints") {
        return Some(
            "docker network inspect shows who is on it; docker network disconnect -f NETWORK CONTAINER takes one off",
        );
    }
    if message.contains("Address already in use") {
        return Some("docker network inspect shows which container holds the address");
    }
    if message.contains("user configured subnets") {
        return Some(
            "an address can be requested only on a network that was created with a subnet",
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
