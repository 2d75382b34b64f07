//! Compose files of the checkout that a unit names.

use std::time::Duration;

use crate::support::{CHECKOUT, Host, sleeper};

/// The unit runs a compose file of the checkout.
const WEB: &str = "[Unit]
Requires=docker.service
After=docker.service

[Service]
TimeoutStartSec=0
ExecStart=/usr/bin/docker-compose -f /home/ubuntu/watchme-server-configs/compose/web/docker-compose.yml up
ExecStop=/usr/bin/docker-compose -f /home/ubuntu/watchme-server-configs/compose/web/docker-compose.yml down
Restart=always

[Install]
WantedBy=multi-user.target
";

fn compose(image: &str) -> String {
    format!("services:\n  web:\n    image: {image}\n    ports: ['127.0.0.1:8101:8000']\n")
}

const COMPOSE_FILE: &str = "compose/web/docker-compose.yml";
const PORT: &str = "http://localhost:8101/";

#[track_caller]
fn assert_serves(host: &Host, image: &str) {
    host.wait_for(image, Duration::from_secs(20), || {
        host.get(PORT) == (200, format!("{image}\n"))
    });
}

#[test]
fn a_compose_file_runs_as_it_was_applied() {
    let host = Host::boot();
    for image in ["web:1", "web:2"] {
        host.load_service_image(image, 8000, &[]);
    }
    host.checkout(&[
        ("desired-state/systemd/web.service", WEB),
        ("desired-state/systemd/one.service", &sleeper(1001)),
        (COMPOSE_FILE, &compose("web:1")),
    ]);
    host.apply(&[]).expect(0);
    assert_eq!(
        host.get(PORT),
        (200, "web:1\n".into()),
        "apply waits for its containers"
    );

    a_pull_alone_changes_nothing_that_runs(&host);
    let before = host.runs(&["one.service", "web.service"]);
    host.apply(&[]).expect(0);
    assert_eq!(host.get(PORT), (200, "web:2\n".into()));
    assert_eq!(
        host.runs(&["one.service", "web.service"])
            .restarted_since(&before),
        ["web.service"]
    );

    a_unit_over_the_same_file_is_a_replacement(&host);
    an_image_that_nobody_has_interrupts_nothing(&host);
    a_renamed_compose_file_moves_the_containers(&host);
    let files = [
        ("desired-state/systemd/site.service", None),
        ("compose/www", None),
    ];
    host.commit(&files, "web goes");
    host.apply(&[]).expect(0);
    assert_eq!(
        host.sh("docker ps -aq --filter label=com.docker.compose.project=www"),
        ""
    );
    assert_eq!(
        host.sh(
            "find /etc/systemd/system /etc/watchme-apply/live -name '*site*' -o -name '*compose*'"
        ),
        ""
    );
    let status = host.sh_as(
        "ubuntu",
        &format!("cd {CHECKOUT}; git status --porcelain; ls {CHECKOUT}"),
    );
    assert_eq!(
        status, "desired-state",
        "no empty file in the place of the compose file"
    );
}

fn a_pull_alone_changes_nothing_that_runs(host: &Host) {
    host.commit(&[(COMPOSE_FILE, Some(&compose("web:2")))], "the second web");
    host.sh("systemctl restart web.service");
    assert_serves(host, "web:1");
    let pending = host.tool(&["drift"]).expect(2).stdout;
    assert!(
        pending
            .lines()
            .any(|line| line.starts_with("pending") && line.contains(COMPOSE_FILE)),
        "{pending}"
    );
    assert!(
        !pending.contains("drifted") && !pending.contains("unloaded"),
        "{pending}"
    );
    host.reboot();
    assert_serves(host, "web:1");
}

/// The old one's `down` after the new one's `up` would take the new one's container away.
fn a_unit_over_the_same_file_is_a_replacement(host: &Host) {
    host.sh_as(
        "ubuntu",
        &format!("cd {CHECKOUT}/desired-state/systemd; git mv web.service site.service"),
    );
    host.commit(&[], "renamed");
    let plan = host.tool(&["plan"]).expect(0).stdout;
    assert!(plan.contains("interrupts"), "{plan}");
    host.apply(&[]).expect(0);
    assert_eq!(host.get(PORT), (200, "web:2\n".into()));
    assert!(host.is_active("site.service"));
    assert_eq!(host.property("web.service", "LoadState"), "not-found");
    let units = "journalctl --sync; journalctl -u web.service -u site.service -o cat _PID=1 | grep -E '^(Stopped|Started)' | tail -2";
    assert_eq!(
        host.sh(units),
        "Stopped web.service.\nStarted site.service."
    );
}

fn an_image_that_nobody_has_interrupts_nothing(host: &Host) {
    let images = || host.sh("docker ps -q --no-trunc | xargs docker inspect -f {{.Image}}");
    let (picture, before) = (host.picture(), images());
    host.commit(
        &[(COMPOSE_FILE, Some(&compose("registry.example.com/none:1")))],
        "no such image",
    );
    let failed = host.apply(&[]).expect(1).text();
    assert!(
        failed.contains("could not pull the image registry.example.com/none:1 for site.service"),
        "{failed}"
    );
    assert_serves(host, "web:2");
    host.assert_unchanged(&picture, "no such image");
    assert_eq!(images(), before);
}

/// Another folder is another compose project: the unit's new `down` knows nothing of the old containers.
fn a_renamed_compose_file_moves_the_containers(host: &Host) {
    let unit = format!("{CHECKOUT}/desired-state/systemd/site.service");
    host.sh_as(
        "ubuntu",
        &format!("cd {CHECKOUT}; git mv compose/web compose/www; sed -i 's,compose/web/,compose/www/,' {unit}"),
    );
    host.commit(
        &[("compose/www/docker-compose.yml", Some(&compose("web:1")))],
        "renamed",
    );
    host.apply(&[]).expect(0);
    assert_eq!(host.get(PORT), (200, "web:1\n".into()));
    let running = host.sh("docker ps --format '{{.Label \"com.docker.compose.project\"}}'");
    assert_eq!(running, "www", "and none of the old project");
    assert!(!host.stands("/etc/watchme-apply/live/files/compose/web"));
    host.assert_does_nothing(&["apply"]).expect(0);
}
