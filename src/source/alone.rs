//! A single file, read as what it seems to be, without a desired state around it.

use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use super::error::{Result, SourceError};
use super::policy::{Folders, Input, Spanned};
use super::unit::Name;
use super::{Checkout, Server};
use crate::model::{ComposeCommand, Copies};

/// A file that is checked alone.
#[derive(Clone, Debug)]
pub(crate) struct Alone {
    /// Its path below the root.
    pub path: PathBuf,
    /// The folder in which it is an input.
    pub folder: PathBuf,
    /// The inputs there: those of its kind.
    pub folders: Folders,
    /// Whether it is a compose file.
    pub is_compose: bool,
}

/// No folder of anybody.
const NOWHERE: &str = "\u{1}";

impl Alone {
    /// What a file is: a unit or drop-in by its name, a compose file by its ending, a file of nginx by its folder, else a
    /// site.
    fn guess(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let parent = path.parent().unwrap_or(Path::new(""));
        let nowhere = || Spanned::unwritten(Input::new(NOWHERE));
        let mut folders = Folders {
            sites: nowhere(),
            units: nowhere(),
            etc: nowhere(),
            infra: nowhere(),
        };
        let here = Spanned::unwritten(Input::new("."));
        let is_unit = |name: &str| Name::parse(name).is_ok();
        let above = parent.file_name().unwrap_or_default().to_string_lossy();
        let is_dropin = name.ends_with(".conf") && above.strip_suffix(".d").is_some_and(is_unit);
        let is_compose = name.ends_with(".yml") || name.ends_with(".yaml");
        let mut folder = parent;
        let etc = parent
            .ancestors()
            .find(|above| above.file_name().is_some_and(|name| name == "nginx"))
            .and_then(Path::parent);
        if is_unit(&name) {
            folders.units = here;
        } else if is_dropin {
            folder = parent.parent().unwrap_or(parent);
            folders.units = here;
        } else if !is_compose {
            let is_of_sites = above.starts_with("sites-");
            match etc.filter(|_| !is_of_sites) {
                Some(etc) => {
                    folder = etc;
                    folders.etc = here;
                }
                None => folders.sites = here,
            }
        }
        Self {
            path: path.to_owned(),
            folder: folder.to_owned(),
            folders,
            is_compose,
        }
    }
}

impl Checkout {
    /// A single file. It is read as what its name and its folder say that it is, and nothing beside it.
    ///
    /// # Errors
    /// When it is no file, or cannot be read.
    pub fn of_file(path: &Path) -> Result<Self> {
        let failed = |source| SourceError::Read {
            path: path.into(),
            source,
        };
        let metadata = std::fs::metadata(path).map_err(failed)?;
        if metadata.is_dir() {
            return Err(failed(std::io::ErrorKind::IsADirectory.into()));
        }
        let is_plain =
            |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
        let is_link = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
        let (root, below) = match path.components().all(is_plain) && !is_link {
            true => (PathBuf::from("."), path.to_owned()),
            false => (PathBuf::from("/"), path.canonicalize().map_err(failed)?),
        };
        let below: PathBuf = below
            .components()
            .filter(|part| matches!(part, Component::Normal(_)))
            .collect();
        let alone = Alone::guess(&below);
        Ok(Self {
            root: root.canonicalize().map_err(failed)?,
            folder: alone.folder.clone(),
            repo: None,
            owner: Some(metadata.uid()),
            safe: false,
            server: Server::Any,
            compose: ComposeCommand::default(),
            copies: Copies::default(),
            alone: Some(alone),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_name_and_folder() {
        for (path, folder, kind) in [
            (
                "etc/systemd/system/api.service",
                "etc/systemd/system",
                "units",
            ),
            ("systemd/api.service.d/a.conf", "systemd", "units"),
            ("srv/app/stack.yml", "srv/app", "compose"),
            (
                "etc/nginx/sites-enabled/default",
                "etc/nginx/sites-enabled",
                "sites",
            ),
            ("etc/nginx/conf.d/a.conf", "etc", "etc"),
            ("etc/nginx/nginx.conf", "etc", "etc"),
            ("example.com.conf", "", "sites"),
        ] {
            let alone = Alone::guess(Path::new(path));
            let Folders {
                sites, units, etc, ..
            } = &alone.folders;
            let named = [("sites", sites), ("units", units), ("etc", etc)];
            let mut kinds = named
                .into_iter()
                .filter(|(_, folder)| folder.as_str() == ".");
            let known = kinds.next().map_or("compose", |(kind, _)| kind);
            assert_eq!(
                (alone.folder.to_str(), known),
                (Some(folder), kind),
                "{path}"
            );
            assert_eq!(alone.is_compose, kind == "compose", "{path}");
        }
    }
}
