//! What a revision of the checkout wants a host to be, over the kinds of [`super::kinds`].

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::copies::Copies;
use super::id::{Hash, ResourceId, Selector};
use super::kinds::{Desired, Kind, Unit};
use super::repository::Repository;

/// Where a [`Desired`] came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Origin {
    /// Full id of the commit; `None` for a folder outside git.
    pub commit: Option<String>,
    /// First line of the commit's message.
    pub subject: Option<String>,
    /// Author as `Name <address>`.
    pub author: Option<String>,
    /// The desired state's folder.
    pub folder: PathBuf,
    /// Whether the work tree was read as it is, not the commit.
    pub worktree: bool,
    /// Inputs whose work-tree content differs from the commit, relative to the checkout.
    pub dirty: Vec<PathBuf>,
    /// Hash of all inputs.
    pub inputs: Hash,
    /// User id of the checkout's owner.
    pub owner: Option<u32>,
    /// Whose desired state it is; `None`: an older version recorded this.
    pub repository: Option<Repository>,
}

impl Desired {
    /// Whether it asks of a host what `applied`, which is applied there, asks already: an apply that
    /// has nothing to change has nothing to write down then, either. Its memory
    /// and what only says how a run goes about it (times) asks for nothing. A health
    /// gate that is new has to be asked.
    pub fn asks_nothing_new(&self, applied: &Desired) -> bool {
        self == applied
            || self.lasting() == applied.lasting()
                && self.gates.iter().all(|gate| applied.gates.contains(gate))
    }

    /// What stacks that update start-first have to know of what is there.
    pub fn copies(&self, paused: impl Fn(&str) -> bool) -> Copies {
        let of_stacks = self.units.iter().filter(|(name, _)| paused(name));
        let units = self.units.values();
        let known = units.filter_map(|unit| Some((unit.stack.clone()?, unit.copy.clone()?)));
        let published = self.units.values().flat_map(Unit::published);
        Copies {
            known: known.collect(),
            ports: published.map(|publish| publish.port).collect(),
            paused: of_stacks
                .filter_map(|(_, unit)| unit.stack.clone())
                .collect(),
        }
    }

    /// Why `next` has no unit for a stack that has one here, other than that its folder is gone; `None` for all else.
    pub fn why_no_unit(&self, id: &ResourceId, next: &Desired) -> Option<String> {
        let unit = self.units.get(&id.name).filter(|_| id.kind == Kind::Unit)?;
        let stack = unit.stack.as_ref()?;
        if next.units.contains_key(&id.name) {
            return None;
        }
        if next.unstarted.contains(stack) {
            return Some(format!("[stack.{stack}] has start = false"));
        }
        let mut units = next.units.iter();
        let (other, _) = units.find(|(_, other)| other.stack.as_ref() == Some(stack))?;
        Some(format!("{other} takes its place"))
    }

    /// What a host is held to.
    pub fn lasting(&self) -> Desired {
        Desired {
            drain_timeout: None,
            soak: Duration::ZERO,
            gates: Vec::new(),
            memory: None,
            unstarted: BTreeSet::new(),
            ..self.clone().lasting_resources()
        }
    }

    /// Whether there is something that only Docker has.
    pub fn needs_docker(&self) -> bool {
        !self.networks.is_empty() || !self.volumes.is_empty()
    }

    /// Addresses that nginx passes requests on to, each with the sites and files that say so.
    pub fn upstreams(&self) -> BTreeMap<SocketAddr, BTreeSet<ResourceId>> {
        let mut upstreams: BTreeMap<SocketAddr, BTreeSet<ResourceId>> = BTreeMap::new();
        let mut add = |id: ResourceId, addresses: &BTreeSet<SocketAddr>| {
            for address in addresses {
                upstreams.entry(*address).or_default().insert(id.clone());
            }
        };
        for (name, site) in self.sites.iter().filter(|(_, site)| site.enabled) {
            add(ResourceId::new(Kind::Site, name), &site.upstreams);
        }
        for (path, etc) in &self.etc {
            add(
                ResourceId::new(Kind::Etc, path.to_string_lossy()),
                &etc.upstreams,
            );
        }
        upstreams
    }

    /// What it wants where `only` selects, and what `applied` wants elsewhere; all of it where `only` is empty.
    pub fn selected(self, applied: Desired, only: &[Selector]) -> Desired {
        if only.is_empty() {
            return self;
        }
        let selects = |path: &&PathBuf| Selector::any(only, &absent_id(path));
        let kept = applied.absent.iter().filter(|path| !selects(path));
        let absent = kept
            .chain(self.absent.iter().filter(selects))
            .cloned()
            .collect();
        let bootstrap_certificates = match Selector::any_of_kind(only, Kind::Site) {
            true => self.bootstrap_certificates,
            false => applied.bootstrap_certificates,
        };
        Desired {
            absent,
            bootstrap_certificates,
            unstarted: self.unstarted.clone(),
            ..self.merged_resources(applied, only)
        }
    }
}

/// The resource as which a path of `absent` counts.
pub fn absent_id(path: &Path) -> ResourceId {
    ResourceId::at(path).unwrap_or_else(|| ResourceId::new(Kind::Etc, path.to_string_lossy()))
}
