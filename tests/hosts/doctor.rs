//! `doctor`: each cause is made for real, and found, with the command that helps.

mod for_real;

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::schema::json;
use crate::support::{CHECKOUT, Host, Service, desired, site};

const COMPOSE: &str = "services:
  api:
    image: api:1
    container_name: api-prod
    ports: ['127.0.0.1:8010:8000']
    networks: [back]
  wrong:
    image: api:1
    container_name: wrong-prod
    ports: ['127.0.0.1:8011:9999']
    networks: [back]
  caller:
    image: api:1
    container_name: caller-prod
    networks: [front]
    command: ['/bin/sh', '-c', 'while true; do wget -qO /tmp/x http://api-prod:8000/; sleep 1; done']
  mute:
    image: api:1
    container_name: mute-prod
    networks: [back]
    logging: {driver: none}
  hog:
    image: api:1
    container_name: hog-prod
    networks: [back]
    mem_limit: 32m
    memswap_limit: 32m
    command: ['/bin/sh', '-c', 'while ! test -e /tmp/go; do sleep 1; done; exec busybox tail /dev/zero']
networks: {front: {}, back: {}}
";

const SITE: &str = "server {
    listen 80;
    server_name a.example.com;
    location /scheduler/ { proxy_pass http://127.0.0.1:8010/; }
    location /keeps/ { proxy_pass http://127.0.0.1:8010; }
    location /wrong/ { proxy_pass http://127.0.0.1:8011/; }
    location /web/ { proxy_pass http://127.0.0.1:8004/; }
    location /api/ { proxy_pass http://127.0.0.1:8010/; proxy_read_timeout 2s; }
}
";

const WEB: &str = "[Service]\nExecStart=/bin/busybox httpd -f -p 127.0.0.1:8004 -h /srv\n\n[Install]\nWantedBy=multi-user.target\n";

/// A service that fails as soon as a file is gone, with the words that `fails` prints.
fn conditional(file: &str, fails: &str, more: &str) -> String {
    format!(
        "[Service]\nExecStart=/bin/sh -c 'test -e /run/{file} && exec sleep 3000; {fails}; exit 3'\n{more}\n[Install]\nWantedBy=multi-user.target\n"
    )
}

fn app() -> String {
    let compose = format!("/usr/bin/docker-compose -f {CHECKOUT}/app/docker-compose.yml");
    format!(
        "[Unit]\nAfter=docker.service\n\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart={compose} up -d\n\
         ExecStop={compose} down\n\n[Install]\nWantedBy=multi-user.target\n"
    )
}

fn host() -> Host {
    let host = Host::boot();
    host.load_service_images(&[Service {
        image: "api:1",
        port: 8000,
        paths: &["/status", "/scheduler/jobs"],
    }]);
    host
}

/// What `doctor ABOUT` finds: `what where: text`, a line of evidence or of what helps below each.
#[track_caller]
fn causes(host: &Host, about: &[&str], status: i32) -> String {
    let said = host.tool(&[&["doctor", "--json"], about].concat());
    let found = json("doctor", &said.expect(status).stdout);
    let all = found["causes"].as_array().expect("causes").iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let lines = |value: &Value| -> String {
        let lines = value.as_array().into_iter().flatten();
        lines.map(|line| format!("  {}\n", text(line))).collect()
    };
    let told = all.map(|one| {
        format!(
            "{} {}: {}\n{}{}",
            text(&one["what"]),
            text(&one["where"]),
            text(&one["text"]),
            lines(&one["evidence"]),
            lines(&one["fix"])
        )
    });
    told.collect()
}

#[track_caller]
fn says(told: &str, words: &[&str]) {
    for words in words {
        assert!(told.contains(words), "{words:?} is not in\n{told}");
    }
}

#[test]
#[ignore = "long: tests/run --all"]
fn from_a_url_to_the_cause() {
    let host = host();
    host.checkout(&[
        (&desired("systemd/app.service"), &app()),
        (&desired("systemd/web.service"), WEB),
        (&desired("sites-available/a"), SITE),
        (&desired("sites-available/b"), &site("b", "b")),
        ("app/docker-compose.yml", COMPOSE),
    ]);
    host.apply(&[]).expect(0);
    host.wait_for_image("api:1", 8010, Duration::from_secs(20));
    let url = |path: &str| format!("http://a.example.com{path}");

    // What is well says so, and nothing is written.
    let well = host.tool(&["doctor", &url("/api/status")]).expect(0).stdout;
    says(
        &well,
        &[
            "location /api/ (/etc/nginx/sites-enabled/a:8)",
            "answers 200",
            "nothing wrong was found",
        ],
    );

    // 404: the prefix, both ways; no location; another server.
    let told = causes(&host, &[&url("/scheduler/jobs")], 2);
    says(
        &told,
        &[
            "not-found http://a.example.com/scheduler/jobs: proxy_pass removes /scheduler/ from the path, and the service expects it",
            "127.0.0.1:8010 receives /jobs and answers 404",
            "127.0.0.1:8010 answers 200 to /scheduler/jobs",
            "in git: proxy_pass http://127.0.0.1:8010; then: watchme-apply",
        ],
    );
    let told = causes(&host, &[&url("/keeps/status")], 2);
    says(
        &told,
        &[
            "the service gets /keeps/ as a part of the path, and does not expect it",
            "in git: proxy_pass http://127.0.0.1:8010/; then: watchme-apply",
        ],
    );
    says(
        &causes(&host, &[&url("/api/nothing")], 2),
        &["the service itself has nothing at /nothing"],
    );
    says(
        &causes(&host, &[&url("/nowhere")], 2),
        &["no location has /nowhere", "add a location for /nowhere"],
    );
    host.sh(
        "rm /etc/nginx/sites-enabled/b /etc/nginx/sites-enabled/default; systemctl reload nginx",
    );
    host.wait_for("the reload", Duration::from_secs(10), || {
        host.get("http://b.example.com/x").0 == 404
    });
    says(
        &causes(&host, &["http://b.example.com/x"], 2),
        &[
            "the site of b.example.com is not enabled: nginx does not read /etc/nginx/sites-available/b",
            "watchme-apply drift --fix",
        ],
    );
    says(
        &causes(&host, &["http://c.example.com/x"], 2),
        &["no server block of nginx has the name c.example.com"],
    );

    // 502: a port that nobody has inside; a unit that failed; a container that was stopped.
    says(
        &causes(&host, &[&url("/wrong/")], 2),
        &[
            "bad-gateway http://a.example.com/wrong/: 127.0.0.1:8011 is published by container wrong-prod, but nothing in the container listens on that port",
            "sudo docker port wrong-prod",
        ],
    );
    host.sh("systemctl kill -s SEGV web.service");
    host.wait_for("the end of web.service", Duration::from_secs(10), || {
        !host.is_active("web.service")
    });
    says(
        &causes(&host, &[&url("/web/")], 2),
        &[
            "nothing listens on port 8004, where location /web/ (/etc/nginx/sites-enabled/a:7) passes requests to",
            "web.service should listen on 8004; its state: failed",
            "unit-down web.service: web.service is not up: failed: signal 11 (SIGSEGV)",
            "sudo journalctl -u web.service -n 50",
        ],
    );
    host.sh("docker pause api-prod >/dev/null");
    let began = Instant::now();
    says(
        &causes(&host, &[&url("/api/status")], 2),
        &[
            "gateway-timeout http://a.example.com/api/status: 127.0.0.1:8010 accepts connections but does not answer in time",
            "nginx answers 504",
            "sudo docker unpause api-prod",
        ],
    );
    // nginx gave up after 2 s: what it waited for is not waited for again.
    let took = began.elapsed();
    assert!(took < Duration::from_secs(8), "{took:?}");
    host.sh("docker unpause api-prod >/dev/null; docker kill -s KILL api-prod >/dev/null");
    let told = causes(&host, &[&url("/api/status")], 2);
    says(
        &told,
        &[
            "bad-gateway http://a.example.com/api/status: nothing listens on port 8010",
            "container api-prod: exited (137)",
            "killed api-prod: container api-prod was killed by SIGKILL (exit code 137), not for lack of memory",
            "sudo systemctl restart app.service",
        ],
    );
    host.sh("docker exec hog-prod sh -c 'echo >/tmp/go'");
    host.wait_for("the end of hog", Duration::from_secs(20), || {
        let state = "docker inspect -f '{{.State.Status}} {{.State.OOMKilled}}' hog-prod";
        let state = host.sh(state);
        // An engine that is busy elsewhere may miss why the kernel killed it.
        if state == "exited false" {
            host.sh("docker start hog-prod >/dev/null");
        }
        state == "exited true"
    });
    says(
        &causes(&host, &["hog-prod"], 2),
        &[
            "killed hog-prod: container hog-prod was killed by the kernel: it reached its memory limit",
            "State.OOMKilled is true, exit code 137",
            "raise mem_limit",
        ],
    );
    // By what somebody saw instead of where.
    let told = causes(&host, &["502 Bad Gateway"], 2);
    says(&told, &["bad-gateway port 8004", "bad-gateway port 8010"]);
    assert!(!told.contains("killed"), "{told}");
    says(&causes(&host, &["137"], 2), &["killed api-prod"]);
    let text = host.assert_does_nothing(&["doctor"]).expect(2).stdout;
    says(
        &text,
        &[
            "container api-prod was killed by SIGKILL",
            "deviations from git",
        ],
    );

    host.sh("nginx -s stop");
    says(
        &causes(&host, &[&url("/api/status")], 2),
        &[
            "nginx-down nginx: nginx does not run",
            "sudo nginx -t && sudo systemctl start nginx",
        ],
    );
    let unknown = host.tool(&["doctor", "nosuch"]).expect(64).text();
    says(
        &unknown,
        &["nothing that was applied here, and no container, is named nosuch"],
    );
}

#[test]
fn units_networks_disks_registries_and_certificates() {
    let host = host();
    host.sh(
        "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=s.example.com -days 5 -keyout /etc/ssl/s.key -out /etc/ssl/s.pem 2>/dev/null
         touch /run/pull /run/flap",
    );
    let registry = host.start_registry(5000, true);
    let secure = "server {\n    listen 443 ssl;\n    server_name s.example.com;\n    ssl_certificate /etc/ssl/s.pem;\n    ssl_certificate_key /etc/ssl/s.key;\n    location / { return 200 s; }\n}\n";
    let pull = conditional("pull", &format!("docker pull {registry}/app:1"), "");
    let flap = conditional(
        "flap",
        "echo cannot find the key, API_TOKEN=hunter2hunter2",
        "Restart=always\nRestartSec=100ms\n",
    );
    let flap = format!("[Unit]\nStartLimitIntervalSec=0\n{flap}");
    host.checkout(&[
        (&desired("systemd/app.service"), &app()),
        (&desired("systemd/web.service"), WEB),
        (&desired("systemd/pull.service"), &pull),
        (&desired("systemd/flap.service"), &flap),
        (&desired("sites-available/s"), secure),
        ("app/docker-compose.yml", COMPOSE),
    ]);
    host.apply(&[]).expect(0);

    // A name between containers, and a log that cannot be read.
    host.wait_for("a name that is not found", Duration::from_secs(20), || {
        host.sh("docker logs caller-prod 2>&1")
            .contains("bad address")
    });
    says(
        &causes(&host, &["caller-prod"], 2),
        &[
            "name-unresolved caller-prod: container caller-prod cannot resolve the name api-prod",
            "container caller-prod is on app_front",
            "container api-prod is on app_back",
        ],
    );
    says(
        &causes(&host, &["mute-prod"], 2),
        &["silent-log mute-prod: the log of container mute-prod cannot be read"],
    );

    // A login, a unit that keeps restarting, paused, masked.
    host.sh("rm /run/pull /run/flap; systemctl restart pull.service flap.service");
    host.wait_for("restarts", Duration::from_secs(20), || {
        host.property("flap.service", "NRestarts")
            .parse()
            .unwrap_or(0)
            > 3
            && host.property("pull.service", "ActiveState") == "failed"
    });
    says(
        &causes(&host, &["pull"], 2),
        &[
            "registry-login pull.service: 127.0.0.1:5000 refuses the image of pull.service",
            "sudo docker login 127.0.0.1:5000",
            "sudo systemctl restart pull.service",
        ],
    );
    let told = causes(&host, &["flap.service"], 2);
    says(
        &told,
        &[
            "restarting flap.service: flap.service keeps restarting",
            "cannot find the key",
        ],
    );
    assert!(!told.contains("hunter2"), "{told}");
    host.tool(&["pause", "web", "--reason", "the folder moves"])
        .expect(0);
    says(
        &causes(&host, &["web"], 2),
        &[
            "paused web.service: web.service is paused: the folder moves",
            "watchme-apply resume web.service",
        ],
    );
    host.tool(&["resume", "web"]).expect(0);
    host.sh("systemctl stop flap.service; ln -sf /dev/null /etc/systemd/system/flap.service; systemctl daemon-reload");
    says(
        &causes(&host, &["flap"], 2),
        &["masked flap.service", "sudo systemctl unmask flap.service"],
    );

    // A certificate that nobody trusts, and that ends soon; a full disk.
    says(
        &causes(&host, &["https://s.example.com/"], 2),
        &["certificate https://s.example.com/: s.example.com: "],
    );
    host.sh("mount -t tmpfs -o size=4m tmpfs /tmp; dd if=/dev/zero of=/tmp/fill bs=1M count=8 2>/dev/null || true");
    let told = causes(&host, &[], 2);
    says(
        &told,
        &[
            "no-space /tmp: the disk of /tmp is full: 0 KiB of 4 MiB are left",
            "sudo du -x -d 3 /tmp",
            "certificate /etc/ssl/s.pem: the certificate /etc/ssl/s.pem expires in 4 days",
            "registry-login pull.service",
        ],
    );
    for never in ["volume prune", "system prune", "rm -"] {
        assert!(!told.contains(never), "{never}: {told}");
    }
}
