//! Several compose files in one folder: one project for compose, and each run by a unit of its own.

use std::time::Duration;

use crate::support::{CHECKOUT, Host, Service, desired};

const FILES: &str = "docker-compose-files";

fn unit(file: &str) -> String {
    let compose = format!("/usr/bin/docker-compose -f {CHECKOUT}/{FILES}/{file}.yml");
    format!(
        "[Unit]\nRequires=docker.service\nAfter=docker.service\n\n[Service]\nExecStart={compose} up\n\
         ExecStop={compose} down\nRestart=always\n\n[Install]\nWantedBy=multi-user.target\n"
    )
}

fn compose(service: &str, image: &str, port: u16) -> String {
    format!(
        "services:
  {service}:
    image: {image}
    container_name: {service}-prod
    network_mode: bridge
    ports: ['127.0.0.1:{port}:8000']
    healthcheck: {{test: ['CMD', 'wget', '-q', '-O-', 'http://127.0.0.1:8000/health'], interval: 1s, retries: 1}}
"
    )
}

fn path(file: &str) -> String {
    format!("{FILES}/{file}.yml")
}

#[test]
fn a_unit_answers_for_its_own_services_and_not_for_those_of_the_file_beside_it() {
    let host = Host::boot();
    host.load_service_images(&["api:1", "api:2", "web:1"].map(|image| Service {
        image,
        port: 8000,
        paths: &[],
    }));
    host.checkout(&[
        (&desired("systemd/api.service"), &unit("api")),
        (&desired("systemd/web.service"), &unit("web")),
        (&path("api"), &compose("api", "api:1", 8101)),
        (&path("web"), &compose("web", "web:1", 8102)),
    ]);
    host.apply(&[]).expect(0);
    assert_eq!(host.get("http://localhost:8101/"), (200, "api:1\n".into()));
    let id = |name: &str| host.sh(&format!("docker inspect -f '{{{{.Id}}}}' {name}"));
    let web = id("web-prod");

    // The other service falls ill: that is not this unit's affair.
    host.sh("docker exec web-prod busybox rm -r /www/health");
    host.wait_for("an unhealthy web-prod", Duration::from_secs(30), || {
        host.sh("docker inspect -f '{{.State.Health.Status}}' web-prod") == "unhealthy"
    });
    host.commit(
        &[(&path("api"), Some(&compose("api", "api:2", 8101)))],
        "api 2",
    );
    host.apply(&[]).expect(0);
    assert_eq!(host.get("http://localhost:8101/"), (200, "api:2\n".into()));
    assert_eq!(id("web-prod"), web, "the container of the other file stays");
    let drift = host.tool(&["drift"]).expect(2).stdout;
    assert!(
        drift.contains("unit/web.service: its container web-prod is unhealthy"),
        "{drift}"
    );
    assert!(!drift.contains("api.service"), "{drift}");

    // One of the two leaves: its containers go, and those of the other stay.
    host.commit(
        &[
            (&desired("systemd/api.service"), None),
            (&path("api"), None),
        ],
        "no api",
    );
    host.apply(&[]).expect(0);
    assert_eq!(host.sh("docker ps -a --format '{{.Names}}'"), "web-prod");
    assert_eq!(id("web-prod"), web);
}
