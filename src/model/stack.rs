//! What a unit runs with Docker: compose projects, and single containers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use compose_file::{Bind, Publish, VolumeMount};
use serde::{Deserialize, Serialize};

use super::id::Hash;
use super::image::RanImage;
use super::observed::Container;
use super::{Engine, MemberName, Unit};

/// The label that compose gives to the containers and networks of a project;
/// <https://docs.docker.com/reference/compose-file/services/#labels>.
pub const PROJECT_LABEL: &str = "com.docker.compose.project";

/// The label that a stack's containers have if they mount something of the checkout: a hash of that.
pub const MOUNTS_LABEL: &str = "watchme-apply.mounts";

/// A compose project that a unit runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stack {
    /// Project name: `-p`, or the folder's name as compose normalises it.
    pub project: String,
    /// Its compose files, absolute.
    pub files: Vec<PathBuf>,
    /// Names of the services that `up` starts; none where the files could not be read.
    pub services: BTreeSet<String>,
    /// Services that its files have and that `up` does not start, with the reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub idle: BTreeMap<String, Idle>,
    /// Fixed container names (`container_name`).
    pub containers: BTreeSet<String>,
    /// Host ports that it publishes.
    pub ports: BTreeSet<u16>,
    /// The same with their addresses and protocols.
    pub published: BTreeSet<Publish>,
    /// Images of the services that start, by service; not those that are built.
    pub images: BTreeMap<String, Image>,
    /// Services that start and whose images are built.
    pub built: BTreeSet<String>,
    /// What the folders hold that they are built from, as far as those are in the checkout, by service.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub contexts: BTreeMap<String, Hash>,
    /// What its files say about the containers of each service, as a hash; under [`Stack::SHARED`], of what its services share. None in
    /// records of earlier versions.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub definitions: BTreeMap<String, Hash>,
    /// Hashes of what its files say of the networks that it makes, by the names that the engine knows.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub networks: BTreeMap<String, Hash>,
    /// Hash of what its services share beside networks. `None` in records of earlier versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<Hash>,
    /// Services whose containers those of a service use or depend on, by service.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub uses: BTreeMap<String, BTreeSet<String>>,
    /// Services that their restart policy starts again whenever they end.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub lasting: BTreeSet<String>,
    /// How many containers a service has, where it is not one.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub replicas: BTreeMap<String, u64>,
    /// Paths of the host that are mounted, by service.
    pub binds: BTreeMap<String, BTreeSet<Bind>>,
    /// Volumes that are mounted, by service.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub volumes: BTreeMap<String, BTreeSet<VolumeMount>>,
    /// Files of the checkout that its services name as mounts and that its containers get from the store, by service.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub stored: BTreeMap<String, BTreeSet<PathBuf>>,
    /// The mounts of those files as its compose files say them, by service.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub stored_binds: BTreeMap<String, BTreeSet<Bind>>,
    /// Hashes of what is mounted of the checkout, by service.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub mounted: BTreeMap<String, Hash>,
    /// Folders of the checkout that are mounted, each with a hash of what git has there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub folders: BTreeMap<PathBuf, Hash>,
    /// Memory limits of the services that start, in bytes, added up.
    pub memory: u64,
}

/// Why `up` does not start a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Idle {
    /// None of its profiles is switched on.
    Profile,
    /// Its file asks for no replica of it.
    NoReplica,
    /// The call names other services.
    NotNamed,
}

/// A container that a unit runs with `docker run`, `docker create` or `docker start`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DockerRun {
    /// Its name; `None` where Docker chooses one.
    pub name: Option<String>,
    /// Its image. `None`: the container was made by others, and `docker start` only starts it.
    pub image: Option<Image>,
    /// What it publishes on the host.
    pub published: BTreeSet<Publish>,
    /// Paths of the host that are mounted.
    pub binds: BTreeSet<Bind>,
    /// Volumes that are mounted.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub volumes: BTreeSet<VolumeMount>,
    /// Whether the unit removes what has this name before it starts (`docker rm -f NAME`).
    pub clears: bool,
}

/// The container or the pod that root's Podman runs for a Quadlet, whichever engine is managed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PodmanRun {
    /// The name of the container: its own, or of that which holds the network of a pod. `None` where only the host knows it.
    pub name: Option<String>,
    /// What it publishes on the host.
    pub published: BTreeSet<Publish>,
    /// Whether it is a container of a pod. Podman lists the ports of the pod for each of those.
    pub in_pod: bool,
    /// Names of the containers in the pods of a `.kube`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub containers: BTreeSet<String>,
    /// Names of the volumes that it has, those of its pod included.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub volumes: BTreeSet<String>,
    /// The unit of a `.kube`: all that it plays has the label `PODMAN_SYSTEMD_UNIT`, and what holds the network of a pod has no name
    /// that is known before.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub unit: String,
}

/// An image that a container is made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Image {
    /// Its name, with tag or digest as written.
    pub name: String,
    /// The platform that is asked for, e.g. `linux/amd64`; `None`: that of the host.
    pub platform: Option<String>,
    /// Whether nobody may pull it: it has to be on the host.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub never: bool,
}

/// That a unit pulls images before it starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pull {
    /// Whether it starts all the same when that fails: a `-` in front of the command.
    pub optional: bool,
    /// Whether that cannot be left out of a start: `--pull always`, or a script that does more.
    pub lasting: bool,
}

impl Stack {
    /// The name in [`Stack::definitions`] that no service has.
    pub const SHARED: &str = "";

    /// Whether a container is one of this project's services, as its labels say. Several compose files of one folder
    /// share a project, so the service decides; where the files could not be read, the file that the container was
    /// made from.
    pub fn owns(&self, container: &Container) -> bool {
        let Some((project, service)) = &container.compose else {
            return false;
        };
        if container.oneoff || *project != self.project {
            return false;
        }
        match self.services.is_empty() {
            false => self.services.contains(service),
            true => {
                let files = &container.config_files;
                files.is_empty() || files.iter().any(|file| self.files.contains(file))
            }
        }
    }

    /// Whether its files have a container of that name, or that service.
    pub fn has(&self, member: &MemberName) -> bool {
        match member {
            MemberName::Container(name) => self.containers.contains(name),
            MemberName::Service { project, service } => {
                self.project == *project && self.services.contains(service)
            }
        }
    }

    /// How many containers its files ask for of a service.
    pub fn replicas_of(&self, service: &str) -> u64 {
        self.replicas.get(service).copied().unwrap_or(1)
    }

    /// Whether two projects have a service in common. Where the services of one are not known, only different files of
    /// one folder tell them apart.
    pub fn shares_services(&self, other: &Self) -> bool {
        if self.project != other.project {
            return false;
        }
        if !self.services.is_empty() && !other.services.is_empty() {
            return !self.services.is_disjoint(&other.services);
        }
        let folder = |stack: &Self| {
            (stack.files.first())
                .and_then(|file| file.parent())
                .map(Path::to_owned)
        };
        let is_beside = folder(self).is_some() && folder(self) == folder(other);
        !is_beside || self.files.iter().any(|file| other.files.contains(file))
    }

    /// What it publishes. A record of an earlier version has the ports alone.
    pub fn publishes(&self) -> BTreeSet<Publish> {
        if !self.published.is_empty() {
            return self.published.clone();
        }
        let any = |port: &u16| Publish {
            port: *port,
            protocol: "tcp".to_owned(),
            address: None,
        };
        self.ports.iter().map(any).collect()
    }
}

impl Unit {
    /// The compose project of that name, if it runs it.
    pub fn project(&self, name: &str) -> Option<&Stack> {
        self.stacks.iter().find(|stack| stack.project == name)
    }

    /// Whether one of its containers publishes a port of the host.
    pub fn publishes(&self, port: u16) -> bool {
        self.published().iter().any(|known| known.port == port)
    }

    /// All that its containers publish.
    pub fn published(&self) -> BTreeSet<Publish> {
        let stacks = self.stacks.iter().flat_map(Stack::publishes);
        let runs = self.runs.iter().flat_map(|run| run.published.clone());
        let of_podman = self.by_podman.iter();
        let of_podman = of_podman.flat_map(|run| run.published.clone());
        stacks.chain(runs).chain(of_podman).collect()
    }

    /// Names of the volumes that its containers mount.
    pub fn mounted_volumes(&self) -> BTreeSet<&str> {
        let stacks = self.stacks.iter().flat_map(|stack| stack.volumes.values());
        let runs = self.runs.iter().map(|run| &run.volumes);
        let named = stacks.chain(runs).flatten();
        let named = named.map(|mount| mount.volume.as_str());
        let of_podman = self.by_podman.iter().flat_map(|run| &run.volumes);
        named.chain(of_podman.map(String::as_str)).collect()
    }

    /// Fixed names of its containers.
    pub fn container_names(&self) -> BTreeSet<&str> {
        let of_podman = self.by_podman.iter();
        let of_podman =
            of_podman.flat_map(|run| run.name.iter().chain(&run.containers).map(String::as_str));
        let engine = self.names_in(Engine::Docker);
        engine.into_iter().chain(of_podman).collect()
    }

    /// Fixed names of its containers that an engine would list: Docker does not know those of Quadlets.
    pub fn names_in(&self, engine: Engine) -> BTreeSet<&str> {
        if engine == Engine::Podman {
            return self.container_names();
        }
        let stacks = self.stacks.iter().flat_map(|stack| &stack.containers);
        let runs = self.runs.iter().filter_map(|run| run.name.as_ref());
        stacks.chain(runs).map(String::as_str).collect()
    }

    /// Whether what ran is of a service that it builds.
    pub fn builds(&self, ran: &RanImage) -> bool {
        let has = |(project, service): &(String, String)| {
            let mut stacks = self.stacks.iter();
            stacks.any(|stack| stack.project == *project && stack.built.contains(service))
        };
        ran.service.as_ref().is_some_and(has)
    }

    /// Whether it runs a container, as its labels and its name say.
    pub fn owns(&self, container: &Container) -> bool {
        let named = |run: &DockerRun| run.name.as_deref() == Some(&container.name);
        self.stacks.iter().any(|stack| stack.owns(container))
            || (container.compose.is_none() && self.runs.iter().any(named))
    }

    /// The same for a container of this engine, of which Podman has those of Quadlets, too.
    pub fn owns_in(&self, engine: Engine, container: &Container) -> bool {
        self.owns(container) || (engine == Engine::Podman && self.is_quadlet_of(container))
    }

    /// Whether a container of Podman is the one of its Quadlet.
    pub fn is_quadlet_of(&self, container: &Container) -> bool {
        let unit = container.systemd_unit.as_deref();
        let is = |run: &PodmanRun| {
            run.name.as_deref() == Some(&container.name)
                || run.containers.contains(&container.name)
                || unit.is_some_and(|unit| unit == run.unit)
        };
        self.by_podman.as_ref().is_some_and(is)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(project: &str, service: &str, file: &str) -> Container {
        Container {
            compose: Some((project.to_owned(), service.to_owned())),
            config_files: vec![file.into()],
            ..Container::default()
        }
    }

    fn stack(file: &str, services: &[&str]) -> Stack {
        Stack {
            project: "p".into(),
            files: vec![file.into()],
            services: services.iter().map(|name| (*name).to_owned()).collect(),
            ..Stack::default()
        }
    }

    /// `docker-compose-files/a.yml` and `b.yml` are one project for compose.
    #[test]
    fn compose_files_of_one_folder_share_a_project_and_not_their_containers() {
        let (a, b) = (stack("/c/a.yml", &["api"]), stack("/c/b.yml", &["web"]));
        let web = container("p", "web", "/c/b.yml");
        assert_eq!((a.owns(&web), b.owns(&web)), (false, true));
        assert!(!a.shares_services(&b));
        // Compose leaves a container whose configuration is the same, with the label of the file from before.
        assert!(b.owns(&container("p", "web", "/old/b.yml")));
        assert!(!b.owns(&container("q", "web", "/c/b.yml")));
    }

    #[test]
    fn where_the_files_could_not_be_read_they_decide_by_name() {
        let (a, b) = (stack("/opt/a.yml", &[]), stack("/opt/b.yml", &[]));
        let web = container("p", "web", "/opt/b.yml");
        assert_eq!((a.owns(&web), b.owns(&web)), (false, true));
        assert!(!a.shares_services(&b) && a.shares_services(&a));
    }
}
