//! The container engine of a host.

use std::fmt;
use std::path::Path;

/// Which engine answers as Docker does. Commands that are run or suggested are those of the engine that is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Engine {
    /// Docker's own.
    #[default]
    Docker,
    /// Podman behind its socket, podman-system-service(1).
    Podman,
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
