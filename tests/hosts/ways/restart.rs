//! A restart of Docker that a file under /etc asks for.

use std::time::Duration;

use super::{assert_answers, compose_file, compose_unit, containers};
use crate::support::{CHECKOUT, Host, desired};

const POLICY: &str = "[etc.\"docker/daemon.json\"]\nrestart = \"docker.service\"\n";

#[test]
#[ignore = "long: tests/run --all"]
fn units_that_a_restart_of_docker_takes_along_are_waited_for() {
    let host = Host::with_images(&["app:1"]);
    let files = ["one", "two"].map(|name| format!("compose/{name}/docker-compose.yml"));
    let mut checkout = vec![
        (desired("watchme.toml"), POLICY.to_owned()),
        (
            desired("etc/docker/daemon.json"),
            "{\"log-opts\": {\"max-size\": \"10m\"}, \"log-driver\": \"json-file\"}\n".to_owned(),
        ),
    ];
    for (at, name) in ["one", "two"].iter().enumerate() {
        let port = 8101 + u16::try_from(at).unwrap();
        // Healthy after some seconds only: that has to be waited for, too.
        let health = "    healthcheck: {test: ['CMD', 'wget', '-q', '-O-', 'http://127.0.0.1:8000/health'], interval: 3s}\n";
        checkout.push((
            files[at].clone(),
            compose_file("server", name, "app:1", port) + health,
        ));
        let unit = compose_unit(&format!("-f {CHECKOUT}/{}", files[at]));
        // A unit that takes its time to start.
        let slow = unit.replace(
            "ExecStart=",
            "Type=notify\nNotifyAccess=all\nExecStartPre=/bin/sleep 4\nExecStart=",
        );
        let unit = if *name == "two" {
            slow.replace("Type=notify\nNotifyAccess=all\n", "")
        } else {
            unit
        };
        checkout.push((desired(&format!("systemd/{name}.service")), unit));
    }
    let checkout: Vec<_> = checkout
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    host.checkout(&checkout);
    host.apply(&[]).expect(0);
    let daemon = host.property("docker.service", "MainPID");

    host.commit(
        &[(
            &desired("etc/docker/daemon.json"),
            Some("{\"log-opts\": {\"max-size\": \"20m\"}, \"log-driver\": \"json-file\"}\n"),
        )],
        "larger logs",
    );
    let plan = host.tool(&["plan"]).expect(0).stdout;
    assert!(
        plan.contains("restart, interrupts docker.service and one.service, two.service"),
        "{plan}"
    );
    host.apply(&[]).expect(0);
    assert_ne!(host.property("docker.service", "MainPID"), daemon);
    assert_eq!(containers(&host), "one running\ntwo running");
    for unit in ["one.service", "two.service"] {
        assert!(host.is_active(unit), "{unit}");
    }
    let health = host.sh(
        "docker inspect -f '{{.State.Health.Status}} {{.HostConfig.LogConfig.Config}}' one two",
    );
    assert_eq!(
        health,
        "healthy map[max-size:20m]\nhealthy map[max-size:20m]"
    );
    assert_answers(&host, 8101, "app:1");
    assert_answers(&host, 8102, "app:1");
    host.assert_does_nothing(&["apply"]).expect(0);
}

/// systemd counts starts, and refuses one more than `StartLimitBurst=`: what somebody asks for is no loop.
#[test]
fn units_restart_however_often_they_were_started_before() {
    let host = Host::boot();
    let unit = |needs: &str, seconds: u32| {
        format!(
            "[Unit]\nStartLimitBurst=1\nStartLimitIntervalSec=1h\n{needs}\n[Service]\nExecStart=/bin/sleep {seconds}\n\n\
             [Install]\nWantedBy=multi-user.target\n"
        )
    };
    let (web, along) = (
        desired("systemd/web.service"),
        desired("systemd/along.service"),
    );
    host.checkout(&[
        (&web, &unit("", 1000)),
        (
            &along,
            &unit("Requires=web.service\nAfter=web.service\n", 1000),
        ),
    ]);
    host.apply(&[]).expect(0);
    for seconds in [1001, 1002] {
        host.commit(&[(&web, Some(&unit("", seconds)))], "another command");
        host.apply(&[]).expect(0);
        assert!(host.is_active("web.service") && host.is_active("along.service"));
    }
    host.tool(&["rollback"]).expect(0);
    assert!(host.is_active("web.service") && host.is_active("along.service"));
    let bad = unit("", 1002).replace("/bin/sleep", "/bin/false");
    host.commit(&[(&web, Some(&bad))], "a bad one");
    host.apply(&[]).expect(3);
    assert!(host.is_active("web.service") && host.is_active("along.service"));
}

/// What `docker-compose config` would show and no engine takes: JSON, and a setting that dockerd does not know.
#[test]
#[ignore = "long: tests/run --all"]
fn an_engine_that_does_not_start_is_told_in_its_own_words() {
    let host = Host::with_images(&["app:1"]);
    let path = desired("etc/docker/daemon.json");
    host.checkout(&[
        (&desired("watchme.toml"), POLICY),
        (&path, "{\"debug\": false}\n"),
        (
            "compose/one/docker-compose.yml",
            &compose_file("server", "one", "app:1", 8101),
        ),
        (
            &desired("systemd/one.service"),
            &compose_unit(&format!("-f {CHECKOUT}/compose/one/docker-compose.yml")),
        ),
    ]);
    host.apply(&[]).expect(0);
    host.commit(&[(&path, Some("{\"no-such-setting\": 1}\n"))], "typo");
    // An engine that validates its file refuses it before.
    let failed = host.apply(&[]);
    assert!([1, 3].contains(&failed.status), "{}", failed.text());
    for part in ["no-such-setting", "docker"] {
        assert!(
            failed.stderr.contains(part),
            "{part} is not in\n{}",
            failed.text()
        );
    }
    if failed.status == 3 {
        assert!(
            failed
                .stderr
                .contains("unable to configure the Docker daemon")
                && failed.stderr.contains("journalctl -u docker.service"),
            "{}",
            failed.text()
        );
    }
    assert_eq!(host.read("/etc/docker/daemon.json"), "{\"debug\": false}\n");
    assert_eq!(containers(&host), "one running");
    assert_answers(&host, 8101, "app:1");

    // An engine without a socket of systemd, which once does not start: images and names wait until it runs again.
    host.commit(&[(&path, Some("{\"debug\": true}\n"))], "debug");
    host.apply(&[]).expect(0);
    host.sh(
        "sed -e '/docker.socket/d' -e 's,-H fd://,-H unix:///run/docker.sock,' -e 's,^Restart=.*,Restart=no,' \
             -e 's,^ExecStart=,ExecStartPre=/bin/sh -c \"if rm /run/once; then exit 1; fi\"\\n&,' \
             /lib/systemd/system/docker.service > /etc/systemd/system/docker.service
         systemctl disable -q --now docker.socket; systemctl daemon-reload; systemctl restart docker",
    );
    host.wait_for("the container", Duration::from_secs(30), || {
        containers(&host) == "one running"
    });
    host.write("/run/once", "");
    let failed = host.tool(&["rollback"]).expect(3).text();
    assert!(
        failed.contains("docker.service: restart failed"),
        "{failed}"
    );
    assert_eq!(host.read("/etc/docker/daemon.json"), "{\"debug\": true}\n");
    assert_eq!(containers(&host), "one running");
    assert_answers(&host, 8101, "app:1");
}

/// As an upgrade by hand does it, or a move of Docker's folder.
#[test]
fn stacks_start_again_after_docker_was_stopped_and_started() {
    let host = Host::with_images(&["app:1"]);
    let service = "services:\n  app:\n    image: app:1\n    restart: unless-stopped\n    ports: ['127.0.0.1:8101:8000']\n";
    host.checkout(&[(&desired("compose/app/compose.yaml"), service)]);
    host.apply(&[]).expect(0);
    host.sh("systemctl restart docker");
    assert_answers(&host, 8101, "app:1");
    host.sh("systemctl stop docker.socket docker.service; systemctl start docker.service");
    assert!(!host.is_active("stack-app.service"));
    let drift = host.tool(&["drift"]).expect(2).text();
    assert!(drift.contains("unit/stack-app.service"), "{drift}");
    host.apply(&[]).expect(0);
    assert!(host.is_active("stack-app.service"));
    assert_answers(&host, 8101, "app:1");
}
