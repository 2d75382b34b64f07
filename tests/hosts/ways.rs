//! A service that runs its container another way: the change is applied in one go, nothing of the old way is left, and
//! what stands in the way is told before anything stops.

mod adopted;
mod binds;
mod images;
mod migration;
mod restart;
mod upstreams;
mod volumes;

use std::time::Duration;

use crate::support::{Baseline, CHECKOUT, Host, desired};

/// A unit with these commands, as people write it for Docker.
fn unit(start: &str, stop: &str) -> String {
    format!(
        "[Unit]\nRequires=docker.service\nAfter=docker.service\n\n[Service]\nTimeoutStartSec=0\n{start}\n{stop}\n\
         Restart=always\nRestartSec=1\n\n[Install]\nWantedBy=multi-user.target\n"
    )
}

/// `docker run` in the foreground.
fn run(name: &str, image: &str, port: u16) -> String {
    unit(
        &format!(
            "ExecStart=/usr/bin/docker run --rm --name {name} -p 127.0.0.1:{port}:8000 {image}"
        ),
        &format!("ExecStop=/usr/bin/docker stop -t 1 {name}"),
    )
}

/// Compose with files of the checkout.
fn compose_unit(options: &str) -> String {
    let compose = format!("/usr/bin/docker-compose {options}");
    unit(
        &format!("ExecStart={compose} up"),
        &format!("ExecStop={compose} down"),
    )
}

fn compose_file(service: &str, container: &str, image: &str, port: u16) -> String {
    format!(
        "services:\n  {service}:\n    image: {image}\n    container_name: {container}\n    network_mode: bridge\n    \
         ports: ['127.0.0.1:{port}:8000']\n"
    )
}

#[track_caller]
fn assert_answers(host: &Host, port: u16, image: &str) {
    host.wait_for_image(image, port, Duration::from_secs(30));
}

fn containers(host: &Host) -> String {
    host.sh("docker ps -a --format '{{.Names}} {{.State}}' | sort")
}

#[test]
#[ignore = "long: tests/run --all"]
fn each_way_gives_its_name_and_port_to_the_next() {
    let host = Host::with_images(&["app:1", "app:2"]);
    let unit_path = desired("systemd/web.service");
    host.checkout(&[(&unit_path, &run("web", "app:1", 8101))]);
    host.apply(&[]).expect(0);
    assert_answers(&host, 8101, "app:1");

    // docker run -> compose, and first one whose container ends at once.
    let path = "compose/web/docker-compose.yml";
    let by_compose = compose_unit(&format!("-f {CHECKOUT}/{path}"));
    let good = compose_file("server", "web", "app:2", 8101);
    let bad = format!("{good}    command: ['false']\n");
    let baseline = Baseline {
        units: &["web.service"],
        urls: &["http://localhost:8101/"],
    };
    let before = baseline.look(&host);
    host.commit(
        &[(&unit_path, Some(&by_compose)), (path, Some(&bad))],
        "compose, and it fails",
    );
    let plan = host.tool(&["plan"]).expect(0).stdout;
    assert!(
        plan.contains("unit/web.service: stop, interrupts only web.service  (stop it first: the new unit no longer runs the container web)"),
        "{plan}"
    );
    let failed = host.apply(&[]).expect(3);
    assert!(
        failed.last_lines(20).contains("rolled back"),
        "{}",
        failed.text()
    );
    assert_answers(&host, 8101, "app:1");
    baseline.assert_unchanged(&host, &before, "the new way failed");
    host.commit(&[(path, Some(&good))], "compose");
    host.apply(&[]).expect(0);
    assert_answers(&host, 8101, "app:2");
    assert_eq!(containers(&host), "web running");

    let other = "services/app/docker-compose.yml";
    let files = format!("-f {CHECKOUT}/stacks/a.yml -f {CHECKOUT}/stacks/b.yml");
    let (image1, image2) = (
        compose_file("server", "web", "app:1", 8101),
        compose_file("other", "web", "app:2", 8101),
    );
    for (what, unit, files, image) in [
        (
            "another folder, and so another project",
            compose_unit(&format!("-f {CHECKOUT}/{other}")),
            vec![(other, image1.as_str())],
            "app:1",
        ),
        (
            "another project by name",
            compose_unit(&format!("-p named -f {CHECKOUT}/{other}")),
            vec![],
            "app:1",
        ),
        (
            "another service name in the same project",
            compose_unit(&format!("-p named -f {CHECKOUT}/{other}")),
            vec![(other, image2.as_str())],
            "app:2",
        ),
        (
            "two files",
            compose_unit(&files),
            vec![
                ("stacks/a.yml", image1.as_str()),
                (
                    "stacks/b.yml",
                    "services: {server: {environment: {A: '1'}}}\n",
                ),
            ],
            "app:1",
        ),
        (
            "docker run again",
            run("web", "app:2", 8101),
            vec![],
            "app:2",
        ),
    ] {
        let mut changes = vec![(unit_path.as_str(), Some(unit.as_str()))];
        changes.extend(files.iter().map(|(path, text)| (*path, Some(*text))));
        host.commit(&changes, what);
        let applied = host.apply(&[]);
        assert_eq!(applied.status, 0, "{what}: {}", applied.text());
        assert_answers(&host, 8101, image);
        assert_eq!(containers(&host), "web running", "{what}");
    }
    host.assert_does_nothing(&["apply"]).expect(0);
}

/// What holds a name or a port and belongs to nobody here is told before anything stops.
#[test]
#[ignore = "long: tests/run --all"]
fn a_container_of_nobody_is_a_refusal_with_the_command_that_frees_it() {
    let host = Host::with_images(&["app:1", "app:2"]);
    let path = "compose/web/docker-compose.yml";
    let unit_path = desired("systemd/web.service");
    host.checkout(&[
        (&unit_path, &compose_unit(&format!("-f {CHECKOUT}/{path}"))),
        (path, &compose_file("server", "web", "app:1", 8101)),
    ]);
    host.apply(&[]).expect(0);
    let web = host.sh("docker inspect -f '{{.Id}}' web");
    host.sh("docker run -d --name old -p 127.0.0.1:8102:8000 app:1");
    for (name, port, what) in [
        ("old", 8103, "the container name old"),
        ("web", 8102, "port 8102"),
    ] {
        host.commit(
            &[(path, Some(&compose_file("server", name, "app:2", port)))],
            what,
        );
        for command in ["plan", "apply"] {
            let refused = host.tool(&[command]).expect(1).text();
            assert!(
                refused.contains(&format!("{what} is taken by a container that no unit runs"))
                    && refused.contains("docker rm -f old"),
                "{refused}"
            );
        }
        assert_eq!(
            host.sh("docker inspect -f '{{.Id}} {{.State.Running}}' web"),
            format!("{web} true"),
            "{what}: nothing stopped"
        );
    }
    host.sh("docker rm -f old");
    host.apply(&[]).expect(0);
    assert_answers(&host, 8102, "app:2");
    assert_eq!(containers(&host), "web running");

    // A program that listens there and is no container.
    host.sh("systemd-run -q --unit squatter busybox httpd -f -p 127.0.0.1:8104");
    host.wait_for("the squatter", Duration::from_secs(10), || {
        host.run(&["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8104"])
            .status
            == 0
    });
    host.commit(
        &[(path, Some(&compose_file("server", "web", "app:2", 8104)))],
        "a port of a program",
    );
    let refused = host.apply(&[]).expect(1).text();
    assert!(
        refused.contains(
            "web.service publishes port 8104, and busybox (squatter.service) listens there"
        ) && refused.contains("systemctl disable --now squatter.service"),
        "{refused}"
    );
    assert_answers(&host, 8102, "app:2");
    host.sh("systemctl stop squatter");
    host.apply(&[]).expect(0);
    assert_answers(&host, 8104, "app:2");
}
