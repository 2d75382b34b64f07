//! `safe.directory` of root's and the system's git configuration, git-config(1): checkouts that an administrator has
//! told git to work in, whoever owns them. The repository's own configuration says nothing here.

use std::path::{Path, PathBuf};

use git2::Config;

/// Whether the settings of this process's user and of the system let git work in the work tree `root`.
pub(super) fn is_safe(root: &Path) -> bool {
    // Not $HOME: sudo may leave the caller's.
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid());
    let home = user.ok().flatten().map(|user| user.dir);
    let mut files = vec![PathBuf::from("/etc/gitconfig")];
    if let Some(home) = &home {
        files.extend([home.join(".config/git/config"), home.join(".gitconfig")]);
    }
    let values: Vec<String> = files.iter().flat_map(|file| values(file)).collect();
    allows(&values, root, home.as_deref())
}

/// The values in a file, in their order.
fn values(file: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let Ok(config) = Config::open(file) else {
        return found;
    };
    if let Ok(entries) = config.multivar("safe.directory", None) {
        // One that is no text names no path that we could be asked about.
        let _ = entries.for_each(|entry| found.extend(entry.value().ok().map(str::to_owned)));
    }
    found
}

/// As git goes through them: an empty one takes back what stood before it.
fn allows(values: &[String], root: &Path, home: Option<&Path>) -> bool {
    let mut allowed = false;
    for value in values {
        allowed = match value.as_str() {
            "" => false,
            "*" => true,
            value => allowed || names(value, root, home),
        };
    }
    allowed
}

/// Whether one value names `root`: its path, or with `/*` at the end, as git 2.46 has it, a folder above it.
fn names(value: &str, root: &Path, home: Option<&Path>) -> bool {
    let below = value.strip_suffix("/*");
    let path = below.unwrap_or(value);
    let path = match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        (None, Some(home)) if path == "~" && below.is_some() => home.to_owned(),
        _ => PathBuf::from(path),
    };
    let is_root = below.is_some() && path.as_os_str().is_empty();
    if !(path.is_absolute() || is_root) {
        return false;
    }
    let real = path.canonicalize().unwrap_or(path);
    match below {
        Some(_) => root != real && root.starts_with(&real),
        None => root == real,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_taken_as_git_takes_them() {
        let root = Path::new("/srv/none/app");
        for (values, allowed) in [
            (&[][..], false),
            (&["/srv/none/app"], true),
            (&["/srv/none/app/"], true),
            (&["/srv/none"], false),
            (&["/srv/none/*"], true),
            (&["/srv/none/app/*"], false),
            (&["/srv/non/*"], false),
            (&["/*"], true),
            (&["*"], true),
            (&["*", ""], false),
            (&["", "/srv/none/app"], true),
            (&["/srv/none/app", "", "/srv/other"], false),
            (&["srv/none/app", "."], false),
            (&["~/app"], true),
            (&["~/*"], true),
        ] {
            let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
            let home = Some(Path::new("/srv/none"));
            assert_eq!(allows(&values, root, home), allowed, "{values:?}");
        }
    }

    #[test]
    fn a_file_is_read_in_its_order() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        let text = "[safe]\n\tdirectory = /a\n\tdirectory =\n[user]\n\tname = x\n[safe]\n\tdirectory = \"/b c\"\n";
        std::fs::write(&file, text).unwrap();
        assert_eq!(values(&file), ["/a", "", "/b c"]);
        assert_eq!(values(&folder.path().join("none")), [""; 0]);
    }
}
