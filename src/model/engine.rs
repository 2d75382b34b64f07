//! The container engine of a host.

use std::fmt;
use std::path::{Path, PathBuf};

/// Which engine answers as Docker does. Commands that are run or suggested are those of the engine that is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Engine {
    /// Docker's own.
    #[default]
    Docker,
    /// Podman behind its socket, podman-system-service(1).
    Podman,
}

/// An engine that a user of the host runs, and that is not managed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserEngine {
    /// The user's id.
    pub uid: u32,
    /// The user's name.
    pub user: String,
    /// Which one it is, by its socket.
    pub kind: Engine,
    /// Where it listens.
    pub socket: PathBuf,
}

impl UserEngine {
    /// The unit in which the user's own units run.
    pub fn unit(&self) -> String {
        format!("user@{}.service", self.uid)
    }

    /// That it is not managed, and what would manage it.
    pub fn note(&self) -> String {
        let socket = self.socket.display();
        format!(
            "{} has a {} engine of its own, on {socket}, which is not managed; a line in watchme.toml manages it instead of the \
             server's: [engine] socket = \"{socket}\"",
            self.user, self.kind
        )
    }
}

impl Engine {
    /// The command that works with it.
    pub fn command(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }

    /// The unit that makes it answer.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman.socket",
        }
    }

    /// Which one a socket is for by its name, where nobody answers on it.
    pub fn behind(socket: &Path) -> Self {
        match socket.to_string_lossy().contains("podman") {
            true => Self::Podman,
            false => Self::Docker,
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Docker => "Docker",
            Self::Podman => "Podman",
        })
    }
}
