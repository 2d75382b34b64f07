//! Tests on real hosts: systemd, nginx and Docker are the real ones. Each test boots a host of its own.

mod adverse;
mod backups;
mod bad_revisions;
mod belonging;
mod beyond_reload;
mod capture;
mod changes;
mod check_compose;
mod check_nginx;
mod check_units;
mod churn;
mod confirm;
mod dependency;
mod digests;
mod doctor;
mod drift;
mod edited;
mod env_files;
mod etc_files;
mod etc_loads;
mod examples;
mod firewall;
mod forward;
mod gates;
mod generations;
mod import;
mod install;
mod kills;
mod leaving;
mod lived_in;
mod load;
mod logs;
mod members;
mod metrics;
mod moving;
mod network_loss;
mod networks;
mod new_service;
mod notify;
mod on_host;
mod one_folder;
mod overlay;
mod packages;
mod patience;
mod pictures;
mod pins;
mod platforms;
mod podman;
mod ports;
mod private;
mod prune;
mod pull_alone;
mod replacement;
mod roll_back;
mod routes;
mod runs;
mod secrets;
mod setup;
mod shipped;
mod soak;
mod stacks;
mod status;
mod support;
mod unattended;
mod unmerged;
mod validation;
mod ways;

use std::path::Path;
use std::time::Duration;

use support::{CHECKOUT, Host, Service};

/// The harness itself: were a host, or what looks at it, not what it claims to be, no other test would mean anything.
#[test]
fn a_host_is_a_real_host() {
    let host = Host::boot();
    assert_eq!(host.sh("systemctl is-system-running"), "running");
    assert!(host.sh("findmnt -no PROPAGATION /").starts_with("shared"));
    assert_eq!(
        host.get("http://api.example.com/").0,
        200,
        "Debian's default site"
    );
    assert_eq!(
        host.get("https://api.example.com/").0,
        0,
        "nothing listens there"
    );

    services_answer(&host);
    a_pull_fails_at_once(&host);
    judges_see_what_happens(&host);

    host.reboot();
    assert_eq!(host.get("http://api.example.com/").0, 200);
    host.wait_for("answer after the reboot", Duration::from_secs(20), || {
        host.get("http://localhost:8015/health") == (200, "scheduler:1\n".to_owned())
    });
}

fn services_answer(host: &Host) {
    host.load_service_image(
        "scheduler:1",
        8015,
        &["/api/scheduler/", "/api/scheduler/jobs"],
    );
    let services = [("a:1", 8001), ("b:1", 8002), ("c:1", 8003)];
    host.load_service_images(&services.map(|(image, port)| Service {
        image,
        port,
        paths: &[],
    }));
    let images = host.sh("docker image ls --format '{{.Repository}}:{{.Tag}}' | sort");
    assert_eq!(images, "a:1\nb:1\nc:1\nscheduler:1");

    let compose = "
services:
  scheduler:
    image: scheduler:1
    restart: unless-stopped
    ports: ['127.0.0.1:8015:8015']
    healthcheck: {test: ['CMD', 'wget', '-qO-', 'http://127.0.0.1:8015/health'], interval: 1s}
";
    let commit = host.checkout(&[
        ("docker-compose.yml", compose),
        ("up.sh", "#!/bin/sh\ndocker-compose up -d\n"),
    ]);
    assert_eq!(commit.len(), 40);
    assert!(
        host.tool(&["--version"])
            .expect(0)
            .stdout
            .contains(env!("CARGO_PKG_VERSION"))
    );
    assert!(host.apply(&["--help"]).expect(0).stdout.contains("--"));
    assert_eq!(
        host.read(&format!("{CHECKOUT}/docker-compose.yml")),
        compose
    );
    host.sh_as("ubuntu", &format!("cd {CHECKOUT}; sudo ./up.sh"));
    let healthy = "docker inspect -f '{{.State.Health.Status}}' $(docker ps -q)";
    host.wait_for("healthy container", Duration::from_secs(20), || {
        host.try_sh(healthy).stdout == "healthy\n"
    });
    for path in ["/", "/health", "/api/scheduler/", "/api/scheduler/jobs"] {
        let url = format!("http://localhost:8015{path}");
        assert_eq!(host.get(&url), (200, "scheduler:1\n".to_owned()), "{url}");
    }
}

fn a_pull_fails_at_once(host: &Host) {
    let changed = "services:\n  none:\n    image: registry.example.com/none:1\n";
    host.commit(
        &[("docker-compose.yml", Some(changed)), ("up.sh", None)],
        "an image that nobody has",
    );
    let pull = host.try_sh(&format!("cd {CHECKOUT}; timeout 5 docker-compose pull"));
    // 1 from compose 1, 18 from compose 2; `timeout` gives 124.
    assert!(![0, 124].contains(&pull.status), "{}", pull.text());
    assert!(
        host.try_sh_as("ubuntu", &format!("test -e {CHECKOUT}/up.sh"))
            .status
            == 1
    );
}

fn judges_see_what_happens(host: &Host) {
    host.assert_untouched(|host| host.run(&["cat", "/etc/nginx/nginx.conf"]).expect(0));
    host.assert_does_nothing(&["--version"]).expect(0);

    let (fingerprint, workers, reloads, since) = (
        host.fingerprint(),
        host.nginx_workers(),
        host.reloads(),
        host.now(),
    );
    host.write("/etc/nginx/conf.d/new.conf", "# new\n");
    host.sh("systemctl reload nginx; docker network create seen >/dev/null");
    host.wait_for("new nginx workers", Duration::from_secs(5), || {
        host.nginx_workers()
            .iter()
            .all(|worker| !workers.contains(worker))
    });
    assert_ne!(host.fingerprint().files, fingerprint.files);
    assert_eq!(host.reloads(), reloads + 1);
    assert_eq!(host.docker_events(&since), ["network create seen"]);
    host.sh("systemctl daemon-reload");
    assert_eq!(host.reloads(), reloads + 2);

    let calls = |script: &str| host.mutating_syscalls(&["sh", "-c", script]).len();
    assert_eq!(
        calls("cat /etc/passwd; echo words >&2; ls / | wc -l >/dev/null"),
        0
    );
    host.copy_in(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        "/srv/src",
    );
    host.sh("test \"$(stat -c %U /srv/src/main.rs)\" = root");
    for script in [
        "echo x >/srv/file",
        "touch /srv/file",
        "mkdir /srv/dir",
        "ln -s a /srv/link",
        "rm /srv/file",
    ] {
        assert_ne!(calls(script), 0, "{script}");
    }
}
