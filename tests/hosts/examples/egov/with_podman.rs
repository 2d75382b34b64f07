//! The same with Quadlets of Podman.

use super::*;

/// The restore is rehearsed in a container of its own, by the timer's service too, and brings rows back that were lost.
fn rows_come_back_with_podman(host: &Host) {
    const ALL: &str = "podman ps -a --format '{{.Names}}' | sort | paste -sd,; podman volume ls -q";
    let running = host.sh(ALL);
    assert!(host.is_active("watchme-apply-rehearsal-db.timer"));
    host.sh("systemctl start watchme-apply-backup-db.service");
    let kept = host.sh("ls /srv/backups/egov");
    host.sh("systemctl start watchme-apply-rehearsal-db.service");
    assert_eq!(host.sh(ALL), running);
    let status = host.tool(&["status"]).expect(0).text();
    assert!(status.contains("rehearsed"), "{status}");
    // One without rows does not pass its gate: that of before is restored.
    host.sh("podman exec egov-postgres psql -U egov -d egov_db -qc 'DELETE FROM laws'");
    host.tool(&["backup", "run", "db"]).expect(0);
    let said = host.tool(&["restore", "db", "--into-scratch"]).expect(1);
    assert!(
        said.text()
            .contains("printed \"f\", and \"t\" was expected"),
        "{}",
        said.text()
    );
    assert_eq!(host.sh(ALL), running);
    assert_eq!(host.laws("podman"), "");
    host.tool(&["restore", "db", "--backup", &kept, "--yes"])
        .expect(0);
    assert_eq!(host.laws("podman"), "Civil Code");
    host.tool(&["restore", "db", "--into-scratch", "--backup", &kept])
        .expect(0);
    assert_eq!(host.sh(ALL), running);
    host.assert_no_password("after a rehearsal");
}

/// The same with Quadlets; the port that Podman publishes is governed.
#[test]
#[ignore = "long: tests/run --all"]
fn egov_runs_with_podman() {
    let host = Host::for_egov("podman", "podman");
    host.apply(&[]).expect(0);
    assert!(host.healthy_version(1));
    host.add_law("Civil Code");
    assert_eq!(host.laws("podman"), "Civil Code");
    assert_eq!(host.who_reaches(8000), ["vpn", "lan"]);
    for closed in [5432, 6379] {
        assert_eq!(host.who_reaches(closed), [""; 0], "{closed}");
    }
    let plan = host.tool(&["apply"]).expect(0).stdout;
    assert!(plan.contains("in sync"), "{plan}");
    host.assert_no_password("after the first apply");
    rows_come_back_with_podman(&host);

    let path = desired("containers/egov-app.container");
    let file = host.read(&format!("{CHECKOUT}/{path}"));
    let update = file.replace(FIRST, SECOND);
    host.commit(&[(&path, Some(&update))], "an update");
    let postgres = host.property("egov-postgres.service", "InvocationID");
    let said = host.apply(&[]).expect(0).stdout;
    assert!(said.contains("interrupts only egov-app.service"), "{said}");
    assert!(host.healthy_version(2));
    let bad = update
        .replace(
            "DATABASE_URL_FILE=/run/secrets/",
            "DATABASE_URL_FILE=/none/",
        )
        .replace("HealthRetries=20", "HealthRetries=2")
        .replace("TimeoutStartSec=2min", "TimeoutStartSec=15s");
    host.commit(&[(&path, Some(&bad))], "a bad update");
    let said = host.apply(&[]).expect(3).text();
    assert!(said.contains("rolled back"), "{said}");
    assert!(host.healthy_version(2), "{said}");
    assert_eq!(
        host.property("egov-postgres.service", "InvocationID"),
        postgres
    );
    host.commit(&[(&path, Some(&update))], "good again");
    host.apply(&[]).expect(0);

    host.reboot_without_docker();
    host.connect_clients();
    host.wait_for("health", Duration::from_secs(60), || {
        host.healthy_version(2)
    });
    assert_eq!(host.who_reaches(8000), ["vpn", "lan"]);
    let time =
        |unit: &str, name: &str| -> u64 { host.property(unit, name).parse().expect("a time") };
    let app = time("egov-app.service", "InactiveExitTimestampMonotonic");
    for before in ["egov-postgres.service", "egov-redis.service"] {
        assert!(
            time(before, "ActiveEnterTimestampMonotonic") <= app,
            "{before}"
        );
    }
    assert_eq!(host.laws("podman"), "Civil Code");

    host.tool(&["rollback", "1"]).expect(0);
    assert!(host.healthy_version(1));
    assert_eq!(host.laws("podman"), "Civil Code");
    host.commit(
        &[
            ("desired-state", None),
            (&desired("watchme.toml"), Some("")),
        ],
        "no more",
    );
    host.apply(&["--allow-empty"]).expect(0);
    assert_eq!(
        host.sh("podman ps -aq; podman volume ls -q"),
        "egov_postgres_data"
    );
    host.assert_no_password("after its end");
}
