//! How a server that was edited by hand moves over: regular files, copies beside them, and what certbot wrote.

use std::time::Duration;

use crate::support::{CHECKOUT, Host};

const SITE: &str = "server {
    listen 80;
    server_name api.example.com;
    location / { return 200 'as committed\\n'; }
}
";
const OTHER_SITE: &str = "server {
    listen 80;
    server_name other.example.com;
    location / { return 200 'other\\n'; }
}
";
const PLAIN: &str = "[Unit]
Description=Plain

[Service]
ExecStart=/bin/sleep infinity

[Install]
WantedBy=multi-user.target
";
const HAND_EDITED: &str = "server {
    listen 80;
    server_name api.example.com;
    location / { return 200 'edited by hand\\n'; }
}
";
const TIMESTAMP: &str = "backup.20250828_120000";

#[test]
fn a_server_edited_by_hand_is_shown_kept_and_replaced() {
    let host = Host::boot();
    host.checkout(&[
        ("sites-available/api.example.com", SITE),
        ("sites-available/other.example.com", OTHER_SITE),
        ("systemd/plain.service", PLAIN),
        ("systemd/same.service", PLAIN),
    ]);
    set_up_by_hand(&host);
    let neighbours = "find /etc/nginx/sites-available /etc/systemd/system -name '*.backup.*' -printf '%i %m %T@ %C@ %p\\n' | sort";
    let (before, edited, same) = (
        host.sh(neighbours),
        invocation(&host, "plain"),
        invocation(&host, "same"),
    );
    assert_eq!(before.lines().count(), 3);

    let plan = host
        .assert_untouched(|host| host.tool(&["plan"]).expect(0))
        .stdout;
    for line in [
        "-    location / { return 200 'edited by hand\\n'; }",
        "+    location / { return 200 'as committed\\n'; }",
        "-ExecStart=/bin/sleep 1000000",
        "+ExecStart=/bin/sleep infinity",
    ] {
        assert!(
            plan.lines().any(|shown| shown.trim() == line),
            "no line {line}\n{plan}"
        );
    }
    assert!(!plan.contains(TIMESTAMP), "{plan}");

    host.apply(&[]).expect(0);
    assert_eq!(host.get("http://api.example.com/").1, "as committed\n");
    assert_eq!(host.read("/etc/systemd/system/plain.service"), PLAIN);
    assert!(
        host.sh("systemctl show -p ExecStart plain")
            .contains("sleep infinity")
    );
    assert_ne!(invocation(&host, "plain"), edited);
    assert_eq!(
        invocation(&host, "same"),
        same,
        "the same content, and restarted"
    );
    for path in [
        "nginx/sites-available/api.example.com",
        "systemd/system/plain.service",
        "systemd/system/same.service",
    ] {
        assert_eq!(host.sh(&format!("stat -c %F /etc/{path}")), "symbolic link");
    }
    assert_eq!(
        backup(&host, "etc/nginx/sites-available/api.example.com"),
        HAND_EDITED
    );
    assert_eq!(
        backup(&host, "etc/systemd/system/plain.service"),
        PLAIN.replace("infinity", "1000000")
    );
    assert_eq!(host.sh(neighbours), before);
    host.assert_does_nothing(&["apply"]).expect(0);

    let gone = [
        ("sites-available/api.example.com", None),
        ("systemd/plain.service", None),
    ];
    host.commit(&gone, "both go");
    host.apply(&[]).expect(0);
    assert_eq!(
        host.sh("systemctl show -p LoadState --value plain"),
        "not-found"
    );
    assert_eq!(host.sh(neighbours), before, "a neighbour is no resource");
}

/// Regular files where links belong, with the copies that people make before they edit.
fn set_up_by_hand(host: &Host) {
    let site = "/etc/nginx/sites-available/api.example.com";
    host.write(site, HAND_EDITED);
    host.write(&format!("{site}.{TIMESTAMP}"), SITE);
    host.write(
        &format!("{site}.backup.20250829_090000"),
        "server { old and broken\n",
    );
    host.write(
        "/etc/systemd/system/plain.service",
        &PLAIN.replace("infinity", "1000000"),
    );
    host.write(
        &format!("/etc/systemd/system/plain.service.{TIMESTAMP}"),
        PLAIN,
    );
    host.write("/etc/systemd/system/same.service", PLAIN);
    host.sh(&format!(
        "ln -s {site} /etc/nginx/sites-enabled/; systemctl daemon-reload
         systemctl enable --now -q plain same; nginx -t -q; systemctl reload nginx"
    ));
    host.wait_for("hand-made site", Duration::from_secs(5), || {
        host.get("http://api.example.com/").1 == "edited by hand\n"
    });
}

fn invocation(host: &Host, unit: &str) -> String {
    host.sh(&format!("systemctl show -p InvocationID --value {unit}"))
}

/// The one backup of a path, in a folder named by the time.
#[track_caller]
fn backup(host: &Host, path: &str) -> String {
    let folder = "/var/lib/watchme-apply/backups";
    let found = host.sh(&format!("ls -d {folder}/*/{path}"));
    assert_eq!(found.lines().count(), 1, "{found}");
    let time = found.split('/').nth(5).unwrap_or_default();
    let digits = time.replace('_', "");
    assert!(
        time.len() == 15 && digits.len() == 14 && digits.parse::<u64>().is_ok(),
        "{found}"
    );
    host.read(&found)
}

/// As `certbot --nginx` leaves a site: it writes through the link.
const CERTBOT_LINES: [&str; 3] = [
    "    listen 443 ssl; # managed by Certbot",
    "    ssl_certificate /etc/letsencrypt/live/api.example.com/fullchain.pem; # managed by Certbot",
    "    ssl_certificate_key /etc/letsencrypt/live/api.example.com/privkey.pem; # managed by Certbot",
];

fn with_certbot_lines() -> String {
    let lines = format!(
        "    server_name api.example.com;\n{}\n",
        CERTBOT_LINES.join("\n")
    );
    SITE.replace("    server_name api.example.com;\n", &lines)
}

#[test]
fn lines_of_certbot_stop_an_apply_and_are_left_alone_by_a_fix() {
    let host = Host::boot();
    host.checkout(&[
        ("sites-available/api.example.com", SITE),
        ("sites-available/other.example.com", OTHER_SITE),
        ("systemd/plain.service", PLAIN),
    ]);
    let site = "/etc/nginx/sites-available/api.example.com";
    host.sh(
        "mkdir -p /etc/letsencrypt/live/api.example.com; cd /etc/letsencrypt/live/api.example.com
         openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=api.example.com -days 90 \\
             -keyout privkey.pem -out fullchain.pem 2>/dev/null",
    );
    host.write(site, &with_certbot_lines());
    refuses_and_names_the_lines(&host);
    host.sh(&format!("rm {site}"));

    host.apply(&[]).expect(0);
    host.write(site, &with_certbot_lines());
    assert_eq!(host.sh(&format!("stat -c %F {site}")), "symbolic link");
    let refused = refuses_and_names_the_lines(&host);

    host.write(
        "/etc/nginx/sites-available/other.example.com",
        &OTHER_SITE.replace("other\\n", "edited\\n"),
    );
    host.sh("systemctl disable -q --now plain");
    let found = host.tool(&["drift"]).expect(2).stdout;
    assert!(
        found.contains("other.example.com") && found.contains("certbot"),
        "{found}"
    );
    let fixed = host.tool(&["drift", "--fix"]).expect(2).stdout;
    assert!(fixed.contains("site/api.example.com"), "{fixed}");
    assert_eq!(host.read(site), with_certbot_lines());
    assert_eq!(
        host.read("/etc/nginx/sites-available/other.example.com"),
        OTHER_SITE
    );
    assert_eq!(
        host.sh("systemctl is-active plain; systemctl is-enabled plain"),
        "active\nenabled"
    );
    assert_eq!(host.get("http://other.example.com/").1, "other\n");

    the_lines_come_into_git(&host, site, &refused);
}

/// Exit status 1, each line told with where it belongs, and a host that is as it was.
fn refuses_and_names_the_lines(host: &Host) -> String {
    let refused = host
        .assert_untouched(|host| host.apply(&[]).expect(1))
        .text();
    for line in CERTBOT_LINES {
        assert!(refused.contains(line.trim()), "not told: {line}\n{refused}");
    }
    assert!(
        refused.contains("sites-available/api.example.com"),
        "{refused}"
    );
    assert!(refused.contains("nothing was changed"), "{refused}");
    refused
}

/// By the command that the refusal told.
fn the_lines_come_into_git(host: &Host, site: &str, refused: &str) {
    let complete = with_certbot_lines();
    let mut told = refused.lines().map(str::trim);
    let told = told
        .find(|line| line.starts_with("sudo watchme-apply capture "))
        .expect(refused);
    host.sh_as("ubuntu", &format!("cd {CHECKOUT}; {told} --yes"));
    host.commit(&[], "what certbot wrote");
    host.apply(&[]).expect(0);
    assert_eq!(host.read(site), complete);
    assert_eq!(
        host.get("https://api.example.com/"),
        (200, "as committed\n".to_owned())
    );
    host.tool(&["drift"]).expect(0);
}
