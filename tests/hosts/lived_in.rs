//! A server with a history, which nobody prepared: it is adopted without an interruption, and then changed in the ways in
//! which people change servers.

use std::time::Duration;

use crate::support::{CHECKOUT, Host, Service, desired};

const UNITS: [&str; 6] = [
    "alpha.service",
    "beta.service",
    "gamma.service",
    "delta.service",
    "plain.service",
    "report.timer",
];

/// A site as certbot leaves it behind.
fn site(name: &str, port: u16) -> String {
    format!(
        "server {{
    server_name {name}.example.com;
    location / {{
        proxy_pass http://127.0.0.1:{port};
        include /etc/nginx/snippets/headers.conf;
    }}

    listen 443 ssl; # managed by Certbot
    ssl_certificate /etc/letsencrypt/live/{name}.example.com/fullchain.pem; # managed by Certbot
    ssl_certificate_key /etc/letsencrypt/live/{name}.example.com/privkey.pem; # managed by Certbot
}}
server {{
    if ($host = {name}.example.com) {{
        return 301 https://$host$request_uri;
    }} # managed by Certbot

    listen 80;
    server_name {name}.example.com;
    return 404; # managed by Certbot
}}
"
    )
}

fn compose(name: &str, image: &str, port: u16) -> String {
    format!(
        "version: '3'
services:
  {name}:
    image: {image}
    restart: unless-stopped
    env_file: .env
    ports: ['127.0.0.1:{port}:8000']
    volumes: ['/opt/{name}/data:/data']
"
    )
}

fn unit(folder: &str) -> String {
    format!(
        "[Unit]\nDescription=A service\nRequires=docker.service\nAfter=docker.service\n\n[Service]\n\
         WorkingDirectory={folder}\nExecStart=/usr/bin/docker-compose up\nExecStop=/usr/bin/docker-compose down\n\
         Restart=always\n\n[Install]\nWantedBy=multi-user.target\n"
    )
}

const PLAIN: &str = "[Service]\nEnvironmentFile=/etc/default/plain\nExecStart=/bin/busybox httpd -f -p 127.0.0.1:${PORT} -h /srv/plain\n\n\
                     [Install]\nWantedBy=multi-user.target\n";
const TIMER: &str = "[Timer]\nOnCalendar=daily\n\n[Install]\nWantedBy=timers.target\n";
const REPORT: &str = "[Service]\nType=oneshot\nExecStart=/bin/true\n";
const MAPS: &str = "map $http_upgrade $connection_upgrade { default upgrade; '' close; }\n";
const HEADERS: &str = "proxy_set_header Host $host;\n";
const CRON: &str = "# Nightly\n0 3 * * * root /bin/true\n";
const POLICY: &str = "[etc.\"docker/daemon.json\"]\nrestart = \"docker.service\"\n";
const DAEMON: &str = "{\"log-driver\": \"json-file\", \"log-opts\": {\"max-size\": \"10m\"}}\n";

/// The server: 3 sites, conf.d and a snippet, 6 units, 4 compose projects in /opt, a container without a unit, cron,
/// daemon.json, lines of certbot.
fn lived_in() -> Host {
    let host = Host::boot();
    host.load_service_images(&["app:1", "app:2"].map(|image| Service {
        image,
        port: 8000,
        paths: &[],
    }));
    host.write("/etc/nginx/conf.d/maps.conf", MAPS);
    host.write("/etc/nginx/snippets/headers.conf", HEADERS);
    host.write("/etc/cron.d/nightly", CRON);
    host.write("/etc/docker/daemon.json", DAEMON);
    host.write("/etc/default/plain", "PORT=8105\n");
    host.write("/srv/plain/index.html", "plain\n");
    for (at, name) in ["alpha", "beta", "gamma", "delta"].iter().enumerate() {
        let port = 8101 + u16::try_from(at).unwrap();
        host.write(
            &format!("/opt/{name}/docker-compose.yml"),
            &compose(name, "app:1", port),
        );
        host.write(&format!("/opt/{name}/.env"), "SECRET=x\n");
        host.write(&format!("/opt/{name}/data/rows"), "kept\n");
        host.write(
            &format!("/etc/systemd/system/{name}.service"),
            &unit(&format!("/opt/{name}")),
        );
    }
    host.write("/etc/systemd/system/plain.service", PLAIN);
    host.write("/etc/systemd/system/report.timer", TIMER);
    host.write("/etc/systemd/system/report.service", REPORT);
    for (name, port) in [("alpha", 8101), ("beta", 8102), ("plain", 8105)] {
        let folder = format!("/etc/letsencrypt/live/{name}.example.com");
        host.sh(&format!(
            "mkdir -p {folder}; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 \
             -subj /CN={name}.example.com -addext subjectAltName=DNS:{name}.example.com \
             -keyout {folder}/privkey.pem -out {folder}/fullchain.pem 2>/dev/null"
        ));
        host.write(
            &format!("/etc/nginx/sites-available/{name}"),
            &site(name, port),
        );
        host.sh(&format!(
            "ln -s ../sites-available/{name} /etc/nginx/sites-enabled/{name}"
        ));
    }
    host.sh("docker run -d --name byhand -p 127.0.0.1:8109:8000 --restart unless-stopped app:1");
    host.sh(
        "systemctl restart docker; systemctl daemon-reload
         systemctl enable -q --now alpha beta gamma delta plain report.timer; systemctl reload nginx",
    );
    host.wait_for("all services", Duration::from_secs(60), || {
        (8101..=8105).all(|port| host.get(&format!("http://localhost:{port}/")).0 == 200)
    });
    host
}

/// The repository that says what is there.
fn repository() -> Vec<(String, String)> {
    let mut files = vec![
        (desired("watchme.toml"), POLICY.to_owned()),
        (desired("etc/nginx/conf.d/maps.conf"), MAPS.to_owned()),
        (
            desired("etc/nginx/snippets/headers.conf"),
            HEADERS.to_owned(),
        ),
        (desired("etc/cron.d/nightly"), CRON.to_owned()),
        (desired("etc/docker/daemon.json"), DAEMON.to_owned()),
        (desired("systemd/plain.service"), PLAIN.to_owned()),
        (desired("systemd/report.timer"), TIMER.to_owned()),
        (desired("systemd/report.service"), REPORT.to_owned()),
    ];
    for name in ["alpha", "beta", "gamma", "delta"] {
        files.push((
            desired(&format!("systemd/{name}.service")),
            unit(&format!("/opt/{name}")),
        ));
    }
    for (name, port) in [("alpha", 8101), ("beta", 8102), ("plain", 8105)] {
        files.push((
            desired(&format!("sites-available/{name}")),
            site(name, port),
        ));
    }
    files
}

/// What identifies a run of each thing that serves: processes of units, ids of containers, nginx's master.
fn runs(host: &Host) -> String {
    let pids = format!(
        "systemctl show -p Id -p MainPID -p InvocationID {}",
        UNITS.join(" ")
    );
    let docker = "systemctl show -p MainPID docker nginx; docker ps -a --no-trunc --format '{{.ID}} {{.Names}} {{.State}}' | sort";
    host.sh(&format!("{pids}; {docker}"))
}

#[track_caller]
fn apply(host: &Host, what: &str, changes: &[(&str, Option<&str>)]) {
    host.commit(changes, what);
    let applied = host.apply(&[]);
    assert_eq!(applied.status, 0, "{what}: {}", applied.text());
    host.assert_does_nothing(&["apply"]).expect(0);
}

fn serves(host: &Host, port: u16) -> String {
    let (status, body) = host.get(&format!("http://localhost:{port}/"));
    format!("{status} {}", body.trim_end())
}

#[test]
fn a_server_with_a_history_is_adopted_and_changed() {
    let host = lived_in();
    let before = runs(&host);
    let files = repository();
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    host.checkout(&files);

    // Adopted: not one service is another one than before.
    let plan = host.tool(&["plan"]).expect(0).stdout;
    for interruption in [": restart, interrupts", ": stop, interrupts", ": start  ("] {
        assert!(!plan.contains(interruption), "{interruption}: {plan}");
    }
    host.apply(&[]).expect(0);
    assert_eq!(runs(&host), before, "no service restarted");
    host.assert_does_nothing(&["apply"]).expect(0);
    host.tool(&["drift"]).expect(0);
    let path = |name: &str| desired(name);
    // 1. A site changes.
    let changed = site("alpha", 8101).replace(
        "location / {",
        "location / {\n        client_max_body_size 20m;",
    );
    apply(
        &host,
        "a larger upload",
        &[(&path("sites-available/alpha"), Some(&changed))],
    );
    assert_eq!(runs(&host), before);
    // 2. A file of conf.d.
    let maps = format!("{MAPS}add_header X-Content-Type-Options nosniff;\n");
    apply(
        &host,
        "one more header",
        &[(&path("etc/nginx/conf.d/maps.conf"), Some(&maps))],
    );
    let headers = host.sh("curl -skI --resolve alpha.example.com:443:127.0.0.1 https://alpha.example.com/ | tr -d '\\r'");
    assert!(
        headers.contains("X-Content-Type-Options: nosniff"),
        "{headers}"
    );
    // 3. A new site.
    let new = "server { listen 80; server_name new.example.com; location / { proxy_pass http://127.0.0.1:8103; } }\n";
    apply(
        &host,
        "a site",
        &[(&path("sites-available/new"), Some(new))],
    );
    assert_eq!(host.get("http://new.example.com/"), (200, "app:1\n".into()));
    // 4. A cron line.
    let cron = CRON.replace("0 3", "30 4");
    apply(&host, "cron", &[(&path("etc/cron.d/nightly"), Some(&cron))]);
    assert_eq!(host.read("/etc/cron.d/nightly"), cron);
    assert_eq!(runs(&host), before, "sites and files restart nothing");
    // 5. A compose project moves from /opt into the checkout, with its data and its settings.
    let compose_file = "compose/alpha/docker-compose.yml";
    let moved =
        compose("alpha", "app:1", 8101).replace("env_file: .env", "env_file: /opt/alpha/.env");
    let in_checkout = unit(&format!("{CHECKOUT}/compose/alpha"));
    apply(
        &host,
        "alpha moves",
        &[
            (compose_file, Some(&moved)),
            (&path("systemd/alpha.service"), Some(&in_checkout)),
        ],
    );
    assert_eq!(serves(&host, 8101), "200 app:1");
    let alpha = host.container_of("alpha", "alpha", 1);
    assert_eq!(
        host.sh(&format!("docker exec {alpha} cat /data/rows")),
        "kept"
    );
    // 6. Its image.
    apply(
        &host,
        "alpha 2",
        &[(compose_file, Some(&moved.replace("app:1", "app:2")))],
    );
    assert_eq!(serves(&host, 8101), "200 app:2");
    // 7. A program and its site move to another port.
    let plain = PLAIN.replace("${PORT}", "8115");
    apply(
        &host,
        "plain moves",
        &[
            (&path("systemd/plain.service"), Some(&plain)),
            (&path("sites-available/plain"), Some(&site("plain", 8115))),
        ],
    );
    let answer =
        host.sh("curl -sk --resolve plain.example.com:443:127.0.0.1 https://plain.example.com/");
    assert_eq!(answer, "plain");
    // 8. The container without a unit gets one, once its name is free.
    let by_hand = "[Unit]\nRequires=docker.service\nAfter=docker.service\n\n[Service]\n\
                   ExecStart=/usr/bin/docker run --rm --name byhand -p 127.0.0.1:8109:8000 app:2\n\
                   ExecStop=/usr/bin/docker stop -t 1 byhand\n\n[Install]\nWantedBy=multi-user.target\n";
    host.commit(
        &[(&path("systemd/byhand.service"), Some(by_hand))],
        "byhand gets a unit",
    );
    let refused = host.apply(&[]).expect(1).text();
    assert!(refused.contains("docker rm -f byhand"), "{refused}");
    assert_eq!(serves(&host, 8109), "200 app:1");
    host.sh("docker rm -f byhand");
    host.apply(&[]).expect(0);
    assert_eq!(serves(&host, 8109), "200 app:2");
    // 9. A commit that does not work is taken back.
    let bad = moved
        .replace("app:1", "app:2")
        .replace("restart: unless-stopped", "command: ['false']");
    host.commit(&[(compose_file, Some(&bad))], "a bad one");
    host.apply(&[]).expect(3);
    assert_eq!(serves(&host, 8101), "200 app:2");
    host.commit(
        &[(compose_file, Some(&moved.replace("app:1", "app:2")))],
        "mended",
    );
    host.tool(&["apply"]).expect(0);
    // 10. A service leaves with its site.
    apply(
        &host,
        "no beta",
        &[
            (&path("systemd/beta.service"), None),
            (&path("sites-available/beta"), None),
        ],
    );
    assert_eq!(serves(&host, 8102).get(..1), Some("0"));
    assert_eq!(
        host.sh("docker ps -a --format '{{.Names}}' | grep -c beta || true"),
        "0"
    );
    assert_eq!(host.read("/opt/beta/data/rows"), "kept\n");
    // 11. Docker's settings, with a restart.
    let daemon = DAEMON.replace("10m", "20m");
    apply(
        &host,
        "larger logs",
        &[(&path("etc/docker/daemon.json"), Some(&daemon))],
    );
    for port in [8101, 8103, 8104, 8109] {
        assert_eq!(serves(&host, port).get(..3), Some("200"), "{port}");
    }
    // 12. Back to how it was before that.
    host.tool(&["rollback"]).expect(0);
    assert_eq!(host.read("/etc/docker/daemon.json"), DAEMON);
    for port in [8101, 8103, 8104, 8109] {
        assert_eq!(serves(&host, port).get(..3), Some("200"), "{port}");
    }

    host.reboot();
    host.wait_for(
        "all services after a reboot",
        Duration::from_secs(60),
        || {
            [8101, 8103, 8104, 8109, 8115]
                .iter()
                .all(|port| host.get(&format!("http://localhost:{port}/")).0 == 200)
        },
    );
}
