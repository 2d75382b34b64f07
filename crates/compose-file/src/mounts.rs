//! Files and folders beside a compose file that its services mount: by `volumes`, and by the configs and secrets that have a
//! `file`, <https://docs.docker.com/reference/compose-file/configs/>.

use std::path::{Path, PathBuf};

use serde_yaml::Value;
use source_text::normal_path;

use super::types::{Compose, Service, text};

/// Something of the host that a service mounts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mount {
    /// Its path on the host, absolute.
    pub source: PathBuf,
    /// By which key.
    pub by: MountedBy,
}

/// The key by which a service mounts something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MountedBy {
    /// `volumes`.
    Volume {
        /// The path in the container, as written.
        target: String,
        /// Its modes, in the order in which they are written; `ro` of the long form.
        modes: Vec<String>,
        /// Whether it says more than that.
        has_options: bool,
    },
    /// A config of this name.
    Config(String),
    /// A secret of this name.
    Secret(String),
}

impl Compose {
    /// What one of its services mounts from the host, relative paths taken from `folder`.
    pub fn mounts_of(&self, service: &Service, folder: &Path) -> Vec<Mount> {
        let volumes = Written::of(service, "bind").filter_map(|one| volume(one, folder));
        let configs = self.files_of(service, "configs", folder, MountedBy::Config);
        let secrets = self.files_of(service, "secrets", folder, MountedBy::Secret);
        volumes.chain(configs).chain(secrets).collect()
    }

    /// The files of the configs, or of the secrets, that a service has.
    fn files_of(
        &self,
        service: &Service,
        key: &str,
        folder: &Path,
        by: fn(String) -> MountedBy,
    ) -> Vec<Mount> {
        let list = service.rest.get(key).and_then(Value::as_sequence);
        let names = list.into_iter().flatten().filter_map(|entry| match entry {
            Value::Mapping(_) => text(entry.get("source")?),
            other => text(other),
        });
        let mounts = names.filter_map(|name| {
            let file = text(self.rest.get(key)?.get(&name)?.get("file")?)?;
            let source = path(&file, folder)?;
            Some(Mount {
                source,
                by: by(name),
            })
        });
        mounts.collect()
    }
}

/// An entry of `volumes:` as it is written, in its short form `SOURCE:TARGET[:MODE,MODE]` or its long one.
pub(crate) struct Written {
    /// `bind`, `volume` or another type, of the long form.
    kind: Option<String>,
    pub(crate) source: String,
    pub(crate) target: String,
    /// `ro` of the long form, too.
    pub(crate) modes: Vec<String>,
    /// Whether it says more than that.
    has_options: bool,
}

impl Written {
    /// Those of a service that are of a type, or may be.
    pub(crate) fn of<'s>(service: &'s Service, kind: &'s str) -> impl Iterator<Item = Self> + 's {
        let list = service.rest.get("volumes").and_then(Value::as_sequence);
        let all = list.into_iter().flatten().filter_map(Self::read);
        all.filter(move |one| one.kind.as_deref().is_none_or(|own| own == kind))
    }

    fn read(entry: &Value) -> Option<Self> {
        let Value::Mapping(keys) = entry else {
            let entry = text(entry)?;
            let mut parts = entry.splitn(3, ':');
            let (source, target) = (parts.next()?.to_owned(), parts.next()?.to_owned());
            let modes = parts.next().into_iter().flat_map(|modes| modes.split(','));
            return Some(Self {
                kind: None,
                source,
                target,
                modes: modes.map(str::to_owned).collect(),
                has_options: false,
            });
        };
        let is_read_only = entry.get("read_only").and_then(Value::as_bool) == Some(true);
        let plain = ["type", "source", "target", "read_only"];
        let mut keys = keys.keys().filter_map(text);
        Some(Self {
            kind: Some(entry.get("type")?.as_str()?.to_owned()),
            source: text(entry.get("source")?)?,
            target: text(entry.get("target")?)?,
            modes: is_read_only.then(|| "ro".to_owned()).into_iter().collect(),
            has_options: keys.any(|key| !plain.contains(&key.as_str())),
        })
    }
}

fn volume(written: Written, folder: &Path) -> Option<Mount> {
    written.source.starts_with(['/', '.']).then_some(())?;
    Some(Mount {
        source: path(&written.source, folder)?,
        by: MountedBy::Volume {
            target: written.target,
            modes: written.modes,
            has_options: written.has_options,
        },
    })
}

/// A path as written; `None` where a variable in it has no value, or it is in a home folder.
fn path(source: &str, folder: &Path) -> Option<PathBuf> {
    let is_known = !source.contains('$') && !source.starts_with('~');
    is_known.then(|| normal_path(&folder.join(source)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_keys_that_mount_something() {
        let text = "
services:
  web:
    volumes:
    - './a.conf:/etc/a.conf:ro,z'
    - 'named:/data'
    - '~/h:/h'
    - {type: bind, source: ../b, target: /b, read_only: true}
    - {type: bind, source: ./c, target: /c, bind: {propagation: rslave}}
    configs: [one, {source: two, target: /x}]
    secrets: [key, other]
configs:
  one: {file: ./one.txt}
  two: {content: text}
secrets:
  key: {file: /srv/key}
  other: {environment: X}
";
        let compose: Compose = serde_yaml::from_str(text).unwrap();
        let mounts = compose.mounts_of(&compose.services["web"], Path::new("/c/app"));
        let shown = |mount: &Mount| {
            let by = match &mount.by {
                MountedBy::Volume {
                    target,
                    modes,
                    has_options,
                } => format!("{target} {} {has_options}", modes.join("+")),
                MountedBy::Config(name) => format!("config {name}"),
                MountedBy::Secret(name) => format!("secret {name}"),
            };
            format!("{} {by}", mount.source.display())
        };
        let mounts: Vec<String> = mounts.iter().map(shown).collect();
        assert_eq!(
            mounts,
            [
                "/c/app/a.conf /etc/a.conf ro+z false",
                "/c/b /b ro false",
                "/c/app/c /c  true",
                "/c/app/one.txt config one",
                "/srv/key secret key",
            ]
        );
    }
}
