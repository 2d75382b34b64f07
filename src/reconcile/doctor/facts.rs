//! What causes are found in: plain data, looked at once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::Timestamp;

use crate::model::{
    Container, Desired, DockerState, Engine, Listener, NginxState, StoppedPort, UnitState,
};
use crate::reconcile::status::{CertificateStatus, NetworkStatus, UnitStatus};

/// A host as far as causes are looked for.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// When it was looked at.
    pub now: Timestamp,
    /// What was applied.
    pub desired: Desired,
    /// What the engine has.
    pub docker: Option<DockerState>,
    /// Units of what was applied, in words.
    pub units: Vec<UnitStatus>,
    /// The same as systemd has them.
    pub states: BTreeMap<String, UnitState>,
    /// Why units are paused.
    pub pauses: BTreeMap<String, String>,
    /// What units wrote last, those that were asked.
    pub journals: BTreeMap<String, Vec<String>>,
    /// What failed that a unit needs.
    pub needs: BTreeMap<String, String>,
    /// What containers wrote last, by their id; those that were asked.
    pub logs: BTreeMap<String, Log>,
    /// What the kernel said when it killed for memory.
    pub kernel: Vec<String>,
    /// Who listens.
    pub listeners: Vec<Listener>,
    /// Ports of containers that do not run.
    pub stopped: Vec<StoppedPort>,
    /// nginx's processes.
    pub nginx: Option<NginxState>,
    /// Networks of what was applied.
    pub networks: Vec<NetworkStatus>,
    /// Certificates of enabled sites.
    pub certificates: Vec<CertificateStatus>,
    /// Keys of certificates that are not there, with their sites.
    pub keyless: BTreeMap<PathBuf, BTreeSet<String>>,
    /// File systems.
    pub disks: Vec<Disk>,
    /// What takes room, the largest first; only where room is short.
    pub takes: Vec<Takes>,
    /// Daemons that do not answer, and why.
    pub silent: BTreeMap<String, String>,
    /// How many deviations there are.
    pub drift: usize,
    /// What could not be looked at.
    pub warnings: Vec<String>,
}

/// What a container wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Log {
    /// Its last lines.
    Lines(Vec<String>),
    /// Why they cannot be read.
    Unreadable(String),
}

impl Log {
    /// The lines; none where they cannot be read.
    pub(super) fn lines(&self) -> &[String] {
        match self {
            Log::Lines(lines) => lines,
            Log::Unreadable(_) => &[],
        }
    }
}

/// A file system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Disk {
    /// The folder through which it was looked at.
    pub folder: PathBuf,
    /// Which file system it is.
    pub device: u64,
    /// Bytes in all, and those that programs may still write.
    pub bytes: (u64, u64),
    /// Inodes in all, and free ones; none in all where the file system makes them as they are needed.
    pub inodes: (u64, u64),
}

/// Something that takes room on a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Takes {
    /// What it is.
    pub what: Room,
    /// How much it takes.
    pub bytes: u64,
    /// The file system that it is on.
    pub device: Option<u64>,
}

/// What may take room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// Images of the engine that no container uses.
    Images,
    /// What builds left behind.
    BuildCache,
    /// The log of a container.
    Log(String),
    /// The journal.
    Journal,
    /// A volume: data.
    Volume(String),
}

impl Facts {
    /// The engine.
    pub(super) fn engine(&self) -> Engine {
        let docker = self.docker.as_ref();
        docker.map_or(Engine::default(), |docker| docker.engine)
    }

    /// All containers.
    pub(super) fn containers(&self) -> impl Iterator<Item = &Container> {
        self.docker.iter().flat_map(|docker| &docker.containers)
    }

    /// The unit that runs a container.
    pub(super) fn unit_of(&self, container: &Container) -> Option<&str> {
        let engine = self.engine();
        let mut units = self.desired.units.iter();
        let found = units.find(|(_, unit)| unit.owns_in(engine, container));
        found.map(|(name, _)| name.as_str())
    }

    /// Containers of a unit.
    pub(super) fn containers_of<'f>(
        &'f self,
        unit: &'f str,
    ) -> impl Iterator<Item = &'f Container> {
        self.containers()
            .filter(move |container| self.unit_of(container) == Some(unit))
    }

    /// Whether a container is one of the desired state: of a unit, or on a network.
    pub(super) fn is_managed(&self, container: &Container) -> bool {
        let is_member = |network: &NetworkStatus| {
            let mut members = network.members.iter();
            members.any(|member| member.name == container.name)
        };
        self.unit_of(container).is_some() || self.networks.iter().any(is_member)
    }

    /// Who listens on a port of this host for TCP.
    pub(super) fn listens(&self, port: u16) -> Option<&Listener> {
        let mut tcp = self.listeners.iter().filter(|one| one.protocol == "tcp");
        tcp.find(|one| one.port == port)
    }

    /// The units that are to listen on a port: those that publish it, and those whose files name it.
    pub(super) fn units_for(&self, port: u16) -> BTreeSet<String> {
        let units = self.desired.units.iter();
        let wanted = units.filter(|(_, unit)| {
            let mut published = unit.published().into_iter();
            published.any(|one| one.port == port && one.protocol == "tcp")
                || unit
                    .file
                    .as_ref()
                    .is_some_and(|file| names_port(&file.content, port))
        });
        let mut found: BTreeSet<String> = wanted.map(|(name, _)| name.clone()).collect();
        let publishes = self.containers().filter(|container| {
            let mut published = container.published.iter();
            published.any(|one| one.port == port && one.protocol == "tcp")
        });
        found.extend(publishes.filter_map(|container| self.unit_of(container).map(str::to_owned)));
        found
    }
}

/// Whether a command line of a unit, or a variable of it, has a port as a number of its own.
fn names_port(content: &[u8], port: u16) -> bool {
    let text = String::from_utf8_lossy(content);
    let wanted = port.to_string();
    let lines = text.lines().map(str::trim_start);
    let mut lines = lines.filter(|line| {
        line.starts_with("Exec") || line.starts_with("Environment") || line.starts_with("Listen")
    });
    lines.any(|line| {
        let mut words = line.split(|c: char| !c.is_ascii_alphanumeric());
        words.any(|word| word == wanted)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_a_number_of_its_own_in_a_command() {
        let unit = b"[Service]\nExecStart=/bin/app --listen 127.0.0.1:8004\nTimeoutSec=8005\n";
        assert!(names_port(unit, 8004));
        assert!(!names_port(unit, 8005));
        assert!(!names_port(unit, 800));
    }
}
