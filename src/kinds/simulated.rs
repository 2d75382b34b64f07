//! A host that nobody has looked at: what it is like once a desired state was applied to it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{firewall, plan};
use crate::effect::simulate;
use crate::model::{
    Container, Desired, DockerRun, DockerState, Entry, Loaded, LoadedDaemon, LoadedUnit,
    MemberName, NginxState, Observed, Origin, PackagesState, Recorded, RunKind, RunRecord, Stack,
    SystemdState, Unit,
};
use crate::plan::{
    Gates, Inputs, mounts_hash, nginx_hash, outside_hashes, systemd_hash, unit_hash,
};

/// What daemons of a simulated host are known by.
const IDENTITY: &str = "simulated";

/// A host as it is once `desired` was applied, with the records of that.
///
/// Who owns files, and what is at `.env` files and certificates, is taken to be right.
pub(crate) fn simulated(desired: &Desired, origin: &Origin) -> (Observed, Recorded) {
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
        left_alone: None,
        checkouts: &[],
        allow_empty: true,
        gates: Gates::None,
        ran: None,
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
        packages: Some(PackagesState {
            simulated: true,
            ..PackagesState::default()
        }),
        ..Observed::default()
    };
    simulate_host(desired, &mut observed);
    observed
}

/// What only a host knows is taken to be right: owners exist, and certificates are there.
pub(crate) fn simulate_host(desired: &Desired, observed: &mut Observed) {
    let owners = desired.etc.values().map(|etc| (etc.owner.clone(), (0, 0)));
    observed.owners.extend(owners);
    if let Some(firewall) = desired.firewalls.values().next() {
        let state = observed.firewall.get_or_insert_default();
        state.simulated = true;
        state.program = Some(firewall::NFT.into());
        // What nft would list is as good as what it would be given: both are only compared.
        state.wanted = Some(Ok(firewall.rules()));
    }
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
    let mut containers: BTreeMap<String, Container> = BTreeMap::new();
    let running: Vec<&Unit> = (desired.units.values()).filter(|unit| unit.start).collect();
    for unit in &running {
        let of_stacks = unit.stacks.iter().flat_map(|stack| {
            let named = stack.containers.iter();
            named.map(move |name| of_stack(stack, name))
        });
        let of_runs = unit.runs.iter().filter_map(of_run);
        let of_unit = of_stacks.chain(of_runs);
        containers.extend(of_unit.map(|container| (container.name.clone(), container)));
    }
    let members = desired
        .networks
        .values()
        .flat_map(|network| &network.members);
    for member in members {
        let container = match &member.name {
            MemberName::Container(name) => named(name),
            MemberName::Service { project, service } => {
                let mut stacks = running.iter().flat_map(|unit| &unit.stacks);
                let image = stacks
                    .find(|stack| stack.project == *project)
                    .and_then(|stack| stack.images.get(service));
                Container {
                    compose: Some((project.clone(), service.clone())),
                    image: image.map(|image| image.name.clone()).unwrap_or_default(),
                    ..named(&format!("{project}_{service}_1"))
                }
            }
        };
        containers
            .entry(container.name.clone())
            .or_insert(container);
    }
    docker.containers = containers.into_values().collect();
}

fn named(name: &str) -> Container {
    Container {
        id: name.to_owned(),
        name: name.to_owned(),
        state: "running".to_owned(),
        ..Container::default()
    }
}

/// A container with a `container_name`. Which service has it is not on record: one of the same name, or any one of the
/// project, for a unit runs all of them.
fn of_stack(stack: &Stack, name: &str) -> Container {
    let service = stack.services.get(name).or(stack.services.first());
    let image = service.and_then(|service| stack.images.get(service));
    Container {
        compose: service.map(|service| (stack.project.clone(), service.clone())),
        config_files: stack.files.clone(),
        image: image.map(|image| image.name.clone()).unwrap_or_default(),
        ..named(name)
    }
}

/// A container of `docker run --name`.
fn of_run(run: &DockerRun) -> Option<Container> {
    let image = run.image.as_ref();
    Some(Container {
        image: image.map(|image| image.name.clone()).unwrap_or_default(),
        ..named(run.name.as_deref()?)
    })
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
        let state = observed.unit_state(name);
        let invocation = state.map(|state| state.invocation.clone());
        let record = LoadedUnit {
            hash: unit_hash(desired, observed, unit),
            invocation: invocation.unwrap_or_default(),
            outside: outside_hashes(observed, unit),
            mounts: mounts_hash(desired, unit),
            failed: false,
        };
        (name.clone(), record)
    });
    let daemon = |identity: &str, hash| {
        let identity = identity.to_owned();
        LoadedDaemon { identity, hash }
    };
    let master = nginx.and_then(|nginx| nginx.master.as_deref());
    let run = RunRecord::new(RunKind::Apply, origin.clone(), Timestamp::UNIX_EPOCH);
    Recorded {
        inventory: plan(inputs(desired, observed, before)).inventory,
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
