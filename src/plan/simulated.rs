//! A host that nobody has looked at: what it is like once a desired state was applied to it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Gates, Inputs, inventory, nginx_hash, outside_hashes, plan, systemd_hash, unit_hash};
use crate::effect::simulate;
use crate::model::{
    Container, Desired, DockerState, Entry, Loaded, LoadedDaemon, LoadedUnit, MemberName,
    NginxState, Observed, Origin, Outcome, Recorded, RunKind, RunRecord, SystemdState,
};

/// What daemons of an assumed host are known by.
const IDENTITY: &str = "assumed";

/// A host as it is once `desired` was applied, with the records of that.
///
/// Who owns files, and what lies at `.env` files and certificates, is taken to be right.
pub fn simulated(desired: &Desired, origin: &Origin) -> (Observed, Recorded) {
    let mut observed = bare_host(desired);
    let none = Recorded::default();
    let first = plan(inputs(desired, &observed, &none));
    observed = simulate(&first, &observed);
    add_containers(desired, &mut observed);
    let recorded = record(desired, origin, &observed, &none);
    // Members are attached once they run.
    let second = plan(inputs(desired, &observed, &recorded));
    (simulate(&second, &observed), recorded)
}

fn inputs<'a>(desired: &'a Desired, observed: &'a Observed, recorded: &'a Recorded) -> Inputs<'a> {
    Inputs {
        desired,
        observed,
        recorded,
        only: &[],
        checkouts: &[],
        allow_empty: true,
        gates: Gates::None,
        now: Timestamp::UNIX_EPOCH,
    }
}

/// Daemons run, and nothing is managed.
fn bare_host(desired: &Desired) -> Observed {
    let mut observed = Observed {
        systemd: Some(SystemdState {
            identity: IDENTITY.to_owned(),
            ..SystemdState::default()
        }),
        nginx: Some(NginxState {
            master: Some(IDENTITY.to_owned()),
            installed: true,
            ..NginxState::default()
        }),
        docker: Some(DockerState::default()),
        ..Observed::default()
    };
    assumed(desired, &mut observed);
    observed
}

/// What only a host knows is taken to be right: owners exist, and certificates are there.
pub fn assumed(desired: &Desired, observed: &mut Observed) {
    let owners = desired.etc.values().map(|etc| (etc.owner.clone(), (0, 0)));
    observed.owners.extend(owners);
    let pairs = desired.sites.values().flat_map(|site| &site.certificates);
    for path in pairs.flat_map(|pair| [&pair.certificate, &pair.key]) {
        let present = observed.files.entry(path.clone()).or_default();
        if *present == Entry::Missing {
            *present = Entry::Unreadable;
        }
    }
}

/// The containers that units run, as far as they have names, and those that are members.
fn add_containers(desired: &Desired, observed: &mut Observed) {
    let Some(docker) = &mut observed.docker else {
        return;
    };
    let mut containers: BTreeMap<String, Option<(String, String)>> = BTreeMap::new();
    let running = desired.units.values().filter(|unit| unit.start);
    for stack in running.flat_map(|unit| &unit.stacks) {
        containers.extend(stack.containers.iter().map(|name| (name.clone(), None)));
    }
    let members = desired
        .networks
        .values()
        .flat_map(|network| &network.members);
    for member in members {
        match &member.name {
            MemberName::Container(name) => {
                containers.entry(name.clone()).or_default();
            }
            MemberName::Service { project, service } => {
                let name = format!("{project}_{service}_1");
                containers.insert(name, Some((project.clone(), service.clone())));
            }
        }
    }
    docker.containers = containers
        .into_iter()
        .map(|(name, compose)| Container {
            id: name.clone(),
            name,
            compose,
            state: "running".to_owned(),
            ..Container::default()
        })
        .collect();
}

/// What a run that succeeded leaves on record, on a host that is now as observed.
pub(super) fn record(
    desired: &Desired,
    origin: &Origin,
    observed: &Observed,
    before: &Recorded,
) -> Recorded {
    let (systemd, nginx) = (observed.systemd.as_ref(), observed.nginx.as_ref());
    let units = desired.units.iter().map(|(name, unit)| {
        let hash = unit_hash(desired, observed, unit);
        let state = systemd.and_then(|systemd| systemd.units.get(name));
        let invocation = state.map(|state| state.invocation.clone());
        let invocation = invocation.unwrap_or_default();
        let outside = outside_hashes(observed, unit);
        let record = LoadedUnit {
            hash,
            invocation,
            outside,
            failed: false,
        };
        (name.clone(), record)
    });
    let daemon = |identity: &str, hash| {
        let identity = identity.to_owned();
        LoadedDaemon { identity, hash }
    };
    let master = nginx.and_then(|nginx| nginx.master.as_deref());
    let run = RunRecord {
        kind: RunKind::Apply,
        number: None,
        back_to: None,
        origin: origin.clone(),
        began: None,
        time: Timestamp::UNIX_EPOCH,
        by: String::new(),
        unattended: false,
        only: Vec::new(),
        changes: Vec::new(),
        gates: Vec::new(),
        degraded: Vec::new(),
        outcome: Outcome::Applied,
        reason: None,
    };
    Recorded {
        inventory: inventory(inputs(desired, observed, before)),
        loaded: Loaded {
            systemd: systemd.map(|systemd| daemon(&systemd.identity, systemd_hash(desired))),
            nginx: master.map(|master| daemon(master, nginx_hash(desired))),
            units: units.collect(),
            switched: Some(Timestamp::UNIX_EPOCH),
            doubtful: BTreeMap::new(),
        },
        applied: Some((run, desired.clone())),
        ..Recorded::default()
    }
}
