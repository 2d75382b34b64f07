//! Metrics, read as a collector reads them: strictly.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::support::{CHECKOUT, Host, desired, site, sleeper};

const FILE: &str = "/var/lib/prometheus/node-exporter/watchme-apply.prom";

const POLICY: &str = r#"
[[gate]]
url = "http://a.example.com/"

[backup.notes]
files = ["/srv/notes"]
to = "/srv/backups"
"#;

/// Values by name and labels, as they are written.
type Values = BTreeMap<String, f64>;

/// Reads either format, and accepts nothing that its specification does not have.
fn parse(text: &str, is_open: bool) -> Values {
    let mut values = Values::new();
    let mut types: BTreeMap<&str, &str> = BTreeMap::new();
    let mut finished: BTreeSet<String> = BTreeSet::new();
    let mut current = String::new();
    assert!(text.ends_with('\n') && !text.contains("\n\n"), "{text}");
    let mut lines: Vec<&str> = text.lines().collect();
    if is_open {
        assert_eq!(lines.pop(), Some("# EOF"));
    }
    for line in lines {
        if let Some(comment) = line.strip_prefix("# ") {
            let parts: Vec<&str> = comment.splitn(3, ' ').collect();
            let [keyword, name, rest] = parts[..] else {
                panic!("{line}");
            };
            match (keyword, rest) {
                ("TYPE", "gauge") => assert!(types.insert(name, rest).is_none(), "{line}"),
                ("TYPE", "info") if is_open => assert!(types.insert(name, rest).is_none()),
                ("UNIT", unit) if is_open => assert!(name.ends_with(&format!("_{unit}"))),
                ("HELP", _) => {}
                _ => panic!("{line}"),
            }
            continue;
        }
        let end = line.find(['{', ' ']).unwrap_or_else(|| panic!("{line}"));
        let name = &line[..end];
        let family = match name.strip_suffix("_info") {
            Some(family) if is_open => family,
            _ => name,
        };
        assert!(types.contains_key(family), "no type before {line}");
        if family != current {
            assert!(finished.insert(family.to_owned()), "in two places: {line}");
            current = family.to_owned();
        }
        let rest = labels(&line[end..]).unwrap_or_else(|| panic!("{line}"));
        let value = rest.strip_prefix(' ').unwrap_or_else(|| panic!("{line}"));
        let value: f64 = value.parse().unwrap_or_else(|_| panic!("{line}"));
        let key = line[..line.len() - rest.len()].to_owned();
        assert!(values.insert(key, value).is_none(), "twice: {line}");
    }
    values
}

/// What is behind the labels; `None` where they are not as they should be.
fn labels(text: &str) -> Option<&str> {
    let Some(mut text) = text.strip_prefix('{') else {
        return Some(text);
    };
    loop {
        let (name, rest) = text.split_once("=\"")?;
        let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase());
        let mut characters = rest.char_indices();
        let end = loop {
            match characters.next()? {
                (_, '\\') => {
                    matches!(characters.next()?.1, '\\' | '"' | 'n').then_some(())?;
                }
                (at, '"') => break at,
                (_, c) if c.is_control() => return None,
                _ => {}
            }
        };
        let rest = &rest[end + 1..];
        match (plain, rest.strip_prefix(','), rest.strip_prefix('}')) {
            (true, Some(next), _) => text = next,
            (true, _, Some(rest)) => return Some(rest),
            _ => return None,
        }
    }
}

#[track_caller]
fn value(values: &Values, key: &str) -> f64 {
    let known = values.get(&format!("watchme_apply_{key}"));
    *known.unwrap_or_else(|| panic!("no {key} in {values:#?}"))
}

#[test]
fn a_collector_reads_what_the_timer_writes() {
    let host = Host::boot();
    let commit = host.checkout(&[
        (&desired("watchme.toml"), POLICY),
        (
            &desired("sites-available/a.example.com"),
            &site("a.example.com", "first"),
        ),
        (&desired("systemd/a.service"), &sleeper(7001)),
    ]);
    let example = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/monitoring/desired-state"
    );
    host.copy_in(Path::new(example), &format!("{CHECKOUT}/desired-state"));
    host.commit(&[], "metrics");
    host.sh("mkdir -p /var/lib/prometheus/node-exporter /srv/notes; echo x > /srv/notes/x");

    // Nothing is applied yet, and that is said.
    let values = parse(&host.tool(&["metrics"]).expect(0).stdout, true);
    assert_eq!(value(&values, "in_sync"), 0.0);
    assert!(value(&values, "drift_resources{kind=\"pending\"}") > 0.0);

    host.apply(&[]).expect(0);
    host.tool(&["backup", "run", "notes"]).expect(0);
    assert!(host.is_active("watchme-metrics.timer"));
    // The unit may write nothing else.
    host.sh("systemctl start watchme-metrics.service");
    assert_eq!(
        host.sh(&format!("stat -c '%a %U' {FILE}; ls -A $(dirname {FILE})")),
        "644 root\nwatchme-apply.prom"
    );
    let values = parse(&host.read(FILE), false);
    for (key, expected) in [
        ("compared", 1.0),
        ("in_sync", 1.0),
        ("drift_resources{kind=\"drifted\"}", 0.0),
        ("last_run_succeeded", 1.0),
        ("last_run_info{kind=\"apply\",outcome=\"applied\"}", 1.0),
        ("gate_tries{gate=\"http://a.example.com/\"}", 1.0),
        ("unit_well{unit=\"a.service\"}", 1.0),
        ("backup_kept{backup=\"notes\"}", 1.0),
        ("backup_problems{backup=\"notes\"}", 0.0),
    ] {
        assert_eq!(value(&values, key), expected, "{key}");
    }
    let seconds: f64 = host.sh("date +%s").parse().unwrap();
    for key in [
        "last_apply_timestamp_seconds",
        "metrics_timestamp_seconds",
        "backup_last_timestamp_seconds{backup=\"notes\"}",
    ] {
        let age = seconds - value(&values, key);
        assert!((-2.0..120.0).contains(&age), "{key}: {age}");
    }
    assert!(value(&values, "last_apply_duration_seconds") > 0.0);
    assert!(
        value(
            &values,
            "gate_latency_seconds{gate=\"http://a.example.com/\"}"
        ) < 5.0
    );
    let head = host.sh_as("ubuntu", &format!("git -C {CHECKOUT} rev-parse HEAD"));
    assert_ne!(head, commit);
    let generation = format!("generation_info{{generation=\"1\",commit=\"{head}\"}}");
    assert_eq!(value(&values, &generation), 1.0);

    // On request it is OpenMetrics, with the same values.
    let asked = parse(&host.tool(&["metrics"]).expect(0).stdout, true);
    let keys = |values: &Values| values.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&asked), keys(&values));

    // What drifts, and a run that is rolled back.
    host.sh("systemctl stop a.service");
    host.commit(
        &[(
            &desired("systemd/bad.service"),
            Some("[Service]\nType=oneshot\nExecStart=/bin/false\n\n[Install]\nWantedBy=multi-user.target\n"),
        )],
        "bad",
    );
    host.apply(&["--only", "unit/bad.service"]).expect(3);
    let values = parse(&host.tool(&["metrics"]).expect(0).stdout, true);
    assert_eq!(value(&values, "in_sync"), 0.0);
    assert_eq!(value(&values, "last_run_succeeded"), 0.0);
    let rolled_back = "last_run_info{kind=\"apply\",outcome=\"rolled back\"}";
    assert_eq!(value(&values, rolled_back), 1.0);
    assert_eq!(value(&values, "unit_well{unit=\"a.service\"}"), 0.0);
    assert!(value(&values, "drift_resources{kind=\"pending\"}") > 0.0);

    // A file that cannot be written is an error that says what helps.
    let refused = host.tool(&["metrics", "--textfile", "/nowhere/a.prom"]);
    let refused = refused.expect(1).text();
    for words in [
        "could not write the metrics to /nowhere/a.prom",
        "/nowhere must exist",
    ] {
        assert!(refused.contains(words), "{refused}");
    }
    let refused = host.tool(&["metrics", "--textfile", "/tmp/a.txt"]);
    assert!(refused.expect(64).text().contains("end in .prom"));
}
