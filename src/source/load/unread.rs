//! Folders of a checkout that look like inputs and that nothing reads, for those who report what is wrong with it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::inputs::{Inputs, is_backup, join};
use super::shape::LINKS;
use super::unreferenced::FOREIGN;
use crate::kinds::quadlet::read::FOLDER as QUADLETS;
use crate::source::error::misspelt;
use crate::source::policy::Folders;
use crate::source::tree::{HOSTS, Node};
use crate::source::unit::Name;
use source_text::word_list;

/// How deep is looked, and among how many names.
const MAX_DEPTH: usize = 4;
const MAX_NAMES: usize = 20_000;
/// Names of folders in which nginx's sites are.
const OF_SITES: [&str; 5] = [
    "sites-available",
    "sites-enabled",
    "sites",
    "vhosts",
    "vhost.d",
];
/// Folders whose files are no server's: of tests, and of what is filled in first.
pub(super) const OF_NO_SERVER: [&str; 10] = word_list(
    "
    test tests testdata fixtures spec example examples samples templates docs
",
);
/// Unit types that people write.
const OF_UNITS: [&str; 5] = ["service", "timer", "socket", "path", "target"];

/// A folder that looks like an input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unread {
    /// Its path below the folder of the desired state.
    pub folder: PathBuf,
    /// The key of `[folders]` that would name it, `sites` or `units`; `etc` for what belongs in `etc/nginx`, `containers`
    /// for Quadlets.
    pub key: &'static str,
    /// Files in it that are one.
    pub files: usize,
}

/// What was found on the way.
#[derive(Default)]
struct Found {
    folders: Vec<Unread>,
    seen: usize,
}

/// Looks for folders of sites and units that `folders` does not name.
pub(crate) fn unread(inputs: &Inputs<'_>, folder: &Path, folders: &Folders) -> Vec<Unread> {
    let names = [&folders.sites, &folders.units, &folders.etc].map(|name| name.as_str());
    let names = names.into_iter().chain([QUADLETS]);
    let known: BTreeSet<PathBuf> = names.filter_map(|name| join(folder, name)).collect();
    let mut found = Found::default();
    walk(inputs, (folder, Path::new("")), &known, &mut found, 0);
    found.folders.sort();
    // Their links.
    let available = |one: &Unread| one.folder.with_file_name("sites-available");
    let all: BTreeSet<PathBuf> = found.folders.iter().map(|one| one.folder.clone()).collect();
    found
        .folders
        .retain(|one| !one.folder.ends_with("sites-enabled") || !all.contains(&available(one)));
    found.folders
}

fn walk(
    inputs: &Inputs<'_>,
    (folder, below): (&Path, &Path),
    known: &BTreeSet<PathBuf>,
    found: &mut Found,
    depth: usize,
) {
    let (mut units, mut quadlets, mut others, mut files) = (0, 0, 0, 0);
    let (mut is_of_nginx, mut is_of_image) = (false, false);
    for name in inputs.tree.list(folder).unwrap_or_default() {
        found.seen += 1;
        let path = folder.join(&name);
        if found.seen > MAX_NAMES || name.starts_with('.') || is_backup(&name) {
            continue;
        }
        match inputs.node(&path) {
            Ok(Some((resolved, Node::Folder))) if resolved == path => {
                let is_foreign = FOREIGN.contains(&name.as_str())
                    || OF_NO_SERVER.contains(&&*name)
                    || inputs.folder_left_out(&path);
                // Links of systemctl, and drop-ins.
                let is_beside = LINKS.iter().any(|end| name.ends_with(end)) || name.ends_with(".d");
                let is_of_hosts = depth == 0 && name == HOSTS;
                if depth < MAX_DEPTH && !is_foreign && !is_beside && !is_of_hosts {
                    walk(inputs, (&path, &below.join(&name)), known, found, depth + 1);
                }
            }
            Ok(Some((_, Node::File { .. }))) if !inputs.left_out(&path) => {
                files += 1;
                is_of_nginx |= name == "nginx.conf";
                is_of_image |= name.starts_with("Dockerfile") || name.starts_with("Containerfile");
                if is_unit(&name) {
                    units += 1;
                } else if is_quadlet(&name) {
                    quadlets += 1;
                } else {
                    others += usize::from(!name.ends_with(".conf"));
                }
            }
            _ => {}
        }
    }
    if known.contains(folder) || known.iter().any(|known| folder == known.join("nginx")) {
        return;
    }
    // Those of Apache are files for /etc, whatever their folders are called.
    let is_of_apache = |part: &std::ffi::OsStr| part == "apache2" || part == "httpd";
    if below.iter().any(is_of_apache) {
        return;
    }
    // Its links say which sites are enabled.
    let sites = folder.with_file_name("sites-available");
    if folder.ends_with("sites-enabled") && known.contains(&sites) {
        return;
    }
    let name = below.file_name().and_then(|name| name.to_str());
    let is_of_sites = |name: &str| {
        OF_SITES.contains(&name) || misspelt(name, ["sites-available", "sites-enabled"]).is_some()
    };
    let is_of_sites = name.is_some_and(is_of_sites);
    let mut add = |key, files| {
        found.folders.push(Unread {
            folder: below.to_owned(),
            key,
            files,
        });
    };
    if depth > 0 && is_of_sites && units + quadlets == 0 && files > 0 {
        add("sites", files);
    } else if depth > 0 && units > 0 && quadlets + others == 0 {
        add("units", units);
    } else if depth > 0
        && quadlets > 0
        && others == 0
        && !known.iter().any(|known| folder.starts_with(known))
    {
        add("containers", quadlets);
    } else if is_of_nginx && !is_of_image {
        add("etc", files);
    }
}

/// Whether a file is a Quadlet that runs something; podman-systemd.unit(5).
fn is_quadlet(name: &str) -> bool {
    let extension = Path::new(name).extension().and_then(|end| end.to_str());
    extension.is_some_and(|end| ["container", "kube", "pod"].contains(&end))
}

pub(super) fn is_unit(name: &str) -> bool {
    Name::parse(name).is_ok_and(|name| OF_UNITS.contains(&name.suffix()))
}
