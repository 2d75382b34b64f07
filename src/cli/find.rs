//! Finds the folder of the desired state.

use std::path::{Path, PathBuf};

use crate::source::DEFAULT_COMPOSE_FILES;

/// A desired state has at least one of these.
const SIGNS: [&str; 9] = [
    "watchme.toml",
    "docker-compose.infra.yml",
    "sites-available",
    "systemd",
    "containers",
    "compose",
    "etc",
    "secrets",
    "hosts",
];

/// There is no desired state.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotFound {
    #[error("there is no folder {}", path.display())]
    Named { path: PathBuf },
    #[error("{} is not a folder", path.display())]
    NoFolder { path: PathBuf },
    #[error("no desired state here: looked for ./desired-state, and in . for {}", SIGNS.join(", "))]
    Nowhere,
}

impl NotFound {
    pub(super) fn hint(&self) -> String {
        let hint = "go to the checkout, or name the folder: --desired-state DIR, or WATCHME_DESIRED_STATE=DIR";
        match self {
            Self::Nowhere => format!("{hint}; check files elsewhere: watchme-apply check PATH"),
            _ => hint.to_owned(),
        }
    }
}

/// The folder that was named, `./desired-state`, or `.`.
pub(super) fn desired_state(named: Option<&Path>) -> Result<PathBuf, NotFound> {
    if let Some(path) = named {
        return match path.is_dir() {
            true => Ok(path.to_owned()),
            false if path.exists() => Err(NotFound::NoFolder {
                path: path.to_owned(),
            }),
            false => Err(NotFound::Named {
                path: path.to_owned(),
            }),
        };
    }
    let usual = Path::new("desired-state");
    if usual.is_dir() {
        return Ok(usual.to_owned());
    }
    let here = Path::new(".");
    // The folder of a host itself has an etc, too.
    let is_a_host = here
        .canonicalize()
        .is_ok_and(|here| here.parent().is_none());
    // What `check` looks at; whether there is something to apply is another question.
    let is_repository = here.join(".git").exists();
    let mut signs = SIGNS.iter().chain(&DEFAULT_COMPOSE_FILES);
    match !is_a_host && (is_repository || signs.any(|sign| here.join(sign).exists())) {
        true => Ok(here.to_owned()),
        false => Err(NotFound::Nowhere),
    }
}
