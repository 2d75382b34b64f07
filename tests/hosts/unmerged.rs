//! A plan of a revision that nobody merged runs none of its code with anything to give away.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{CHECKOUT, Host, Output, desired, site, sleeper};

/// Counts packets to an address that nobody has, and to name servers.
const COUNT: &str = "iptables -I OUTPUT -d 203.0.113.9 -j ACCEPT; iptables -I OUTPUT -p udp --dport 53 -j ACCEPT; \
    iptables -I OUTPUT -p tcp --dport 53 -j ACCEPT";
const COUNTED: &str = "iptables -nvxL OUTPUT | awk 'NR > 2 { sum += $1 } END { print sum + 0 }'";

/// Files that somebody may have left open to all.
const SECRETS: [&str; 4] = [
    "/etc/ssl/private/open.key",
    "/etc/app/db.env",
    "/home/ubuntu/.env",
    "/opt/app/.env",
];

/// A host with one site and one unit applied, and with secrets that its file modes do not protect.
fn host() -> Host {
    let host = Host::boot();
    host.checkout(&[
        (&desired("sites-available/a"), &site("a", "old")),
        (&desired("systemd/one.service"), &sleeper(1000)),
    ]);
    host.apply(&[]).expect(0);
    for secret in SECRETS {
        host.write(secret, "-----BEGIN PRIVATE KEY-----\nPASSWORD=x\n");
    }
    host.sh("chmod 755 /etc/ssl/private /home/ubuntu /root; echo x >/root/.profile; chmod 644 /root/.profile");
    host.sh(COUNT);
    // The counters count.
    let before = host.sh(COUNTED);
    host.try_sh("timeout 5 getent hosts control.example.com");
    assert_ne!(host.sh(COUNTED), before, "a look-up is counted");
    host
}

impl Host {
    /// Commits files and a library that is built of `source` to the branch `evil`, and leaves the checkout as it was.
    fn commit_evil(&self, source: &str, library: &str, files: &[(&str, &str)]) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let place = folder.path().join(desired(library));
        std::fs::create_dir_all(place.parent().expect("a folder")).expect("made");
        let source = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/hosts/unmerged")
            .join(source);
        let built = std::process::Command::new("gcc")
            .args(["-shared", "-fPIC", "-O1", "-w", "-o"])
            .arg(&place)
            .arg(source)
            .status()
            .expect("gcc");
        assert!(built.success());
        self.sh_as(
            "ubuntu",
            &format!("cd {CHECKOUT}; git checkout -q -B evil main"),
        );
        self.copy_in(folder.path(), CHECKOUT);
        let files: Vec<(String, Option<&str>)> = files
            .iter()
            .map(|(path, content)| (desired(path), Some(*content)))
            .collect();
        let files: Vec<(&str, Option<&str>)> = files
            .iter()
            .map(|(path, content)| (path.as_str(), *content))
            .collect();
        self.commit(&files, "evil");
        self.sh_as("ubuntu", &format!("cd {CHECKOUT}; git checkout -q main"));
    }

    /// Plans the branch; nothing of it got anywhere.
    #[track_caller]
    fn look_at_evil(&self) -> Output {
        let (before, processes) = (self.sh(COUNTED), self.sh("pgrep -c . || true"));
        let docker = self.property("docker.service", "MainPID");
        let plan = self.tool(&["plan", "--rev", "evil"]);
        assert_eq!(self.sh(COUNTED), before, "packets left\n{}", plan.text());
        let found = self.sh("find / /run /tmp /dev/shm -xdev -name 'escaped*' ! -path '/proc/*'");
        assert_eq!(found, "", "{}", plan.text());
        assert_eq!(self.property("docker.service", "MainPID"), docker);
        assert!(self.is_active("one.service"));
        assert_eq!(self.page("a"), "old");
        let left = self.sh("ps -eo uid= | awk '$1 > 1000000' | wc -l");
        assert_eq!(left, "0", "processes are left; before {processes}");
        plan
    }

    /// [`Host::look_at_evil`] where the code ran in `program` and found every way closed.
    #[track_caller]
    fn assert_powerless(&self, parts: &[&str]) {
        let plan = self.look_at_evil();
        assert!(
            plan.text().contains("probes as nobody, opened:."),
            "the code did not run, or found something open\n{}",
            plan.text()
        );
        // Whoever looks at it is told first of all.
        let first = plan.text().find("warning[code-outside-packages]");
        assert!(first.is_some(), "{}", plan.text());
        for part in parts {
            assert!(
                plan.text().contains(part),
                "{part} is not in\n{}",
                plan.text()
            );
        }
    }
}

#[test]
fn code_that_nginx_and_systemd_load_is_powerless() {
    let host = host();
    let unit = sleeper(1001);
    let changed: [(&str, &str); 2] = [
        ("sites-available/a", &site("a", "new")),
        ("systemd/one.service", &unit),
    ];
    // A module of nginx.
    let module = (
        "etc/nginx/modules-enabled/x.conf",
        "load_module /etc/nginx/evil.so;\n",
    );
    host.commit_evil("evil.c", "etc/nginx/evil.so", &[changed[0], module]);
    host.assert_powerless(&[]);

    // A library that every program loads: nginx, and systemd-analyze.
    let preload = ("etc/ld.so.preload", "/etc/evil.so\n");
    host.commit_evil("evil.c", "etc/evil.so", &[changed[0], preload]);
    host.assert_powerless(&[]);
    host.commit_evil("evil.c", "etc/evil.so", &[changed[1], preload]);
    host.assert_powerless(&["one.service: probes"]);

    // A provider of OpenSSL.
    let provider = "openssl_conf = init\n[init]\nproviders = all\n[all]\nevil = evil\n[evil]\nmodule = /etc/ssl/evil.so\nactivate = 1\n";
    host.commit_evil(
        "evil.c",
        "etc/ssl/evil.so",
        &[changed[0], ("etc/ssl/openssl.cnf", provider)],
    );
    host.assert_powerless(&[]);

    // What would be applied in the same commit is a certificate that this program makes itself.
    let policy = ("watchme.toml", "bootstrap_certificates = true\n");
    let tls = site("tls", "x").replace("    location", "    listen 443 ssl; ssl_certificate /etc/letsencrypt/live/tls/fullchain.pem; ssl_certificate_key /etc/letsencrypt/live/tls/privkey.pem;\n    location");
    host.commit_evil(
        "evil.c",
        "etc/ssl/evil.so",
        &[
            ("sites-available/tls", &tls),
            policy,
            ("etc/ssl/openssl.cnf", provider),
        ],
    );
    host.assert_powerless(&[]);
}

#[test]
fn nothing_secret_is_told_by_an_error() {
    let host = host();
    for include in [
        "/etc/shadow",
        "/etc/ssl/private/open.key",
        "/etc/app/db.env",
        "/home/ubuntu/.env",
        "/opt/app/.env",
        "/proc/1/environ",
    ] {
        let conf = ("etc/nginx/conf.d/x.conf", format!("include {include};\n"));
        host.commit_evil("evil.c", "etc/x/unused.so", &[(conf.0, &conf.1)]);
        let plan = host.look_at_evil();
        for secret in ["PRIVATE KEY", "PASSWORD", "root:*"] {
            let told = plan.text().lines().any(|line| line.contains(secret));
            assert!(!told, "{include}\n{}", plan.text());
        }
    }
}

/// Root reads for whoever wrote the branch: only what the branch could read itself, or what was applied before, is shown.
#[test]
fn what_a_branch_names_is_not_shown_to_it() {
    let host = host();
    host.sh("echo API=abc-stolen >/root/secret.env; cp /root/secret.env /opt/app/.env; chmod 600 /root/secret.env /opt/app/.env");
    host.sh(&format!(
        "openssl req -x509 -newkey ed25519 -nodes -keyout /dev/null -subj /CN=x -days 9 -out /etc/nginx/mixed.pem 2>/dev/null; echo 'API=abc-stolen' >>/etc/nginx/mixed.pem; chmod 600 /etc/nginx/mixed.pem
         mkdir -p {CHECKOUT}/compose/c; echo 'DB_PASSWORD=abc-stolen' >{CHECKOUT}/compose/c/.env; chmod 600 {CHECKOUT}/compose/c/.env
         echo .env >>{CHECKOUT}/.git/info/exclude; chown -R ubuntu: {CHECKOUT}/compose"
    ));
    let assert_silent = |plan: &Output, what: &str| {
        for secret in ["abc-stolen", "root:*"] {
            assert!(!plan.text().contains(secret), "{what}\n{}", plan.text());
        }
    };
    // A file that a unit of the branch takes for a compose file.
    for file in ["/etc/shadow", "/root/secret.env", "/opt/app/.env"] {
        let unit = format!(
            "[Service]\nExecStart=/usr/bin/docker-compose -f {file} up\n[Install]\nWantedBy=multi-user.target\n"
        );
        host.commit_evil(
            "evil.c",
            "etc/x/unused.so",
            &[("systemd/reads.service", &unit)],
        );
        let plan = host.look_at_evil();
        assert_silent(&plan, file);
        // Environment files are never taken for compose files.
        if !file.ends_with(".env") {
            let said = format!("{file} is not read: not everybody may read it");
            assert!(plan.text().contains(&said), "{}", plan.text());
        }
    }
    // A certificate that is none, and a module that prints what it sees.
    let key = host.sh("openssl genpkey -algorithm ed25519 2>/dev/null");
    let module = (
        "etc/nginx/modules-enabled/x.conf",
        "load_module /etc/nginx/steal.so;\n",
    );
    for file in [
        "/etc/shadow",
        "/root/secret.env",
        "/opt/app/.env",
        "/etc/nginx/mixed.pem",
    ] {
        let conf = format!(
            "server {{ listen 441 ssl; ssl_certificate {file}; ssl_certificate_key /etc/nginx/own.key; }}\n"
        );
        let client = format!("ssl_client_certificate {file};\nssl_crl {file};\n");
        for conf in [&conf, &client] {
            let files = [
                ("etc/nginx/conf.d/x.conf", conf.as_str()),
                ("etc/nginx/own.key", &key),
                module,
            ];
            host.commit_evil("steal.c", "etc/nginx/steal.so", &files);
            let plan = host.look_at_evil();
            assert!(plan.text().contains("looked everywhere"), "{}", plan.text());
            assert_silent(&plan, conf);
        }
    }
    // A variable of an environment file that git does not have.
    let unit = format!(
        "[Service]\nWorkingDirectory={CHECKOUT}/compose/c\nExecStart=/usr/bin/docker-compose up\n[Install]\nWantedBy=multi-user.target\n"
    );
    let compose = "services:\n  app:\n    image: bb${DB_PASSWORD}:1\n    container_name: c-${DB_PASSWORD}\n    ports: ['${DB_PASSWORD}:80']\n    volumes: ['/srv/${DB_PASSWORD}:/data']\n";
    host.commit_evil(
        "evil.c",
        "etc/x/unused.so",
        &[
            ("systemd/c.service", &unit),
            ("../compose/c/docker-compose.yml", compose),
        ],
    );
    let plan = host.look_at_evil();
    assert!(plan.text().contains("c.service"), "{}", plan.text());
    assert_silent(&plan, "the image");
    assert_silent(&host.tool(&["plan", "--rev", "evil", "--json"]), "as JSON");
}

#[test]
#[ignore = "long: tests/run --all"]
fn what_the_tool_itself_reads_is_bounded() {
    let host = host();
    let chain: Vec<(String, String)> = (0..6000)
        .map(|number| {
            let next = format!("include /etc/nginx/ch/{};\n", number + 1);
            (format!("etc/nginx/ch/{number}"), next)
        })
        .collect();
    let mut files: Vec<(&str, &str)> = chain
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    files.push((
        "etc/nginx/conf.d/x.conf",
        "include /etc/nginx/ch/0;\ninclude /proc/kmsg;\n",
    ));
    host.commit_evil("evil.c", "etc/x/unused.so", &files);
    let begun = Instant::now();
    let plan = host.look_at_evil();
    assert!([0, 1].contains(&plan.status), "{}", plan.text());
    assert!(begun.elapsed() < Duration::from_secs(60));

    let module = (
        "etc/nginx/modules-enabled/x.conf",
        "load_module /etc/nginx/hoard.so;\n",
    );
    host.commit_evil("hoard.c", "etc/nginx/hoard.so", &[module]);
    let plan = host.look_at_evil();
    assert!(
        plan.text()
            .contains("nginx -t took more than 256 MiB of memory"),
        "{}",
        plan.text()
    );
}

#[test]
fn code_that_takes_all_it_can_get_is_ended() {
    let host = host();
    let module = (
        "etc/nginx/modules-enabled/x.conf",
        "load_module /etc/nginx/bomb.so;\n",
    );
    host.commit_evil("bomb.c", "etc/nginx/bomb.so", &[module]);
    let begun = Instant::now();
    let plan = host.look_at_evil();
    assert!(
        begun.elapsed() < Duration::from_secs(90),
        "{:?}",
        begun.elapsed()
    );
    assert!(
        plan.text()
            .contains("the configuration of nginx was not validated"),
        "{}",
        plan.text()
    );
    assert!(plan.stdout.len() < 200_000, "{} bytes", plan.stdout.len());
}
