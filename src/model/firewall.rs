//! What a host is found to have of a firewall.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;

/// What has to be looked at of a firewall.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchedFirewall {
    /// The rules that are wanted; `None`: none are, any more.
    pub rules: Option<String>,
    /// Whether ufw has the rules about ports of the host.
    pub drives_ufw: bool,
    /// Interfaces from which everything may come.
    pub trusted: Vec<String>,
}

/// The firewall of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirewallState {
    /// nft(8); `None`: it is not installed.
    pub program: Option<PathBuf>,
    /// Our table as nft lists it; `None`: it is not there.
    pub loaded: Option<String>,
    /// The table of the wanted rules as nft lists it, or what nft says against them; `None`: there are none.
    pub wanted: Option<Result<String, String>>,
    /// Whether nobody has looked: what only a host knows is taken to be right.
    pub simulated: bool,
    /// Why the table was not looked at.
    pub silent: Option<String>,
    /// Ports on which sshd listens for others than this host itself.
    pub ssh: BTreeSet<u16>,
    /// Who is logged in by SSH.
    pub sessions: Vec<SshSession>,
    /// Bridges that a pattern of trusted interfaces fits, each with a port that is no container's.
    pub bridged: Vec<(String, String)>,
}

impl FirewallState {
    /// Why the kernel does not have the rules that are wanted; `None`: it has them.
    pub fn why_not(&self) -> Option<String> {
        match (&self.program, &self.silent, &self.loaded, &self.wanted) {
            (None, ..) => Some("nft is not installed".to_owned()),
            (_, Some(why), ..) => Some(format!("not checked: {why}")),
            (_, _, None, _) => Some("its rules are not loaded".to_owned()),
            (_, _, Some(loaded), Some(Ok(wanted))) if loaded == wanted => None,
            _ => Some("its rules were edited on the host".to_owned()),
        }
    }
}

/// Somebody who is logged in by SSH.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SshSession {
    /// From where.
    pub peer: IpAddr,
    /// To which port of this host.
    pub port: u16,
    /// The interface that has the address of this host that was asked for, where one has.
    pub interface: Option<String>,
}
