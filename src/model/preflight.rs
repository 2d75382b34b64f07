//! What only a host knows of what a plan would start there.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;

use compose_file::Publish;
use source_text::Diagnostic;

use super::Engine;

/// A path outside the store without which a unit does not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The unit.
    pub unit: String,
    /// The path on the host.
    pub path: PathBuf,
    /// Paths any of which would do as well.
    pub instead: Vec<PathBuf>,
    /// What it is to the unit: `working directory`, `environment file`, `compose file`.
    pub what: &'static str,
    /// Where the unit names it; without a message.
    pub place: Diagnostic,
}

/// A port that a container which does not run takes when it starts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoppedPort {
    /// The container's name.
    pub container: String,
    /// The port.
    pub port: Publish,
}

/// Somebody who waits for connections or packets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listener {
    /// The port.
    pub port: u16,
    /// `tcp` or `udp`.
    pub protocol: &'static str,
    /// The address; unspecified for all of them.
    pub address: IpAddr,
    /// The program's name, where this user may know it.
    pub program: Option<String>,
    /// The systemd unit that the program belongs to, likewise.
    pub unit: Option<String>,
}

impl Listener {
    /// What it takes, as a container would publish it.
    pub fn taken(&self) -> Publish {
        Publish {
            port: self.port,
            protocol: self.protocol.to_owned(),
            address: Some(self.address),
        }
    }

    /// Whether it listens for containers of this engine, which are known by themselves; `of_user`: not of root's.
    pub fn is_for(&self, engine: Engine, of_user: bool) -> bool {
        let programs: &[&str] = match (engine, of_user) {
            (Engine::Docker, false) => &["docker-proxy", "dockerd"],
            // https://docs.docker.com/engine/security/rootless/#networking-errors, the port drivers of RootlessKit.
            (Engine::Docker, true) => &["rootlesskit", "slirp4netns", "pasta", "pasta.avx2"],
            // https://github.com/containers/podman/blob/main/docs/tutorials/basic_networking.md
            (Engine::Podman, false) => &["conmon"],
            (Engine::Podman, true) => &[
                "conmon",
                "rootlessport",
                "slirp4netns",
                "pasta",
                "pasta.avx2",
            ],
        };
        let program = self.program.as_deref();
        program.is_some_and(|program| programs.contains(&program))
    }
}

/// How much room a host has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preflight {
    /// Needed paths that do not exist.
    pub missing: BTreeSet<PathBuf>,
    /// Bytes of memory that programs can have without swapping; proc_meminfo(5), `MemAvailable`.
    pub memory: Option<u64>,
    /// Bytes of swap that are free.
    pub swap: Option<u64>,
    /// Bytes that are free where Docker keeps images and containers.
    pub disk: Option<u64>,
}
