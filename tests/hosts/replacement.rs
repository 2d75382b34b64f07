//! Units that cannot run side by side: the plan says that it interrupts, the old one stops first, and it comes back
//! when the new one fails.

use std::time::Duration;

use crate::support::{Baseline, CHECKOUT, Host, Service, desired};

const BASELINE: Baseline<'_> = Baseline {
    units: &["old.service", "new.service", "other.service"],
    urls: &["http://localhost:8101/", "http://localhost:8102/"],
};

/// A unit over `compose/FOLDER/docker-compose.yml`.
fn unit(description: &str, folder: &str) -> String {
    let compose =
        format!("/usr/bin/docker-compose -f {CHECKOUT}/compose/{folder}/docker-compose.yml");
    format!(
        "[Unit]
Description={description}
Requires=docker.service
After=docker.service

[Service]
TimeoutStartSec=0
ExecStart={compose} up
ExecStop={compose} down
Restart=always

[Install]
WantedBy=multi-user.target
"
    )
}

fn compose(image: &str, container: &str, port: u16) -> String {
    format!(
        "services:
  server:
    image: {image}
    container_name: {container}
    network_mode: bridge
    ports: ['127.0.0.1:{port}:8000']
"
    )
}

/// The same, with a container that ends at once.
fn failing(image: &str, container: &str, port: u16) -> String {
    format!(
        "{}    command: ['false']\n",
        compose(image, container, port)
    )
}

fn path_of(folder: &str) -> String {
    format!("compose/{folder}/docker-compose.yml")
}

/// A host on which `old.service` runs container `shared` from `compose/first`.
fn host() -> Host {
    let host = Host::boot();
    host.load_service_images(&["one:1", "two:1"].map(|image| Service {
        image,
        port: 8000,
        paths: &[],
    }));
    host.checkout(&[
        (&desired("systemd/old.service"), &unit("old", "first")),
        (&path_of("first"), &compose("one:1", "shared", 8101)),
    ]);
    host.apply(&[]).expect(0);
    assert_answers(&host, 8101, "one:1");
    host
}

#[track_caller]
fn assert_answers(host: &Host, port: u16, image: &str) {
    host.wait_for_image(image, port, Duration::from_secs(60));
}

/// The plan says that `old` is interrupted and why; the new one fails, and everything is as it was; then it does not
/// fail, and the old one was stopped before the new one started.
#[track_caller]
fn assert_replaces(
    host: &Host,
    changes: &[(&str, Option<&str>)],
    good: (&str, &str),
    bad: &str,
    because: &str,
) {
    let served = BASELINE.look(host);
    let compose_file = good.0;
    host.commit(
        &[changes, &[(compose_file, Some(bad))]].concat(),
        "a new one that fails",
    );
    let plan = host.tool(&["plan"]).expect(0).stdout;
    let said = plan
        .lines()
        .find(|line| line.contains("new.service replaces it"));
    assert!(
        said.is_some_and(|line| line.contains(because)),
        "{because}: {plan}"
    );
    let failed = host.apply(&[]).expect(3);
    let last = failed.last_lines(15);
    assert!(
        last.contains("new.service") && last.contains("rolled back"),
        "{last}"
    );
    BASELINE.assert_unchanged(host, &served, "the new one failed");

    host.commit(&[(compose_file, Some(good.1))], "a new one that runs");
    host.apply(&[]).expect(0);
    assert!(host.is_active("new.service"));
    assert_eq!(host.property("old.service", "LoadState"), "not-found");
    assert_eq!(host.sh("docker ps -a --format '{{.Names}}'"), "shared");
    let order = "journalctl --sync; journalctl -u old.service -u new.service -o cat _PID=1 | grep -E '^(Stopped|Started)' | tail -2";
    let told = host.sh(order);
    assert!(
        told.starts_with("Stopped old") && told.contains("\nStarted new"),
        "{told}"
    );
    host.assert_does_nothing(&["apply"]).expect(0);
}

#[test]
fn a_renamed_unit_over_the_same_compose_file_takes_its_place() {
    let host = host();
    let (old, new) = (
        desired("systemd/old.service"),
        desired("systemd/new.service"),
    );
    // Renamed, and not the same bytes either.
    let renamed = unit("new", "first");
    let (good, bad) = (
        compose("two:1", "shared", 8101),
        failing("two:1", "shared", 8101),
    );
    assert_replaces(
        &host,
        &[(&old, None), (&new, Some(&renamed))],
        (&path_of("first"), &good),
        &bad,
        "the same compose project, first",
    );
    assert_answers(&host, 8101, "two:1");
    host.reboot();
    assert_answers(&host, 8101, "two:1");
    assert_eq!(host.property("old.service", "LoadState"), "not-found");
}

#[test]
fn a_unit_with_the_same_container_name_takes_its_place() {
    let host = host();
    let (old, new) = (
        desired("systemd/old.service"),
        desired("systemd/new.service"),
    );
    let other = unit("new", "second");
    let (good, bad) = (
        compose("two:1", "shared", 8102),
        failing("two:1", "shared", 8102),
    );
    assert_replaces(
        &host,
        &[
            (&old, None),
            (&path_of("first"), None),
            (&new, Some(&other)),
        ],
        (&path_of("second"), &good),
        &bad,
        "the same container name, shared",
    );
    assert_answers(&host, 8102, "two:1");
    assert_eq!(host.get("http://localhost:8101/").0, 0);
}

/// Both stay, and each wants what the other has: one restart after the other cannot work.
#[test]
#[ignore = "long: tests/run --all"]
fn units_that_exchange_names_and_ports_both_stop_first() {
    let host = host();
    let other = unit("other", "second");
    host.commit(
        &[
            (&desired("systemd/other.service"), Some(&other)),
            (&path_of("second"), Some(&compose("two:1", "another", 8102))),
        ],
        "another",
    );
    host.apply(&[]).expect(0);
    assert_answers(&host, 8102, "two:1");
    host.commit(
        &[
            (&path_of("first"), Some(&compose("one:1", "another", 8102))),
            (&path_of("second"), Some(&compose("two:1", "shared", 8101))),
        ],
        "exchanged",
    );
    let plan = host.tool(&["plan"]).expect(0).stdout;
    for line in [
        "unit/old.service: stop, interrupts only old.service  (other.service takes its container name, shared)",
        "unit/other.service: stop, interrupts only other.service  (old.service takes its container name, another)",
    ] {
        assert!(plan.contains(line), "{plan}");
    }
    host.apply(&[]).expect(0);
    assert_answers(&host, 8101, "two:1");
    assert_answers(&host, 8102, "one:1");
    let names = host.sh("docker ps -a --format '{{.Names}} {{.Image}}' | sort");
    assert_eq!(names, "another one:1\nshared two:1");
}
