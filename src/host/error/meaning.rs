//! What an error says of the host: whether something is gone, or an engine that does not answer.

use super::HostError;
use crate::host::packages::AptFailure;

impl HostError {
    /// Whether one unit did not do what it was asked to.
    pub(crate) fn is_of_a_unit(&self) -> bool {
        matches!(
            self,
            HostError::UnitFailed { .. } | HostError::Timeout { .. }
        )
    }

    /// Whether the engine says that the container is not on the network anyway.
    pub(crate) fn is_not_connected(&self) -> bool {
        self.engine_says("is not connected to")
    }

    /// Whether the engine says that the container is on the network already; Podman answers with status 403.
    pub(crate) fn is_already_connected(&self) -> bool {
        self.engine_says("already exists in network")
            || self.engine_says("is already connected to network")
    }

    /// Whether containers are still on a network that was to be removed (moby's libnetwork/error.go).
    pub(crate) fn is_in_use(&self) -> bool {
        self.engine_says("has active endpoints")
    }

    /// Whether the engine is taking the thing away at this moment: it answers neither that it is
    /// there nor that it is gone (moby's daemon/delete.go, inspect.go, container_operations.go,
    /// volume/service).
    pub(crate) fn is_going(&self) -> bool {
        const WORDS: [&str; 7] = [
            "is already in progress",
            "is being removed",
            "marked for removal",
            "is unexpectedly nil",
            "is dead",
            "layer does not exist",
            "removal of container",
        ];
        WORDS.iter().any(|words| self.engine_says(words))
    }

    /// Whether the container or network is gone, or just about to be.
    pub(crate) fn is_gone(&self) -> bool {
        self.is_not_found() || self.is_going()
    }

    /// Whether the connection to the engine was cut off before it had answered.
    pub(crate) fn is_lost(&self) -> bool {
        use bollard::errors::Error;
        match self {
            HostError::Docker { source, .. } => matches!(
                **source,
                Error::IOError { .. }
                    | Error::HyperResponseError { .. }
                    | Error::HyperLegacyError { .. }
                    | Error::SocketNotFoundError(_)
            ),
            _ => false,
        }
    }

    /// Whether the Docker engine gave no answer: it is away, or hangs.
    pub(crate) fn is_engine_mute(&self) -> bool {
        match self {
            HostError::DockerAbsent { .. } | HostError::DockerMute { .. } => true,
            _ => self.is_lost(),
        }
    }

    fn engine_says(&self, words: &str) -> bool {
        match self {
            HostError::Docker { source, .. } => {
                server_answer(source).is_some_and(|(_, text)| text.contains(words))
            }
            _ => false,
        }
    }

    /// Whether the engine says that what was asked makes no sense, such as a name that no image can have.
    pub(crate) fn is_bad_request(&self) -> bool {
        match self {
            // Podman answers with status 500 there.
            HostError::Docker { source, .. } => server_answer(source)
                .is_some_and(|(status, said)| status == 400 || said.contains("invalid reference")),
            _ => false,
        }
    }

    /// Whether the engine or the manager says that the thing asked about does not exist.
    /// Whether apt could not fetch a file.
    pub(crate) fn is_not_fetched(&self) -> bool {
        matches!(
            self,
            HostError::Apt {
                failure: AptFailure::NotFetched,
                ..
            }
        )
    }

    /// Whether what was asked for is not there.
    pub(crate) fn is_not_found(&self) -> bool {
        match self {
            HostError::Docker { source, .. } => {
                server_answer(source).is_some_and(|(status, _)| status == 404)
            }
            HostError::Systemd { source, .. } => {
                source.name() == Some("org.freedesktop.systemd1.NoSuchUnit")
            }
            _ => false,
        }
    }
}

/// Status and message of the engine's answer, if it answered.
pub(in crate::host) fn server_answer(error: &bollard::errors::Error) -> Option<(u16, &str)> {
    match error {
        bollard::errors::Error::DockerResponseServerError {
            status_code,
            message,
        } => Some((*status_code, message)),
        _ => None,
    }
}
