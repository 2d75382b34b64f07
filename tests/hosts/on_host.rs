//! What only a host knows: `plan` tells it before anything starts, and `ports` shows who listens.

use serde_json::Value;

use crate::support::{CHECKOUT, Host, Service, desired, site, sleeper};

/// Beside the checkout, where people keep services that are older than it.
const OUTSIDE: &str = "/home/ubuntu/some-service/docker-compose.yml";
/// What a unit of the desired state runs, from the checkout.
const API: &str = "services:
  api:
    image: api:1
    mem_limit: 4000g
    env_file: [settings.env]
    ports: ['127.0.0.1:8003:8003']
    environment: {MODE: '${MODE}'}
";
const OLD: &str = "services:
  old:
    image: old:latest
    environment:
      DB_PASSWORD: open-sesame
    ports: ['127.0.0.1:8004:8004']
";

fn unit(lines: &str) -> String {
    format!("[Service]\n{lines}\n\n[Install]\nWantedBy=multi-user.target\n")
}

/// The findings of `plan --json`: rule, and severity, path, line, message.
struct Found(Vec<(String, String)>);

impl Found {
    fn by(host: &Host, root: bool) -> Self {
        let said = host.assert_untouched(|host| match root {
            true => host.tool(&["plan", "--json"]),
            false => host.try_sh_as(
                "ubuntu",
                &format!("cd {CHECKOUT}; watchme-apply plan --json"),
            ),
        });
        assert!(!said.text().contains("open-sesame"), "{}", said.text());
        let json: Value =
            serde_json::from_str(&said.stdout).unwrap_or_else(|_| panic!("{}", said.text()));
        let findings = json["findings"].as_array().expect("findings");
        let errors = findings
            .iter()
            .any(|finding| finding["severity"] == "error");
        assert_eq!(said.status, i32::from(errors), "{}", said.text());
        let line = |finding: &Value| {
            let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            let place = &finding["place"];
            let shown = format!(
                "{} {}:{} {}",
                text(&finding["severity"]),
                text(&place["path"]),
                place["line"],
                text(&finding["message"])
            );
            (text(&finding["rule"]), shown)
        };
        Self(findings.iter().map(line).collect())
    }

    fn of(&self, rule: &str) -> Vec<&str> {
        let of_rule = self.0.iter().filter(|(name, _)| name == rule);
        of_rule.map(|(_, line)| line.as_str()).collect()
    }

    #[track_caller]
    fn has(&self, rule: &str, start: &str, part: &str) {
        let is = |line: &&str| line.starts_with(start) && line.contains(part);
        assert!(
            self.of(rule).iter().any(is),
            "{rule}: {start} {part} is not in {:#?}",
            self.0
        );
    }
}

/// A host on which nothing is as the desired state needs it.
fn bad_host() -> Host {
    let host = Host::boot();
    let service = |image, port| Service {
        image,
        port,
        paths: &[],
    };
    host.load_service_images(&[service("api:1", 8003), service("old:latest", 8004)]);
    let api =
        format!("/usr/bin/docker-compose -f {CHECKOUT}/desired-state/api/docker-compose.yml up");
    host.checkout(&[
        (".gitignore", "*.env\n"),
        (&desired("sites-available/a"), &site("a", "a")),
        (&desired("systemd/folder.service"), &unit("WorkingDirectory=/srv/nosuch\nExecStart=/bin/sleep 1000")),
        (&desired("systemd/settings.service"), &unit("EnvironmentFile=/srv/nosuch.env\nExecStart=/bin/sleep 1000")),
        (&desired("systemd/optional.service"), &unit("EnvironmentFile=-/srv/none.env\nStateDirectory=made\nWorkingDirectory=/var/lib/made\nExecStart=/bin/sleep 1000")),
        (&desired("systemd/file.service"), &unit("ExecStart=/usr/bin/docker-compose -f /srv/nosuch.yml up")),
        (&desired("systemd/api.service"), &unit(&format!("ExecStart={api}"))),
        (&desired("systemd/old.service"), &unit("WorkingDirectory=/home/ubuntu/some-service\nExecStart=/usr/bin/docker-compose up")),
        (&desired("api/docker-compose.yml"), API),
    ]);
    host.sh_as(
        "ubuntu",
        &format!("cd {CHECKOUT}/desired-state/api; echo MODE=real >.env; chmod 644 .env"),
    );
    host.write(OUTSIDE, OLD);
    for port in [8003, 8004] {
        host.sh(&format!(
            "systemd-run -q --unit standin{port} busybox httpd -f -p 127.0.0.1:{port} -h /srv"
        ));
        host.sh(&format!("for i in 1 2 3 4 5 6 7 8 9; do ss -Hltn 'sport = :{port}' | grep -q . && exit; sleep 0.2; done; exit 1"));
    }
    host
}

#[test]
fn what_a_host_lacks_is_told_before_anything_starts() {
    let host = bad_host();
    let env = format!("{CHECKOUT}/desired-state/api/.env");
    assert_eq!(
        host.sh(&format!(
            "stat -c %a {env}; ls -d /srv/nosuch* 2>/dev/null || true"
        )),
        "644"
    );
    for root in [true, false] {
        let plan = Found::by(&host, root);
        let missing = "host-path-missing";
        for (unit, path) in [
            ("folder", "/srv/nosuch"),
            ("settings", "/srv/nosuch.env"),
            ("file", "/srv/nosuch.yml"),
        ] {
            let place = format!("error desired-state/systemd/{unit}.service:2 ");
            plan.has(missing, &place, &format!("{path} of {unit}.service"));
        }
        // What compose itself would look for, at its place in the compose file.
        plan.has(
            missing,
            "error desired-state/api/docker-compose.yml:5 ",
            "the environment file /home/ubuntu/watchme-server-configs/desired-state/api/settings.env of api.service",
        );
        assert_eq!(plan.of(missing).len(), 4, "{:#?}", plan.0);
        plan.has("host-env-file-open", "warning ", "(mode 0644)");
        // Without root, that may be its own container.
        let severity = if root { "error " } else { "warning " };
        plan.has(
            "host-port-taken",
            severity,
            "api.service publishes port 8003",
        );
        plan.has(
            "host-port-taken",
            severity,
            "old.service publishes port 8004",
        );
        plan.has("host-memory-short", "warning ", "4096000 MiB");
        let place = |line: u32| format!("warning {OUTSIDE}:{line} ");
        plan.has("compose-password-in-plain-text", &place(5), "DB_PASSWORD");
        plan.has("compose-image-latest", &place(3), "service old is latest");
        let by_name = plan
            .of("host-port-taken")
            .iter()
            .all(|line| line.contains("busybox (standin"));
        assert!(by_name || !root, "{:#?}", plan.0);
    }

    // Who tried it, and took the lock, is written down.
    let others = |host: &Host| {
        let mut now = host.fingerprint();
        now.files
            .retain(|line| !line.contains(" /var/lib/watchme-apply"));
        let files = now.files.iter().map(|line| line.trim_end().to_owned());
        (now.nginx, files.collect::<Vec<_>>())
    };
    let (before, since, reloads) = (others(&host), host.now(), host.reloads());
    let refused = host.apply(&[]).expect(1);
    assert_eq!(others(&host), before);
    assert_eq!(host.docker_events(&since), [""; 0]);
    assert_eq!(host.reloads(), reloads);
    assert!(
        refused.stderr.contains("nothing was changed"),
        "{}",
        refused.text()
    );
    assert!(!host.stands("/etc/systemd/system/folder.service"));

    // Each goes away when it is mended, and the others stay.
    host.sh(&format!(
        "mkdir /srv/nosuch; chmod 600 {env}; install -m 600 /dev/null {CHECKOUT}/desired-state/api/settings.env; systemctl stop standin8003"
    ));
    let plan = Found::by(&host, true);
    let counts = |plan: &Found| {
        [
            "host-path-missing",
            "host-env-file-open",
            "host-port-taken",
            "host-memory-short",
        ]
        .map(|rule| plan.of(rule).len())
    };
    assert_eq!(counts(&plan), [2, 0, 1, 1], "{:#?}", plan.0);
    host.sh("touch /srv/nosuch.env; systemctl stop standin8004");
    let less = API.replace("4000g", "32m");
    host.commit(
        &[(&desired("api/docker-compose.yml"), Some(&less))],
        "less memory",
    );
    let plan = Found::by(&host, true);
    assert_eq!(counts(&plan), [1, 0, 0, 0], "{:#?}", plan.0);
    // By another of the names that compose looks for.
    let mended = OLD
        .replace("open-sesame", "${DB_PASSWORD:?}")
        .replace("latest", "1");
    host.sh(&format!(
        "rm {OUTSIDE}; echo DB_PASSWORD=x >$(dirname {OUTSIDE})/.env; docker tag old:latest old:1"
    ));
    host.write(
        &OUTSIDE.replace("docker-compose.yml", "compose.yaml"),
        &mended,
    );
    host.commit(
        &[(&desired("systemd/file.service"), Some(&sleeper(1000)))],
        "no compose file",
    );
    let plan = Found::by(&host, true);
    assert_eq!(counts(&plan), [0; 4], "{:#?}", plan.0);
    let mended = [
        "compose-password-in-plain-text",
        "compose-image-latest",
        "compose-variable-unset",
    ];
    assert_eq!(
        mended.map(|rule| plan.of(rule).len()),
        [0; 3],
        "{:#?}",
        plan.0
    );

    host.apply(&[]).expect(0);
    for name in ["folder", "settings", "optional", "file", "api", "old"] {
        assert!(host.is_active(&format!("{name}.service")), "{name}");
    }
    assert_eq!(host.get("http://localhost:8004/").0, 200);
    nothing_to_do_costs_nothing(&host);
    ports_show_who_listens(&host);
}

/// Where nothing starts, nobody asks who listens and how much room there is.
fn nothing_to_do_costs_nothing(host: &Host) {
    for command in ["plan", "apply"] {
        host.assert_does_nothing(&[
            command,
            "--desired-state",
            &format!("{CHECKOUT}/desired-state"),
        ])
        .expect(0);
        let opened = host.sh(&format!(
            "cd {CHECKOUT}; strace -f -qq -e trace=open,openat,openat2 -o /root/opened watchme-apply {command} >/dev/null; cat /root/opened"
        ));
        let read = |part: &str| opened.lines().filter(|line| line.contains(part)).count();
        assert!(read("openat") > 0, "{opened}");
        let odd = ["/proc/net/tcp", "/fd\"", "/proc/meminfo"];
        assert_eq!(odd.map(read), [0; 3], "{command}");
        // Compared with what its unit was started with.
        assert!(read("some-service") > 0, "{command}");
    }
}

fn ports_show_who_listens(host: &Host) {
    host.sh("systemd-run -q --unit standin8005 busybox httpd -f -p 127.0.0.1:8005 -h /srv");
    host.sh("for i in 1 2 3 4 5 6 7 8 9; do ss -Hltn 'sport = :8005' | grep -q . && exit; sleep 0.2; done; exit 1");
    let shown = host
        .assert_untouched(|host| host.tool(&["ports"]))
        .expect(0)
        .stdout;
    let line = |port: &str| {
        shown
            .lines()
            .find(|line| line.starts_with(port))
            .unwrap_or_default()
    };
    for (port, program) in [
        ("80 ", "nginx"),
        ("8003 ", "docker-proxy"),
        ("8004 ", "docker-proxy"),
        ("8005 ", "busybox"),
    ] {
        assert!(line(port).contains(program), "{port}: {program}\n{shown}");
        let listeners = host.sh(&format!("ss -Hltnp 'sport = :{}'", port.trim()));
        assert!(listeners.contains(program), "{listeners}");
    }
    assert!(line("8003 ").contains("api.service"), "{shown}");
    let free = host
        .tool(&["ports", "--free", "8001-8010"])
        .expect(0)
        .stdout;
    assert_eq!(free, "8001-8002 8006-8010\n");
    host.sh("systemctl stop standin8005");
    let free = host
        .tool(&["ports", "--free", "8001-8010"])
        .expect(0)
        .stdout;
    assert_eq!(free, "8001-8002 8005-8010\n");
}

#[test]
fn check_on_a_host_has_the_real_values() {
    let host = bad_host();
    let check = |expected: &str| {
        let said = host
            .assert_untouched(|host| {
                host.try_sh_as(
                    "ubuntu",
                    &format!("cd {CHECKOUT}; watchme-apply check --deny nothing"),
                )
            })
            .expect(0);
        assert!(
            said.text().contains(expected),
            "{expected} is not in\n{}",
            said.text()
        );
        said.text()
    };
    let said = check("");
    assert!(!said.contains("compose-variable-unset"), "{said}");
    // The real file does not have it, and is named.
    let env = format!("{CHECKOUT}/desired-state/api/.env");
    host.sh(&format!("echo OTHER=x >{env}"));
    check("the variable MODE has no value in desired-state/api/.env");
    // Without the real one, the example stands for it, and that is said.
    host.sh(&format!(
        "rm {env}; echo MODE=example >{env}.example; chown ubuntu: {env}.example"
    ));
    host.commit(&[], "an example");
    let said = check(
        "there is no .env here: variables of compose files have the values of desired-state/api/.env.example",
    );
    assert!(!said.contains("the variable MODE"), "{said}");
}

/// Where a desired state was applied, the installed versions count; elsewhere nobody is asked.
#[test]
fn check_knows_the_versions_of_the_host_that_it_is_for() {
    let host = Host::boot();
    let newer = format!(
        "{}\nserver {{ early_hints $http2; server_name b; return 204; }}\n",
        site("a", "a")
    );
    host.checkout(&[(&desired("sites-available/a"), &site("a", "a"))]);
    let check = || {
        let check = format!("cd {CHECKOUT}; watchme-apply check --deny nothing");
        host.try_sh_as("ubuntu", &check).expect(0).text()
    };
    host.write(
        &format!("{CHECKOUT}/{}", desired("sites-available/a")),
        &newer,
    );
    let said = check();
    assert!(
        said.contains("nginx before 1.29.0 does not know the directive early_hints"),
        "{said}"
    );
    host.sh_as("ubuntu", &format!("cd {CHECKOUT}; git checkout -q ."));
    host.apply(&[]).expect(0);
    host.write(
        &format!("{CHECKOUT}/{}", desired("sites-available/a")),
        &newer,
    );
    let installed = host.sh("nginx -v 2>&1 | sed 's|.*/||; s| .*||'");
    let said = check();
    let expected = format!(
        "nginx {} does not know the directive early_hints",
        installed.trim()
    );
    assert!(said.contains(&expected), "{expected}\n{said}");
    // What nginx itself says.
    let systemd = host.sh("systemctl --version | sed -n '1s/^systemd \\([0-9]*\\).*/\\1/p'");
    let systemd = systemd.trim();
    let stated = format!("[host]\nnginx = \"1.28\"\nsystemd = \"{systemd}\"\n");
    host.sh_as("ubuntu", &format!("cd {CHECKOUT}; git checkout -q ."));
    host.commit(
        &[
            (&desired("sites-available/a"), Some(&newer)),
            (&desired("watchme.toml"), Some(&stated)),
        ],
        "newer",
    );
    let plan = host.tool(&["plan"]).expect(1).text();
    assert!(plan.contains("unknown directive \"early_hints\""), "{plan}");
    for text in [plan, check()] {
        let warning = format!(
            "watchme.toml states nginx 1.28, and this host has {}: correct nginx in [host]",
            installed.trim()
        );
        assert!(text.contains(&warning), "{warning}\n{text}");
        assert!(!text.contains("states systemd"), "{text}");
    }
}
