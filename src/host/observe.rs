//! A look at the host: what a plan asked for, and nothing else.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{Group, Uid, User};

use super::error::DockerAbsence;
use super::{Host, HostError, loaders};
use crate::model::{
    Container, DockerState, Entry, MemberName, Observed, SecretState, SystemdState, Watch, layout,
};
use crate::root::RootError;

/// Why a daemon was not asked that only root may ask.
pub(crate) const NEEDS_ROOT: &str = "needs root";

impl Host {
    /// Looks at everything that `watch` names.
    pub(crate) async fn observe(&self, watch: &Watch) -> Result<Observed, HostError> {
        let mut observed = self.observe_files(watch)?;
        observed.installed_program = Some(self.program());
        if !self.live {
            let wanted = watch.secrets.keys();
            let states = wanted.map(|name| (name.clone(), SecretState::NotRunning));
            observed.secrets = states.collect();
            return Ok(observed);
        }
        if watch.lists_secrets {
            observed.secrets = self.observe_secrets(watch);
        }
        observed.program.clone_from(&observed.installed_program);
        let program = observed.program.as_deref();
        observed.program_of_others = program.and_then(writable_by_others);
        if watch.nginx {
            observed.nginx = Some(self.nginx.observe()?);
        }
        let (systemd, docker) =
            tokio::join!(self.observe_systemd(watch), self.observe_docker(watch));
        observed.systemd = heard(watch, &mut observed, "systemd", systemd)?;
        observed.docker = heard(watch, &mut observed, "Docker", docker)?;
        if let Some(firewall) = &watch.firewall {
            observed.firewall = Some(self.observe_firewall(firewall, watch.lenient)?);
        }
        if let Some(packages) = &watch.packages {
            observed.packages = Some(self.observe_packages(packages)?);
        }
        observed.parameters = loaders::parameters(&watch.parameters);
        observed.user_engines = self.user_engines().await;
        self.observe_certificates(&watch.certificates, &mut observed)
            .await;
        Ok(observed)
    }

    /// Fills in which units a stop or restart of each of `units` takes along.
    pub(crate) async fn observe_dependents(
        &self,
        observed: &mut Observed,
        units: &BTreeSet<String>,
    ) -> Result<(), HostError> {
        let Some(state) = &mut observed.systemd else {
            return Ok(());
        };
        for unit in units {
            let dependents = self.systemd().await?.dependents(unit).await?;
            state.units.entry(unit.clone()).or_default().dependents = dependents;
        }
        Ok(())
    }

    fn observe_files(&self, watch: &Watch) -> Result<Observed, HostError> {
        let mut observed = Observed::default();
        for path in &watch.paths {
            self.look_at(&mut observed, path)?;
        }
        for folder in &watch.folders {
            self.look_into(&mut observed, folder, true)?;
        }
        for owner in &watch.owners {
            if let Some(ids) =
                resolve_owner(owner).filter(|_| self.live || Uid::effective().is_root())
            {
                observed.owners.insert(owner.clone(), ids);
            }
        }
        Ok(observed)
    }

    fn look_into(
        &self,
        observed: &mut Observed,
        folder: &Path,
        deeper: bool,
    ) -> Result<(), HostError> {
        for path in self.root.list(folder)? {
            let below = deeper
                && folder == Path::new(layout::SYSTEMD)
                && layout::is_dependency_folder(&path);
            if below {
                self.look_into(observed, &path, false)?;
            } else {
                self.look_at(observed, &path)?;
            }
        }
        Ok(())
    }

    fn look_at(&self, observed: &mut Observed, path: &Path) -> Result<(), HostError> {
        if observed.files.contains_key(path) {
            return Ok(());
        }
        let entry = readable(self.root.entry(path))?;
        let leads_to = match &entry {
            Entry::Link { leads_to, .. } => leads_to.clone(),
            _ => None,
        };
        observed.files.insert(path.to_owned(), entry);
        match leads_to {
            Some(target) => self.look_at(observed, &target),
            None => Ok(()),
        }
    }

    async fn observe_systemd(&self, watch: &Watch) -> Result<Option<SystemdState>, HostError> {
        if watch.units.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.systemd().await?.observe(&watch.units).await?))
    }

    async fn observe_docker(&self, watch: &Watch) -> Result<Option<DockerState>, HostError> {
        let docker = match (watch.docker, watch.quadlets && self.has_named_engine()) {
            (true, _) => self.docker().await?,
            // Quadlets do without it.
            (false, true) => match self.docker().await {
                Ok(docker) => docker,
                Err(_) => return Ok(None),
            },
            (false, false) => return Ok(None),
        };
        let names: BTreeSet<&MemberName> = watch.members.iter().collect();
        let wanted = |container: &Container| {
            let by_name = MemberName::Container(container.name.clone());
            let by_service = container
                .compose
                .clone()
                .map(|(project, service)| MemberName::Service { project, service });
            names.contains(&by_name)
                || watch.containers.contains(&container.name)
                || by_service.is_some_and(|name| names.contains(&name))
                || container
                    .compose
                    .as_ref()
                    .is_some_and(|(project, _)| watch.projects.contains(project))
                || container
                    .attachments
                    .keys()
                    .any(|network| watch.networks.contains(network))
        };
        Ok(Some(docker.observe(&watch.networks, &wanted).await?))
    }
}

/// What a daemon answered. Where the look goes on without it, that it did not is written down.
fn heard<T>(
    watch: &Watch,
    observed: &mut Observed,
    daemon: &'static str,
    answer: Result<Option<T>, HostError>,
) -> Result<Option<T>, HostError> {
    match answer {
        Err(error) if watch.lenient => {
            let forbidden = matches!(&error, HostError::DockerAbsent { why, .. } if *why == DockerAbsence::Forbidden);
            let why = match forbidden && !Uid::effective().is_root() {
                true => NEEDS_ROOT.to_owned(),
                false => said_of(&error),
            };
            observed.silent.insert(daemon, why);
            Ok(None)
        }
        answer => answer,
    }
}

/// An error with its causes, in one line.
pub(crate) fn said_of(error: &HostError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

/// A file that only root may read is there, and that is all that can be said of it.
fn readable(entry: Result<Entry, RootError>) -> Result<Entry, RootError> {
    match entry {
        Err(error) if error.source.kind() == io::ErrorKind::PermissionDenied => {
            Ok(Entry::Unreadable)
        }
        other => other,
    }
}

/// The first of a program and the folders above it to which others than root may write: whoever may
/// do that chooses what root runs.
fn writable_by_others(program: &Path) -> Option<PathBuf> {
    let program = program.canonicalize().ok()?;
    let is_roots = |path: &&Path| {
        let found = std::fs::metadata(path);
        found.is_ok_and(|found| found.uid() == 0 && found.mode() & 0o022 == 0)
    };
    let mut parts = program.ancestors();
    parts.find(|path| !is_roots(path)).map(Path::to_owned)
}

/// The ids behind `user:group`, names or numbers; `None` when one does not exist.
pub(crate) fn resolve_owner(owner: &str) -> Option<(u32, u32)> {
    let (user, group) = owner.split_once(':')?;
    let user = match user.parse() {
        Ok(id) => id,
        Err(_) => User::from_name(user).ok()??.uid.as_raw(),
    };
    let group = match group.parse() {
        Ok(id) => id,
        Err(_) => Group::from_name(group).ok()??.gid.as_raw(),
    };
    Some((user, group))
}
