//! What stops before what, when one unit takes the place of another.

use crate::effect::{Change, Effect, Plan};
use std::time::Duration;

use super::*;

pub(super) fn stack(project: &str, service: &str, port: u16) -> Stack {
    Stack {
        project: project.into(),
        services: BTreeSet::from([service.into()]),
        ports: BTreeSet::from([port]),
        ..Stack::default()
    }
}

pub(super) fn running(name: &str, stack: Stack) -> (String, Unit) {
    let unit = Unit {
        stacks: vec![stack],
        ..unit(name, name)
    };
    (name.to_owned(), unit)
}

/// What becomes of a host with `old` when `new` takes its place; sites change as well.
fn replaced(old: (String, Unit), new: (String, Unit), budget: Option<u64>) -> Plan {
    let mut desired = Desired {
        sites: BTreeMap::from([("x".into(), site("old"))]),
        units: BTreeMap::from([old]),
        memory: budget,
        ..Desired::default()
    };
    let (observed, recorded) = applied(&desired);
    desired.units = BTreeMap::from([new]);
    desired.sites = BTreeMap::from([("x".into(), site("new"))]);
    planned(&desired, &observed, &recorded)
}

fn order(plan: &Plan) -> Vec<String> {
    let runs = |line: &String| {
        ["Start", "Stop", "Reload", "Drain"]
            .iter()
            .any(|word| line.starts_with(word))
    };
    lines(plan).into_iter().filter(runs).collect()
}

#[test]
fn what_can_run_side_by_side_makes_before_it_breaks() {
    let plan = replaced(
        running("blue.service", stack("blue", "api", 8101)),
        running("green.service", stack("green", "api", 8102)),
        None,
    );
    assert_eq!(
        order(&plan),
        [
            "Start unit/green.service",
            "ReloadNginx site/nginx",
            "Drain unit/blue.service",
            "Stop unit/blue.service",
        ]
    );
    let drain = plan.changes.iter().find_map(|change| match &change.effect {
        Effect::Drain(drain) => Some(drain),
        _ => None,
    });
    let drain = drain.unwrap();
    assert_eq!(drain.ports, BTreeSet::from([8101]));
    assert_eq!(drain.timeout, Duration::from_secs(60));
}

#[test]
fn what_collides_stops_first_and_says_why() {
    let with_name = |project: &str, port| Stack {
        containers: BTreeSet::from(["api".into()]),
        ..stack(project, "api", port)
    };
    let limited = |project: &str, port| Stack {
        memory: 600 << 20,
        ..stack(project, "api", port)
    };
    for (old, new, budget, because) in [
        (
            stack("a", "x", 1),
            stack("a", "x", 2),
            None,
            "the same compose project, a",
        ),
        (
            stack("a", "x", 1),
            stack("b", "x", 1),
            None,
            "the same port, 1",
        ),
        (
            with_name("a", 1),
            with_name("b", 2),
            None,
            "the same container name, api",
        ),
        (
            limited("a", 1),
            limited("b", 2),
            Some(1000 << 20),
            "1200 MiB of memory together, and there are 1000",
        ),
    ] {
        let (old, new) = (running("old.service", old), running("new.service", new));
        let plan = replaced(old, new, budget);
        assert_eq!(
            order(&plan),
            [
                "Stop unit/old.service",
                "Start unit/new.service",
                "ReloadNginx site/nginx",
            ],
            "{because}"
        );
        let why = format!("new.service replaces it and cannot run beside it ({because})");
        assert_eq!(plan.changes[0].why, why);
    }
    // Two compose files of one folder.
    let (old, new) = (stack("a", "x", 1), stack("a", "y", 2));
    let plan = replaced(
        running("old.service", old),
        running("new.service", new),
        None,
    );
    assert_eq!(order(&plan)[0], "Start unit/new.service");
    let old = running("old.service", limited("a", 1));
    let new = running("new.service", limited("b", 2));
    let plan = replaced(old, new, Some(2000 << 20));
    assert_eq!(order(&plan)[0], "Start unit/new.service", "both fit");
}

/// A restart with a file that does not name a container leaves it running, with its port.
#[test]
fn what_a_unit_runs_no_more_is_stopped_with_its_old_files() {
    let mut desired = Desired {
        units: BTreeMap::from([
            running("api.service", stack("api", "web", 8001)),
            ("worker.service".to_owned(), unit("worker.service", "w")),
        ]),
        ..Desired::default()
    };
    let (mut observed, recorded) = applied(&desired);
    let units = &mut observed.systemd.as_mut().unwrap().units;
    units.get_mut("api.service").unwrap().dependents = BTreeSet::from(["worker.service".into()]);
    let mut changed = running("api.service", stack("api", "backend", 8001)).1;
    changed.file = unit("api.service", "changed").file;
    desired.units.insert("api.service".into(), changed);
    let plan = planned(&desired, &observed, &recorded);
    assert_eq!(
        order(&plan),
        [
            "Stop unit/api.service",
            "Start unit/api.service",
            "Start unit/worker.service",
        ]
    );
    assert_eq!(
        plan.changes[0].why,
        "stop it first: the new unit no longer runs web"
    );
    assert_eq!(
        plan.changes[0].interrupts,
        BTreeSet::from(["worker.service".into()])
    );
}

#[test]
fn what_leaves_stays_while_the_gates_have_to_hold() {
    let mut desired = Desired {
        units: BTreeMap::from([running("blue.service", stack("blue", "api", 8101))]),
        soak: Duration::from_secs(600),
        ..Desired::default()
    };
    let (observed, recorded) = applied(&desired);
    desired.units = BTreeMap::from([running("green.service", stack("green", "api", 8102))]);
    let plan = planned(&desired, &observed, &recorded);
    let soak = |change: &&Change| matches!(change.effect, Effect::Soak(_));
    let soak = plan.changes.iter().find(soak).unwrap();
    assert_eq!(soak.effect, Effect::Soak(Duration::from_secs(600)));
    assert!(soak.after_gates);
    assert_eq!(
        soak.why,
        "blue.service runs that long beside its replacement"
    );
}

/// One restart after the other cannot work, in whatever order.
#[test]
fn what_two_units_exchange_both_give_up_first() {
    let named = |name: &str, project: &str, port, container: &str| {
        let stack = Stack {
            containers: BTreeSet::from([container.into()]),
            ..stack(project, "api", port)
        };
        running(name, stack)
    };
    let mut desired = Desired {
        units: BTreeMap::from([
            named("a.service", "a", 1, "x"),
            named("b.service", "b", 2, "y"),
            named("c.service", "c", 3, "z"),
        ]),
        ..Desired::default()
    };
    let (observed, recorded) = applied(&desired);
    for (name, mut changed) in [
        named("a.service", "a", 2, "x"),
        named("b.service", "b", 1, "y2"),
        named("c.service", "c", 4, "z2"),
    ] {
        changed.file = unit(&name, "changed").file;
        desired.units.insert(name, changed);
    }
    let plan = planned(&desired, &observed, &recorded);
    assert_eq!(
        order(&plan),
        [
            "Stop unit/a.service",
            "Stop unit/b.service",
            "Start unit/a.service",
            "Start unit/b.service",
        ]
    );
    assert_eq!(plan.changes[0].why, "b.service takes its port, 1");
    let restarts = lines(&plan);
    assert!(restarts.contains(&"Restart unit/c.service".to_owned()));
}
