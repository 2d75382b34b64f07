//! What a host has over the files of all hosts.

use std::path::Path;

use super::{Inputs, Loader, utf8};
use crate::model::File;
use crate::source::error::{Result, SourceError};
use crate::source::policy::{self, FILE_NAME, Policy};
use crate::source::tree::{HOSTS, Node};

/// The host whose files are over those of all hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostName {
    /// One that somebody has named: it has to have files.
    Named(String),
    /// This machine.
    Own(String),
}

impl HostName {
    /// Its name.
    pub fn name(&self) -> &str {
        let (Self::Named(name) | Self::Own(name)) = self;
        name
    }

    /// This machine, by the first part of its name, hostname(7).
    pub fn of_this_machine() -> Option<Self> {
        let name = nix::unistd::gethostname().ok()?;
        let name = name.to_str()?;
        let first = name.split('.').next().filter(|name| !name.is_empty())?;
        Some(Self::Own(first.to_owned()))
    }
}

/// watchme.toml of the host, if it has one.
pub(super) fn own_policy(inputs: &Inputs<'_>) -> Result<Option<File>> {
    match inputs.tree.own() {
        Some(own) => inputs.file(&own.join(FILE_NAME)),
        None => Ok(None),
    }
}

/// What watchme.toml says, with what the host has over it.
pub(super) fn policy(path: &Path, shared: Option<&File>, own: Option<&File>) -> Result<Policy> {
    let shared = shared.map(utf8).transpose()?.unwrap_or_default();
    let policy = match own {
        Some(own) => policy::combined((path, shared), (&own.source, utf8(own)?)),
        None => policy::parse(path, shared),
    };
    policy.map_err(SourceError::from)
}

/// Finds the hosts that have files of their own, and says where this one has none.
pub(super) fn look(loader: &mut Loader<'_, '_>) -> Result<()> {
    let (places, tree) = (loader.places, loader.inputs.tree);
    let folder = places.folder.join(HOSTS);
    if places.alone.is_some() {
        return Ok(());
    }
    let mut hosts = match tree.resolve(&folder)? {
        Some((_, Node::Folder)) => tree.list(&folder)?,
        _ => Vec::new(),
    };
    hosts.retain(|name| {
        matches!(
            tree.resolve(&folder.join(name)),
            Ok(Some((_, Node::Folder)))
        )
    });
    match &places.host {
        Some(HostName::Named(host)) if !hosts.contains(host) => {
            return Err(SourceError::UnknownHost {
                host: host.clone(),
                folder,
                known: hosts,
            });
        }
        Some(HostName::Own(host)) if !hosts.is_empty() && !hosts.contains(host) => {
            let text = format!(
                "{} has no folder for this host, {host}: only the files of all hosts are used",
                folder.display()
            );
            loader.out.warnings.push(text);
        }
        _ => {}
    }
    loader.out.parsed.hosts = hosts;
    loader.out.parsed.host = places.host.clone();
    Ok(())
}
