//! Compose projects as their files are on the host: what they say of networks and volumes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Reply;
use crate::host::Host;
use crate::model::{Container, Desired, DockerState, MemberName, Network, Stack, Unit};
use crate::source::compose::Document;

/// What runs a member.
#[derive(Clone, Copy)]
pub(crate) struct RunBy<'d> {
    /// The unit.
    pub unit: Option<(&'d String, &'d Unit)>,
    /// The project.
    pub stack: Option<&'d Stack>,
}

/// The compose projects of units, with their files as they are on the host: of those outside the checkout, nothing else is
/// known.
pub(crate) fn projects<'d>(host: &Host, desired: &'d Desired) -> Vec<(RunBy<'d>, Files)> {
    let units = desired.units.iter();
    let all = units.flat_map(|unit| {
        let stacks = unit.1.stacks.iter();
        stacks.map(move |stack| RunBy {
            unit: Some(unit),
            stack: Some(stack),
        })
    });
    all.map(|running| (running, Files::of(host, &running, &[])))
        .collect()
}

pub(super) fn run_by<'d>(
    desired: &'d Desired,
    docker: Option<&DockerState>,
    (member, containers): (&MemberName, &[&Container]),
    projects: &[(RunBy<'d>, Files)],
) -> RunBy<'d> {
    let engine = docker.map(|docker| docker.engine).unwrap_or_default();
    let of_file = projects.iter().find(|(_, files)| files.has(member));
    if let Some((running, _)) = of_file {
        return *running;
    }
    let owns = |unit: &Unit| {
        let named = match member {
            MemberName::Container(name) => unit.container_names().contains(name.as_str()),
            MemberName::Service { .. } => false,
        };
        named || containers.iter().any(|one| unit.owns_in(engine, one))
    };
    let unit = desired.units.iter().find(|(_, unit)| owns(unit));
    let stack = unit.and_then(|(_, unit)| {
        let is_it = |stack: &&Stack| containers.iter().any(|one| stack.owns(one));
        unit.stacks.iter().find(is_it)
    });
    RunBy { unit, stack }
}

/// The compose files of a member, as they lie on the host.
pub(crate) struct Files {
    /// The name of the project.
    pub project: String,
    paths: Vec<PathBuf>,
    documents: Vec<Document>,
    /// A file that cannot be read, and why.
    pub wrong: Option<String>,
}

impl Files {
    pub(super) fn of(host: &Host, running: &RunBy<'_>, containers: &[&Container]) -> Self {
        let made = containers.iter().find(|one| one.compose.is_some());
        let paths = match (running.stack, made) {
            (Some(stack), _) => stack.files.clone(),
            (None, Some(container)) => container.config_files.clone(),
            (None, None) => Vec::new(),
        };
        let of_container = || made.and_then(|one| Some(one.compose.as_ref()?.0.clone()));
        let project = running.stack.map(|stack| stack.project.clone());
        let mut files = Self {
            project: project.or_else(of_container).unwrap_or_default(),
            paths,
            documents: Vec::new(),
            wrong: None,
        };
        for path in &files.paths {
            match document(host, path) {
                Ok(document) => files.documents.push(document),
                Err(why) => files.wrong = Some(format!("{}: {why}", path.display())),
            }
        }
        files
    }

    /// Whether compose makes a network of that name for them.
    pub(crate) fn makes_network(&self, name: &str) -> bool {
        let services = self.services();
        let mut all = services.iter().flat_map(|service| self.networks(service));
        all.any(|(_, own, external)| own == name && !external)
    }

    /// Whether they have a volume of that name, their own or another's.
    pub(crate) fn has_volume(&self, name: &str) -> bool {
        let mut all = self.documents.iter().flat_map(|one| &one.compose.volumes);
        all.any(|(key, volume)| {
            let fixed = volume.as_ref().and_then(|volume| volume.fixed_name(key));
            fixed.unwrap_or_else(|| format!("{}_{key}", self.project)) == name
        })
    }

    /// The names of its services.
    pub(super) fn services(&self) -> BTreeSet<String> {
        let all = self
            .documents
            .iter()
            .flat_map(|one| one.compose.services.keys());
        all.cloned().collect()
    }

    /// Whether a member is a service of these files.
    pub(super) fn has(&self, member: &MemberName) -> bool {
        let mut services = self.documents.iter().flat_map(|one| &one.compose.services);
        match member {
            MemberName::Container(name) => {
                services.any(|(_, one)| one.container_name.as_ref() == Some(name))
            }
            MemberName::Service { project, service } => {
                *project == self.project && services.any(|(name, _)| name == service)
            }
        }
    }

    /// The service of a member.
    pub(super) fn service(&self, member: &MemberName, containers: &[&Container]) -> Option<String> {
        let name = match member {
            MemberName::Service { service, .. } => return Some(service.clone()),
            MemberName::Container(name) => name,
        };
        let of_label = containers.iter().find_map(|one| one.compose.as_ref());
        let services = self.documents.iter().flat_map(|one| &one.compose.services);
        let mut named = services.filter(|(_, one)| one.container_name.as_ref() == Some(name));
        let of_file = named.next().map(|(service, _)| service.clone());
        of_file.or_else(|| of_label.map(|(_, service)| service.clone()))
    }

    /// The networks of a service by their keys, with the names that the engine has for them and whether they are external.
    fn networks(&self, service: &str) -> Vec<(String, String, bool)> {
        let services = self.documents.iter();
        let services = services.filter_map(|one| one.compose.services.get(service));
        let keys: BTreeSet<&str> = services
            .flat_map(|one| one.networks.entries())
            .map(|(key, _)| key)
            .collect();
        let keys = if keys.is_empty() {
            ["default"].into()
        } else {
            keys
        };
        let named = keys.into_iter().map(|key| {
            let all = self.documents.iter().rev();
            let defined = all.filter_map(|one| one.compose.networks.get(key)).next();
            let defined = defined.cloned().flatten().unwrap_or_default();
            match defined.external_name(key) {
                Some(name) => (key.to_owned(), name, true),
                None => {
                    let own = || format!("{}_{key}", self.project);
                    (key.to_owned(), defined.name.unwrap_or_else(own), false)
                }
            }
        });
        named.collect()
    }

    /// Whether a service says that it is on the network, or on one of its own under that name.
    pub(super) fn mentions(&self, network: &str, service: &str) -> bool {
        let networks = self.networks(service);
        networks
            .iter()
            .any(|(key, name, _)| name == network || key == network)
    }

    pub(super) fn external(
        &self,
        name: &str,
        network: &Network,
        member: &MemberName,
        containers: &[&Container],
    ) -> Reply {
        if let Some(why) = &self.wrong {
            return Reply::unknown(format!("its compose file cannot be read: {why}"));
        }
        if self.paths.is_empty() {
            return Reply::unknown("no compose file of it is known");
        }
        if self.project == network.project {
            return Reply::yes();
        }
        let file = self
            .paths
            .last()
            .map_or(Path::new(""), PathBuf::as_path)
            .display();
        let Some(service) = self.service(member, containers) else {
            return Reply::unknown(format!("{file} has no service with its name"));
        };
        let mode = self.documents.iter().find_map(|one| {
            let service = one.compose.services.get(&service)?;
            service.network_mode().map(str::to_owned)
        });
        if let Some(mode) = mode {
            return Reply::no(format!("{file}: network_mode: {mode} instead of networks:"));
        }
        let networks = self.networks(&service);
        if networks
            .iter()
            .any(|(_, own, external)| own == name && *external)
        {
            return Reply::yes();
        }
        let own = networks
            .iter()
            .find(|(key, own, _)| own == name || key == name);
        Reply::no(match own {
            Some((key, own, _)) => {
                format!("{file}: it creates {own} itself: networks: {key}: needs external: true")
            }
            None => {
                let names: Vec<&str> = networks.iter().map(|(_, own, _)| own.as_str()).collect();
                format!("{file}: service {service} is on {} only", names.join(", "))
            }
        })
    }
}

fn document(host: &Host, path: &Path) -> Result<Document, String> {
    let content = host.root().read(path).map_err(|error| error.to_string())?;
    let content = content.ok_or("it is not there")?;
    let text = String::from_utf8(content).map_err(|_| "it is not UTF-8".to_owned())?;
    Document::parse(path, &text, &Default::default()).map_err(|wrong| wrong.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(text: &str) -> Files {
        let path = PathBuf::from("/srv/app/docker-compose.yml");
        let document = Document::parse(&path, text, &Default::default()).unwrap();
        Files {
            project: "app".to_owned(),
            paths: vec![path],
            documents: vec![document],
            wrong: None,
        }
    }

    #[test]
    fn external_is_said_of_what_a_service_is_on() {
        let network = Network::default();
        let member = MemberName::Container("api-prod".to_owned());
        let answer = |service: &str, networks: &str| {
            let text = format!(
                "services:\n  api:\n    container_name: api-prod\n{service}networks:\n{networks}"
            );
            files(&text).external("shared", &network, &member, &[])
        };
        let on = "    networks: [shared]\n";
        assert_eq!(answer(on, "  shared: {external: true}\n"), Reply::yes());
        let named = "    networks: [net]\n";
        assert_eq!(
            answer(named, "  net: {external: true, name: shared}\n"),
            Reply::yes()
        );
        let no = |answer: Reply| {
            assert_eq!(answer.yes, Some(false));
            answer.why.unwrap_or_default()
        };
        assert_eq!(
            no(answer(on, "  shared: {driver: bridge}\n")),
            "/srv/app/docker-compose.yml: it creates app_shared itself: networks: shared: needs external: true"
        );
        assert_eq!(
            no(answer("", "  shared: {external: true}\n")),
            "/srv/app/docker-compose.yml: service api is on app_default only"
        );
        assert_eq!(
            no(answer(
                "    network_mode: host\n",
                "  shared: {external: true}\n"
            )),
            "/srv/app/docker-compose.yml: network_mode: host instead of networks:"
        );
        let other = MemberName::Container("other".to_owned());
        let unknown = files("services: {api: {}}").external("shared", &network, &other, &[]);
        assert_eq!(unknown.yes, None);
    }

    #[test]
    fn what_a_project_makes_is_its_own() {
        let project = files(
            "services: {a: {networks: [x]}, b: {}}\nnetworks: {x: {external: true}}\nvolumes: {data: {}, other: {external: true}}\n",
        );
        assert!(project.makes_network("app_default") && !project.makes_network("x"));
        assert!(project.has_volume("app_data") && project.has_volume("other"));
        assert!(!project.has_volume("data"));
    }
}
