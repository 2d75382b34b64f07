//! Plans as tables: a case each.

mod adoption;
mod data;
mod degraded;
mod gates;
mod holders;
mod images;
mod properties;
mod ran;
mod replacement;
mod store;
mod take_down;
mod unserved;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Inputs, plan};
use crate::effect::{Effect, Plan, simulate};
use crate::model::*;
use crate::plan::Gates;

pub(super) fn file(source: &str, text: &str) -> File {
    File::new(source, text.as_bytes().to_vec(), false)
}

pub(super) fn site(text: &str) -> Site {
    Site {
        file: file("sites-available/x", text),
        enabled: true,
        certificates: Vec::new(),
        ..Site::default()
    }
}

pub(super) fn unit(name: &str, text: &str) -> Unit {
    Unit {
        file: Some(file(&format!("systemd/{name}"), text)),
        start: true,
        install: Install {
            links: BTreeSet::from([PathBuf::from(format!("multi-user.target.wants/{name}"))]),
        },
        ..Unit::default()
    }
}

/// A host on which daemons run and nothing is managed.
pub(super) fn empty_host() -> Observed {
    Observed {
        systemd: Some(SystemdState {
            identity: "boot/1".into(),
            ..SystemdState::default()
        }),
        nginx: Some(NginxState {
            master: Some("1".into()),
            installed: true,
            ..NginxState::default()
        }),
        docker: Some(DockerState::default()),
        ..Observed::default()
    }
}

pub(super) fn planned(desired: &Desired, observed: &Observed, recorded: &Recorded) -> Plan {
    planned_back(desired, observed, recorded, None)
}

/// A plan that goes back to a generation of which `ran` is on record.
pub(super) fn planned_back(
    desired: &Desired,
    observed: &Observed,
    recorded: &Recorded,
    ran: Option<&RanImages>,
) -> Plan {
    let checkouts = [PathBuf::from("/home/ubuntu/configs")];
    plan(Inputs {
        desired,
        observed,
        recorded,
        only: &[],
        left_alone: None,
        checkouts: &checkouts,
        allow_empty: true,
        gates: Gates::Touched,
        ran,
        now: Timestamp::UNIX_EPOCH,
    })
}

/// What a successful run leaves on record.
pub(super) fn record(desired: &Desired, observed: &Observed, recorded: &Recorded) -> Recorded {
    super::simulated::record(desired, &Origin::default(), observed, recorded)
}

/// A host to which `desired` was applied.
pub(super) fn applied(desired: &Desired) -> (Observed, Recorded) {
    let before = empty_host();
    let none = Recorded::default();
    let plan = planned(desired, &before, &none);
    assert_eq!(plan.refusals, []);
    let after = simulate(&plan, &before);
    let recorded = record(desired, &after, &none);
    (after, recorded)
}

pub(super) fn lines(plan: &Plan) -> Vec<String> {
    plan.changes
        .iter()
        .map(|change| {
            let debug = format!("{:?}", change.effect);
            let verb = debug.split([' ', '(', '{']).next().unwrap_or_default();
            format!("{verb} {}", change.id)
        })
        .collect()
}

#[test]
fn a_first_apply_makes_before_it_loads() {
    let desired = Desired {
        sites: BTreeMap::from([("x".into(), site("server {}"))]),
        units: BTreeMap::from([("a.service".into(), unit("a.service", "[Service]"))]),
        networks: BTreeMap::from([(
            "net".into(),
            Network {
                driver: "bridge".into(),
                ..Network::default()
            },
        )]),
        ..Desired::default()
    };
    assert_eq!(
        lines(&planned(&desired, &empty_host(), &Recorded::default())),
        [
            "CreateNetwork network/net",
            "Switch file/store",
            "Store site/x",
            "Link site/x",
            "Link site/x",
            "Store unit/a.service",
            "Link unit/a.service",
            "Link unit/a.service",
            "DaemonReload unit/systemd",
            "Start unit/a.service",
            "ReloadNginx site/nginx",
        ]
    );
}

#[test]
fn a_changed_site_is_written_and_loaded_and_nothing_else() {
    let mut desired = Desired {
        sites: BTreeMap::from([("x".into(), site("old")), ("y".into(), site("same"))]),
        ..Desired::default()
    };
    let (observed, recorded) = applied(&desired);
    desired.sites.insert("x".into(), site("new"));
    let plan = planned(&desired, &observed, &recorded);
    assert_eq!(
        lines(&plan),
        [
            "Switch file/store",
            "Store site/x",
            "ReloadNginx site/nginx"
        ]
    );
    let diff = plan.changes[1].diff.as_ref().unwrap();
    assert_eq!(
        (diff.old.as_deref(), diff.new.as_deref()),
        (Some("old"), Some("new"))
    );
}

#[test]
fn a_unit_that_left_stops_before_its_file_goes() {
    let mut desired = Desired {
        units: BTreeMap::from([
            ("a.service".into(), unit("a.service", "[Service]")),
            ("b.service".into(), unit("b.service", "[Service]")),
        ]),
        ..Desired::default()
    };
    let (observed, recorded) = applied(&desired);
    desired.units.remove("a.service");
    assert_eq!(
        lines(&planned(&desired, &observed, &recorded)),
        [
            "DaemonReload unit/systemd",
            "Stop unit/a.service",
            "Remove unit/a.service",
            "Remove unit/a.service",
            "Store unit/a.service",
            "DaemonReload unit/systemd",
        ]
    );
}

/// As systemd stops them at shutdown: what starts after others stops before them.
#[test]
fn units_that_leave_stop_in_the_order_of_their_starts_backwards() {
    let after = |name: &str, others: &str| unit(name, &format!("[Unit]\nAfter={others}\n"));
    let mut desired = Desired::default();
    for (name, others) in [
        ("api.service", "docker.service db.service"),
        ("copy.service", "api.service"),
        ("db.service", "docker.service"),
        ("loop-a.service", "loop-b.service"),
        ("loop-b.service", "loop-a.service"),
        ("stays.service", ""),
    ] {
        desired.units.insert(name.into(), after(name, others));
    }
    let (observed, recorded) = applied(&desired);
    desired.units.retain(|name, _| name == "stays.service");
    let plan = planned(&desired, &observed, &recorded);
    let stops = plan
        .changes
        .iter()
        .filter_map(|change| match &change.effect {
            Effect::Stop(step) => Some(step.unit.as_str()),
            _ => None,
        });
    assert_eq!(
        stops.collect::<Vec<_>>(),
        [
            "copy.service",
            "api.service",
            "db.service",
            "loop-b.service",
            "loop-a.service"
        ]
    );
}

#[test]
fn a_restart_that_takes_others_along_spares_them_their_own() {
    let mut desired = Desired {
        units: BTreeMap::from([
            ("infra.service".into(), unit("infra.service", "1")),
            ("api.service".into(), unit("api.service", "1")),
        ]),
        ..Desired::default()
    };
    let (mut observed, recorded) = applied(&desired);
    let units = &mut observed.systemd.as_mut().unwrap().units;
    units.get_mut("infra.service").unwrap().dependents = BTreeSet::from(["api.service".into()]);
    for name in ["infra.service", "api.service"] {
        desired.units.insert(name.into(), unit(name, "2"));
    }
    let restarts: Vec<String> = lines(&planned(&desired, &observed, &recorded))
        .into_iter()
        .filter(|line| line.starts_with("Restart"))
        .collect();
    assert_eq!(restarts, ["Restart unit/infra.service"]);
}

/// A file of /etc that leaves has its reader restarted; with what leaves, after that has stopped.
#[test]
fn the_restart_for_a_file_that_leaves_spares_what_leaves_with_it() {
    let etc = EtcFile {
        validate: None,
        file: file("etc/docker/daemon.json", "{}"),
        link: false,
        mode: 0o644,
        owner: "root:root".into(),
        action: Some(EtcAction::Restart("docker.service".into())),
        zones: Vec::new(),
        upstreams: Default::default(),
    };
    let mut desired = Desired {
        units: BTreeMap::from([
            ("api.service".into(), unit("api.service", "1")),
            ("other.service".into(), unit("other.service", "1")),
        ]),
        etc: BTreeMap::from([("docker/daemon.json".into(), etc)]),
        ..Desired::default()
    };
    let (mut observed, recorded) = applied(&desired);
    let docker = UnitState {
        active: "active".into(),
        dependents: BTreeSet::from(["docker.service".into(), "api.service".into()]),
        ..UnitState::default()
    };
    let units = &mut observed.systemd.as_mut().unwrap().units;
    units.insert("docker.service".into(), docker);
    let at = |desired: &Desired, part: &str| {
        let lines = lines(&planned(desired, &observed, &recorded));
        lines.iter().position(|line| line == part)
    };
    let restart = "Restart etc/docker/daemon.json";
    assert_eq!(at(&desired, restart), None);
    desired.etc.clear();
    assert!(at(&desired, restart).is_some());
    desired.units.remove("api.service");
    assert!(at(&desired, "Stop unit/api.service") < at(&desired, restart));
}

#[test]
fn a_run_never_restarts_the_unit_it_runs_in() {
    let mut desired = Desired {
        units: BTreeMap::from([("own.service".into(), unit("own.service", "1"))]),
        ..Desired::default()
    };
    let (mut observed, recorded) = applied(&desired);
    observed.systemd.as_mut().unwrap().own_unit = Some("own.service".into());
    desired
        .units
        .insert("own.service".into(), unit("own.service", "2"));
    let plan = planned(&desired, &observed, &recorded);
    assert!(!lines(&plan).iter().any(|line| line.starts_with("Restart")));
    assert!(
        plan.notes
            .iter()
            .any(|note| note.text.contains("systemctl restart own.service"))
    );
}

#[test]
fn an_empty_desired_state_needs_a_word() {
    let desired = Desired {
        sites: BTreeMap::from([("x".into(), site(""))]),
        ..Desired::default()
    };
    let (observed, recorded) = applied(&desired);
    let empty = Desired::default();
    let inputs = Inputs {
        desired: &empty,
        observed: &observed,
        recorded: &recorded,
        only: &[],
        left_alone: None,
        checkouts: &[],
        allow_empty: false,
        gates: Gates::Touched,
        ran: None,
        now: Timestamp::UNIX_EPOCH,
    };
    let refused = plan(inputs);
    assert_eq!(refused.refusals.len(), 1);
    assert_eq!(refused.changes, []);
    let allowed = plan(Inputs {
        allow_empty: true,
        gates: Gates::Touched,
        ..inputs
    });
    assert!(!allowed.changes.is_empty());
}

#[test]
fn a_network_that_differs_is_refused_with_the_procedure() {
    let subnet = |text: &str| Subnet {
        subnet: text.parse().unwrap(),
        gateway: None,
        ip_range: None,
    };
    let spec = Network {
        driver: "bridge".into(),
        subnets: vec![subnet("172.27.0.0/16")],
        ..Network::default()
    };
    let desired = Desired {
        networks: BTreeMap::from([("net".into(), spec)]),
        ..Desired::default()
    };
    let mut observed = empty_host();
    let present = NetworkState {
        id: "1".into(),
        driver: "bridge".into(),
        subnets: vec![subnet("172.28.0.0/16")],
        ..NetworkState::default()
    };
    observed
        .docker
        .as_mut()
        .unwrap()
        .networks
        .insert("net".into(), vec![present]);
    let plan = planned(&desired, &observed, &Recorded::default());
    assert_eq!(
        plan.refusals[0].why,
        "the network on the host differs: subnet 172.28.0.0/16 instead of 172.27.0.0/16"
    );
    assert!(
        plan.refusals[0]
            .help
            .iter()
            .any(|line| line.contains("docker network rm net"))
    );
}

#[test]
fn only_leaves_the_rest_alone() {
    let desired = Desired {
        sites: BTreeMap::from([("x".into(), site("a")), ("y".into(), site("b"))]),
        units: BTreeMap::from([("a.service".into(), unit("a.service", "[Service]"))]),
        ..Desired::default()
    };
    let observed = empty_host();
    let only = ["site/x".parse().unwrap()];
    let plan = plan(Inputs {
        desired: &desired,
        observed: &observed,
        recorded: &Recorded::default(),
        only: &only,
        left_alone: None,
        checkouts: &[],
        allow_empty: false,
        gates: Gates::Touched,
        ran: None,
        now: Timestamp::UNIX_EPOCH,
    });
    let ids: BTreeSet<String> = plan
        .changes
        .iter()
        .map(|change| change.id.to_string())
        .collect();
    let expected = ["file/store", "site/nginx", "site/x"].map(str::to_owned);
    assert_eq!(ids, BTreeSet::from(expected));
}

fn regular(text: &str) -> Entry {
    Entry::File {
        content: text.as_bytes().into(),
        mode: 0o644,
        owner: (0, 0),
        modified: Timestamp::UNIX_EPOCH,
    }
}
