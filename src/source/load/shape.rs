//! Where a checkout has its inputs, if watchme.toml does not say so: in folders of their own, or as a host has them,
//! below `etc/`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Inputs;
use super::inputs::join;
use crate::model::layout;
use crate::source::error::SourceError;
use crate::source::policy::{Folders, Input, Spanned};
use crate::source::tree::Node;
use source_text::word_list;

/// Below the folder of files for /etc, as on a host.
const SITES: &str = "nginx/sites-available";
const ENABLED: &str = "nginx/sites-enabled";
const UNITS: &str = "systemd/system";

/// Ends of the names of folders of links.
pub(super) const LINKS: [&str; 3] = word_list(".wants .requires .upholds");

/// Files for /etc/systemd, which are no units; systemd-system.conf(5) and the pages that it names.
const OF_SYSTEMD: [&str; 13] = word_list("
    coredump.conf homed.conf iocost.conf journald.conf logind.conf networkd.conf oomd.conf pstore.conf
    resolved.conf sleep.conf system.conf timesyncd.conf user.conf
");

/// Which inputs are where a host has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Sites are in `etc/nginx/sites-available`.
    pub sites: bool,
    /// Units are in `etc/systemd/system`.
    pub units: bool,
}

impl Shape {
    /// Looks where the inputs are, and lets `folders` say so.
    pub(super) fn of(inputs: &Inputs<'_>, folder: &Path, folders: &mut Folders) -> Self {
        let is_folder = |name: &str| {
            let path = join(folder, name);
            let node = path.and_then(|path| inputs.node(&path).ok().flatten());
            matches!(node, Some((_, Node::Folder)))
        };
        let below = |name: &str| format!("{}/{name}", folders.etc.as_str());
        let is_unknown = |folder: &Spanned<Input>| !folder.is_written() && !is_folder(folder);
        let (sites, enabled, units) = (below(SITES), below(ENABLED), below(UNITS));
        let shape = Self {
            sites: is_unknown(&folders.sites) && (is_folder(&sites) || is_folder(&enabled)),
            units: is_unknown(&folders.units) && is_folder(&units),
        };
        if shape.sites {
            folders.sites = Spanned::unwritten(Input::new(&sites));
        }
        if shape.units {
            folders.units = Spanned::unwritten(Input::new(&units));
        }
        shape
    }

    /// Whether a file below the folder of files for /etc, by its path there, is a site or a unit.
    pub(crate) fn has(self, relative: &Path) -> bool {
        let sites = relative.starts_with(SITES) || relative.starts_with(ENABLED);
        self.sites && sites || self.units && relative.starts_with(UNITS)
    }
}

/// Whether a file among units is one for /etc/systemd.
pub(crate) fn is_of_systemd(name: &str) -> bool {
    OF_SYSTEMD.contains(&name)
}

/// Whether it is a link out of the checkout, as of an alias or a masked unit, or a folder of links; systemctl(1).
pub(crate) fn is_made_by_systemctl(inputs: &Inputs<'_>, path: &Path) -> bool {
    let name = path.to_string_lossy();
    LINKS.iter().any(|end| name.ends_with(end))
        || matches!(inputs.node(path), Err(SourceError::LinkLeaves { .. }))
}

/// What a folder `sites-enabled` says.
#[derive(Debug, Default)]
pub(crate) struct Enabled {
    /// Sites that are linked into it, by the name of their file.
    pub linked: BTreeSet<String>,
    /// Sites whose files are in it.
    pub own: Vec<String>,
}

/// The folder beside the one of the sites, if there is one.
pub(crate) fn enabled(inputs: &Inputs<'_>, sites: &Path) -> Option<(PathBuf, Enabled)> {
    let folder = sites.parent()?.join("sites-enabled");
    if !matches!(inputs.node(&folder), Ok(Some((_, Node::Folder)))) {
        return None;
    }
    let mut enabled = Enabled::default();
    let names = inputs.tree.list(&folder).unwrap_or_default();
    for name in names.into_iter().filter(|name| !name.starts_with('.')) {
        let path = folder.join(&name);
        let name_of = |path: &Path| Some(path.file_name()?.to_str()?.to_owned());
        match inputs.node(&path) {
            Ok(Some((resolved, Node::File { .. }))) if resolved == path => enabled.own.push(name),
            Ok(Some((resolved, _))) => enabled.linked.extend(name_of(&resolved)),
            // As a host has it: into its own folder.
            Err(SourceError::LinkLeaves { target, .. })
                if target.parent() == layout::site_available("x").parent() =>
            {
                enabled.linked.extend(name_of(&target));
            }
            Ok(None) | Err(_) => {
                enabled.linked.insert(name);
            }
        }
    }
    Some((folder, enabled))
}
