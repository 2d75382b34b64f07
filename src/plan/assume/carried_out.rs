//! What a host becomes when a plan is carried out, on values instead of a host.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::model::plan::Connect;
use crate::model::{
    Action, Attachment, DockerState, Entry, File, Network, NetworkState, Observed, Plan, layout,
};
use crate::plan::prune::normal;

/// What `observed` becomes when every change of `plan` is done.
pub fn carried_out(plan: &Plan, observed: &Observed) -> Observed {
    let mut host = observed.clone();
    for change in &plan.changes {
        act(&mut host, &change.action);
    }
    follow_links(&mut host);
    host
}

fn act(host: &mut Observed, action: &Action) {
    match action {
        Action::Store { path, file, .. } => match file {
            Some(file) => put(host, layout::live(path), file, file.mode()),
            None => remove(host, layout::live(path)),
        },
        Action::Copy {
            path, file, mode, ..
        } => put(host, path.clone(), file, *mode),
        Action::Link { path, target, .. } => {
            let link = Entry::Link {
                target: target.clone(),
                leads_to: None,
            };
            host.files.insert(path.clone(), link);
        }
        Action::Remove { path, .. } => remove(host, path.clone()),
        Action::Start(step) | Action::Restart(step) => set_active(host, &step.unit, "active"),
        Action::Stop(step) => set_active(host, &step.unit, "inactive"),
        other => {
            if let Some(docker) = &mut host.docker {
                act_on_docker(docker, other);
            }
        }
    }
}

fn act_on_docker(docker: &mut DockerState, action: &Action) {
    match action {
        Action::CreateNetwork { name, spec } => {
            docker.networks.insert(name.clone(), vec![made(name, spec)]);
        }
        Action::RemoveNetwork { name, .. } => {
            docker.networks.remove(name);
        }
        Action::CreateVolume { name, spec } => {
            docker.volumes.insert(name.clone(), spec.clone());
        }
        Action::Connect(step) => connect(docker, step),
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
    let address = step.address;
    network.endpoints.insert(step.container_id.clone(), address);
    let id = network.id.clone();
    let container = docker
        .containers
        .iter_mut()
        .find(|container| container.id == step.container_id);
    if let Some(container) = container {
        let attachment = Attachment {
            network_id: id,
            endpoint_id: step.container_id.clone(),
            address,
            configured: address,
            aliases: step.aliases.clone(),
        };
        container
            .attachments
            .insert(step.network.clone(), attachment);
    }
}

fn put(host: &mut Observed, path: PathBuf, file: &File, mode: u32) {
    let entry = Entry::File {
        content: file.content.clone(),
        mode,
        owner: (0, 0),
        modified: Timestamp::UNIX_EPOCH,
    };
    host.files.insert(path, entry);
}

fn remove(host: &mut Observed, path: PathBuf) {
    host.files.insert(path, Entry::Missing);
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
