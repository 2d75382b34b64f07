//! What is wanted of a container's membership in a network. The network has it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::model::Container;

/// A container that belongs on a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Which one.
    pub name: MemberName,
    /// Its expected address.
    pub address: Option<IpAddr>,
    /// Whether the address is enforced, not only reported.
    pub pin: bool,
    /// Names that it must answer to on the network.
    pub aliases: BTreeSet<String>,
}

/// How a member is found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MemberName {
    /// By container name.
    Container(String),
    /// By compose project and service, all replicas.
    Service {
        /// Compose project.
        project: String,
        /// Compose service.
        service: String,
    },
}

impl MemberName {
    /// Whether a container is found by it.
    pub fn is_of(&self, container: &Container) -> bool {
        match self {
            MemberName::Container(name) => container.name == *name,
            MemberName::Service { project, service } => container.is_of(project, service),
        }
    }
}

impl std::fmt::Display for MemberName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            MemberName::Container(name) => f.write_str(name),
            MemberName::Service { project, service } => write!(f, "{project}:{service}"),
        }
    }
}
