//! Whose desired state a host has.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A repository, known by its first commits: folders move, and remotes are renamed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Repository {
    /// Whether it is in git.
    pub git: bool,
    /// Its commits without a parent. None where they are not known: in a shallow clone, before the
    /// first commit.
    pub roots: BTreeSet<String>,
    /// Where it was cloned from, without credentials.
    pub remote: Option<String>,
    /// The checkout as it is on the host: where units name its files.
    pub checkout: PathBuf,
}

impl Repository {
    /// Whether the two are certainly not the same, by what both of them know of themselves.
    pub fn is_another(&self, other: &Repository) -> bool {
        if self.git != other.git {
            return true;
        }
        match (self.roots.is_empty(), other.roots.is_empty()) {
            (false, false) => self.roots.is_disjoint(&other.roots),
            // One of them is shallow.
            _ => match (&self.remote, &other.remote) {
                (Some(one), Some(two)) => place(one) != place(two),
                _ => false,
            },
        }
    }

    /// What a person knows it by: its remote, else its first commit.
    pub fn known_by(&self) -> String {
        let first = self.roots.first();
        match (&self.remote, first) {
            _ if !self.git => "not in git".to_owned(),
            (Some(remote), _) => remote.clone(),
            (None, Some(first)) => format!("first commit {}", first.get(..12).unwrap_or(first)),
            (None, None) => "no remote, no first commit".to_owned(),
        }
    }
}

/// A URL as git-clone(1) takes it, without what may be in it to get in.
pub fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

/// Host and path of a remote, however it is reached: `https://H/P.git`, `ssh://git@H/P`, `git@H:P`.
fn place(url: &str) -> String {
    let rest = url.split_once("://").map(|(_, rest)| rest);
    let rest = match rest {
        Some(rest) => rest.to_owned(),
        None if url.starts_with(['/', '.']) => url.to_owned(),
        None => url.replacen(':', "/", 1),
    };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host = host.split(':').next().unwrap_or_default();
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    format!("{}{path}", host.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(roots: &[&str], remote: Option<&str>) -> Repository {
        Repository {
            git: true,
            roots: roots.iter().map(|root| (*root).to_owned()).collect(),
            remote: remote.map(str::to_owned),
            checkout: PathBuf::new(),
        }
    }

    #[test]
    fn a_repository_is_known_by_its_first_commits() {
        let (https, ssh) = ("https://example.com/o/a.git", "git@example.com:o/a");
        let other = "https://example.com/o/b";
        for (one, two, another) in [
            (git(&["a"], None), git(&["a"], Some(other)), false),
            (git(&["a"], None), git(&["a", "b"], None), false),
            (git(&["a"], Some(https)), git(&["b"], Some(https)), true),
            // A shallow clone: what it was cloned from.
            (git(&["a"], Some(https)), git(&[], Some(ssh)), false),
            (git(&["a"], Some(https)), git(&[], Some(other)), true),
            (git(&["a"], Some(https)), git(&[], None), false),
            (git(&["a"], None), Repository::default(), true),
            (Repository::default(), git(&[], None), true),
            (Repository::default(), Repository::default(), false),
        ] {
            assert_eq!(one.is_another(&two), another, "{one:?} {two:?}");
            assert_eq!(two.is_another(&one), another, "{two:?} {one:?}");
        }
    }

    #[test]
    fn nothing_to_get_in_is_told() {
        for (url, told) in [
            (
                "https://user:token@example.com/o/a.git?x=secret#y",
                "https://example.com/o/a.git",
            ),
            ("https://token@example.com", "https://example.com"),
            ("git@example.com:o/a.git", "git@example.com:o/a.git"),
            ("ssh://git@example.com:22/o/a", "ssh://example.com:22/o/a"),
            ("/srv/git/a.git", "/srv/git/a.git"),
        ] {
            assert_eq!(without_credentials(url), told);
        }
        assert_eq!(
            place("ssh://git@Example.com:22/o/a.git/"),
            "example.com/o/a"
        );
        assert_eq!(place("/srv/git/a.git"), "/srv/git/a");
    }
}
