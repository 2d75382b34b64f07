//! The kinds of resources: a line for each. The order is the one in which a plan lists them.

/// Passes the kinds to a macro: the name in `--only` and JSON, what reads and plans it, and where a desired state has it.
macro_rules! with_kinds {
    ($then:ident) => {
        $then! {
            /// A package of the distribution.
            Package "package" package::Packages => packages: Package,
            /// A Docker network.
            Network "network" network::Networks => networks: Network,
            /// A Docker volume.
            Volume "volume" volume::Volumes => volumes: Volume,
            /// A container's membership in a network; the network has it.
            Member "member" member::Members,
            /// Who may reach which port: our table of nftables.
            Firewall "firewall" firewall::Firewalls => firewalls: Firewall,
            /// A file in `secrets/`, encrypted.
            Secret "secret" secret::Secrets => secrets: Secret,
            /// A file below `etc/`.
            Etc "etc" etc::EtcFiles => etc: EtcFile,
            /// An nginx site with its links.
            Site "site" site::Sites => sites: Site,
            /// A file that Podman makes a unit of.
            Quadlet "quadlet" quadlet::Quadlets => quadlets: Quadlet,
            /// A systemd unit with its drop-ins, links and state.
            Unit "unit" unit::Units => units: Unit,
            /// What is backed up, and how its restore is rehearsed.
            Backup "backup" backup::Backups => backups: Backup,
            /// A file of the checkout that a unit names by path.
            File "file" file::Files => files: File,
        }
    };
}

pub(crate) use with_kinds;
