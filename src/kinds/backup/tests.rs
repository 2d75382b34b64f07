//! What is backed up before a plan, as tables.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::kinds::simulated;
use crate::kinds::tests::{applied, lines, planned, unit};
use crate::model::{
    Backup, BackupMade, BackupOf, BackupRecord, Desired, DockerState, Keep, Origin, Stack, Unit,
    UnitState, Volume, VolumeMount,
};

fn backup(before_change: Option<u64>) -> Backup {
    Backup {
        of: BackupOf::Volume {
            volume: "db_rows".to_owned(),
            member: None,
            command: None,
        },
        to: Some("/srv/backups".into()),
        store: None,
        fetch: None,
        remove: None,
        restore: None,
        environment: Vec::new(),
        keep: Keep::default(),
        schedule: None,
        before_change: before_change.map(Duration::from_secs),
        max_age: None,
        timeout: Duration::from_secs(60),
        rehearsal: None,
    }
}

fn desired(text: &str, before_change: Option<u64>) -> Desired {
    let mount = VolumeMount {
        target: "/data".into(),
        volume: "db_rows".to_owned(),
    };
    let stack = Stack {
        project: "db".to_owned(),
        volumes: BTreeMap::from([("db".to_owned(), BTreeSet::from([mount]))]),
        ..Stack::default()
    };
    let holder = Unit {
        stacks: vec![stack],
        ..unit("db.service", text)
    };
    Desired {
        units: BTreeMap::from([("db.service".to_owned(), holder)]),
        backups: BTreeMap::from([("rows".to_owned(), backup(before_change))]),
        ..Desired::default()
    }
}

/// Whether a backup is the first step of a change of its holder, where the last one is so many seconds old.
fn is_made(
    before_change: Option<u64>,
    last: Option<i64>,
    (has_volume, is_gone): (bool, bool),
) -> bool {
    let (mut observed, mut recorded) = applied(&desired("old", before_change));
    for state in observed.systemd.as_mut().unwrap().units.values_mut() {
        *state = UnitState {
            active: "active".into(),
            ..state.clone()
        };
    }
    let mut docker = observed.docker.take().unwrap_or_default();
    docker.volumes = match has_volume {
        true => BTreeMap::from([("db_rows".to_owned(), Volume::default())]),
        false => BTreeMap::new(),
    };
    observed.docker = Some(DockerState { ..docker });
    let good = last.map(|seconds| BackupMade {
        name: "rows".to_owned(),
        time: Timestamp::now() - SignedDuration::from_secs(seconds),
        bytes: 1,
        sha256: String::new(),
        seconds: 1,
    });
    let record = BackupRecord {
        gone: BTreeSet::from_iter(is_gone.then(|| "rows".to_owned())),
        kept: good.iter().cloned().collect(),
        good,
        ..BackupRecord::default()
    };
    recorded.backups.insert("rows".to_owned(), record);
    let plan = planned(&desired("new", before_change), &observed, &recorded);
    let lines = lines(&plan);
    let at = lines.iter().position(|line| line == "BackUp backup/rows");
    assert!(at.is_none_or(|at| at == 0), "{lines:?}");
    at.is_some()
}

#[test]
fn a_backup_comes_first_where_the_last_one_is_too_old() {
    for (before_change, last, volume, made) in [
        (Some(3600), None, (true, false), true),
        (Some(3600), Some(7200), (true, false), true),
        (Some(3600), Some(60), (true, false), false),
        (Some(3600), Some(60), (true, true), true),
        (None, None, (true, false), false),
        (Some(3600), None, (false, false), false),
    ] {
        assert_eq!(
            is_made(before_change, last, volume),
            made,
            "{before_change:?} {last:?} {volume:?}"
        );
    }
}

#[test]
fn nothing_is_backed_up_for_a_plan_that_interrupts_nothing() {
    let (observed, recorded) = applied(&desired("old", Some(0)));
    let plan = planned(&desired("old", Some(0)), &observed, &recorded);
    assert_eq!(lines(&plan), [""; 0]);
}

/// `plan --from`: what comes with the revision has nothing to back up, and what was there before it is taken to be there.
#[test]
fn a_plan_without_a_host_backs_up_what_was_there_before() {
    let new = desired("new", Some(3600));
    let without = Desired {
        units: BTreeMap::from([("db.service".to_owned(), unit("db.service", "old"))]),
        ..Desired::default()
    };
    for (before, made) in [(without, false), (desired("old", Some(3600)), true)] {
        let (observed, recorded) = simulated(&before, &Origin::default());
        let plan = planned(&new, &observed, &recorded);
        let backup = plan.changes.iter().find(|change| change.id.name == "rows");
        assert_eq!(
            backup.map(|change| change.why.as_str()),
            made.then_some(
                "db.service is interrupted: one is made unless the last one is younger than 60 min"
            ),
            "{:?}",
            lines(&plan)
        );
        assert!(!plan.notes.iter().any(|note| note.id.name == "rows"));
    }
}
