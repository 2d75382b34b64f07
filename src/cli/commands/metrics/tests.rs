//! The text of both formats, what is escaped, and the metrics of a status.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;

use super::families::{HELP, families};
use super::text::{Family, Sample, openmetrics, prometheus};
use super::textfile;
use crate::model::{
    Answer, BackupMade, BackupRecord, DriftItem, DriftKind, Kind, Outcome, ResourceId, RunRecord,
};
use crate::reconcile::{BackupStatus, NetworkStatus, Status};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn run(outcome: Outcome) -> RunRecord {
    serde_json::from_value(serde_json::json!({
        "kind": "apply", "number": 3,
        "origin": crate::model::Origin { commit: Some("0123abc".into()), ..Default::default() },
        "began": "2026-01-01T00:00:00Z", "time": "2026-01-01T00:00:02.5Z",
        "by": "test", "only": [], "changes": ["a", "b"], "outcome": outcome,
    }))
    .unwrap()
}

fn status() -> Status {
    let mut applied = run(Outcome::Applied);
    applied.gates = vec![Answer {
        gate: "https://example.org/?token=s3cretvalue".into(),
        tries: 2,
        note: None,
        milliseconds: Some(40),
    }];
    let made = BackupMade {
        name: "db-1".into(),
        time: at("2026-01-01T03:15:00Z"),
        bytes: 4096,
        sha256: String::new(),
        seconds: 7,
    };
    let mut status = Status {
        applied: Some(applied),
        last: Some(run(Outcome::RolledBack)),
        backups: vec![BackupStatus {
            name: "db".into(),
            of: "the service db".into(),
            schedule: None,
            record: BackupRecord {
                good: Some(made.clone()),
                kept: vec![made],
                ..BackupRecord::default()
            },
            rehearsal: None,
            wrong: vec!["overdue".into()],
        }],
        networks: vec![NetworkStatus {
            name: "infra".into(),
            exists: true,
            subnet: None,
            connected: 0,
            members: Vec::new(),
            foreign: Vec::new(),
        }],
        ..Status::default()
    };
    status.drift.items.push(DriftItem {
        kind: DriftKind::Drifted,
        resource: ResourceId::new(Kind::Unit, "a.service"),
        what: "differs".into(),
        fixable: true,
    });
    status
}

#[test]
fn what_a_status_says_is_there_as_numbers() {
    let text = openmetrics(&families(&status(), at("2026-01-02T00:00:00Z")));
    for line in [
        "# TYPE watchme_apply_generation info",
        "watchme_apply_generation_info{generation=\"3\",commit=\"0123abc\"} 1",
        "watchme_apply_in_sync 0",
        "watchme_apply_drift_resources{kind=\"pending\"} 0",
        "watchme_apply_drift_resources{kind=\"drifted\"} 1",
        // What was rolled back is no success.
        "watchme_apply_last_run_info{kind=\"apply\",outcome=\"rolled back\"} 1",
        "watchme_apply_last_run_succeeded 0",
        "# UNIT watchme_apply_last_apply_duration_seconds seconds",
        "watchme_apply_last_apply_duration_seconds 2.5",
        "watchme_apply_last_apply_timestamp_seconds 1767225602.5",
        "watchme_apply_gate_latency_seconds{gate=\"https://example.org/?token=********\"} 0.04",
        "watchme_apply_backup_last_timestamp_seconds{backup=\"db\"} 1767237300",
        "# UNIT watchme_apply_backup_last_size_bytes bytes",
        "watchme_apply_backup_last_size_bytes{backup=\"db\"} 4096",
        "watchme_apply_backup_problems{backup=\"db\"} 1",
        "watchme_apply_network_members{network=\"infra\"} 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(text.ends_with("# EOF\n"), "{text}");
    assert!(!text.contains("s3cretvalue"), "{text}");
}

#[test]
fn a_host_that_cannot_be_compared_is_not_said_to_be_in_sync() {
    let mut status = status();
    status.problem = Some(crate::reconcile::ReconcileError::Declined);
    let text = openmetrics(&families(&status, at("2026-01-02T00:00:00Z")));
    assert!(text.contains("watchme_apply_compared 0\n"), "{text}");
    for gone in ["watchme_apply_in_sync", "watchme_apply_drift_resources"] {
        assert!(!text.contains(gone), "{text}");
    }
}

#[test]
fn names_follow_the_rules() {
    let families = families(&status(), at("2026-01-02T00:00:00Z"));
    let names: BTreeSet<&str> = families.iter().map(|family| family.name.as_str()).collect();
    assert_eq!(names.len(), families.len());
    for family in &families {
        assert!(family.name.starts_with("watchme_apply_"), "{}", family.name);
        let plain = |c: char| c.is_ascii_lowercase() || c == '_';
        assert!(family.name.chars().all(plain), "{}", family.name);
        assert!(family.help.ends_with('.'), "{}", family.name);
        // Those are names of parts of other types.
        for end in ["_total", "_created", "_count", "_sum", "_bucket"] {
            assert!(!family.name.ends_with(end), "{}", family.name);
        }
    }
}

#[test]
fn labels_are_escaped_and_said_once() {
    let sample = |value: &str| Sample {
        labels: vec![("name", value.to_owned())],
        value: 1.0,
    };
    let family = Family {
        name: "watchme_apply_x".to_owned(),
        help: "A \\ and\na line.",
        samples: vec![sample("a\\b\"c\nd\u{1b}[2J"), sample("x"), sample("x")],
    };
    assert_eq!(
        prometheus(std::slice::from_ref(&family)),
        "# HELP watchme_apply_x A \\\\ and\\na line.\n# TYPE watchme_apply_x gauge\n\
         watchme_apply_x{name=\"a\\\\b\\\"c\\nd\\\\u{1b}[2J\"} 1\nwatchme_apply_x{name=\"x\"} 1\n"
    );
    assert!(openmetrics(&[family]).ends_with("\n# EOF\n"));
}

#[test]
fn a_textfile_is_replaced_as_a_whole_and_readable_by_all() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("watchme-apply.prom");
    let elsewhere = folder.path().join("elsewhere");
    std::fs::write(&elsewhere, "kept").unwrap();
    symlink(&elsewhere, &path).unwrap();
    for text in ["a 1\n", "a 2\n"] {
        textfile::write(&path, text).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
    let found = std::fs::symlink_metadata(&path).unwrap();
    assert_eq!(found.permissions().mode() & 0o7777, 0o644);
    assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), "kept");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_folder_that_is_not_there_is_said_with_what_helps() {
    let error = textfile::write(Path::new("/nowhere/at/all.prom"), "").unwrap_err();
    assert_eq!(
        error.to_string(),
        "could not write the metrics to /nowhere/at/all.prom"
    );
    assert_eq!(
        error.hint().as_deref(),
        Some(
            "/nowhere/at must exist: apt-get install prometheus-node-exporter, or sudo mkdir -p /nowhere/at"
        )
    );
}

/// The names that a file of examples/monitoring uses.
fn used(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_lowercase() || c == '_';
    let all = text.match_indices("watchme_apply_");
    all.map(|(at, _)| text[at..].chars().take_while(|c| is_part(*c)).collect())
        .collect()
}

#[test]
fn dashboard_rules_and_page_use_names_that_there_are() {
    let known = HELP.lines().filter_map(|line| line.split_once(' '));
    let known = known.map(|(name, _)| format!("watchme_apply_{name}"));
    let known: BTreeSet<String> = known.collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for path in [
        "examples/monitoring/alerts.yml",
        "examples/monitoring/dashboard.json",
        "docs/metrics.md",
        "docs/ja/metrics.md",
    ] {
        let text = std::fs::read_to_string(folder.join(path)).unwrap();
        let names = used(&text);
        assert!(!names.is_empty(), "{path}");
        let unknown: Vec<&String> = names.difference(&known).collect();
        assert!(unknown.is_empty(), "{path}: {unknown:?}");
        if path.ends_with("metrics.md") {
            let lacking: Vec<&String> = known.difference(&names).collect();
            assert!(lacking.is_empty(), "{path} lacks {lacking:?}");
        }
    }
    let dashboard = std::fs::read(folder.join("examples/monitoring/dashboard.json")).unwrap();
    let dashboard: serde_json::Value = serde_json::from_slice(&dashboard).unwrap();
    assert!(dashboard["panels"].as_array().unwrap().len() >= 8);
    let alerts = std::fs::read_to_string(folder.join("examples/monitoring/alerts.yml")).unwrap();
    let alerts: serde_yaml::Value = serde_yaml::from_str(&alerts).unwrap();
    let rules = alerts["groups"][0]["rules"].as_sequence().unwrap();
    for rule in rules {
        for key in ["alert", "expr"] {
            assert!(rule[key].is_string(), "{rule:?}");
        }
    }
}
