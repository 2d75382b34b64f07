//! Wide and narrow terminals.

use super::*;
use crate::reconcile::{DaemonStatus, Foreign};

fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

fn unit(name: &str, state: &str, well: bool) -> UnitStatus {
    UnitStatus {
        name: name.into(),
        state: state.into(),
        well,
        systemd: String::new(),
        since: moment("2026-01-01T00:00:00Z"),
        restarts: 0,
        exit_status: None,
        signalled: false,
        meaning: None,
        publishes: Vec::new(),
    }
}

fn container(name: &str, unit: Option<&str>) -> ContainerStatus {
    ContainerStatus {
        name: name.into(),
        unit: unit.map(Into::into),
        networks: [].into(),
        state: "running".into(),
        since: moment("2026-01-10T11:30:00Z"),
        restarts: 0,
        exit_code: None,
        meaning: None,
        health: Health::Healthy,
        image: "registry.example.com/team/api:1.4".into(),
        image_created: moment("2025-12-01T00:00:00Z"),
        image_id: "sha256:0123456789abcdef".into(),
        image_digest: Some("sha256:fedcba98765432100123456789abcdef".into()),
        newer_image_id: None,
    }
}

fn host() -> Status {
    Status {
        daemons: vec![DaemonStatus {
            name: "nginx",
            up: false,
            why_not: Some("it does not run".into()),
        }],
        units: vec![
            unit("api.service", "running", true),
            UnitStatus {
                exit_status: Some(127),
                meaning: Some("command not found".into()),
                restarts: 3,
                ..unit("backup.service", "failed", false)
            },
            UnitStatus {
                publishes: vec!["127.0.0.1:8011".into(), "53/udp".into()],
                ..unit("web.service", "running", true)
            },
        ],
        containers: vec![
            container("api", Some("api.service")),
            ContainerStatus {
                state: "exited".into(),
                exit_code: Some(137),
                meaning: Some("killed, out of memory".into()),
                restarts: 1,
                health: Health::None,
                ..container("worker", Some("api.service"))
            },
            container("cache", None),
        ],
        certificates: vec![CertificateStatus {
            path: "/etc/letsencrypt/live/api.example.com/fullchain.pem".into(),
            sites: ["api".to_owned()].into(),
            not_after: moment("2026-01-19T00:00:00Z"),
            days_left: Some(8),
            stale: true,
            unknown: None,
        }],
        foreign: vec![
            Foreign {
                kind: "container",
                name: "old-api".into(),
            },
            Foreign {
                kind: "unit",
                name: "cron-job.service".into(),
            },
        ],
        ..Status::default()
    }
}

fn page(width: usize) -> String {
    let now = moment("2026-01-10T12:00:00Z").unwrap();
    let lines = lines(&host(), Some(width), now);
    let lines: Vec<String> = lines.into_iter().map(|(_, line)| line).collect();
    lines.join("\n")
}

#[test]
fn a_wide_terminal_has_columns() {
    insta::assert_snapshot!(page(160));
}

#[test]
fn a_narrow_one_has_folded_lines() {
    let page = page(60);
    insta::assert_snapshot!(page);
    let too_long = page.lines().find(|line| line.chars().count() > 60);
    assert_eq!(too_long, None);
}

#[test]
fn ages_are_in_one_unit() {
    for (seconds, said) in [
        (-5, "0 s"),
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7_199, "119 min"),
        (7_200, "2 h"),
        (172_799, "47 h"),
        (172_800, "2 days"),
    ] {
        assert_eq!(age(seconds), said);
    }
}
