//! What is wanted of a systemd unit.

mod bind_dropin;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use systemd_unit::Install;

use crate::model::layout::{self, store};
use crate::model::{
    Desired, DockerRun, File, Image, Kind, PodmanRun, Pull, Resource, Stack, StackCopy, seconds,
};

/// A systemd unit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Unit {
    /// Its file. `None` for an instance of a template and for a unit that is not ours and only
    /// gets drop-ins.
    pub file: Option<File>,
    /// The stack that its file is generated for, `NAME` of `compose/NAME/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
    /// Whether nothing but the restart policies of that stack's containers brings them back after a reboot. The unit is only
    /// what compose is called by.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub alone: bool,
    /// Which copy of the stack it runs, of one that updates start-first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy: Option<StackCopy>,
    /// The template of an instance, e.g. `worker@.service`.
    pub template: Option<String>,
    /// The Quadlet of which Podman makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quadlet: Option<String>,
    /// Drop-ins by file name.
    pub dropins: BTreeMap<String, File>,
    /// Links that enable it.
    pub install: Install,
    /// Whether it is to be active.
    pub start: bool,
    /// What a change of its files asks for.
    pub on_change: OnChange,
    /// How long a start may take, images to pull included.
    #[serde(with = "seconds")]
    pub start_timeout: Duration,
    /// How long it has to stay active, without a restart, to count as started.
    #[serde(with = "seconds")]
    pub settle: Duration,
    /// Whether an apply that touches it succeeds though it fails.
    pub may_fail: bool,
    /// `Type=` of a service.
    pub service_type: UnitType,
    /// `RemainAfterExit=` of a service.
    pub remain_after_exit: bool,
    /// Files of [`Desired::files`] that it names.
    pub names: BTreeSet<PathBuf>,
    /// Its `EnvironmentFile=` values in order, specifiers resolved, each with its `-` if any.
    pub environment_files: Vec<String>,
    /// Files that it names below the checkout and that are not in git (`.env`): watched only.
    pub watched: BTreeSet<PathBuf>,
    /// Files and folders of the checkout that its containers mount.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub mounts: BTreeSet<PathBuf>,
    /// Files outside the checkout that say how it runs: environment files, compose files, the `.env` beside those. Watched
    /// only.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub outside: BTreeSet<PathBuf>,
    /// Secrets that it or its containers use.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub secrets: BTreeSet<String>,
    /// Compose projects that it runs.
    pub stacks: Vec<Stack>,
    /// Containers that it runs with `docker run`, `create` or `start`.
    pub runs: Vec<DockerRun>,
    /// Images that root's Podman runs or pulls for it, whichever engine is managed: those of its Quadlet.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub podman: BTreeSet<Image>,
    /// What root's Podman runs for it: the container or pod of its Quadlet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_podman: Option<PodmanRun>,
    /// Whether it pulls its images before each start.
    pub pull: Option<Pull>,
    /// The folder of Docker's configuration that its environment names, `DOCKER_CONFIG`.
    pub docker_config: Option<PathBuf>,
    /// Its `User=`: whose registry credentials it pulls with. `None`: root's.
    pub user: Option<String>,
    /// Compose files that its calls without `-f` find in their folder; none where two calls find
    /// different ones.
    pub compose_files: Vec<PathBuf>,
}

/// `Type=` as far as it changes what "started" means, systemd.service(5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnitType {
    /// Runs until stopped: services other than oneshot, and all units that are no service.
    #[default]
    Lasting,
    /// `Type=oneshot`.
    Oneshot,
}

/// What to do with a running unit whose files changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum OnChange {
    /// Stop and start it.
    #[default]
    Restart,
    /// Run its `ExecReload=`.
    Reload,
    /// Leave it as it runs.
    None,
}

impl Unit {
    /// Whether its file is in the desired state, its own, its template's, or what it is made of.
    pub fn is_ours(&self) -> bool {
        self.file.is_some() || self.template.is_some() || self.quadlet.is_some()
    }
}

impl Resource for Unit {
    type Key = String;
    const KIND: Kind = Kind::Unit;
    const STORE: Option<&'static str> = Some(store::UNITS);

    fn files(&self, key: &String) -> Vec<(PathBuf, &File)> {
        let dropins = self.dropins.iter();
        let dropins = dropins.map(|(name, file)| (dropin(key, name), file));
        let own = self
            .file
            .iter()
            .map(|file| (Path::new(store::UNITS).join(key), file));
        own.chain(dropins).collect()
    }

    fn files_mut(&mut self, key: &String) -> Vec<(PathBuf, &mut File)> {
        let dropins = self.dropins.iter_mut();
        let dropins = dropins.map(|(name, file)| (dropin(key, name), file));
        let own = self
            .file
            .iter_mut()
            .map(|file| (Path::new(store::UNITS).join(key), file));
        own.chain(dropins).collect()
    }

    fn generated(&self, key: &String, desired: &Desired) -> Option<(PathBuf, File)> {
        let file = bind_dropin::of(self, &desired.files)?;
        Some((dropin(key, layout::BIND_DROPIN), file))
    }

    /// A drop-in belongs to the unit whose folder it is in.
    fn named_by(below: &Path) -> String {
        let mut parts = below.iter().map(|part| part.to_string_lossy());
        let first = parts.next().unwrap_or_default();
        match (first.strip_suffix(".d"), parts.next_back()) {
            (Some(unit), Some(_)) => unit.to_owned(),
            (None, Some(name)) => name.into_owned(),
            (_, None) => first.into_owned(),
        }
    }

    fn at(path: &Path) -> Option<String> {
        path.strip_prefix(layout::SYSTEMD).ok().map(Self::named_by)
    }

    /// Without what only says how a run treats it, and without what is read out of its files: that follows from them, and
    /// records of earlier versions have less of it.
    fn lasting(self) -> Self {
        Self {
            on_change: OnChange::default(),
            may_fail: false,
            start_timeout: Duration::ZERO,
            settle: Duration::ZERO,
            stacks: built(self.stack.is_some(), self.stacks),
            outside: BTreeSet::new(),
            secrets: BTreeSet::new(),
            runs: Vec::new(),
            podman: BTreeSet::new(),
            by_podman: None,
            pull: None,
            docker_config: None,
            user: None,
            copy: self.copy.map(|copy| StackCopy {
                ports: None,
                ..copy
            }),
            ..self
        }
    }
}

/// What stacks are built from, and the folders that containers mount, which no file of their units tells.
fn built(is_stack: bool, stacks: Vec<Stack>) -> Vec<Stack> {
    let stacks = stacks.into_iter().map(|stack| Stack {
        project: stack.project,
        contexts: match is_stack {
            true => stack.contexts,
            false => BTreeMap::new(),
        },
        folders: stack.folders,
        ..Stack::default()
    });
    let built = stacks.filter(|stack| !stack.contexts.is_empty() || !stack.folders.is_empty());
    built.collect()
}

fn dropin(unit: &str, name: &str) -> PathBuf {
    Path::new(store::UNITS).join(format!("{unit}.d")).join(name)
}
