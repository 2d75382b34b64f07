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
