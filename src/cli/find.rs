//! Where the desired state is.

use std::path::{Path, PathBuf};

/// What a desired state has at least one of.
const SIGNS: [&str; 4] = [
    "watchme.toml",
    "docker-compose.infra.yml",
    "sites-available",
    "systemd",
];

/// There is none.
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
    pub fn hint(&self) -> String {
        "go to the checkout, or name the folder: --desired-state DIR, or WATCHME_DESIRED_STATE=DIR"
            .to_owned()
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
    match SIGNS.iter().any(|sign| here.join(sign).exists()) {
        true => Ok(here.to_owned()),
        false => Err(NotFound::Nowhere),
    }
}
