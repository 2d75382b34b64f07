//! A repository at a forge, whose commits get a status.

use serde::{Deserialize, Serialize};

use super::Url;

/// What runs a forge, which says how a status is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Forge {
    /// GitHub: <https://docs.github.com/rest/commits/statuses>
    Github,
    /// GitLab: <https://docs.gitlab.com/api/commits/#set-commit-pipeline-status>
    Gitlab,
    /// Gitea and Forgejo: <https://docs.gitea.com/api/>, `repoCreateStatus`
    Gitea,
}

/// A repository at a forge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// `https://` with the host, and the port where it is not the usual one.
    pub origin: String,
    /// `OWNER/NAME`; at GitLab, groups may have groups.
    pub path: String,
    /// What runs there.
    pub forge: Forge,
}

impl Project {
    /// The repository behind the URL of its page. What is known of the great forges need not be said.
    ///
    /// # Errors
    /// What was expected instead.
    pub fn read(url: &str, forge: Option<Forge>) -> Result<Self, &'static str> {
        const PAGE: &str =
            "expected the page of a repository, such as https://github.com/OWNER/NAME";
        let parsed: Url = url.parse().map_err(|_| PAGE)?;
        let target = parsed.target();
        let path = target.trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
        let parts: Vec<&str> = path.split('/').collect();
        let is_page = parsed.is_https()
            && !url.contains('@')
            && parts.len() >= 2
            && path.chars().all(plain)
            && parts.iter().all(|part| !matches!(*part, "" | "." | ".."));
        if !is_page {
            return Err(PAGE);
        }
        let host = parsed.host();
        let forge = match (forge, host.as_str()) {
            (Some(forge), _) => forge,
            (None, "github.com") => Forge::Github,
            (None, "gitlab.com") => Forge::Gitlab,
            (None, "codeberg.org" | "gitea.com") => Forge::Gitea,
            (None, _) => {
                return Err("expected forge = \"github\", \"gitlab\" or \"gitea\" beside it");
            }
        };
        if forge != Forge::Gitlab && parts.len() != 2 {
            return Err(PAGE);
        }
        Ok(Self {
            origin: format!("https://{}", parsed.authority()),
            path: path.to_owned(),
            forge,
        })
    }

    /// Where a status of a commit is set.
    pub fn statuses(&self, commit: &str) -> String {
        let Self { origin, path, .. } = self;
        match self.forge {
            Forge::Github if origin == "https://github.com" => {
                format!("https://api.github.com/repos/{path}/statuses/{commit}")
            }
            // GitHub Enterprise Server.
            Forge::Github => format!("{origin}/api/v3/repos/{path}/statuses/{commit}"),
            Forge::Gitea => format!("{origin}/api/v1/repos/{path}/statuses/{commit}"),
            Forge::Gitlab => {
                let path = path.replace('/', "%2F");
                format!("{origin}/api/v4/projects/{path}/statuses/{commit}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_forge_has_its_place_for_a_status() {
        for (url, forge, place) in [
            (
                "https://github.com/acme/server.git",
                None,
                "https://api.github.com/repos/acme/server/statuses/abc",
            ),
            (
                "https://git.example.com/acme/server",
                Some(Forge::Github),
                "https://git.example.com/api/v3/repos/acme/server/statuses/abc",
            ),
            (
                "https://codeberg.org/acme/server/",
                None,
                "https://codeberg.org/api/v1/repos/acme/server/statuses/abc",
            ),
            (
                "https://git.example.com:8443/a/b/server",
                Some(Forge::Gitlab),
                "https://git.example.com:8443/api/v4/projects/a%2Fb%2Fserver/statuses/abc",
            ),
        ] {
            let repository = Project::read(url, forge).unwrap();
            assert_eq!(repository.statuses("abc"), place);
        }
    }

    #[test]
    fn what_is_no_repository_is_refused() {
        let page = "expected the page of a repository";
        for (url, expected) in [
            ("http://github.com/acme/server", page),
            ("https://github.com/acme", page),
            ("https://github.com/acme/server/tree", page),
            ("https://github.com/acme/../server", page),
            ("https://github.com/acme/ser?ver", page),
            ("https://token@github.com/acme/server", page),
            ("git@github.com:acme/server.git", page),
            ("https://git.example.com/acme/server", "expected forge = "),
        ] {
            let error = Project::read(url, None).unwrap_err();
            assert!(error.starts_with(expected), "{url}: {error}");
        }
    }
}
