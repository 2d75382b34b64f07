//! Plans as tables: a case each.

mod data;
mod degraded;
mod gates;
mod holders;
mod properties;
mod replacement;
mod unserved;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Gates, Inputs, plan};
use crate::effect::{Effect, Plan, simulate};
use crate::model::*;

fn file(source: &str, text: &str) -> File {
    File::new(source, text.as_bytes().to_vec(), false)
}

fn site(text: &str) -> Site {
    Site {
        file: file("sites-available/x", text),
        enabled: true,
        certificates: Vec::new(),
        ..Site::default()
    }
}

fn unit(name: &str, text: &str) -> Unit {
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
fn empty_host() -> Observed {
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

fn planned(desired: &Desired, observed: &Observed, recorded: &Recorded) -> Plan {
    let checkouts = [PathBuf::from("/home/ubuntu/configs")];
    plan(Inputs {
        desired,
        observed,
        recorded,
        only: &[],
        checkouts: &checkouts,
        allow_empty: true,
        gates: Gates::Touched,
        now: Timestamp::UNIX_EPOCH,
    })
}

/// What a successful run leaves on record.
fn record(desired: &Desired, observed: &Observed, recorded: &Recorded) -> Recorded {
    super::simulated::record(desired, &Origin::default(), observed, recorded)
}

/// A host to which `desired` was applied.
fn applied(desired: &Desired) -> (Observed, Recorded) {
    let before = empty_host();
    let none = Recorded::default();
    let plan = planned(desired, &before, &none);
    assert_eq!(plan.refusals, []);
    let after = simulate(&plan, &before);
    let recorded = record(desired, &after, &none);
    (after, recorded)
}

fn lines(plan: &Plan) -> Vec<String> {
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
    assert_eq!(lines(&plan), ["Store site/x", "ReloadNginx site/nginx"]);
    let diff = plan.changes[0].diff.as_ref().unwrap();
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
fn links_into_the_checkout_are_adopted_and_the_others_pruned() {
    let desired = Desired {
        sites: BTreeMap::from([("x".into(), site("server {}"))]),
        ..Desired::default()
    };
    let mut observed = empty_host();
    let checkout = Path::new("/home/ubuntu/configs");
    let mut link = |path: PathBuf, target: PathBuf| {
        observed.files.insert(
            path,
            Entry::Link {
                target,
                leads_to: None,
            },
        );
    };
    link(
        layout::site_available("x"),
        checkout.join("sites-available/x"),
    );
    link(
        layout::site_enabled("gone"),
        checkout.join("sites-available/gone"),
    );
    link(
        layout::unit("gone.service"),
        checkout.join("systemd/gone.service"),
    );
    link(layout::site_enabled("foreign"), "/opt/site".into());
    let plan = planned(&desired, &observed, &Recorded::default());
    let removed: Vec<String> = plan
        .changes
        .iter()
        .filter_map(|change| match &change.effect {
            Effect::Remove { path, keep: false } => Some(path.display().to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(
        removed,
        [
            "/etc/nginx/sites-enabled/gone",
            "/etc/systemd/system/gone.service"
        ]
    );
}

#[test]
fn what_certbot_wrote_is_not_lost() {
    let desired = Desired {
        sites: BTreeMap::from([("x".into(), site("server {\n}\n"))]),
        ..Desired::default()
    };
    let mut observed = empty_host();
    let content = "server {\n    listen 443 ssl; # managed by Certbot\n}\n";
    observed
        .files
        .insert(layout::site_available("x"), regular(content));
    let plan = planned(&desired, &observed, &Recorded::default());
    assert_eq!(plan.refusals.len(), 1);
    let [refusal] = plan.refusals.as_slice() else {
        panic!("{:?}", plan.refusals)
    };
    let told = "    sudo cat /etc/nginx/sites-available/x > /home/ubuntu/configs/";
    assert!(refusal.help[1].starts_with(told), "{:?}", refusal.help);
    let lost = refusal.diff.as_ref().and_then(|diff| diff.old.clone());
    assert_eq!(lost.as_deref(), Some(content));
    assert!(!lines(&plan).iter().any(|line| line.contains("site/x")));
}

#[test]
fn a_regular_file_is_adopted_with_a_backup_and_its_diff() {
    let desired = Desired {
        sites: BTreeMap::from([("x".into(), site("new\n"))]),
        ..Desired::default()
    };
    let mut observed = empty_host();
    observed
        .files
        .insert(layout::site_available("x"), regular("by hand\n"));
    let plan = planned(&desired, &observed, &Recorded::default());
    let diff = plan.changes[0].diff.as_ref().unwrap();
    assert_eq!(diff.old.as_deref(), Some("by hand\n"));
    assert!(matches!(
        &plan.changes[1].effect,
        Effect::Link { keep: true, .. }
    ));
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
        checkouts: &[],
        allow_empty: false,
        gates: Gates::Touched,
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
        checkouts: &[],
        allow_empty: false,
        gates: Gates::Touched,
        now: Timestamp::UNIX_EPOCH,
    });
    let ids: BTreeSet<String> = plan
        .changes
        .iter()
        .map(|change| change.id.to_string())
        .collect();
    assert_eq!(ids, BTreeSet::from(["site/nginx".into(), "site/x".into()]));
}

fn regular(text: &str) -> Entry {
    Entry::File {
        content: text.as_bytes().into(),
        mode: 0o644,
        owner: (0, 0),
        modified: Timestamp::UNIX_EPOCH,
    }
}
