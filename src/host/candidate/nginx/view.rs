//! What nginx gets to see of a host.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Case;
use crate::host::candidate::conf::{Conf, Statement};
use crate::host::candidate::sandbox::View;
use crate::host::candidate::secrets;
use crate::root::Root;

/// Folders of Debian's package in which nginx makes files.
const OWN: [&str; 3] = ["/var/log/nginx", "/var/lib/nginx", "/var/cache/nginx"];
/// Files that administrators have nginx read are configuration and tables, not disks.
const SIZE: u64 = 8 << 20;

/// The view for a configuration.
pub(super) fn of(conf: &Conf, case: &Case<'_>, root: &Root) -> View {
    let mut view = View::default();
    view.folders.extend(OWN.map(PathBuf::from));
    for statement in &conf.statements {
        for path in written(statement) {
            view.folders.extend(path.parent().map(Path::to_owned));
            if root.is_folder(&path) {
                view.folders.insert(path);
            }
        }
    }
    view.folders
        .retain(|folder| folder != Path::new("/") && !folder.starts_with("/dev"));
    // The commit's own files, and those that are read today: nobody else's.
    let own = |file: &Path| case.sources.at(file).is_some() || case.before.files.contains(file);
    let named = case.before.statements.iter().flat_map(read_by_name);
    let shown = conf.files.iter().filter(|file| own(file)).cloned();
    let named: Vec<PathBuf> = named.filter(|path| !view.shows(path)).collect();
    let shown: Vec<PathBuf> = shown
        .chain(named)
        .filter(|path| !is_open(root, path) && is_small_file(root, path))
        .collect();
    view.shown.extend(shown);
    secrets::stand_in(conf, root, case.stand_in, &mut view);
    view
}

/// Paths that a statement has nginx open for writing, or make.
fn written(statement: &Statement) -> Vec<PathBuf> {
    let name = statement.name();
    let writes = ["error_log", "access_log", "pid", "lock_file"].contains(&name)
        || name.ends_with("_temp_path")
        || name.ends_with("_cache_path");
    let first = statement.arguments().first();
    let path = match name {
        "listen" => first.and_then(|word| word.strip_prefix("unix:")),
        _ => first.map(String::as_str).filter(|_| writes),
    };
    let path = path.filter(|path| path.starts_with('/') && !path.contains('$'));
    path.map(PathBuf::from).into_iter().collect()
}

/// Files that a statement of the live configuration names, keys and passwords left out.
fn read_by_name(statement: &Statement) -> Vec<PathBuf> {
    let name = statement.name();
    let secret = ["key", "password", "user_file", "_pass", "root", "alias"]
        .iter()
        .any(|part| name.contains(part));
    let reads = !secret && written(statement).is_empty();
    let words = statement.arguments().iter().filter(|_| reads);
    words
        .filter(|word| word.starts_with('/') && !word.contains('$'))
        .map(PathBuf::from)
        .collect()
}

/// Whether anybody may read what is at a path of programs or of /etc.
fn is_open(root: &Root, path: &Path) -> bool {
    let Some(there) = root.resolve(path) else {
        return true;
    };
    let is = |path: &Path, bit: u32| {
        root.metadata(path)
            .is_some_and(|found| found.mode() & bit != 0)
    };
    (there.starts_with("/etc") || there.starts_with("/usr"))
        && is(&there, 0o004)
        && there.ancestors().skip(1).all(|folder| is(folder, 0o001))
}

fn is_small_file(root: &Root, path: &Path) -> bool {
    let found = root.metadata(path);
    found.is_some_and(|found| found.is_file() && found.len() <= SIZE)
}
