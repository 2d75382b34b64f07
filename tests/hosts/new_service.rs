//! `new service` on a server that runs others: what it writes is committed, applied and asked through nginx as it is.

use crate::support::{CHECKOUT, Host, Service, desired};

const SITE: &str = "server {
    listen 80;
    server_name api.example.com;

    location / {
        return 404;
    }

    location /old/ {
        proxy_pass http://localhost:8001/;
    }
}
";
const OLD: &str = "services:
  old:
    image: old:1
    container_name: old
    restart: unless-stopped
    ports: ['127.0.0.1:8001:8001']
    networks: [shared]
networks:
  shared: {external: true}
";
const INFRA: &str = "services:
  holder:
    image: old:1
    command: [sleep, '100000']
    networks: [shared]
networks:
  shared: {name: shared}
";
const OWNER: &str = "[Unit]
Requires=docker.service
After=docker.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/docker-compose -f /home/ubuntu/watchme-server-configs/desired-state/docker-compose.infra.yml up -d
ExecStop=/usr/bin/docker-compose -f /home/ubuntu/watchme-server-configs/desired-state/docker-compose.infra.yml stop
[Install]
WantedBy=multi-user.target
";
const TOML: &str = "# Mine.
absent = [\"sites-enabled/default\"]

[network.shared]
owner = \"infra.service\"
";

#[test]
#[ignore = "long: tests/run --all"]
fn a_new_service_is_applied_as_it_is_written() {
    let host = Host::boot();
    host.load_service_images(&[
        Service {
            image: "old:1",
            port: 8001,
            paths: &[],
        },
        Service {
            image: "media:1",
            port: 8002,
            paths: &["/api/media/health", "/api/media/list"],
        },
    ]);
    host.checkout(&[
        (&desired("watchme.toml"), TOML),
        (&desired("sites-available/api.example.com"), SITE),
        (&desired("compose/old/compose.yaml"), OLD),
        (&desired("docker-compose.infra.yml"), INFRA),
        (&desired("systemd/infra.service"), OWNER),
    ]);
    host.apply(&[]).expect(0);
    let old = host.sh("docker inspect -f '{{.Id}} {{.State.StartedAt}}' old");

    // A program that listens has its port; the next one is free.
    let said = host
        .tool(&["new", "service", "media", "--internal-path", "/api/media/"])
        .expect(0)
        .stdout;
    assert!(
        said.contains("http://api.example.com/media/ reaches http://localhost:8002/api/media/"),
        "{said}"
    );
    // Root has written it for whom the checkout belongs to.
    let owners = host.sh(&format!("find {CHECKOUT} -not -user ubuntu"));
    assert_eq!(owners, "");
    let checked = host.tool(&["check"]).expect(0).stdout;
    assert!(!checked.contains("media"), "{checked}");

    host.commit(&[], "media");
    let applied = host.apply(&[]).expect(0);
    assert!(
        applied
            .stdout
            .contains("gate http://api.example.com/media/health"),
        "{}",
        applied.text()
    );
    assert_eq!(
        host.get("http://api.example.com/media/list"),
        (200, "media:1\n".to_owned())
    );
    assert_eq!(host.get("http://api.example.com/old/").0, 200);
    // Others on the network reach it by its name; nothing else was touched.
    let inner = host.sh("docker exec old wget -q -O - http://media:8002/api/media/list");
    assert_eq!(inner, "media:1");
    assert_eq!(
        host.sh("docker inspect -f '{{.State.Health.Status}}' media"),
        "healthy"
    );
    assert_eq!(
        host.sh("docker inspect -f '{{.Id}} {{.State.StartedAt}}' old"),
        old
    );
    assert!(host.sh("ss -ltn").contains("127.0.0.1:8002"));
    host.tool(&["plan"]).expect(0);
    // Its folder is all that says of it what is asked: with it and its location, it goes.
    let settings = desired("compose/media/watchme-service.toml");
    let said = host.sh(&format!("cat {CHECKOUT}/{settings}"));
    assert!(
        said.contains("[[route]]") && said.contains("[[gate]]"),
        "{said}"
    );
    assert_eq!(
        host.sh(&format!("cat {CHECKOUT}/{}", desired("watchme.toml"))),
        TOML.trim_end()
    );
    // A gate in it that fails is a gate of the run.
    let failing =
        format!("{said}\n\n[[gate]]\nurl = \"http://api.example.com/media/gone\"\nretries = 0\n");
    host.commit(&[(&settings, Some(&failing))], "failing");
    let failed = host.apply(&[]).expect(1).text();
    assert!(
        failed.contains("http://api.example.com/media/gone: expected 200, got 404"),
        "{failed}"
    );
    host.commit(&[(&settings, Some(&said))], "back");
    host.apply(&[]).expect(0);
    let again = host.tool(&["new", "service", "media"]).expect(1).text();
    assert!(again.contains("a service media already exists"), "{again}");
}
