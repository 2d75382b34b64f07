//! What a host becomes when a plan is carried out, on values instead of a host.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Becomes, Connect, Effect, FileEffect, Plan};
use crate::model::{
    Attachment, DockerState, Entry, Network, NetworkState, Observed, PackageFound, SecretState,
    layout::normal,
};

/// The host after `plan`, as far as the changes say what it is like then.
pub(crate) fn simulate(plan: &Plan, observed: &Observed) -> Observed {
    let mut host = observed.clone();
    for change in &plan.changes {
        act(&mut host, &change.effect);
    }
    follow_links(&mut host);
    host
}

fn act(host: &mut Observed, effect: &Effect) {
    for file in effect.files() {
        put(host, file);
    }
    match effect {
        Effect::InstallPackages(install) => {
            if let Some(packages) = &mut host.packages {
                let found = |(name, version): (&String, &Option<String>)| {
                    let version = install.new.get(name).or(version.as_ref());
                    let found = PackageFound {
                        version: version.cloned().unwrap_or_default(),
                        ..PackageFound::default()
                    };
                    (name.clone(), found)
                };
                packages.there.extend(install.wanted.iter().map(found));
                packages.install = None;
            }
        }
        Effect::RemovePackages(gone) => {
            if let Some(packages) = &mut host.packages {
                packages.there.retain(|name, _| !gone.contains_key(name));
            }
        }
        Effect::LoadFirewall(_) => {
            if let Some(firewall) = &mut host.firewall {
                firewall.loaded = firewall.wanted.clone().and_then(Result::ok);
            }
        }
        Effect::RemoveFirewall => {
            if let Some(firewall) = &mut host.firewall {
                firewall.loaded = None;
            }
        }
        Effect::Load(load) => host.parameters.extend(load.parameters.clone()),
        Effect::PutSecret { name, .. } => {
            host.secrets.insert(name.clone(), SecretState::Same);
        }
        Effect::RemoveSecret(name) => drop(host.secrets.remove(name)),
        Effect::Start(step) | Effect::Restart(step) => set_active(host, &step.unit, "active"),
        Effect::Stop(step) => set_active(host, &step.unit, "inactive"),
        Effect::CreateNetwork { .. }
        | Effect::RemoveNetwork { .. }
        | Effect::CreateVolume { .. }
        | Effect::Connect(_)
        | Effect::RemoveContainer { .. }
        | Effect::TakeDown(_)
        | Effect::Tag(_) => {
            if let Some(docker) = &mut host.docker {
                act_on_docker(docker, effect);
            }
        }
        // Files are put above.
        Effect::WriteCertificate(_)
        | Effect::Store { .. }
        | Effect::Link { .. }
        | Effect::Copy { .. }
        | Effect::Remove { .. }
        | Effect::ClearMountPoint { .. } => {}
        // What no plan compares, or what the starts behind it say.
        Effect::UpdatePackageLists
        | Effect::Switch(_)
        | Effect::BackUp { .. }
        | Effect::DaemonReload
        | Effect::ReloadUnit(_)
        | Effect::Pull(_)
        | Effect::Build(_)
        | Effect::HoldPulls(_)
        | Effect::Release(_)
        | Effect::Soak(_)
        | Effect::Drain(_)
        | Effect::AllowInUfw(_)
        | Effect::DeleteInUfw(_)
        | Effect::ReloadNginx
        | Effect::RestartNginx
        | Effect::StartNginx => {}
    }
}

fn put(host: &mut Observed, file: FileEffect<'_>) {
    let entry = match file.becomes {
        Becomes::File { file, mode, .. } => Entry::File {
            content: file.content.clone(),
            mode,
            owner: (0, 0),
            modified: Timestamp::UNIX_EPOCH,
        },
        Becomes::Link { target, .. } => Entry::Link {
            target: target.to_owned(),
            leads_to: None,
        },
        Becomes::Made => Entry::Unreadable,
        Becomes::Nothing => Entry::Missing,
    };
    host.files.insert(file.path.into_owned(), entry);
}

fn act_on_docker(docker: &mut DockerState, effect: &Effect) {
    match effect {
        Effect::CreateNetwork { name, spec } => {
            docker.networks.insert(name.clone(), vec![made(name, spec)]);
        }
        Effect::RemoveNetwork { name, .. } => {
            docker.networks.remove(name);
        }
        Effect::CreateVolume { name, spec } => {
            docker.volumes.insert(name.clone(), spec.clone());
        }
        Effect::Connect(step) => connect(docker, step),
        Effect::RemoveContainer { id, .. } => docker.containers.retain(|known| known.id != *id),
        Effect::TakeDown(gone) => {
            docker.containers.retain(|container| !gone.has(container));
            docker
                .networks
                .retain(|name, _| !gone.networks.contains(name));
        }
        Effect::Tag(tag) => {
            if let Some(image) = docker.images.get(&tag.image).cloned() {
                docker.images.insert(tag.name.clone(), image);
            }
        }
        _ => {}
    }
}

/// A network with the id `name`.
fn made(name: &str, spec: &Network) -> NetworkState {
    NetworkState {
        id: name.to_owned(),
        driver: spec.driver.clone(),
        options: spec.options.clone(),
        labels: spec.labels.clone(),
        internal: spec.internal,
        ipv6: spec.ipv6,
        subnets: spec.subnets.clone(),
        ..NetworkState::default()
    }
}

fn connect(docker: &mut DockerState, step: &Connect) {
    let network = docker.networks.get_mut(&step.network);
    let Some(network) = network.and_then(|networks| networks.first_mut()) else {
        return;
    };
    let addresses = step.addresses;
    network
        .endpoints
        .insert(step.container_id.clone(), addresses);
    let id = network.id.clone();
    let container = docker
        .containers
        .iter_mut()
        .find(|container| container.id == step.container_id);
    if let Some(container) = container {
        let attachment = Attachment {
            network_id: id,
            endpoint_id: step.container_id.clone(),
            addresses,
            configured: addresses,
            aliases: step.aliases.clone(),
        };
        container
            .attachments
            .insert(step.network.clone(), attachment);
    }
}

fn set_active(host: &mut Observed, unit: &str, active: &str) {
    let Some(systemd) = &mut host.systemd else {
        return;
    };
    let state = systemd.units.entry(unit.to_owned()).or_default();
    state.active = active.to_owned();
    state.load = "loaded".to_owned();
    state.result = "success".to_owned();
}

fn follow_links(host: &mut Observed) {
    let before = host.clone();
    for (path, entry) in &mut host.files {
        if let Entry::Link { leads_to, .. } = entry {
            *leads_to = lead(&before, path);
        }
    }
}

fn lead(host: &Observed, path: &Path) -> Option<PathBuf> {
    let mut at = path.to_owned();
    for _ in 0..10 {
        match host.entry(&at) {
            Entry::Link { target, .. } => at = normal(&at.parent()?.join(target)),
            Entry::Missing => return None,
            _ => return Some(at),
        }
    }
    None
}
