//! What has to be looked at for a plan.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use crate::model::{
    Desired, EtcAction, Kind, Listen, Recorded, ResourceId, Selector, Watch, WatchedCertificate,
    layout,
};

/// What a plan for `desired` has to know.
pub fn watch(desired: &Desired, recorded: &Recorded, only: &[Selector]) -> Watch {
    let kind = |kind| Selector::any_of_kind(only, kind);
    let mut watch = Watch::default();
    add_paths(&mut watch, desired);
    if let Some((_, applied)) = &recorded.applied {
        add_paths(&mut watch, applied);
    }
    watch.paths.extend(recorded.inventory.paths.keys().cloned());
    watch.paths.extend(desired.absent.iter().cloned());
    watch.paths.extend(super::recovery::paths());
    for folder in ["sites-available", "sites-enabled"] {
        watch.folders.insert(Path::new(layout::NGINX).join(folder));
    }
    watch.folders.insert(PathBuf::from(layout::SYSTEMD));
    for etc in desired.etc.values() {
        watch.owners.insert(etc.owner.clone());
    }
    if kind(Kind::Unit) || kind(Kind::File) {
        add_units(&mut watch, desired, recorded);
    }
    if kind(Kind::Etc) {
        let actions = desired.etc.values().filter_map(|etc| etc.action.as_ref());
        watch.units.extend(actions.map(|action| match action {
            EtcAction::Restart(unit) | EtcAction::Reload(unit) => unit.clone(),
        }));
    }
    if kind(Kind::Site) {
        add_certificates(&mut watch, desired);
        watch.nginx = !desired.sites.is_empty()
            || recorded
                .inventory
                .paths
                .values()
                .any(|id| id.kind == Kind::Site);
    }
    add_docker(
        &mut watch,
        desired,
        recorded,
        only,
        kind(Kind::Network) || kind(Kind::Member) || kind(Kind::Volume),
    );
    watch
}

fn add_paths(watch: &mut Watch, desired: &Desired) {
    for path in desired.tree().keys() {
        watch.paths.insert(layout::live(path));
    }
    for name in desired.sites.keys() {
        watch.paths.insert(layout::site_available(name));
        watch.paths.insert(layout::site_enabled(name));
    }
    for site in desired.sites.values() {
        for pair in &site.certificates {
            watch.paths.insert(pair.certificate.clone());
            watch.paths.insert(pair.key.clone());
        }
    }
    for (name, unit) in &desired.units {
        watch.paths.insert(layout::unit(name));
        watch
            .folders
            .insert(Path::new(layout::SYSTEMD).join(format!("{name}.d")));
        let links = unit.install.links.iter();
        watch
            .paths
            .extend(links.map(|link| Path::new(layout::SYSTEMD).join(link)));
        watch.paths.extend(unit.watched.iter().cloned());
        watch.paths.extend(unit.outside.iter().cloned());
    }
    watch.paths.extend(desired.etc.keys().map(layout::etc));
    watch.paths.extend(desired.files.keys().cloned());
}

/// Certificates of enabled sites, with where and for which name they are served.
fn add_certificates(watch: &mut Watch, desired: &Desired) {
    for site in desired.sites.values().filter(|site| site.enabled) {
        let mut addresses: Vec<SocketAddr> = site.listens.iter().filter_map(local).collect();
        // Most have it, and a port without TLS costs a handshake in vain.
        addresses.sort_by_key(|address| match address.port() {
            443 => 0,
            80 => 2,
            _ => 1,
        });
        for pair in &site.certificates {
            let mut names = pair.names.iter();
            let plain = |name: &&String| {
                name.contains('.') && !name.starts_with('.') && !name.contains(['*', '~', '$', '_'])
            };
            watch.certificates.insert(WatchedCertificate {
                path: pair.certificate.clone(),
                name: names.find(plain).cloned(),
                addresses: addresses.clone(),
            });
        }
    }
}

/// Where this host reaches a socket of its own nginx.
fn local(listen: &Listen) -> Option<SocketAddr> {
    let address: IpAddr = match listen.address.as_str() {
        "*" | "0.0.0.0" => Ipv4Addr::LOCALHOST.into(),
        "[::]" => Ipv6Addr::LOCALHOST.into(),
        other => other.trim_matches(['[', ']']).parse().ok()?,
    };
    Some((address, listen.port).into())
}

fn add_units(watch: &mut Watch, desired: &Desired, recorded: &Recorded) {
    let own = desired.units.keys().filter(|name| !name.contains("@."));
    watch.units.extend(own.cloned());
    watch.units.extend(
        recorded
            .inventory
            .units
            .iter()
            .filter(|name| !name.contains("@."))
            .cloned(),
    );
    for name in desired.units.keys() {
        // A changed socket has to know whether its service runs.
        if let Some(stem) = name
            .strip_suffix(".socket")
            .filter(|stem| !stem.ends_with('@'))
        {
            watch.units.insert(format!("{stem}.service"));
        }
    }
}

/// Docker is asked for networks, volumes and members, and for the containers of units that run
/// compose: whether they run, and after a roll-back whether they are the ones from before.
fn add_docker(
    watch: &mut Watch,
    desired: &Desired,
    recorded: &Recorded,
    only: &[Selector],
    selected: bool,
) {
    let recorded_any =
        !recorded.inventory.networks.is_empty() || !recorded.inventory.volumes.is_empty();
    let runs_containers = |desired: &Desired| {
        let mut units = desired.units.iter();
        units.any(|(name, unit)| {
            let id = ResourceId::new(Kind::Unit, name);
            (!unit.stacks.is_empty() || !unit.runs.is_empty()) && Selector::any(only, &id)
        })
    };
    let applied = recorded.applied.as_ref().map(|(_, applied)| applied);
    let needed = (selected && (desired.needs_docker() || recorded_any))
        || runs_containers(desired)
        || applied.is_some_and(runs_containers);
    if !needed {
        return;
    }
    watch.docker = true;
    watch.networks.extend(desired.networks.keys().cloned());
    watch
        .networks
        .extend(recorded.inventory.networks.iter().cloned());
    for network in desired.networks.values() {
        watch
            .members
            .extend(network.members.iter().map(|member| member.name.clone()));
    }
    for unit in desired.units.values() {
        let runs = unit.runs.iter();
        watch
            .containers
            .extend(runs.filter_map(|run| run.name.clone()));
        watch
            .projects
            .extend(unit.stacks.iter().map(|stack| stack.project.clone()));
    }
}
