//! Files outside the checkout that units and compose files name, changed since the unit started.

use crate::support::{Host, Service, desired};

const COMPOSE: &str = "services:
  app:
    image: api:1
    container_name: app-prod
    network_mode: bridge
    env_file: [service.env]
    environment: {MODE: '${MODE}'}
";

fn plain() -> String {
    "[Service]\nEnvironmentFile=/etc/plain.env\nEnvironmentFile=-/opt/none.env\nExecStart=/bin/sh -c 'echo $$WORD >/run/plain; exec sleep 1001'\n\n[Install]\nWantedBy=multi-user.target\n".to_owned()
}

fn compose_unit() -> String {
    "[Unit]\nAfter=docker.service\n\n[Service]\nWorkingDirectory=/opt/app\nExecStart=/usr/bin/docker-compose up\nExecStop=/usr/bin/docker-compose down\n\n[Install]\nWantedBy=multi-user.target\n".to_owned()
}

fn pids(host: &Host) -> Vec<String> {
    ["plain.service", "app.service"]
        .map(|unit| host.property(unit, "MainPID"))
        .to_vec()
}

fn env_of_container(host: &Host) -> String {
    host.sh("docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}' app-prod")
}

#[test]
#[ignore = "long: tests/run --all"]
fn a_changed_file_outside_the_checkout_is_unloaded_until_its_unit_restarts() {
    let host = Host::boot();
    host.load_service_images(&[Service {
        image: "api:1",
        port: 8000,
        paths: &[],
    }]);
    host.sh("mkdir -p /opt/app; echo WORD=hunter-one >/etc/plain.env; echo MODE=hunter-two >/opt/app/.env; echo A=hunter-three >/opt/app/service.env");
    host.write("/opt/app/docker-compose.yml", COMPOSE);
    // It runs already, as on a host that is adopted: with files that are older than its start.
    host.write("/etc/systemd/system/plain.service", &plain());
    host.write("/etc/systemd/system/app.service", &compose_unit());
    host.sh("systemctl daemon-reload; systemctl -q enable --now plain.service app.service");
    host.wait_for("app-prod", std::time::Duration::from_secs(30), || {
        host.try_sh("docker inspect app-prod").status == 0
    });
    let before = pids(&host);
    host.checkout(&[
        (&desired("systemd/plain.service"), &plain()),
        (&desired("systemd/app.service"), &compose_unit()),
    ]);
    host.apply(&[]).expect(0);
    assert_eq!(pids(&host), before, "adopting restarts nothing");
    host.assert_does_nothing(&["drift"]).expect(0);
    // Touched, and the same.
    host.sh("sleep 1; touch /etc/plain.env /opt/app/.env /opt/app/service.env /opt/app/docker-compose.yml");
    host.assert_does_nothing(&["drift"]).expect(0);
    host.assert_does_nothing(&["apply"]).expect(0);

    for (change, unit, path) in [
        (
            "echo WORD=hunter-four >/etc/plain.env",
            "plain.service",
            "/etc/plain.env",
        ),
        (
            "echo MODE=hunter-five >/opt/app/.env",
            "app.service",
            "/opt/app/.env",
        ),
        (
            "echo A=hunter-six >/opt/app/service.env",
            "app.service",
            "/opt/app/service.env",
        ),
        (
            "sed -i 's/network_mode: bridge/&\\n    labels: [hunter-seven]/' /opt/app/docker-compose.yml",
            "app.service",
            "/opt/app/docker-compose.yml",
        ),
        (
            "echo WORD=hunter-eight >/opt/none.env",
            "plain.service",
            "/opt/none.env",
        ),
    ] {
        host.sh(change);
        let drift = host.assert_does_nothing(&["drift"]).expect(2).stdout;
        let line = format!("unit/{unit}: it names {path}, which changed");
        let told = drift.lines().find(|found| found.contains(&line));
        assert!(
            told.is_some_and(|found| found.starts_with("unloaded")),
            "{path}: {drift}"
        );
        assert!(!drift.contains("hunter"), "{drift}");
        let before = pids(&host);
        host.tool(&["drift", "--fix"]).expect(0);
        let changed = pids(&host)
            .iter()
            .zip(&before)
            .filter(|(a, b)| a != b)
            .count();
        assert_eq!(changed, 1, "{path}: one unit restarts");
        host.assert_does_nothing(&["drift"]).expect(0);
    }
    assert_eq!(host.sh("cat /run/plain"), "hunter-eight");
    let env = env_of_container(&host);
    assert!(
        env.contains("MODE=hunter-five") && env.contains("A=hunter-six"),
        "{env}"
    );

    // By an apply, too; and one that somebody restarted runs with what lies there.
    host.sh(
        "echo WORD=hunter-nine >/etc/plain.env; rm /opt/none.env; systemctl restart plain.service",
    );
    host.assert_does_nothing(&["apply"]).expect(0);
    host.sh("sleep 1; echo WORD=hunter-ten >/etc/plain.env");
    let said = host.apply(&[]).expect(0).stdout;
    assert!(said.contains("plain.service"), "{said}");
    assert_eq!(host.sh("cat /run/plain"), "hunter-ten");
    let records = host.try_sh("grep -rl hunter /var/lib/watchme-apply /etc/watchme-apply");
    assert_eq!(records.stdout, "", "only hashes are recorded");
}

#[test]
fn an_environment_file_that_is_gone_and_a_timers_oneshot_that_failed() {
    let host = Host::boot();
    host.sh("echo WORD=one >/etc/plain.env; echo WORD=two >/opt/none.env");
    let job = "[Service]\nType=oneshot\nExecStart=/bin/test ! -e /run/fail\n";
    let timer = "[Timer]\nOnCalendar=2100-01-01\n\n[Install]\nWantedBy=timers.target\n";
    host.checkout(&[
        (&desired("systemd/plain.service"), &plain()),
        (&desired("systemd/job.service"), job),
        (&desired("systemd/job.timer"), timer),
    ]);
    host.apply(&[]).expect(0);
    host.sh("systemctl start job.service");
    host.assert_does_nothing(&["drift"]).expect(0);
    let before = host.property("plain.service", "MainPID");

    host.sh("rm /opt/none.env");
    let drift = host.assert_does_nothing(&["drift"]).expect(2).stdout;
    let line = "unit/plain.service: it names /opt/none.env, which is gone: it is missing at its next start";
    assert!(drift.contains(line), "{drift}");
    host.sh("echo WORD=two >/opt/none.env; rm /etc/plain.env");
    let drift = host.assert_does_nothing(&["drift"]).expect(2).stdout;
    let line = "unit/plain.service: it names /etc/plain.env, which is gone: its next start fails";
    let told = drift.lines().find(|found| found.contains(line));
    assert!(
        told.is_some_and(|found| found.starts_with("unloaded")),
        "{drift}"
    );
    let plan = host.assert_does_nothing(&["plan"]).expect(0).text();
    assert!(plan.contains(line), "{plan}");
    host.apply(&[]).expect(0);
    assert_eq!(
        host.property("plain.service", "MainPID"),
        before,
        "a restart would end it"
    );
    host.sh("echo WORD=one >/etc/plain.env");
    host.assert_does_nothing(&["drift"]).expect(0);

    host.sh("touch /run/fail; systemctl start job.service || true");
    let drift = host.assert_does_nothing(&["drift"]).expect(2).stdout;
    let line = "unit/job.service: failed: exit-code, status 1: journalctl -u job.service";
    let told = drift.lines().find(|found| found.contains(line));
    assert!(
        told.is_some_and(|found| found.starts_with("degraded")),
        "{drift}"
    );
    host.sh("rm /run/fail; systemctl start job.service");
    host.assert_does_nothing(&["drift"]).expect(0);
}

/// The unit is up all the same: only its compose file says what should run.
#[test]
fn a_removed_container_of_a_compose_file_outside_the_checkout_is_degraded() {
    let host = Host::boot();
    host.load_service_images(&[Service {
        image: "api:1",
        port: 8000,
        paths: &[],
    }]);
    host.sh("mkdir -p /opt/app");
    let compose = "services:\n  app:\n    image: api:1\n    container_name: app-prod\n    network_mode: bridge\n";
    host.write("/opt/app/docker-compose.yml", compose);
    let unit = "[Unit]\nAfter=docker.service\n\n[Service]\nType=oneshot\nRemainAfterExit=yes\nWorkingDirectory=/opt/app\nExecStart=/usr/bin/docker-compose up -d\nExecStop=/usr/bin/docker-compose down\n\n[Install]\nWantedBy=multi-user.target\n";
    host.checkout(&[(&desired("systemd/app.service"), unit)]);
    host.apply(&[]).expect(0);
    host.assert_does_nothing(&["drift"]).expect(0);

    host.sh("docker rm -f app-prod >/dev/null");
    let line = "its service app no longer has a container";
    let drift = host.assert_does_nothing(&["drift"]).expect(2).stdout;
    assert!(drift.contains(line), "{drift}");
    let apply = host.assert_does_nothing(&["apply"]).expect(0).stdout;
    assert!(
        apply.contains("nothing to apply") && apply.contains(line),
        "{apply}"
    );
    let status = host.assert_does_nothing(&["status"]).expect(0).stdout;
    assert!(status.contains("1 unit, 0 OK"), "{status}");

    host.sh("systemctl stop app.service");
    let status = host.assert_does_nothing(&["status"]).expect(0).stdout;
    let line = status.lines().find(|line| line.contains("app.service"));
    assert!(
        line.is_some_and(|line| line.contains("stopped")) && status.contains("1 unit, 0 OK"),
        "{status}"
    );
}
