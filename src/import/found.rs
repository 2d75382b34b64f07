//! What an import takes, what it leaves, and where secrets are.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::look::HostFile;
use crate::model::{Kind, ResourceId};

/// What an import looks for. The comments are the help of `--only`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Category {
    /// Sites of nginx
    Sites,
    /// Units of systemd, drop-ins and Quadlets
    Units,
    /// Compose projects that run
    Compose,
    /// Docker networks, and who is on them
    Networks,
    /// Files of /etc that differ from their packages
    Etc,
}

impl Category {
    /// What one of them is called.
    pub(crate) fn one(self) -> &'static str {
        match self {
            Self::Sites => "site",
            Self::Units => "unit",
            Self::Compose => "compose project",
            Self::Networks => "network or member",
            Self::Etc => "file of /etc",
        }
    }
}

/// One resource that is taken.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub kind: Category,
    /// As plans speak of it.
    pub id: ResourceId,
    /// Where it is on the host.
    pub from: String,
    /// Its files in the desired state.
    pub files: Vec<NewFile>,
    /// Its lines of watchme.toml.
    pub settings: String,
    /// Its lines of the infrastructure file, below `networks:`.
    pub network: String,
    /// What it cannot be without.
    pub needs: Option<ResourceId>,
    /// Variables of its files that have no value.
    pub lacks: BTreeSet<String>,
}

/// A file of the new desired state.
#[derive(Clone, Debug)]
pub(crate) struct NewFile {
    /// Below the folder of the desired state.
    pub path: PathBuf,
    pub content: Vec<u8>,
    /// Whether it can be run.
    pub executable: bool,
    /// Whether it stays out of git, for its owner alone.
    pub private: bool,
}

// Its schema is a part of that of `import --json`, as that of secrets is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Unmanaged"))]
pub(crate) struct Left {
    pub what: String,
    pub why: String,
}

// Where a secret is: a file on the host, or in the checkout where git ignores it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Secret"))]
pub(crate) struct SecretFile {
    pub path: String,
    pub what: String,
}

/// All that was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub taken: Vec<Taken>,
    pub left: Vec<Left>,
    /// Files with secrets, which git has not.
    pub secrets: Vec<SecretFile>,
}

impl Found {
    /// Leaves something as it is.
    pub(super) fn leave(&mut self, what: impl Into<String>, why: impl Into<String>) {
        let (what, why) = (what.into(), why.into());
        self.left.push(Left { what, why });
    }

    /// Says where a secret is.
    pub(super) fn secret(&mut self, path: impl Into<String>, what: impl Into<String>) {
        let (path, what) = (path.into(), what.into());
        if !self.secrets.iter().any(|known| known.path == path) {
            self.secrets.push(SecretFile { path, what });
        }
    }

    /// Takes something out again, and what cannot be without it. Returns whether it was there.
    pub(super) fn drop(&mut self, id: &ResourceId, why: &str) -> bool {
        let (out, stays): (Vec<Taken>, Vec<Taken>) = std::mem::take(&mut self.taken)
            .into_iter()
            .partition(|taken| taken.id == *id || taken.needs.as_ref() == Some(id));
        self.taken = stays;
        for taken in &out {
            let why = match taken.id == *id {
                true => why.to_owned(),
                false => format!("{id} is skipped: {why}"),
            };
            self.leave(taken.from.clone(), why);
            for file in taken.files.iter().filter(|file| file.private) {
                let path = file.path.to_string_lossy();
                self.secrets.retain(|secret| !secret.path.ends_with(&*path));
            }
        }
        !out.is_empty()
    }

    /// The resource that a file of the desired state belongs to.
    pub(super) fn owner_of(&self, path: &std::path::Path) -> Option<ResourceId> {
        let has = |taken: &&Taken| taken.files.iter().any(|file| path.ends_with(&file.path));
        self.taken.iter().find(has).map(|taken| taken.id.clone())
    }

    /// The resource that a text names.
    pub(super) fn named_in(&self, text: &str) -> Option<ResourceId> {
        let mut taken = self.taken.iter();
        let named = taken.find(|taken| text.contains(&taken.id.name));
        named.map(|taken| taken.id.clone())
    }
}

impl Taken {
    /// A resource of one kind, without files.
    pub(super) fn new(kind: Category, of: Kind, name: &str, from: impl Into<String>) -> Self {
        Self {
            kind,
            id: ResourceId::new(of, name),
            from: from.into(),
            files: Vec::new(),
            settings: String::new(),
            network: String::new(),
            needs: None,
            lacks: BTreeSet::new(),
        }
    }

    /// Adds a file for git.
    pub(super) fn add(&mut self, path: PathBuf, file: &HostFile, mode: u32) {
        self.files.push(NewFile {
            path,
            content: file.content.to_vec(),
            executable: mode & 0o111 != 0,
            private: false,
        });
    }
}

/// A text as TOML has it, in quotes.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_takes_along_what_needs_it() {
        let mut found = Found::default();
        let network = Taken::new(Category::Networks, Kind::Network, "n", "network n");
        let mut member = Taken::new(Category::Networks, Kind::Member, "n/a", "a on n");
        member.needs = Some(network.id.clone());
        let id = network.id.clone();
        found.taken.extend([network, member]);
        assert!(found.drop(&id, "it differs"));
        assert!(!found.drop(&id, "it differs"));
        assert!(found.taken.is_empty());
        let left: Vec<String> = found
            .left
            .iter()
            .map(|left| format!("{}: {}", left.what, left.why))
            .collect();
        assert_eq!(
            left,
            [
                "network n: it differs",
                "a on n: network/n is skipped: it differs"
            ]
        );
        assert_eq!(quoted("a\"b"), "'a\"b'");
    }
}
