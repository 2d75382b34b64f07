//! `status --migration` and `prune` on an offline root, where there are files and no engine.

use crate::support::{Place, keeps_to};

const FILES: [(&str, &str); 5] = [
    (
        "watchme.toml",
        "checkout = \"/srv/configs\"\n[network.shared]\nowner = \"infra.service\"\nmember = [{ container = \"web-prod\" }, { container = \"old-prod\" }]\n",
    ),
    (
        "docker-compose.infra.yml",
        "services: {}\nnetworks:\n  shared:\n    name: shared\n    driver: bridge\n    ipam: {config: [{subnet: 172.27.0.0/16}]}\n",
    ),
    (
        "systemd/infra.service",
        "[Service]\nType=oneshot\nExecStart=/usr/bin/docker-compose -p infra -f /srv/configs/docker-compose.infra.yml up -d\n",
    ),
    (
        "systemd/web.service",
        "[Unit]\nAfter=infra.service\n\n[Service]\nExecStart=/usr/bin/docker-compose -f /srv/web/docker-compose.yml up\n",
    ),
    (
        "systemd/job.service",
        "[Unit]\nAfter=infra.service\nRequires=infra.service\n\n[Service]\nExecStart=/usr/bin/docker-compose -f /srv/job/docker-compose.yml up\n",
    ),
];

#[test]
fn what_is_left_to_do_is_said_of_each_service() {
    let place = Place::git(&FILES);
    let compose = |service: &str, container: &str, network: &str| {
        format!(
            "services:\n  {service}:\n    image: app:1\n    container_name: {container}\n    networks: [shared]\nnetworks:\n  shared: {network}\n"
        )
    };
    place.write_host(
        "/srv/web/docker-compose.yml",
        &compose("web", "web-prod", "{driver: bridge}"),
    );
    place.write_host(
        "/srv/job/docker-compose.yml",
        &compose("job", "job-prod", "{external: true}"),
    );
    let none = place.run(&["status", "--migration"]).expect(1).stderr;
    assert!(none.contains("watchme-apply apply"), "{none}");
    place.run(&["apply"]).expect(0);
    let before = place.host();
    let told = place.run(&["status", "--migration"]).expect(0).stdout;
    for said in [
        "network shared, created by infra.service: 0 of ",
        "SERVICE",
        "web-prod",
        "/srv/web/docker-compose.yml: it creates web_shared itself: networks: shared: needs external: true",
        "web.service has After=infra.service, and lacks Requires= or Wants=",
        "no unit of the desired state runs it",
        "no container engine answers",
    ] {
        assert!(told.contains(said), "{said}\n{told}");
    }
    assert!(told.find("web-prod") < told.find("old-prod"), "{told}");
    let json = place.run(&["status", "--migration", "--json"]).expect(0);
    let json = keeps_to("migration", json);
    let services = json["networks"][0]["services"]
        .as_array()
        .expect("services");
    let job = services.iter().find(|one| one["unit"] == "job.service");
    let job = job.unwrap_or_else(|| panic!("{json:#}"));
    assert_eq!(
        (&job["external"]["yes"], &job["ordered"]["yes"]),
        (&true.into(), &true.into())
    );
    assert!(place.host() == before, "it writes nothing");
}

#[test]
fn prune_names_one_thing_of_an_engine() {
    let place = Place::git(&FILES);
    let before = place.host();
    let offline = place.run(&["prune", "--volume", "data"]).expect(1).stderr;
    assert!(
        offline.contains("on an offline root none runs; nothing was changed")
            && offline.contains("hint: run it on the host itself, without --root"),
        "{offline}"
    );
    for wrong in [
        &["prune"][..],
        &["prune", "--volume", "a", "--network", "b"],
    ] {
        let said = place.run(wrong).expect(64).stderr;
        assert!(said.contains("--network <NAME>"), "{said}");
    }
    assert!(place.host() == before);
}
