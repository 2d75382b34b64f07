//! The new checkout: what was found, as files.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::{Path, PathBuf};

use nix::unistd::Uid;

use super::ImportError;
use super::begin::FOLDER;
use super::found::{Found, NewFile};
use super::texts::{GITIGNORE, README, SCHEMA};
use crate::model::Kind;
use crate::root::Root;
use crate::source::commit_all;

/// The subject of the commit.
const SUBJECT: &str = "The server as it is";
/// Begins watchme.toml.
const HEAD: &str = "#:schema watchme.schema.json
# What the files beside this one cannot say about this server, as `watchme-apply import` found it.
# The keys are described in docs/configuration.md of watchme-apply.
";
/// Begins the infrastructure file.
const INFRA: &str =
    "# The networks that only this file defines, as `watchme-apply import` found them.
networks:
";

/// Writes the checkout anew, and commits it as one commit.
pub(super) fn write(checkout: &Path, found: &Found) -> Result<(), ImportError> {
    let root = Root::open(checkout)?;
    let state = Path::new("/").join(FOLDER);
    if root.is_there(&state) {
        root.remove_folder(&state)?;
    }
    root.make_folder(&state)?;
    for file in files(found) {
        let path = state.join(&file.path);
        if let Some(folder) = path.parent() {
            root.make_folder(folder)?;
        }
        let mode = match (file.private, file.executable) {
            (true, _) => 0o600,
            (false, true) => 0o755,
            (false, false) => 0o644,
        };
        root.write_unsynced(&path, &file.content, mode, None)?;
    }
    root.sync(Path::new("/"))?;
    commit_all(checkout, SUBJECT)?;
    Ok(())
}

/// All files of the desired state.
fn files(found: &Found) -> Vec<NewFile> {
    let text = |path: &str, text: String| NewFile {
        path: PathBuf::from(path),
        content: text.into_bytes(),
        executable: false,
        private: false,
    };
    let mut files = vec![
        text("watchme.toml", settings(found)),
        text("watchme.schema.json", SCHEMA.to_owned()),
        text("README.md", README.to_owned()),
        text(".gitignore", GITIGNORE.to_owned()),
    ];
    let networks = found.taken.iter().map(|taken| taken.network.as_str());
    let networks: String = networks.collect();
    if !networks.is_empty() {
        let networks = format!("{INFRA}{networks}");
        files.push(text("docker-compose.infra.yml", networks));
    }
    files.extend(found.taken.iter().flat_map(|taken| taken.files.clone()));
    files
}

/// watchme.toml. What is said of one resource stays together; members of a network stand together.
fn settings(found: &Found) -> String {
    let mut text = HEAD.to_owned();
    let mut members: BTreeMap<&str, String> = BTreeMap::new();
    for taken in &found.taken {
        if taken.settings.is_empty() {
            continue;
        }
        if taken.id.kind == Kind::Member {
            let network = taken.id.name.split('/').next().unwrap_or_default();
            let _ = write!(members.entry(network).or_default(), "\n{}", taken.settings);
        } else {
            let _ = write!(text, "\n{}", taken.settings);
        }
    }
    text.extend(members.into_values());
    text
}

/// Gives the checkout to whoever called sudo, if the folder around it is theirs: they are to work in it. Files with secrets
/// stay root's.
pub(super) fn give(checkout: &Path, found: &Found) -> Result<(), ImportError> {
    let Some(user) = caller() else {
        return Ok(());
    };
    let failed = |source| ImportError::Folder {
        folder: checkout.to_owned(),
        source,
    };
    let Some(around) = checkout.parent() else {
        return Ok(());
    };
    let around = std::fs::metadata(around).map_err(failed)?;
    if around.uid() != user {
        return Ok(());
    }
    let group = around.gid();
    let kept = found.taken.iter().flat_map(|taken| &taken.files);
    let kept = kept.filter(|file| file.private);
    let kept = kept.map(|file| checkout.join(FOLDER).join(&file.path));
    let kept: Vec<PathBuf> = kept.collect();
    give_below(checkout, (user, group), &kept).map_err(failed)
}

/// What is in a folder first: until the folder itself is theirs, nobody else can put anything there.
fn give_below(path: &Path, owner: (u32, u32), kept: &[PathBuf]) -> std::io::Result<()> {
    if kept.iter().any(|kept| kept == path) {
        return Ok(());
    }
    if path.symlink_metadata()?.is_dir() {
        for entry in std::fs::read_dir(path)? {
            give_below(&entry?.path(), owner, kept)?;
        }
    }
    lchown(path, Some(owner.0), Some(owner.1))
}

/// The user who called sudo, sudo(8) "ENVIRONMENT".
pub(super) fn caller() -> Option<u32> {
    let user = std::env::var("SUDO_UID").ok()?.parse().ok()?;
    (Uid::effective().is_root() && user != 0).then_some(user)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::found::{Category, Taken};

    #[test]
    fn what_is_said_of_one_resource_stays_together() {
        let mut found = Found::default();
        for (kind, name, settings) in [
            (
                Kind::Member,
                "b/x",
                "[[network.b.member]]\ncontainer = \"x\"\n",
            ),
            (Kind::Site, "s", "[site.s]\nenabled = false\n"),
            (
                Kind::Member,
                "a/y",
                "[[network.a.member]]\ncontainer = \"y\"\n",
            ),
        ] {
            let mut taken = Taken::new(Category::Networks, kind, name, name);
            taken.settings = settings.to_owned();
            found.taken.push(taken);
        }
        let text = settings(&found);
        assert_eq!(
            text.strip_prefix(HEAD).unwrap(),
            "\n[site.s]\nenabled = false\n\n[[network.a.member]]\ncontainer = \"y\"\n\n[[network.b.member]]\ncontainer = \"x\"\n"
        );
        assert!(text.parse::<toml::Table>().is_ok());
    }
}
