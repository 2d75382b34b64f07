//! Edits of a day on a server become changes of the checkout: what certbot wrote, `systemctl edit`, nano, and
//! `docker network connect`. Nothing restarts, and nothing of the host changes.

use std::time::Duration;

use crate::support::network::{NETWORK, POLICY, Server};
use crate::support::{CHECKOUT, Host, desired, site, sleeper};

const SITE: &str = "server {
    listen 80;
    server_name api.example.com;
    location / { return 200 'as committed\\n'; }
}
";
const SITE_PATH: &str = "/etc/nginx/sites-available/api.example.com";
const CERTBOT: &str = "    server_name api.example.com;
    listen 443 ssl; # managed by Certbot
    ssl_certificate /etc/letsencrypt/live/api.example.com/fullchain.pem; # managed by Certbot
    ssl_certificate_key /etc/letsencrypt/live/api.example.com/privkey.pem; # managed by Certbot
";
const SUDOERS: &str = "ubuntu ALL=(root) NOPASSWD: /usr/bin/true\n";
const UNITS: [&str; 4] = ["plain", "keeps", "watchme-aside", "nginx"];

#[test]
fn edits_of_a_day_become_changes_of_the_checkout() {
    let host = Host::boot();
    Server::with_owner()
        .service(
            "aside",
            ("up", "stop"),
            &["container_name: watchme-aside", "networks: [default]"],
        )
        .with(&desired("sites-available/api.example.com"), SITE)
        .with(&desired("systemd/plain.service"), sleeper(1000))
        .with(&desired("systemd/keeps.service"), sleeper(2000))
        .with(&desired("sites-available/b"), site("b", "b"))
        .with(&desired("etc/sudoers.d/app"), SUDOERS)
        .with(&desired("etc/app.conf"), "level = 1\n")
        .with(&desired("etc/cron.d/app"), "0 3 * * * root /usr/bin/true\n")
        .with(
            POLICY,
            "# how it is on this server\n[etc.\"sudoers.d/app\"]\nmode = \"0440\"\n[etc.\"app.conf\"]\nmode = \"0600\"\n",
        )
        .check_out(&host);
    host.apply(&[]).expect(0);
    let nothing = host.assert_untouched(|host| host.tool(&["capture"]).expect(0));
    assert!(
        nothing.stdout.contains("nothing to capture"),
        "{}",
        nothing.text()
    );
    edit_by_hand(&host);

    let before = marks(&host);
    let checkout = format!("cd {CHECKOUT}; git status --porcelain; git diff");
    let shown = host
        .assert_untouched(|host| host.tool(&["capture"]).expect(2))
        .text();
    for line in [
        "+    listen 443 ssl; # managed by Certbot",
        "+Environment=LEVEL=debug",
        "+30 3 * * * root /usr/bin/true",
        "+service = \"aside\"",
        "+level = 2",
        "the network watchme-network in the compose file of aside: the member is written, and check refuses it until",
        "set networks: [default, watchme-network] of the service aside",
        "nothing was written: sudo watchme-apply capture --yes writes 5 files",
        "/etc/systemd/system/keeps.service.d/key.conf: it stays out of git",
    ] {
        assert!(shown.contains(line), "no {line}\n{shown}");
    }
    assert!(!shown.contains("hunter2"), "{shown}");
    assert_eq!(host.sh_as("ubuntu", &checkout), "", "it only shows");
    // By the names that `drift` and people have for them.
    for (name, has) in [
        ("sites-enabled/api.example.com", "listen 443 ssl"),
        ("watchme-aside", "+service = \"aside\""),
    ] {
        let one = host.tool(&["capture", name]).expect(2).text();
        assert!(one.contains(has) && !one.contains("LEVEL"), "{name}: {one}");
    }

    // The record of what was captured is all that is new on the host.
    let others = |host: &Host| {
        let mut files = host.fingerprint().files;
        files.retain(|line| {
            let records = "/var/lib/watchme-apply";
            !line.contains(&format!(" {records} -> ")) && !line.contains("/captured.json")
        });
        files
    };
    let files = others(&host);
    let written = host.tool(&["capture", "--yes"]).expect(2).text();
    assert_eq!(others(&host), files, "nothing else of the host changes");
    assert!(written.contains("wrote 5 files"), "{written}");
    assert!(
        !host
            .sh(&format!("grep -r hunter2 {CHECKOUT} || true"))
            .contains("hunter2")
    );
    let owners = format!("find {CHECKOUT} -not -user ubuntu");
    assert_eq!(host.sh(&owners), "", "all of it is the user's");
    let dropin = desired("systemd/plain.service.d/override.conf");
    assert_eq!(
        host.read(&format!("{CHECKOUT}/{dropin}")).trim(),
        "[Service]\nEnvironment=LEVEL=debug"
    );
    let again = host.tool(&["capture", "api.example.com"]).expect(0).text();
    assert!(again.contains("commit what the checkout has"), "{again}");

    second_edit(&host);

    // What stays out of git goes.
    host.sh("rm -r /etc/systemd/system/keeps.service.d; systemctl daemon-reload");
    host.commit(&[], "what was done by hand");
    let plan = host.tool(&["plan"]).expect(0).text();
    assert!(!plan.contains("restart "), "{plan}");
    host.apply(&[]).expect(0);
    host.assert_does_nothing(&["apply"]).expect(0);
    host.tool(&["drift"]).expect(0);
    assert_eq!(marks(&host), before, "nothing restarted");
    assert_eq!(
        host.get("https://api.example.com/"),
        (200, "as committed\n".to_owned())
    );
    assert!(host.names_on_network(NETWORK).contains("watchme-aside"));
    assert!(
        host.property("plain", "Environment")
            .contains("LEVEL=debug")
    );

    both_changed(&host);
    what_check_and_nginx_refuse(&host);
}

/// The same lines are edited again before what was captured is applied: that is no conflict with git.
fn second_edit(host: &Host) {
    host.sh("echo '45 3 * * * root /usr/bin/true' >/etc/cron.d/app");
    let again = host
        .tool(&["capture", "/etc/cron.d/app", "--yes"])
        .expect(0)
        .text();
    assert!(again.contains("+45 3 * * *"), "{again}");
    let cron = desired("etc/cron.d/app");
    assert_eq!(
        host.read(&format!("{CHECKOUT}/{cron}")),
        "45 3 * * * root /usr/bin/true\n"
    );
    assert_eq!(host.sh("stat -c %a /etc/app.conf"), "600");
}

/// What is captured and could not be applied is said: by the words of `check` and of nginx.
fn what_check_and_nginx_refuse(host: &Host) {
    let lacks = |host: &Host| {
        host.tool(&["check"])
            .text()
            .contains("compose-network-missing")
    };
    assert!(lacks(host));
    let compose = desired("compose/aside/docker-compose.yml");
    host.sh_as("ubuntu", &format!(
        "cd {CHECKOUT}; sed -i 's/networks: .default./networks: [default, watchme-network]/' {compose}"
    ));
    assert!(
        !lacks(host),
        "{}",
        host.read(&format!("{CHECKOUT}/{compose}"))
    );

    let path = "/etc/nginx/sites-available/b";
    host.write(
        path,
        "server {\n    listen 80;\n    server_name b.example.com;\n    nonsense on;\n}\n",
    );
    let said = host.tool(&["capture", "b", "--yes"]).expect(0).text();
    assert!(
        said.contains("plan refuses what was written, and so does an apply: ")
            && said.contains("nonsense"),
        "{said}"
    );
}

/// As people edit: certbot through the link, `systemctl edit` and a restart, an editor that replaces the copy or the link.
fn edit_by_hand(host: &Host) {
    host.sh(
        "mkdir -p /etc/letsencrypt/live/api.example.com; cd /etc/letsencrypt/live/api.example.com
         openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=api.example.com -days 90 \\
             -keyout privkey.pem -out fullchain.pem 2>/dev/null",
    );
    let lines = SITE.replace("    server_name api.example.com;\n", CERTBOT);
    host.write(SITE_PATH, &lines);
    assert_eq!(host.sh(&format!("stat -c %F {SITE_PATH}")), "symbolic link");
    host.write(
        "/root/editor",
        "#!/bin/sh\n# systemctl says the line first, and discards what is behind its second comment.\nfor file; do :; done\nsed -i '/Anything between here/a [Service]\\nEnvironment=LEVEL=debug' \"$file\"\n",
    );
    host.sh("chmod +x /root/editor; nginx -t -q; systemctl reload nginx
         SYSTEMD_EDITOR=/root/editor script -qec 'systemctl edit plain' /dev/null >/dev/null
         systemctl restart plain");
    host.sh(
        "echo 'level = 2' >/etc/app.conf; rm /etc/cron.d/app; echo '30 3 * * * root /usr/bin/true' >/etc/cron.d/app
         mkdir -p /etc/systemd/system/keeps.service.d
         printf '[Service]\\nEnvironment=DB_PASSWORD=hunter2\\n' >/etc/systemd/system/keeps.service.d/key.conf
         systemctl daemon-reload",
    );
    host.wait_for("container", Duration::from_secs(30), || {
        host.try_sh("docker inspect -f '{{.State.Running}}' watchme-aside")
            .stdout
            .trim()
            == "true"
    });
    host.sh("docker network connect --alias cache watchme-network watchme-aside");
}

/// What must not change: process ids, and the containers.
fn marks(host: &Host) -> Vec<String> {
    let pids = UNITS.iter().map(|unit| host.property(unit, "MainPID"));
    let container = host.sh("docker inspect -f '{{.Id}} {{.State.StartedAt}}' watchme-aside");
    pids.chain([container]).collect()
}

/// A file that changed in git and on the host: merged where that is possible, else refused in words.
fn both_changed(host: &Host) {
    let site = host.read(SITE_PATH);
    let edited = site.replace("as committed", "by hand");
    host.write(SITE_PATH, &edited);
    let path = desired("sites-available/api.example.com");
    let in_git = format!("# all of the API\n{site}");
    host.commit(&[(&path, Some(&in_git))], "a comment");
    let merged = host.tool(&["capture", "--yes", SITE_PATH]).expect(0).text();
    assert!(
        merged.contains("merged with what changed in the checkout"),
        "{merged}"
    );
    let expected = format!("# all of the API\n{edited}");
    assert_eq!(host.read(&format!("{CHECKOUT}/{path}")), expected);

    host.commit(
        &[(&path, Some(&site.replace("as committed", "by git")))],
        "other words",
    );
    let refused = host.tool(&["capture", "--yes"]).expect(2).text();
    assert!(
        refused.contains("the same lines changed on the host and, since generation")
            && refused.contains(&format!("sudo diff {SITE_PATH} {CHECKOUT}/{path}")),
        "{refused}"
    );
    assert!(host.read(&format!("{CHECKOUT}/{path}")).contains("by git"));
}
