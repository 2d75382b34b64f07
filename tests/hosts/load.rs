//! Requests that come all the time, while sites change and services move: none may fail.

mod generator;
mod start_first;

use std::time::{Duration, Instant};

use crate::support::{CHECKOUT, Host, Service, desired, site};
use generator::Load;

/// Each of this many applies moves the service; the others change sites. A move waits for the request of 20 s.
const MOVES: u32 = 5;

/// Serves `/www`, and a page that takes 20 s.
const SERVE: &str = "/bin/busybox mkdir /www/cgi-bin
      (echo '#!/bin/sh'; echo 'sleep 20; echo Content-Type: text/plain; echo; cat /www/index.html') >/www/cgi-bin/slow
      /bin/busybox chmod +x /www/cgi-bin/slow
      exec httpd -f -p 8000 -h /www";

/// Two services that take turns: name, port on the host.
const BLUE: Color = Color("blue", 8101);
const GREEN: Color = Color("green", 8102);

#[derive(Clone, Copy)]
struct Color(&'static str, u16);

/// Paths of a commit with their contents; without one the file goes.
type Changes = Vec<(String, Option<String>)>;

impl Color {
    fn other(self) -> Self {
        if self.1 == BLUE.1 { GREEN } else { BLUE }
    }

    fn compose_path(self) -> String {
        format!("compose/{}/docker-compose.yml", self.0)
    }

    fn unit_path(self) -> String {
        desired(&format!("systemd/{}.service", self.0))
    }

    /// Its page tells who answers; `/cgi-bin/slow` takes 20 s to do so.
    fn compose(self) -> String {
        let Self(name, port) = self;
        format!(
            "services:
  {name}:
    image: {name}:1
    container_name: {name}
    network_mode: bridge
    ports: ['127.0.0.1:{port}:8000']
    command:
    - sh
    - -c
    - |
      {SERVE}
"
        )
    }

    fn unit(self) -> String {
        let compose = format!(
            "/usr/bin/docker-compose -f {CHECKOUT}/{}",
            self.compose_path()
        );
        format!(
            "[Unit]
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

    /// The site that asks it, and whose websocket goes elsewhere.
    fn site(self) -> String {
        format!(
            "server {{
    listen 80;
    server_name app.example.com;
    location / {{
        proxy_pass http://127.0.0.1:{};
    }}
    location /socket {{
        proxy_pass http://127.0.0.1:8103;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection upgrade;
        proxy_read_timeout 10m;
    }}
}}
",
            self.1
        )
    }

    /// What makes it the one that serves.
    fn comes(self) -> Changes {
        vec![
            (self.compose_path(), Some(self.compose())),
            (self.unit_path(), Some(self.unit())),
            (desired("sites-available/app"), Some(self.site())),
        ]
    }

    fn goes(self) -> Changes {
        vec![(self.compose_path(), None), (self.unit_path(), None)]
    }
}

/// Accepts an upgrade and sends back whatever comes.
const ECHO: &str = "#!/bin/sh
while read -r line; do
    case $line in ?*[!\r]*) ;; *) break ;; esac
done
printf 'HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n\\r\\n'
exec cat
";

fn host_with(drain_timeout: &str) -> Host {
    let host = Host::boot();
    host.load_service_images(&[BLUE, GREEN].map(|color| Service {
        image: if color.1 == BLUE.1 {
            "blue:1"
        } else {
            "green:1"
        },
        port: 8000,
        paths: &[],
    }));
    let echo = format!(
        "[Service]\nExecStart=/usr/bin/busybox nc -ll -p 8103 -e {CHECKOUT}/scripts/echo.sh\n\n[Install]\nWantedBy=multi-user.target\n"
    );
    let policy = format!("drain_timeout = \"{drain_timeout}\"\n");
    host.checkout(&[
        (&desired("watchme.toml"), &policy),
        (&desired("systemd/echo.service"), &echo),
        (&desired("sites-available/page"), &site("page", "page 0")),
        ("scripts/echo.sh", ECHO),
    ]);
    commit(&host, &BLUE.comes(), "blue");
    host.apply(&[]).expect(0);
    assert_serves(&host, BLUE);
    host
}

fn commit(host: &Host, changes: &Changes, message: &str) {
    let changes: Vec<(&str, Option<&str>)> = changes
        .iter()
        .map(|(path, content)| (path.as_str(), content.as_deref()))
        .collect();
    host.commit(&changes, message);
}

/// It answers, and the other one is gone: its container, its unit, its files.
#[track_caller]
fn assert_serves(host: &Host, color: Color) {
    assert_eq!(host.page("app"), format!("{}:1\n", color.0));
    assert_eq!(host.sh("docker ps -a --format '{{.Names}}'"), color.0);
    let other = format!("{}.service", color.other().0);
    assert_eq!(host.property(&other, "LoadState"), "not-found");
}

fn change(applies: u32) {
    let host = host_with("40s");
    let load = Load::start(&host);
    let (mut serving, begun) = (BLUE, Instant::now());
    for number in 1..=applies {
        if number % MOVES == 0 {
            let next = serving.other();
            commit(&host, &[next.comes(), serving.goes()].concat(), "move");
            host.apply(&[]).expect(0);
            assert_serves(&host, next);
            serving = next;
        } else {
            let text = format!("page {number}");
            let page = (desired("sites-available/page"), Some(site("page", &text)));
            let more = (number % 2 == 0).then(|| site("more", "more"));
            commit(
                &host,
                &vec![page, (desired("sites-available/more"), more)],
                &text,
            );
            host.apply(&[]).expect(0);
            assert_eq!(host.page("page"), text);
        }
    }
    let (seconds, seen) = (begun.elapsed().as_secs(), load.stop());
    println!("{applies} applies in {seconds} s: {seen:?}");
    assert_eq!(seen.failures, Vec::<String>::new());
    assert!(
        seen.requests > seconds * generator::PER_SECOND * 8 / 10,
        "{seen:?}"
    );
    assert!(seen.slow >= seconds / 21, "{seen:?}");
    assert!(seen.echoes > seconds, "{seen:?}");
}

#[test]
#[ignore = "long: tests/run --all"]
fn no_request_fails_while_sites_change_and_services_move() {
    change(10);
}

#[test]
#[ignore = "long: tests/run --all"]
fn no_request_fails_while_fifty_commits_are_applied() {
    change(50);
}

/// A request that does not end must not hold up an apply for ever.
#[test]
#[ignore = "long: tests/run --all"]
fn a_drain_ends_with_its_timeout_and_says_what_it_cuts_off() {
    let host = host_with("2s");
    host.sh(
        "curl -s -o /dev/null -w '%{http_code}\\n' --resolve app.example.com:80:127.0.0.1 \
         http://app.example.com/cgi-bin/slow >/run/slow 2>&1 &",
    );
    host.wait_for("request under way", Duration::from_secs(5), || {
        host.sh("docker top blue").contains("sleep 20")
    });
    commit(&host, &[GREEN.comes(), BLUE.goes()].concat(), "move");
    let plan = host.tool(&["plan"]).expect(0).stdout;
    assert!(plan.contains("up to 2 s"), "{plan}");
    let begun = Instant::now();
    let said = host.apply(&[]).expect(0).text();
    assert!(begun.elapsed() < Duration::from_secs(18), "{said}");
    assert!(
        said.contains("blue.service") && said.contains("cut off"),
        "{said}"
    );
    assert_serves(&host, GREEN);
    assert_eq!(host.read("/run/slow"), "502\n");
}
