use super::*;

/// A oneshot has done its work when it ended; one that remains is up until somebody stops it.
#[test]
fn a_oneshot_that_remains_after_exit_and_was_stopped_is_not_done() {
    for (remain_after_exit, expected) in [(false, ("done", true)), (true, ("stopped", false))] {
        let unit = Unit {
            service_type: UnitType::Oneshot,
            remain_after_exit,
            start: true,
            ..Unit::default()
        };
        let state = UnitState {
            load: "loaded".into(),
            active: "inactive".into(),
            sub: "dead".into(),
            result: "success".into(),
            invocation: "some-run".into(),
            ..UnitState::default()
        };
        assert_eq!(word(&unit, &state, false), expected);
    }
}

#[test]
fn what_somebody_put_beside_it_is_foreign_whether_it_runs_or_not() {
    let file = Entry::File {
        content: (*b"").into(),
        mode: 0o644,
        owner: (0, 0),
        modified: Timestamp::UNIX_EPOCH,
    };
    let files = [
        "/etc/systemd/system/backup.service",
        "/etc/systemd/system/backup.service.bak",
        "/etc/systemd/system/ours.service",
        "/etc/nginx/conf.d/metrics.conf",
        "/etc/nginx/conf.d/README",
        "/etc/nginx/sites-enabled/default",
    ];
    let observed = Observed {
        files: files.map(|path| (path.into(), file.clone())).into(),
        ..Observed::default()
    };
    let desired = Desired {
        units: BTreeMap::from([("ours.service".into(), Unit::default())]),
        ..Desired::default()
    };
    let found = foreign(&desired, &observed, &Recorded::default());
    let names: Vec<(&str, &str)> = (found.iter())
        .map(|one| (one.kind, one.name.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            ("site", "/etc/nginx/conf.d/metrics.conf"),
            ("site", "default"),
            ("unit", "backup.service"),
        ]
    );
}

#[test]
fn what_podman_publishes_for_a_quadlet_is_named() {
    let port = |port, protocol: &str, address: Option<&str>| crate::source::compose::Publish {
        port,
        protocol: protocol.to_owned(),
        address: address.map(|address| address.parse().unwrap()),
    };
    let run = crate::model::PodmanRun {
        published: [
            port(8011, "tcp", Some("127.0.0.1")),
            port(8012, "tcp", Some("::1")),
            port(53, "udp", None),
        ]
        .into(),
        ..Default::default()
    };
    let unit = Unit {
        by_podman: Some(run),
        ..Unit::default()
    };
    assert_eq!(published(&unit), ["53/udp", "127.0.0.1:8011", "[::1]:8012"]);
    assert_eq!(published(&Unit::default()), [""; 0]);
}
