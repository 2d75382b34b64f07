//! Quadlets: placed, validated, made anew before their units restart, rolled back, removed, and up after a reboot.

use std::time::Duration;

use super::boot;
use crate::support::Host;

const WEB: &str = "desired-state/containers/web.container";
const NETWORK: &str = "desired-state/containers/app.network";
const VOLUME: &str = "desired-state/containers/data.volume";
const DROPIN: &str = "desired-state/containers/web.container.d/10-name.conf";
const OTHER: &str = "desired-state/containers/other.container";

fn container(image: &str, port: u16) -> String {
    format!(
        "[Unit]
Description=web

[Container]
Image={image}
Pull=never
PublishPort=127.0.0.1:{port}:8000
Network=app.network
Volume=data.volume:/data

[Service]
Restart=always

[Install]
WantedBy=multi-user.target
"
    )
}

fn answers(host: &Host, port: u16) -> u16 {
    host.get(&format!("http://localhost:{port}/")).0
}

fn invocation(host: &Host, unit: &str) -> String {
    host.sh(&format!("systemctl show -p InvocationID --value {unit}"))
}

#[test]
fn quadlets_are_applied_as_units_are() {
    let host = boot();
    host.checkout(&[
        (WEB, &container("localhost/web:1", 8021)),
        (DROPIN, "[Container]\nContainerName=site\n"),
        (NETWORK, "[Network]\nSubnet=172.28.0.0/24\n"),
        (VOLUME, "[Volume]\n"),
        (
            OTHER,
            &container("localhost/web:1", 8022).replace("Network=app.network\n", ""),
        ),
    ]);
    host.apply(&[]).expect(0);
    assert_eq!((answers(&host, 8021), answers(&host, 8022)), (200, 200));
    assert_eq!(
        host.sh("podman ps --format '{{.Names}}' | sort"),
        "site\nsystemd-other"
    );
    let link = host.sh("readlink /etc/containers/systemd/web.container");
    assert_eq!(link, "/etc/watchme-apply/live/containers/web.container");
    let plan = host.tool(&["apply"]).expect(0).stdout;
    assert!(plan.contains("in sync"), "{plan}");

    a_changed_port_is_served(&host);
    what_is_wrong_is_refused(&host);
    a_failing_start_is_rolled_back(&host);
    drift_and_pauses(&host);

    host.reboot_without_docker();
    host.wait_for("answer after the reboot", Duration::from_secs(40), || {
        answers(&host, 8031) == 200 && answers(&host, 8022) == 200
    });
    let drift = host.tool(&["drift"]).expect(0).stdout;
    assert!(drift.contains("in sync"), "{drift}");
    what_leaves_stops(&host);
}

/// Without a daemon-reload before it, a restart would start the old definition.
fn a_changed_port_is_served(host: &Host) {
    let other = invocation(host, "other.service");
    let changed = container("localhost/web:1", 8031);
    host.commit(&[(WEB, Some(&changed))], "another port");
    let said = host.apply(&[]).expect(0).stdout;
    assert!(said.contains("interrupts only web.service"), "{said}");
    assert_eq!((answers(host, 8031), answers(host, 8021)), (200, 0));
    assert_eq!(invocation(host, "other.service"), other);
    let plan = host.tool(&["plan"]).expect(0).stdout;
    assert!(plan.contains("nothing to do"), "{plan}");
}

fn what_is_wrong_is_refused(host: &Host) {
    let web = invocation(host, "web.service");
    let wrong = container("localhost/web:1", 8041).replace("PublishPort", "PublishPorts");
    host.commit(&[(WEB, Some(&wrong))], "a key that Podman does not know");
    let said = host.apply(&[]).expect(1).text();
    for part in [
        "desired-state/containers/web.container:7",
        "unsupported key 'PublishPorts' in group 'Container'",
        "nothing was changed",
    ] {
        assert!(said.contains(part), "{part}:\n{said}");
    }
    let below_etc = "desired-state/etc/containers/systemd/x.container";
    let files = [
        (WEB, Some(&*container("localhost/web:1", 8031))),
        (below_etc, Some("[Container]\n")),
    ];
    host.commit(&files, "a Quadlet in etc");
    let said = host.apply(&[]).expect(1).text();
    let instead = "put it into the folder containers/ of the desired state";
    assert!(said.contains(instead), "{said}");
    host.commit(&[(below_etc, None)], "good again");
    host.apply(&[]).expect(0);
    assert_eq!(invocation(host, "web.service"), web);
}

/// What one gives up another one takes: it stops before that starts.
#[test]
#[ignore = "long: tests/run --all"]
fn ports_and_names_move_between_quadlets() {
    let host = boot();
    let web = |image: &str, port: u16, more: &str| {
        let text = container(image, port).replace("Network=app.network\n", more);
        text.replace("Volume=data.volume:/data\n", "")
    };
    let site = "desired-state/containers/site.container";
    host.checkout(&[
        (WEB, &web("localhost/web:1", 8021, "")),
        (OTHER, &web("localhost/web:2", 8022, "ContainerName=two\n")),
    ]);
    host.apply(&[]).expect(0);
    let renamed = web("localhost/web:1", 8021, "");
    host.commit(&[(WEB, None), (site, Some(&renamed))], "another file name");
    let plan = host.tool(&["plan"]).expect(0).stdout;
    let why = "site.service replaces it and cannot run beside it (the same port, 8021)";
    assert!(plan.contains(why), "{plan}");
    host.apply(&[]).expect(0);
    assert_eq!((answers(&host, 8021), answers(&host, 8022)), (200, 200));
    let names = || host.sh("podman ps -a --format '{{.Names}} {{.Image}} {{.Ports}}' | sort");
    assert_eq!(
        names(),
        "systemd-site localhost/web:1 127.0.0.1:8021->8000/tcp\ntwo localhost/web:2 127.0.0.1:8022->8000/tcp"
    );

    let exchanged = [
        (
            site,
            Some(&*web("localhost/web:1", 8022, "ContainerName=two\n")),
        ),
        (
            OTHER,
            Some(&*web("localhost/web:2", 8021, "ContainerName=one\n")),
        ),
    ];
    host.commit(&exchanged, "the ports are exchanged, and a name moves");
    let plan = host.tool(&["plan"]).expect(0).stdout;
    assert!(
        plan.contains("site.service takes its container name, two"),
        "{plan}"
    );
    assert!(
        plan.contains("other.service takes its port, 8021"),
        "{plan}"
    );
    host.apply(&[]).expect(0);
    assert_eq!(
        names(),
        "one localhost/web:2 127.0.0.1:8021->8000/tcp\ntwo localhost/web:1 127.0.0.1:8022->8000/tcp"
    );
    let drift = host.tool(&["drift"]).expect(0).stdout;
    assert!(drift.contains("in sync"), "{drift}");
    a_socket_of_podman_tells_the_same(&host, &web);
}

/// Where the engine is Podman, the containers of Quadlets are among those that it lists.
fn a_socket_of_podman_tells_the_same(host: &Host, web: &impl Fn(&str, u16, &str) -> String) {
    let site = "desired-state/containers/site.container";
    let stack = "desired-state/compose/s/compose.yaml";
    let engine = "[engine]\nsocket = \"/run/podman/podman.sock\"\n";
    let compose = "services:\n  web: {image: 'localhost/web:1', container_name: three, ports: ['127.0.0.1:8023:8000']}\n";
    host.commit(
        &[
            ("desired-state/watchme.toml", Some(engine)),
            (stack, Some(compose)),
        ],
        "with a stack",
    );
    host.apply(&[]).expect(0);
    let exchanged = [
        (site, Some(&*web("localhost/web:1", 8021, ""))),
        (
            OTHER,
            Some(&*web("localhost/web:2", 8023, "ContainerName=three\n")),
        ),
        (
            stack,
            Some(&*compose.replace("8023", "8022").replace("three", "two")),
        ),
    ];
    host.commit(&exchanged, "three exchange");
    host.apply(&[]).expect(0);
    let names = "podman ps -a --format '{{.Names}} {{.Image}} {{.Ports}}' | sort";
    assert_eq!(
        host.sh(names),
        "systemd-site localhost/web:1 127.0.0.1:8021->8000/tcp\nthree localhost/web:2 127.0.0.1:8023->8000/tcp\ntwo localhost/web:1 127.0.0.1:8022->8000/tcp"
    );
    let drift = host.tool(&["drift"]).expect(0).stdout;
    assert!(drift.contains("in sync"), "{drift}");
}

fn a_failing_start_is_rolled_back(host: &Host) {
    let missing = container("localhost/none:1", 8031);
    host.commit(&[(WEB, Some(&missing))], "an image that nobody has");
    let said = host.apply(&[]).expect(1).text();
    assert!(
        said.contains("its image localhost/none:1 is not on this host"),
        "{said}"
    );
    assert_eq!(answers(host, 8031), 200);
    let failing = container("localhost/web:1", 8031)
        .replace("[Container]\n", "[Container]\nExec=/bin/nothing\n");
    host.commit(&[(WEB, Some(&failing))], "a command that nobody has");
    let said = host.apply(&[]).expect(3).text();
    assert!(said.contains("rolled back"), "{said}");
    assert_eq!(answers(host, 8031), 200);
    let image = host.sh("podman inspect -f '{{.ImageName}}' site");
    assert_eq!(image, "localhost/web:1");
    let good = container("localhost/web:1", 8031);
    host.commit(&[(WEB, Some(&good))], "good again");
    host.apply(&[]).expect(0);
}

fn drift_and_pauses(host: &Host) {
    host.sh("printf '[Container]\\nEnvironment=BY=hand\\n' >/etc/containers/systemd/web.container.d/99.conf");
    let drift = host.tool(&["drift"]).expect(2).stdout;
    let found = "quadlet/web.container: /etc/containers/systemd/web.container.d/99.conf";
    assert!(drift.contains(found), "{drift}");
    host.tool(&["drift", "--fix"]).expect(0);
    host.sh("systemctl stop other.service");
    let drift = host.tool(&["drift"]).expect(2).stdout;
    assert!(drift.contains("unit/other.service: is stopped"), "{drift}");
    host.tool(&["drift", "--fix"]).expect(0);
    assert_eq!((answers(host, 8031), answers(host, 8022)), (200, 200));

    host.tool(&["pause", "other.service", "--reason", "repair"])
        .expect(0);
    assert_eq!(answers(host, 8022), 0);
    host.apply(&[]).expect(0);
    assert_eq!(answers(host, 8022), 0);
    host.tool(&["resume", "other.service"]).expect(0);
    assert_eq!(answers(host, 8022), 200);
}

fn what_leaves_stops(host: &Host) {
    host.commit(
        &[(WEB, None), (NETWORK, None), (DROPIN, None)],
        "web leaves",
    );
    host.apply(&[]).expect(0);
    assert_eq!((answers(host, 8031), answers(host, 8022)), (0, 200));
    assert_eq!(
        host.sh("podman ps -a --format '{{.Names}}'"),
        "systemd-other"
    );
    let unit = host.sh("systemctl show -p LoadState --value web.service");
    assert_eq!(unit, "not-found");
    let left = host.sh("cd /etc/containers/systemd; find -type l | sort");
    assert_eq!(left, "./data.volume\n./other.container");
    let volumes = host.sh("podman volume ls -q");
    assert_eq!(volumes, "systemd-data", "volumes stay");
    let folders = host.sh("cd /etc/containers/systemd; find . -name '*.d'");
    assert_eq!(folders, "", "that of its drop-ins is gone");
    // One that was killed, and an ordinary unit.
    let unit = "[Service]\nExecStart=/bin/sleep 1000000\n\n[Install]\nWantedBy=multi-user.target\n";
    let ordinary = "desired-state/systemd/ordinary.service";
    host.commit(&[(ordinary, Some(unit))], "an ordinary unit");
    host.apply(&[]).expect(0);
    host.sh("systemctl kill -s KILL ordinary.service; podman kill systemd-other; systemctl stop other.service");
    let failed = || host.sh("systemctl list-units --failed --plain --no-legend | cut -d' ' -f1");
    host.wait_for("fail", Duration::from_secs(20), || {
        failed() == "ordinary.service\nother.service"
    });
    host.commit(
        &[
            (ordinary, None),
            (OTHER, None),
            ("desired-state/watchme.toml", Some("")),
            (VOLUME, None),
        ],
        "all leave",
    );
    host.apply(&["--allow-empty"]).expect(0);
    assert_eq!(failed(), "");
}
