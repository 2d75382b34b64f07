//! A stack that updates start-first, under requests that come all the time.

use std::time::Instant;

use super::generator::{self, Load};
use super::{ECHO, SERVE};
use crate::support::{CHECKOUT, Host, Service, desired, site};

const POLICY: &str = "drain_timeout = \"40s\"

[stack.app]
update = \"start-first\"
ports = [8101, 8102]

[[gate]]
url = \"http://app.example.com/\"
";

/// Nothing but `number` tells its versions apart.
fn compose(number: u32) -> String {
    format!(
        "services:
  web:
    image: blue:1
    restart: unless-stopped
    network_mode: bridge
    ports: ['127.0.0.1:${{PORT}}:8000']
    environment: {{NUMBER: '{number}'}}
    healthcheck: {{test: ['CMD', 'wget', '-q', '-O-', 'http://127.0.0.1:8000/health'], interval: 1s, retries: 10}}
    command:
    - sh
    - -c
    - |
      {SERVE}
"
    )
}

const SITE: &str = "server {
    listen 80;
    server_name app.example.com;
    location / {
        proxy_pass http://app;
    }
    location /socket {
        proxy_pass http://127.0.0.1:8103;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection upgrade;
        proxy_read_timeout 10m;
    }
}
";

/// The projects that run, each with the number of its version.
fn running(host: &Host) -> String {
    host.sh(
        "for one in $(docker ps -q); do docker inspect -f '{{index .Config.Labels \"com.docker.compose.project\"}} {{json .Config.Env}}' $one | sed -E 's/ .*NUMBER=([0-9]+).*/ \\1/'; done | sort | paste -sd,",
    )
}

fn update(updates: u32) {
    let host = Host::boot();
    host.load_service_images(&[Service {
        image: "blue:1",
        port: 8000,
        paths: &[],
    }]);
    let echo = format!(
        "[Service]\nExecStart=/usr/bin/busybox nc -ll -p 8103 -e {CHECKOUT}/scripts/echo.sh\n\n[Install]\nWantedBy=multi-user.target\n"
    );
    let path = desired("compose/app/compose.yaml");
    let (first_policy, _) = POLICY.split_once("[stack").expect("a stack");
    let first_site = SITE.replace("http://app;", "http://127.0.0.1:8101;");
    host.checkout(&[
        (&desired("watchme.toml"), first_policy),
        (&desired("systemd/echo.service"), &echo),
        (&desired("sites-available/page"), &site("page", "page 0")),
        (&desired("sites-available/app"), &first_site),
        (&path, &compose(0).replace("${PORT}", "8101")),
        ("scripts/echo.sh", ECHO),
    ]);
    host.apply(&[]).expect(0);
    assert_eq!(running(&host), "app 0");

    // It gets copies: the first one is on the port that the stack does not have yet.
    let load = Load::start(&host);
    host.commit(
        &[
            (&desired("watchme.toml"), Some(POLICY)),
            (&desired("sites-available/app"), Some(SITE)),
            (&path, Some(&compose(0))),
        ],
        "start-first",
    );
    let said = host.apply(&[]).expect(0).text();
    assert_eq!(running(&host), "app-a 0", "{said}");
    assert_eq!(host.get("http://localhost:8102/health").0, 200, "{said}");

    let (mut copy, mut serves, begun) = ("app-a", 0, Instant::now());
    // What each generation has, from the second on.
    let mut versions = vec![0];
    for number in 1..=updates {
        // The second one counts as healthy and answers nobody, the third one does not pass its gate.
        let (is_deaf, has_other_gate) = (number == 2, number == 3);
        let policy = match has_other_gate {
            true => POLICY.replace("example.com/\"", "example.com/nothing\""),
            false => POLICY.to_owned(),
        };
        let text = match is_deaf {
            true => compose(number)
                .replace(
                    "'wget', '-q', '-O-', 'http://127.0.0.1:8000/health'",
                    "'true'",
                )
                .replace(SERVE, "sleep 100000"),
            false => compose(number),
        };
        host.commit(
            &[
                (&path, Some(&text)),
                (&desired("watchme.toml"), Some(&policy)),
            ],
            &format!("version {number}"),
        );
        let fails = is_deaf || has_other_gate;
        let status = if fails { 3 } else { 0 };
        let said = host.apply(&[]).expect(status).text();
        if is_deaf {
            let asked = "http://app.example.com/ at 127.0.0.1:";
            assert!(said.contains(asked), "{said}");
        }
        if !fails {
            copy = if copy == "app-a" { "app-b" } else { "app-a" };
            serves = number;
            versions.push(number);
        }
        assert_eq!(running(&host), format!("{copy} {serves}"), "{said}");
        let unit = format!("stack-{copy}.service");
        assert!(host.is_active(&unit), "{said}");
    }
    back_over_two_updates(&host, copy, &versions);
    let (seconds, seen) = (begun.elapsed().as_secs(), load.stop());
    println!("{updates} updates in {seconds} s: {seen:?}");
    assert_eq!(seen.failures, Vec::<String>::new());
    assert!(
        seen.requests > seconds * generator::PER_SECOND * 8 / 10,
        "{seen:?}"
    );
    host.assert_does_nothing(&["apply"]).expect(0);
}

/// Two updates back is the copy that serves: it comes as the other one.
fn back_over_two_updates(host: &Host, copy: &str, versions: &[u32]) {
    let other = if copy == "app-a" { "app-b" } else { "app-a" };
    let older = versions.len() - 1;
    let said = host
        .tool(&["rollback", &older.to_string()])
        .expect(0)
        .text();
    let back = versions[older - 2];
    assert_eq!(running(host), format!("{other} {back}"), "{said}");
    let takes_place = format!("stack-{other}.service takes its place");
    assert!(said.contains(&takes_place), "{said}");
    // It is there: nothing of it is done twice, and the commit comes as the other one again.
    let again = host
        .tool(&["rollback", &older.to_string()])
        .expect(1)
        .text();
    assert!(again.contains("already"), "{again}");
    let said = host.apply(&[]).expect(0).text();
    assert_eq!(
        running(host),
        format!("{copy} {}", versions[versions.len() - 1]),
        "{said}"
    );
}

#[test]
fn no_request_fails_while_a_stack_is_replaced() {
    update(4);
}

#[test]
#[ignore = "long: tests/run --all"]
fn no_request_fails_while_a_stack_is_replaced_twenty_times() {
    update(20);
}
