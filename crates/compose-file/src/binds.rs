//! Paths of the host and volumes that a service mounts, in their short and long forms:
//! <https://docs.docker.com/reference/compose-file/services/#volumes>

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use source_text::normal_path;

use super::mounts::Written;
use super::types::{Compose, Service};

/// A path of the host that is mounted into a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Bind {
    /// The path in the container.
    pub target: PathBuf,
    /// The path on the host, absolute.
    pub source: PathBuf,
    /// Whether the container cannot write there.
    pub read_only: bool,
}

/// A volume that is mounted into a container by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct VolumeMount {
    /// The path in the container.
    pub target: PathBuf,
    /// The name that the engine knows the volume by.
    pub volume: String,
}

impl VolumeMount {
    /// A mount as it is written. `None` for a path, and for a name with a variable that has no value.
    pub fn at(name: &str, target: &str) -> Option<Self> {
        let is_name =
            name.starts_with(|c: char| c.is_ascii_alphanumeric()) && !name.contains(['$', '/']);
        is_name.then_some(())?;
        Some(Self {
            target: normal_path(Path::new(target))?,
            volume: name.to_owned(),
        })
    }
}

impl Compose {
    /// The volumes that one of its services mounts, by the names that the engine knows them by.
    pub fn volumes_of(&self, service: &Service, project: &str) -> BTreeSet<VolumeMount> {
        let mounts = Written::of(service, "volume").filter_map(|written| {
            let mount = VolumeMount::at(&written.source, &written.target)?;
            let volume = self.volume_name(&mount.volume, project)?;
            Some(VolumeMount { volume, ..mount })
        });
        mounts.collect()
    }

    /// The engine's name of the volume under `key`. `None` where the file does not define it.
    fn volume_name(&self, key: &str, project: &str) -> Option<String> {
        let definition = self.volumes.get(key)?;
        let named = definition
            .as_ref()
            .and_then(|definition| definition.fixed_name(key));
        let name = named.unwrap_or_else(|| format!("{project}_{key}"));
        (!name.contains('$')).then_some(name)
    }
}

impl Service {
    /// What it mounts from the host, relative paths taken from `folder`. Volumes by name, and paths of a home folder or
    /// with a variable that has no value, are left out.
    pub fn binds(&self, folder: &Path) -> BTreeSet<Bind> {
        let binds = Written::of(self, "bind").filter_map(
            |Written {
                 source,
                 target,
                 modes,
                 ..
             }| {
                let is_read_only = modes.iter().any(|mode| mode == "ro");
                Bind::at(&source, &target, is_read_only, folder)
            },
        );
        binds.collect()
    }
}

impl Bind {
    /// A mount as it is written, a relative path taken from `folder`. `None` for a volume by name.
    pub fn at(source: &str, target: &str, read_only: bool, folder: &Path) -> Option<Self> {
        let is_path = source.starts_with(['/', '.']) && !source.contains('$');
        is_path.then_some(())?;
        Some(Self {
            target: normal_path(Path::new(target))?,
            source: normal_path(&folder.join(source))?,
            read_only,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_and_no_volumes() {
        let service: Service = serde_yaml::from_str(
            "volumes: ['./data:/var/lib/x', '../c.conf:/etc/c.conf:ro,z', '/srv/a:/a', 'named:/b', '~/h:/h', '/anonymous', \
             '$X/y:/y', {type: bind, source: ./d, target: /d, read_only: true}, {type: volume, source: n, target: /n}]",
        )
        .unwrap();
        let found: Vec<String> = service
            .binds(Path::new("/c/app"))
            .iter()
            .map(|bind| {
                let mode = if bind.read_only { " ro" } else { "" };
                format!("{} {}{mode}", bind.target.display(), bind.source.display())
            })
            .collect();
        assert_eq!(
            found,
            [
                "/a /srv/a",
                "/d /c/app/d ro",
                "/etc/c.conf /c/c.conf ro",
                "/var/lib/x /c/app/data"
            ]
        );
    }

    #[test]
    fn volumes_have_the_project_in_their_names_unless_they_have_one_of_their_own() {
        let compose: Compose = serde_yaml::from_str(
            "services: {web: {volumes: ['data:/data', 'own:/own:ro', './x:/x', '/anonymous', 'nobodys:/n', '$V:/v',
               {type: volume, source: others, target: /others}, {type: volume, source: old, target: /old}]}}
volumes: {data: , own: {name: mine}, others: {external: true}, old: {external: {name: older}}}",
        )
        .unwrap();
        let found: Vec<String> = compose
            .volumes_of(&compose.services["web"], "shop")
            .iter()
            .map(|mount| format!("{} {}", mount.target.display(), mount.volume))
            .collect();
        assert_eq!(
            found,
            [
                "/data shop_data",
                "/old older",
                "/others others",
                "/own mine"
            ]
        );
    }
}
