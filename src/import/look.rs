//! The host that is imported: what is read of it, and what keeps a file out of git.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::ImportError;
use super::found::Found;
use crate::host::{Host, HostError, Origin, Owned};
use crate::model::{DockerState, Entry, SystemdState, Unit, layout};
use crate::root::Root;
use crate::source::installed;
use crate::source::unit::Name;
use source_text::word_list;

/// What looks like a secret is hidden in the line that comes back.
pub(crate) type Mask<'a> = &'a dyn Fn(&str) -> String;

/// What an import looks at.
pub(super) struct Look<'a> {
    pub(super) host: &'a Host,
    pub(super) owned: Owned,
    /// Names of what is in the folder of units, and what it is.
    pub(super) units: BTreeMap<String, Entry>,
    /// What they run.
    pub(super) installed: BTreeMap<String, Unit>,
    pub(super) systemd: SystemdState,
    /// `None` where no engine answers.
    pub(super) docker: Option<DockerState>,
    /// The variables of the containers of compose projects, by their ids. They go nowhere but to files outside git.
    pub(super) environments: BTreeMap<String, BTreeMap<String, String>>,
    pub(super) mask: Mask<'a>,
    /// Whether files that look like they hold secrets are taken all the same.
    pub(super) with_secrets: bool,
}

pub(crate) struct HostFile {
    /// Where it is.
    pub(crate) path: PathBuf,
    pub(crate) content: std::sync::Arc<[u8]>,
    pub(crate) mode: u32,
    /// Ids of user and group.
    pub(crate) owner: (u32, u32),
}

impl HostFile {
    /// What is at a path, if it is a regular file.
    pub(crate) fn of(path: &Path, entry: Entry) -> Option<Self> {
        let path = path.to_owned();
        match entry {
            Entry::File {
                content,
                mode,
                owner,
                ..
            } => Some(Self {
                path,
                content,
                mode,
                owner,
            }),
            _ => None,
        }
    }
}

impl<'a> Look<'a> {
    pub(super) async fn at(
        host: &'a Host,
        (mask, with_secrets): (Mask<'a>, bool),
        found: &mut Found,
    ) -> Result<Self, ImportError> {
        let root = host.root();
        let mut units = BTreeMap::new();
        let paths = root.list(Path::new(layout::SYSTEMD));
        for path in paths.map_err(HostError::from)? {
            if let Some(name) = path.file_name().and_then(|name| name.to_str()) {
                let entry = root.entry(&path).map_err(HostError::from)?;
                units.insert(name.to_owned(), entry);
            }
        }
        let is_one = |name: &&String| Name::parse(name).is_ok_and(|name| !name.is_template());
        let named: BTreeSet<String> = units.keys().filter(is_one).cloned().collect();
        let names = units.keys().cloned().collect();
        let installed = installed(root.directory(), &names);
        let systemd = host.systemd().await?.observe(&named).await?;
        let docker = docker(host, found).await?;
        let environments = environments(host, docker.as_ref()).await?;
        Ok(Self {
            host,
            owned: host.owned()?,
            units,
            installed,
            systemd,
            docker,
            environments,
            mask,
            with_secrets,
        })
    }

    pub(super) fn root(&self) -> &Root {
        self.host.root()
    }

    /// A regular file, no link followed.
    pub(super) fn file(&self, path: &Path) -> Result<Option<HostFile>, HostError> {
        Ok(HostFile::of(path, self.root().entry(path)?))
    }

    pub(super) fn origin(&self, file: &HostFile) -> Origin {
        self.owned.origin(&file.path, &file.content)
    }

    /// What keeps a file out of git; what of it looks like a secret is named among the secrets.
    pub(super) fn keeps_out(&self, file: &HostFile, found: &mut Found) -> Option<String> {
        let guarded = (self.mask, self.with_secrets);
        let why = stays_out(&file.path, &file.content, file.mode, guarded)?;
        found.secret(file.path.to_string_lossy(), why.clone());
        Some(format!("it stays out of git: {why}"))
    }

    /// The first line that has something that looks like a secret, counted from 1.
    pub(super) fn secret_line(&self, text: &str) -> Option<usize> {
        secret_line(text, self.mask)
    }
}

/// Why a file with this content stays out of git; `None` where it need not.
pub(crate) fn stays_out(
    path: &Path,
    content: &[u8],
    mode: u32,
    (mask, with_secrets): (Mask<'_>, bool),
) -> Option<String> {
    let Ok(text) = std::str::from_utf8(content) else {
        return Some("it is not text".to_owned());
    };
    if text.contains("PRIVATE KEY-----") {
        return Some("it contains a private key".to_owned());
    }
    if is_ignored(path) {
        return Some("its name is one of a file with secrets, and git ignores it".to_owned());
    }
    if with_secrets {
        return None;
    }
    // sudo wants its files to be like that, sudoers(5).
    let is_sudoers = path.starts_with("/etc/sudoers.d") || path == Path::new("/etc/sudoers");
    if mode & 0o004 == 0 && !is_sudoers {
        let mode = mode & 0o777;
        return Some(format!("others may not read it (mode {mode:04o})"));
    }
    if is_secret_name(path) {
        return Some("its name suggests that it contains secrets".to_owned());
    }
    // `NOPASSWD:` is none, and passwords have no place there.
    let line = secret_line(text, mask).filter(|_| !is_sudoers)?;
    Some(format!("line {line} looks like a password or a key"))
}

/// The first line that has something that looks like a secret, counted from 1.
pub(crate) fn secret_line(text: &str, mask: Mask<'_>) -> Option<usize> {
    let is = |line: &str| is_secret_line(line, &mask(line));
    text.lines().position(is).map(|at| at + 1)
}

/// What the engine has; said where none answers.
async fn docker(host: &Host, found: &mut Found) -> Result<Option<DockerState>, ImportError> {
    if !host.root().is_there(&host.engine_socket()) {
        return Ok(None);
    }
    let docker = match host.docker().await {
        Ok(docker) => docker,
        Err(error @ HostError::DockerAbsent { .. }) => {
            found.leave("containers", format!("the engine does not answer, so that projects, networks and members are not known: {error}"));
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    let all = |_: &crate::model::Container| true;
    let names = docker.observe(&BTreeSet::new(), &|_| false).await?;
    let names: BTreeSet<String> = names.networks.into_keys().collect();
    Ok(Some(docker.observe(&names, &all).await?))
}

/// The variables of the containers of compose projects that run.
async fn environments(
    host: &Host,
    docker: Option<&DockerState>,
) -> Result<BTreeMap<String, BTreeMap<String, String>>, ImportError> {
    let mut found = BTreeMap::new();
    let containers = docker.iter().flat_map(|docker| &docker.containers);
    for container in containers.filter(|one| one.compose.is_some() && one.is_running()) {
        match host.docker().await?.environment(&container.id).await {
            Ok(variables) => drop(found.insert(container.id.clone(), variables)),
            Err(error) if error.is_gone() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found)
}

/// Whether the `.gitignore` of the new checkout leaves files of this name out.
fn is_ignored(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name == ".env" || name.ends_with(".key")
}

/// Whether files of such a name have secrets.
fn is_secret_name(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    const ENDS: [&str; 7] = word_list(".env .key .htpasswd .p12 .pfx .jks .keytab");
    ENDS.iter().any(|end| name.ends_with(end)) || name.starts_with(".env") || name == "htpasswd"
}

/// Whether what was masked in a line is more than the path of a file.
fn is_secret_line(line: &str, masked: &str) -> bool {
    if line == masked {
        return false;
    }
    let Some((before, after)) = masked.split_once("********") else {
        return true;
    };
    let value = line
        .strip_prefix(before)
        .and_then(|rest| rest.strip_suffix(after));
    let value = value.unwrap_or_default().trim().trim_matches(['"', '\'']);
    // `KEY_FILE=/etc/x.key` says where a secret is.
    !value.starts_with('/') || value.contains(char::is_whitespace)
}

/// The last part of a path.
pub(super) fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Whether a name is one of a copy that people, editors and packages leave beside a file.
pub(super) fn is_leftover(name: &str) -> bool {
    const ENDS: [&str; 14] = word_list(
        "~ .bak .orig .old .save .swp .rej \
                .dpkg-old .dpkg-dist .dpkg-new .dpkg-tmp .ucf-old .ucf-dist .ucf-new",
    );
    name.starts_with(['.', '#']) || ENDS.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_no_secret_and_a_password_is() {
        for (line, masked, expected) in [
            ("KEY_FILE=/etc/x.key", "KEY_FILE=********", false),
            ("PASSWORD=abc", "PASSWORD=********", true),
            ("auth \"/a b\"", "auth ********", true),
            ("x", "x", false),
        ] {
            assert_eq!(is_secret_line(line, masked), expected, "{line}");
        }
        for (path, expected) in [
            ("/opt/a/.env", true),
            ("/opt/a/.env.local", true),
            ("/etc/nginx/.htpasswd", true),
            ("/etc/cron.d/nightly", false),
        ] {
            assert_eq!(is_secret_name(Path::new(path)), expected, "{path}");
        }
        assert!(is_leftover("a.conf.bak") && is_leftover(".x.swp") && !is_leftover("a.conf"));
    }
}
