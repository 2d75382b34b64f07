//! What would be applied is validated before anything live changes, and nobody else sees it.

mod confined;

use crate::support::{CHECKOUT, Host, Output, desired, service, site, sleeper};

/// Files that change by themselves, through sudo and the checks of the test, and records of an attempt.
const RESTLESS: [&str; 12] = [
    "/var/log/journal",
    "/run/log",
    "/run/systemd",
    "/run/docker",
    "/run/containerd",
    "/run/sudo",
    "/var/lib/sudo",
    "/var/lib/docker",
    "/var/lib/containerd",
    "/run/utmp",
    // Whoever takes the lock writes down who it is.
    "/var/lib/watchme-apply/lock",
    // What unattended runs leave alone.
    "/var/lib/watchme-apply/attempts.json",
];

impl Host {
    /// Proves that what `act` does changes no file of the host anywhere, mounts nothing, and leaves nginx and the
    /// daemons alone.
    #[track_caller]
    fn assert_unseen<T>(&self, act: impl FnOnce(&Self) -> T) -> T {
        self.sh("mkdir -p /var/lib/watchme-apply; touch /root/stamp");
        let (mounts, workers, reloads) = (self.mounts(), self.nginx_workers(), self.reloads());
        let result = act(self);
        let changed = self.sh(
            "find / /run /run/lock /dev/shm -xdev -cnewer /root/stamp ! -path '/proc/*' | sort -u",
        );
        let changed: Vec<&str> = changed
            .lines()
            .filter(|path| !RESTLESS.iter().any(|own| path.starts_with(own)))
            .filter(|path| !["/run", "/var/lib/watchme-apply"].contains(path))
            .collect();
        assert!(changed.is_empty(), "files changed: {changed:#?}");
        assert_eq!(self.mounts(), mounts, "the mounts of the host");
        assert_eq!(self.nginx_workers(), workers);
        assert_eq!(self.reloads(), reloads);
        result
    }

    /// The mounts that everybody sees. Docker's come and go.
    fn mounts(&self) -> String {
        self.sh("grep -v docker /proc/1/mountinfo | sort")
    }

    fn validated(&self, command: &str, status: i32, parts: &[&str]) -> Output {
        let said = self
            .assert_unseen(|host| host.tool(&[command]))
            .expect(status);
        for part in parts {
            assert!(
                said.text().contains(part),
                "{part} is not in\n{}",
                said.text()
            );
        }
        said
    }

    /// Proves that plan and apply refuse the present commit for `parts`, and change nothing.
    #[track_caller]
    fn refuses(&self, parts: &[&str]) {
        self.validated("plan", 1, parts);
        let refused = self.validated("apply", 1, parts);
        for part in parts {
            assert!(refused.stderr.contains(part), "{part}: on standard error");
        }
        assert!(
            refused.stderr.contains("nothing was changed"),
            "{}",
            refused.stderr
        );
        let journal = self.try_sh("cat /var/lib/watchme-apply/journal");
        assert_eq!(journal.stdout, "", "nothing was journalled");
        self.sh("nginx -t");
    }

    fn commit_one(&self, path: &str, content: Option<&str>) {
        self.commit(&[(&desired(path), content)], path);
    }
}

/// A site with a line of its own, the fourth.
fn site_with(name: &str, line: &str) -> String {
    site(name, "x").replace("    location", &format!("    {line}\n    location"))
}

#[test]
fn what_nginx_refuses_changes_nothing() {
    let host = Host::boot();
    let limits = "client_max_body_size 10m;\n";
    host.checkout(&[
        (&desired("sites-available/a"), &site("a", "old")),
        (&desired("etc/nginx/conf.d/limits.conf"), limits),
    ]);
    host.apply(&[]).expect(0);

    host.commit_one(
        "sites-available/a",
        Some(&site_with("a", "rewrite_all on;")),
    );
    let place = "desired-state/sites-available/a:4:5";
    host.refuses(&[
        "unknown directive \"rewrite_all\"",
        place,
        "    rewrite_all on;",
    ]);

    host.commit_one(
        "sites-available/a",
        Some(&site_with(
            "a",
            "location /x { proxy_pass http://nosuch.example.com; }",
        )),
    );
    // Nobody is asked about names by looking at a revision.
    let unasked = "warning not validated: whether nosuch.example.com resolves";
    host.validated("plan", 0, &[unasked]);
    let refused = host.validated(
        "apply",
        1,
        &[
            "host not found in upstream \"nosuch.example.com\"",
            place,
            "getent hosts",
            "nothing was changed",
        ],
    );
    assert!(!refused.text().contains(unasked), "{}", refused.text());

    host.commit_one("sites-available/a", Some(&site_with("a", "listen 443 ssl; ssl_certificate /etc/ssl/nosuch.pem; ssl_certificate_key /etc/ssl/nosuch.key;")));
    host.refuses(&[
        "cannot load certificate \"/etc/ssl/nosuch.pem\"",
        place,
        "bootstrap_certificates",
    ]);

    host.commit_one("sites-available/a", Some(&site("a", "old")));
    host.commit_one(
        "etc/nginx/conf.d/limits.conf",
        Some("# one\nclient_max_body_size ten;\n"),
    );
    host.refuses(&[
        "\"client_max_body_size\" directive invalid value",
        "desired-state/etc/nginx/conf.d/limits.conf:2:1",
    ]);

    // Only valid together with what already exists.
    host.commit_one(
        "etc/nginx/conf.d/limits.conf",
        Some("upstream a { server 127.0.0.1:1; }\n"),
    );
    host.commit_one(
        "sites-available/a",
        Some(&site_with("a", "location /x { proxy_pass http://a; }")),
    );
    host.validated("plan", 0, &["reload nginx"]);
    host.sh("printf 'upstream a { server 127.0.0.1:2; }\\n' >/etc/nginx/conf.d/other.conf");
    host.refuses(&["duplicate upstream \"a\" in /etc/nginx/conf.d/other.conf:1"]);
    host.sh("rm /etc/nginx/conf.d/other.conf");
    assert_eq!(host.page("a"), "old");
    host.apply(&[]).expect(0);
    assert_eq!(host.page("a"), "x");
}

#[test]
fn nothing_that_nginx_makes_is_seen_outside() {
    let host = Host::boot();
    host.checkout(&[(&desired("sites-available/a"), &site("a", "old"))]);
    host.apply(&[]).expect(0);
    // Larger than the layer: it must not be copied there.
    host.sh("mkdir -p /srv/logs /data; head -c 100M /dev/zero | tee /srv/logs/b.log >/srv/logs/a.log; chown www-data /srv/logs/a.log");
    let log = |more: &str| site_with("a", &format!("access_log /srv/logs/a.log; {more}"));
    host.commit_one("sites-available/a", Some(&log("")));
    host.apply(&[]).expect(0);

    let many = log(
        "access_log /srv/logs/b.log; access_log /srv/logs/new.log; access_log /var/log/nginx/new.log; listen unix:/run/a.sock; listen 8099; listen 127.0.0.1:8098;",
    );
    let many = format!(
        "proxy_cache_path /data/cache keys_zone=c:1m;\nproxy_temp_path /data/temp;\nproxy_cache_path /dev/shm/cache keys_zone=d:1m;\n{many}"
    );
    host.commit_one("sites-available/a", Some(&many));
    let plan = host.validated("plan", 0, &["reload nginx"]);
    assert!(!plan.text().contains("not validated"), "{}", plan.text());
    assert_eq!(host.sh("ls /data /dev/shm"), "/data:\n\n/dev/shm:");
    // Where nginx does not run, it would leave an empty pid file.
    host.sh("systemctl stop nginx; test ! -e /run/nginx.pid");
    host.validated("plan", 0, &["nginx does not run"]);
    host.assert_does_nothing(&["plan"]).expect(0);
    host.apply(&[]).expect(0);
    assert_eq!(
        host.sh("ls -d /data/cache /run/a.sock"),
        "/data/cache\n/run/a.sock"
    );
}

#[test]
fn what_systemd_refuses_changes_nothing() {
    let host = Host::boot();
    host.checkout(&[
        (&desired("systemd/one.service"), &sleeper(1000)),
        (
            &desired("systemd/foreign@.service"),
            "[Service]\nExecStart=/bin/sleep %i\nUnknown=1\n",
        ),
    ]);
    host.apply(&[]).expect(0);
    let generated = "/run/systemd/transient/made.service";
    host.sh(&format!("mkdir -p $(dirname {generated}); printf '[Service]\\nExecStart=/bin/sleep 9\\n' >{generated}; systemctl daemon-reload; systemctl start made"));

    host.commit_one(
        "systemd/one.service",
        Some(&service("/usr/bin/nosuch --flag")),
    );
    let place = "desired-state/systemd/one.service:2:1";
    host.refuses(&[
        "one.service: Command /usr/bin/nosuch is not executable: No such file or directory",
        place,
    ]);

    host.commit_one(
        "systemd/one.service",
        Some("[Unit]\nDescription=x\nRequires=absent.service\n[Service]\nExecStart=/bin/sleep 1\n"),
    );
    host.refuses(&[
        "Unit absent.service not found",
        "desired-state/systemd/one.service:3:1",
    ]);

    host.commit_one("systemd/one.service", Some(&sleeper(1000)));
    host.commit_one(
        "systemd/one.service.d/x.conf",
        Some("[Service]\nExecStart=/bin/sleep 1\n"),
    );
    host.refuses(&["more than one ExecStart= setting", place]);
    host.commit_one("systemd/one.service.d/x.conf", None);

    // Only the manager knows a unit that has no file of its own; what systemd passes over is a warning.
    let odd = format!(
        "[Unit]\nRequires=made.service -.mount\nWrong=1\n{}",
        sleeper(1001)
    );
    host.commit_one("systemd/one.service", Some(&odd));
    let plan = host.validated(
        "plan",
        0,
        &[
            "warning[systemd-verify]: Unknown key",
            "desired-state/systemd/one.service:3:1",
        ],
    );
    assert!(
        !plan.text().contains("foreign"),
        "it does not change\n{}",
        plan.text()
    );
    let applied = host.apply(&[]).expect(0);
    assert!(
        applied
            .stdout
            .contains("desired-state/systemd/one.service:3:1"),
        "{}",
        applied.text()
    );
    assert!(host.is_active("one.service"));

    // `plan` of a commit that changes neither says nothing, and asks nobody.
    host.commit_one("etc/app/x.conf", Some("x\n"));
    host.sh("chmod -x /usr/bin/systemd-analyze /usr/sbin/nginx");
    let plan = host.validated("plan", 0, &[]);
    assert!(!plan.text().contains("validated"), "{}", plan.text());
}

#[test]
fn a_command_of_the_checkout_is_the_one_of_the_commit() {
    let host = Host::boot();
    let run = format!("{CHECKOUT}/desired-state/run.sh");
    host.checkout(&[
        (&desired("systemd/one.service"), &service(&run)),
        (&desired("run.sh"), "#!/bin/sh\nexec sleep 1000\n"),
    ]);
    // In the commit and not in the work tree.
    host.sh_as("ubuntu", &format!("cd {CHECKOUT}; git branch with; git rm -q --cached desired-state/run.sh; git commit -qm without; rm desired-state/run.sh"));
    let plan = host
        .assert_unseen(|host| host.tool(&["plan", "--rev", "with"]))
        .expect(0);
    assert!(plan.text().contains("run.sh"), "{}", plan.text());
    assert!(!host.stands(&run));
}

#[test]
fn a_first_apply_that_is_refused_leaves_a_fresh_host() {
    let host = Host::boot();
    let bad = site_with("a", "rewrite_all on;");
    host.checkout(&[
        (&desired("watchme.toml"), "bootstrap_certificates = true\n"),
        (&desired("sites-available/a"), &bad),
        (&desired("sites-available/tls"), &site_with("tls", "listen 443 ssl; ssl_certificate /etc/letsencrypt/live/tls/fullchain.pem; ssl_certificate_key /etc/letsencrypt/live/tls/privkey.pem;")),
    ]);
    // As long as nothing is on record, which root alone may read.
    let by_user = host
        .try_sh_as("ubuntu", &format!("cd {CHECKOUT}; watchme-apply plan"))
        .expect(0);
    let needs_root = "not validated by nginx and systemd: needs root";
    assert_eq!(
        by_user.stdout.matches(needs_root).count(),
        1,
        "{}",
        by_user.text()
    );
    let listing = "find /etc /usr /home -xdev -printf '%p %y %l %T@\\n' | sort | sha256sum";
    let before = host.sh(listing);
    host.refuses(&["desired-state/sites-available/a:4:5"]);
    assert_eq!(host.sh(listing), before);
    for path in ["/etc/watchme-apply", "/etc/letsencrypt"] {
        assert!(!host.stands(path), "{path}");
    }
    let json = host.tool(&["plan", "--json"]).expect(1).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let finding = &json["findings"][0];
    assert_eq!(finding["rule"], "nginx-test");
    assert_eq!(finding["severity"], "error");
    assert_eq!(finding["place"]["path"], "desired-state/sites-available/a");

    // A certificate that the apply is going to write is no complaint.
    host.commit_one("sites-available/a", Some(&site("a", "x")));
    host.apply(&[]).expect(0);
    assert_eq!(host.page("a"), "x");
    host.assert_does_nothing(&["apply"]).expect(0);
}
