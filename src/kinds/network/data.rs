//! What is wanted of a Docker network.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::model::{Kind, Member, Resource, ResourceId, Selector};

/// A Docker network as a compose file defines it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Network {
    /// Its key under `networks:`, which compose writes into a label.
    pub key: String,
    /// Compose project that owns it.
    pub project: String,
    /// Driver; `bridge` when the file says none.
    pub driver: String,
    /// `driver_opts`.
    pub options: BTreeMap<String, String>,
    /// Labels beyond those of compose.
    pub labels: BTreeMap<String, String>,
    /// Whether it has no way out.
    pub internal: bool,
    /// Whether containers may attach by hand (swarm).
    pub attachable: bool,
    /// Whether IPv6 is on.
    pub ipv6: bool,
    /// Its address ranges; none lets the engine choose.
    pub subnets: Vec<Subnet>,
    /// Unit that brings it up.
    pub owner: Option<String>,
    /// Containers that belong on it.
    pub members: Vec<Member>,
}

/// An address range of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subnet {
    /// The range.
    pub subnet: IpNet,
    /// The host's address on it.
    pub gateway: Option<IpAddr>,
    /// Where addresses that nobody asked for come from.
    pub ip_range: Option<IpNet>,
}

impl Resource for Network {
    type Key = String;
    const KIND: Kind = Kind::Network;

    /// A selected member brings its network along: the members are part of it.
    fn is_selected(id: &ResourceId, only: &[Selector]) -> bool {
        Selector::any(only, id)
            || only
                .iter()
                .any(|selector| selector.reaches_member_of(&id.name))
    }
}
