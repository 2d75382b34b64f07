//! What already exists: units that run, and links that somebody else made.

use super::*;
use crate::effect::Effect;

const TEXT: &str = "[Service]\nExecStart=/bin/sleep 1\n";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn written(text: &str, second: i64) -> Entry {
    match regular(text) {
        Entry::File {
            content,
            mode,
            owner,
            ..
        } => Entry::File {
            content,
            mode,
            owner,
            modified: at(second),
        },
        other => other,
    }
}

/// A host on which somebody started a unit at second 100, with the time of its file and of one outside git.
fn found(unit_file: i64, outside: i64) -> (Desired, Observed) {
    let outside_path = PathBuf::from("/opt/app/docker-compose.yml");
    let desired = Desired {
        units: BTreeMap::from([(
            "a.service".into(),
            Unit {
                outside: BTreeSet::from([outside_path.clone()]),
                ..unit("a.service", TEXT)
            },
        )]),
        ..Desired::default()
    };
    let mut observed = empty_host();
    let state = UnitState {
        load: "loaded".into(),
        active: "active".into(),
        sub: "running".into(),
        invocation: "by-hand".into(),
        started: Some(at(100)),
        ..UnitState::default()
    };
    let systemd = observed.systemd.as_mut().unwrap();
    systemd.units.insert("a.service".into(), state);
    let files = &mut observed.files;
    files.insert(layout::unit("a.service"), written(TEXT, unit_file));
    files.insert(outside_path, written("services: {}", outside));
    (desired, observed)
}

fn restarts(plan: &Plan) -> Vec<&str> {
    let restarts = plan.changes.iter();
    let restarts = restarts.filter(|change| matches!(change.effect, Effect::Restart(_)));
    restarts.map(|change| change.why.as_str()).collect()
}

fn notes(plan: &Plan) -> Vec<(Option<DriftKind>, &str)> {
    let notes = plan.notes.iter();
    notes.map(|note| (note.drift, note.text.as_str())).collect()
}

#[test]
fn adopting_a_unit_restarts_nothing_when_only_the_time_of_a_file_is_newer() {
    for (unit_file, outside, newer) in [
        (50, 50, None),
        (150, 50, Some("/etc/systemd/system/a.service")),
        (50, 150, Some("/opt/app/docker-compose.yml")),
    ] {
        let (desired, observed) = found(unit_file, outside);
        let plan = planned(&desired, &observed, &Recorded::default());
        assert_eq!(restarts(&plan), [""; 0]);
        let expected = newer.map(|path| {
            format!(
                "{path} is newer than the start of a.service: it may run with an older version; restart it when convenient: sudo systemctl restart a.service"
            )
        });
        let expected: Vec<_> = expected.iter().map(|text| (None, text.as_str())).collect();
        assert_eq!(notes(&plan), expected);
        // It is on record then, and the question does not come up again.
        let after = simulate(&plan, &observed);
        let recorded = record(&desired, &after, &Recorded::default());
        let again = planned(&desired, &after, &recorded);
        assert_eq!(restarts(&again), [""; 0]);
        assert_eq!(notes(&again), []);
    }
}

#[test]
fn other_content_at_adoption_restarts() {
    let (desired, mut observed) = found(50, 50);
    let path = layout::unit("a.service");
    observed.files.insert(path, written("[Service]\n", 50));
    let plan = planned(&desired, &observed, &Recorded::default());
    assert_eq!(restarts(&plan), ["/etc/systemd/system/a.service changed"]);
}

/// Records that were lost tell nothing of what a unit of ours was started with.
#[test]
fn a_unit_that_is_managed_restarts_when_a_file_is_newer() {
    let (desired, observed) = found(150, 50);
    let mut recorded = record(&desired, &observed, &Recorded::default());
    recorded.loaded.units.clear();
    let plan = planned(&desired, &observed, &recorded);
    assert_eq!(
        restarts(&plan),
        ["/etc/systemd/system/a.service is newer than its start"]
    );
}

/// `sed -i` puts a file in the place of the link in sites-available; the one in sites-enabled is as it was.
#[test]
fn a_link_that_is_written_as_wanted_is_not_made_anew() {
    let desired = Desired {
        sites: BTreeMap::from([("x".into(), site("server {}"))]),
        ..Desired::default()
    };
    let (mut observed, recorded) = applied(&desired);
    let available = layout::site_available("x");
    let enabled = Entry::Link {
        target: Path::new("../sites-available").join("x"),
        leads_to: Some(available.clone()),
    };
    observed.files.insert(layout::site_enabled("x"), enabled);
    observed
        .files
        .insert(available, regular("server { edited; }"));
    let plan = planned(&desired, &observed, &recorded);
    let links: Vec<(&Path, &str)> = (plan.changes.iter())
        .filter_map(|change| match &change.effect {
            Effect::Link { path, .. } => Some((path.as_path(), change.why.as_str())),
            _ => None,
        })
        .collect();
    let why = "a regular file is there instead of the link";
    assert_eq!(links, [(Path::new("/etc/nginx/sites-available/x"), why)]);
    let diffs = plan.changes.iter().filter(|change| change.diff.is_some());
    assert_eq!(diffs.count(), 1);
}
