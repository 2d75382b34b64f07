//! How far services have come that move to a network which one file makes: does their compose file take it as it is, are
//! they on it, do they start after who makes it; and the networks that are left behind.

mod files;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use crate::host::Host;
use crate::kinds::find_members;
use crate::model::{Container, Desired, DockerState, MemberName, Network, Unit};
use crate::reconcile::drift::Seen;
use crate::reconcile::{ReconcileError, Request};
use crate::source::unit::settings::Source;
use crate::source::unit::{self, Settings};
pub(crate) use files::projects;
use files::{Files, run_by};

/// Networks that the engine has by itself.
pub(crate) const BUILT_IN: [&str; 4] = ["bridge", "host", "none", "podman"];

/// How far services have come, and what is left behind.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Migration {
    /// The networks of the desired state.
    pub networks: Vec<MovedTo>,
    /// Networks of the engine that the desired state does not have.
    pub legacy: Vec<Legacy>,
    /// What could not be looked at.
    pub warnings: Vec<String>,
}

/// A network, and who moves to it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct MovedTo {
    /// Its name.
    pub name: String,
    /// The unit that makes it.
    pub owner: Option<String>,
    /// Its services, in the order of watchme.toml, then those of compose files.
    pub services: Vec<Moving>,
}

/// A service.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Moving {
    /// Its container, or `project:service`.
    pub name: String,
    /// The unit that runs it.
    pub unit: Option<String>,
    /// Whether its compose file takes the network as it is, `external: true`.
    pub external: Reply,
    /// Whether its container is on the network now.
    pub connected: Reply,
    /// Whether its unit starts after the unit that makes the network.
    pub ordered: Reply,
}

/// Yes, no, or not known, with the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Reply {
    /// `null`: it is not known, or not asked of this service.
    pub yes: Option<bool>,
    /// Why it is not yes.
    pub why: Option<String>,
}

/// A network that is not in the desired state.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Legacy {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// The compose project that made it.
    pub project: Option<String>,
    /// The network of the desired state whose name a project made it for.
    pub instead_of: Option<String>,
    /// Containers on it.
    pub users: Vec<NetworkUser>,
}

/// A container on a network.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct NetworkUser {
    /// Its name.
    pub name: String,
    /// Whether it runs.
    pub running: bool,
}

/// Looks at how far services have come. Writes nothing.
///
/// # Errors
/// When the host cannot be looked at, or nothing was applied.
pub(crate) async fn migration(host: &Host, request: &Request) -> Result<Migration, ReconcileError> {
    let mut status = super::status(host, request).await;
    if let Some(problem) = status.problem.take() {
        return Err(problem);
    }
    let Some(seen) = status.drift.seen.take() else {
        return Err(ReconcileError::NothingApplied);
    };
    let Seen {
        desired, observed, ..
    } = *seen;
    let docker = observed.docker.as_ref();
    let mut networks = Vec::new();
    for (name, network) in &desired.networks {
        networks.push(MovedTo::look(host, &desired, docker, (name, network)));
    }
    let mut warnings = status.warnings;
    if docker.is_none() {
        warnings
            .push("no container engine answers: who is on which network is not known".to_owned());
    }
    Ok(Migration {
        networks,
        legacy: docker.map_or_else(Vec::new, |docker| legacy(&desired, docker)),
        warnings,
    })
}

/// Who is on a network of that name, running or not.
pub(crate) fn users(docker: &DockerState, name: &str) -> Vec<NetworkUser> {
    let is_on = |container: &&Container| {
        container.attachments.contains_key(name) || container.network_mode == name
    };
    let mut users: Vec<NetworkUser> = docker
        .containers
        .iter()
        .filter(is_on)
        .map(|container| NetworkUser {
            name: container.name.clone(),
            running: container.is_running(),
        })
        .collect();
    users.sort();
    users
}

fn legacy(desired: &Desired, docker: &DockerState) -> Vec<Legacy> {
    const PROJECT: &str = crate::model::PROJECT_LABEL;
    let all = docker.networks.iter();
    let all = all.filter(|(name, _)| {
        !desired.networks.contains_key(*name) && !BUILT_IN.contains(&name.as_str())
    });
    let all = all.flat_map(|(name, several)| several.iter().map(move |one| (name, one)));
    all.map(|(name, network)| Legacy {
        name: name.clone(),
        id: network.id.clone(),
        project: network.labels.get(PROJECT).cloned(),
        instead_of: desired
            .networks
            .keys()
            .find(|wanted| name.ends_with(&format!("_{wanted}")))
            .cloned(),
        users: users(docker, name),
    })
    .collect()
}

impl MovedTo {
    fn look(
        host: &Host,
        desired: &Desired,
        docker: Option<&DockerState>,
        (name, network): (&String, &Network),
    ) -> Self {
        let projects = projects(host, desired);
        let mut services = Vec::new();
        let mut known: BTreeSet<(String, String)> = BTreeSet::new();
        for member in &network.members {
            let containers =
                docker.map_or_else(Vec::new, |docker| find_members(docker, &member.name));
            let running = run_by(desired, docker, (&member.name, &containers), &projects);
            let files = Files::of(host, &running, &containers);
            if let (Some(stack), Some(service)) =
                (running.stack, files.service(&member.name, &containers))
            {
                known.insert((stack.project.clone(), service));
            }
            services.push(Moving {
                name: member.name.to_string(),
                external: files.external(name, network, &member.name, &containers),
                connected: connected(docker, name, &containers),
                ordered: ordered(network, running.unit),
                unit: running.unit.map(|(unit, _)| unit.clone()),
            });
        }
        for (running, files) in &projects {
            if files.project == network.project {
                continue;
            }
            for service in files.services() {
                let of = (files.project.clone(), service.clone());
                if !files.mentions(name, &service) || known.contains(&of) {
                    continue;
                }
                let member = MemberName::Service {
                    project: files.project.clone(),
                    service,
                };
                let containers =
                    docker.map_or_else(Vec::new, |docker| find_members(docker, &member));
                services.push(Moving {
                    name: member.to_string(),
                    unit: running.unit.map(|(unit, _)| unit.clone()),
                    external: files.external(name, network, &member, &containers),
                    connected: connected(docker, name, &containers),
                    ordered: ordered(network, running.unit),
                });
            }
        }
        Self {
            name: name.clone(),
            owner: network.owner.clone(),
            services,
        }
    }
}

impl Moving {
    /// Whether nothing is left to do.
    pub(crate) fn is_done(&self) -> bool {
        let all = [&self.external, &self.connected, &self.ordered];
        all.into_iter()
            .all(|answer| answer.yes == Some(true) || answer.why.is_none())
    }
}

impl Reply {
    fn yes() -> Self {
        Self {
            yes: Some(true),
            why: None,
        }
    }

    fn no(why: impl Into<String>) -> Self {
        Self {
            yes: Some(false),
            why: Some(why.into()),
        }
    }

    fn unknown(why: impl Into<String>) -> Self {
        Self {
            yes: None,
            why: Some(why.into()),
        }
    }
}

fn connected(docker: Option<&DockerState>, name: &str, containers: &[&Container]) -> Reply {
    let Some(docker) = docker else {
        return Reply::unknown("no container engine answers");
    };
    let found = docker.networks.get(name).and_then(|found| found.first());
    let Some(found) = found else {
        return Reply::no(format!("the network {name} does not exist"));
    };
    if containers.is_empty() {
        return Reply::no("there is no such container");
    }
    let is_off = |container: &&&Container| !found.endpoints.contains_key(&container.id);
    match containers.iter().find(is_off) {
        None => Reply::yes(),
        Some(container) if !container.is_running() => {
            Reply::no(match container.attachments.contains_key(name) {
                true => format!(
                    "{} does not run; it will be on it once it does",
                    container.name
                ),
                false => format!("{} does not run", container.name),
            })
        }
        Some(container) => {
            let on: Vec<&str> = container.attachments.keys().map(String::as_str).collect();
            Reply::no(format!("{} is on {} only", container.name, on.join(", ")))
        }
    }
}

fn ordered(network: &Network, unit: Option<(&String, &Unit)>) -> Reply {
    let Some(owner) = &network.owner else {
        // Who makes the network is no unit: an apply does.
        return Reply {
            yes: None,
            why: None,
        };
    };
    let Some((name, unit)) = unit else {
        return Reply::unknown("no unit of the desired state runs it");
    };
    if name == owner {
        return Reply::yes();
    }
    let files = unit.file.iter().chain(unit.dropins.values());
    let sources = files.filter_map(|file| {
        let text = String::from_utf8(file.content.to_vec()).ok()?;
        Some(Arc::new(Source::new(file.source.clone(), text)))
    });
    let settings = Settings::new(sources.collect());
    let has = |key: &str| {
        let values = settings.added("Unit", key);
        let mut values = values.iter();
        values.any(|value| unit::words(&value.text).any(|word| word == owner))
    };
    let needs = ["Requires", "Wants", "BindsTo", "Requisite"]
        .iter()
        .any(|key| has(key));
    match (has("After"), needs) {
        (true, true) => Reply::yes(),
        (true, false) => Reply::no(format!(
            "{name} has After={owner}, and lacks Requires= or Wants="
        )),
        (false, true) => Reply::no(format!("{name} needs {owner}, and lacks After={owner}")),
        (false, false) => Reply::no(format!("{name} lacks After={owner} and Requires={owner}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_that_nobody_wants_are_left_behind() {
        let container = |name: &str, state: &str, network: &str| Container {
            name: name.to_owned(),
            state: state.to_owned(),
            attachments: [(network.to_owned(), Default::default())].into(),
            ..Container::default()
        };
        let networks = ["bridge", "shared", "app_shared", "app_default"];
        let docker = DockerState {
            networks: networks
                .iter()
                .map(|name| ((*name).to_owned(), vec![Default::default()]))
                .collect(),
            containers: vec![
                container("b", "exited", "app_shared"),
                container("a", "running", "app_shared"),
            ],
            ..DockerState::default()
        };
        let desired = Desired {
            networks: [("shared".to_owned(), Network::default())].into(),
            ..Desired::default()
        };
        let found = legacy(&desired, &docker);
        let told: Vec<(&str, Option<&str>, usize)> = found
            .iter()
            .map(|one| {
                (
                    one.name.as_str(),
                    one.instead_of.as_deref(),
                    one.users.len(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [("app_default", None, 0), ("app_shared", Some("shared"), 2)]
        );
        assert_eq!(
            (found[1].users[0].name.as_str(), found[1].users[1].running),
            ("a", false)
        );
    }
}
