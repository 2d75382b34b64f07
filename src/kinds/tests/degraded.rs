//! What a plan reports of units that it does not change.

use super::*;

fn one(unit: Unit, state: impl Fn(&mut UnitState)) -> Plan {
    one_with(unit, |_| {}, state)
}

fn one_with(unit: Unit, look: impl Fn(&mut Observed), state: impl Fn(&mut UnitState)) -> Plan {
    let desired = Desired {
        units: BTreeMap::from([("a.service".into(), unit)]),
        ..Desired::default()
    };
    let (mut observed, recorded) = applied(&desired);
    look(&mut observed);
    let systemd = observed.systemd.as_mut().unwrap();
    let known = systemd.units.entry("a.service".into()).or_default();
    state(known);
    planned(&desired, &observed, &recorded)
}

fn notes(plan: &Plan) -> Vec<(Option<DriftKind>, &str)> {
    let notes = plan.notes.iter();
    notes.map(|note| (note.drift, note.text.as_str())).collect()
}

#[test]
fn a_oneshot_of_a_timer_that_failed() {
    let of_timer = || Unit {
        start: false,
        service_type: UnitType::Oneshot,
        ..unit(
            "a.service",
            "[Service]\nType=oneshot\nExecStart=/bin/false\n",
        )
    };
    let failed = |state: &mut UnitState| {
        (state.active, state.sub) = ("failed".into(), "failed".into());
        state.result = "exit-code".into();
        state.exit_status = 1;
    };
    let plan = one(of_timer(), failed);
    assert_eq!(plan.changes, []);
    assert_eq!(
        notes(&plan),
        [(
            Some(DriftKind::Degraded),
            "failed: exit-code, status 1: journalctl -u a.service"
        )]
    );
    let done = |state: &mut UnitState| {
        (state.active, state.sub) = ("inactive".into(), "dead".into());
        state.result = "success".into();
    };
    assert_eq!(notes(&one(of_timer(), done)), []);
}

/// `docker compose up` ends with an error when it is told to end, and its unit counts as failed.
#[test]
fn a_failed_unit_that_systemd_would_restart_was_stopped() {
    let of = |restarts_itself, restarts| {
        let plan = one(
            unit("a.service", "[Service]\nExecStart=/bin/x\n"),
            move |state: &mut UnitState| {
                (state.active, state.sub) = ("failed".into(), "failed".into());
                state.result = "exit-code".into();
                state.exit_status = 2;
                (state.restarts_itself, state.restarts) = (restarts_itself, restarts);
                state.invocation = "another".into();
            },
        );
        let changes = plan.changes.iter();
        changes.map(|change| change.why.clone()).collect::<Vec<_>>()
    };
    assert_eq!(of(true, 0), ["is stopped"]);
    assert_eq!(of(true, 5), [""; 0], "too often");
    assert_eq!(of(false, 0), [""; 0]);
}

/// Docker was stopped while the unit of a stack started.
#[test]
fn a_oneshot_that_was_stopped_while_it_started_is_started() {
    let of = |service_type, result: &'static str, signal| {
        let unit = Unit {
            service_type,
            ..unit("a.service", "[Service]\nType=oneshot\nExecStart=/bin/x\n")
        };
        let plan = one(unit, move |state: &mut UnitState| {
            (state.active, state.sub) = ("failed".into(), "failed".into());
            state.result = result.into();
            (state.exit_status, state.signalled) = (signal, true);
            state.invocation = "another".into();
        });
        let changes = plan.changes.iter();
        changes.map(|change| change.why.clone()).collect::<Vec<_>>()
    };
    assert_eq!(of(UnitType::Oneshot, "signal", 15), ["is stopped"]);
    assert_eq!(of(UnitType::Oneshot, "signal", 9), [""; 0], "killed");
    assert_eq!(of(UnitType::Oneshot, "timeout", 15), [""; 0], "by systemd");
    assert_eq!(of(UnitType::Lasting, "signal", 15), [""; 0]);
}

#[test]
fn an_environment_file_that_is_gone() {
    let path = PathBuf::from("/etc/x.env");
    let unit_with = |value: &str| Unit {
        outside: BTreeSet::from([path.clone()]),
        environment_files: vec![value.to_owned()],
        ..unit("a.service", "[Service]\nEnvironmentFile=/etc/x.env\n")
    };
    let running = |state: &mut UnitState| {
        (state.active, state.sub) = ("active".into(), "running".into());
    };
    let stands = |entry: Entry| {
        let path = path.clone();
        move |observed: &mut Observed| drop(observed.files.insert(path.clone(), entry.clone()))
    };
    let plan = one_with(unit_with("/etc/x.env"), stands(Entry::Missing), running);
    assert_eq!(plan.changes, [], "a restart would fail");
    assert_eq!(
        notes(&plan),
        [(
            Some(DriftKind::Unloaded),
            "it names /etc/x.env, which is gone: its next start fails"
        )]
    );
    // Without it, it starts as well, and nobody knows that it was there.
    let plan = one_with(unit_with("-/etc/x.env"), stands(Entry::Missing), running);
    assert_eq!(notes(&plan), []);
    let plan = one_with(unit_with("/etc/x.env"), stands(Entry::Unreadable), running);
    assert_eq!(notes(&plan), []);
}

/// The program does not have the compose file in git; which services it has, a look at the host says.
#[test]
fn a_container_of_a_compose_file_outside_the_checkout_is_missed() {
    let stack = |services: &[&str]| Stack {
        project: "app".into(),
        files: vec!["/opt/app/docker-compose.yml".into()],
        services: services.iter().map(|name| (*name).to_owned()).collect(),
        ..Stack::default()
    };
    let unit_with = || Unit {
        stacks: vec![stack(&[])],
        service_type: UnitType::Oneshot,
        remain_after_exit: true,
        ..unit("a.service", "[Service]\nType=oneshot\n")
    };
    let up = |state: &mut UnitState| {
        (state.active, state.sub) = ("active".into(), "exited".into());
    };
    let on_host = |observed: &mut Observed, containers: &[&str]| {
        let stacks = vec![stack(&["web", "worker"])];
        observed.outside.insert("a.service".into(), stacks);
        let container = |service: &&str| Container {
            name: format!("app_{service}_1"),
            compose: Some(("app".into(), (*service).to_owned())),
            config_files: vec!["/opt/app/docker-compose.yml".into()],
            state: "running".into(),
            ..Container::default()
        };
        let docker = observed.docker.as_mut().unwrap();
        docker.containers = containers.iter().map(container).collect();
    };
    let all = one_with(
        unit_with(),
        |observed| on_host(observed, &["web", "worker"]),
        up,
    );
    assert_eq!(notes(&all), []);
    let plan = one_with(unit_with(), |observed| on_host(observed, &["worker"]), up);
    assert_eq!(
        notes(&plan),
        [(
            Some(DriftKind::Degraded),
            "its service web no longer has a container"
        )]
    );
}
