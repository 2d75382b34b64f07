//! Who may read what is on record, who may write to what root starts, and what a user gets who races for it.

use std::time::Duration;

use crate::support::{CHECKOUT, Host, desired, service, site, sleeper};

#[test]
fn records_and_stored_trees_are_roots_alone_and_services_of_other_users_run() {
    let host = Host::boot();
    // Homes of Debian 13 are closed to services of other users.
    host.sh("chmod 755 /home/ubuntu");
    let script = format!("{CHECKOUT}/scripts/run.sh");
    let unit = service(&script).replace(
        "[Service]\n",
        &format!("[Service]\nUser=nobody\nEnvironmentFile={CHECKOUT}/scripts/run.env\n"),
    );
    host.checkout(&[
        (
            "scripts/run.sh",
            "#!/bin/sh\ncat /etc/app/linked.conf; echo \"$GREETING\"; exec sleep 1000\n",
        ),
        ("scripts/run.env", "GREETING=hello\n"),
        (&desired("systemd/reader.service"), &unit),
        (&desired("etc/app/linked.conf"), "linked\n"),
        (&desired("sites-available/a"), &site("a", "first")),
        (
            &desired("watchme.toml"),
            "[etc.\"app/linked.conf\"]\ninstall = \"link\"\n",
        ),
    ]);
    host.apply(&[]).expect(0);
    host.write("/etc/app/linked.conf", "edited\n");
    host.commit(
        &[(&desired("sites-available/a"), Some(&site("a", "second")))],
        "second",
    );
    host.apply(&[]).expect(0);
    // An older version has left them open.
    host.sh("chmod 755 /var/lib/watchme-apply /etc/watchme-apply/generations");
    host.commit(
        &[(&desired("sites-available/a"), Some(&site("a", "third")))],
        "third",
    );
    host.apply(&[]).expect(0);
    for folder in [
        "/var/lib/watchme-apply",
        "/var/lib/watchme-apply/backups",
        "/etc/watchme-apply/generations",
    ] {
        assert_eq!(
            host.sh(&format!("stat -c %a:%U {folder}")),
            "700:root",
            "{folder}"
        );
    }
    let open = host.sh("find /var/lib/watchme-apply -mindepth 1 -maxdepth 1 -perm /077");
    assert_eq!(open, "", "open to others");
    for path in [
        "/var/lib/watchme-apply/inventory.json",
        "/etc/watchme-apply/generations/1/desired.json",
    ] {
        assert_ne!(
            host.try_sh_as("ubuntu", &format!("cat {path}")).status,
            0,
            "{path}"
        );
    }
    assert_eq!(host.sh("stat -c %a /etc/watchme-apply/live"), "755");
    assert_eq!(host.sh_as("ubuntu", "cat /etc/app/linked.conf"), "linked");
    host.sh("systemctl restart reader.service");
    host.wait_for("word of the service", Duration::from_secs(10), || {
        let said = host.sh("journalctl --sync; journalctl -u reader.service -o cat --no-pager");
        said.contains("linked") && said.contains("hello")
    });
    assert!(host.is_active("reader.service"));
    for command in ["plan", "status", "drift", "history"] {
        let said = host.try_sh_as("ubuntu", &format!("cd {CHECKOUT}; watchme-apply {command}"));
        let needs = format!("needs root: sudo watchme-apply {command}");
        assert!(
            said.status == 1 && said.text().contains(&needs),
            "{command}: {}",
            said.text()
        );
    }
    host.try_sh_as("ubuntu", &format!("cd {CHECKOUT}; watchme-apply check"))
        .expect(0);
}

#[test]
fn the_unit_at_boot_starts_only_what_root_alone_can_write() {
    let host = Host::boot();
    host.checkout(&[(&desired("sites-available/a"), &site("a", "first"))]);
    host.apply(&[]).expect(0);
    let unit = "/etc/systemd/system/watchme-apply-recover.service";
    assert!(host.stands(unit));
    for (spoil, mend, path) in [
        (
            "chown ubuntu /usr/local/bin/watchme-apply",
            "chown root /usr/local/bin/watchme-apply",
            "/usr/local/bin/watchme-apply",
        ),
        (
            "chmod g+w /usr/local/bin",
            "chmod g-w /usr/local/bin",
            "/usr/local/bin",
        ),
    ] {
        host.sh(spoil);
        let plan = host.tool(&["plan"]).text();
        let told = format!("others than root may write to {path}:");
        assert!(plan.contains(&told), "{plan}");
        host.apply(&[]).expect(0);
        assert!(!host.stands(unit), "{spoil}");
        assert_eq!(
            host.wants_links("watchme-apply-recover.service"),
            Vec::<String>::new()
        );
        host.sh(mend);
        host.apply(&[]).expect(0);
        assert!(host.stands(unit), "{mend}");
    }
}

#[test]
fn a_user_who_exchanges_links_while_files_are_put_gets_nothing() {
    let host = Host::boot();
    let policy = "[etc.\"app/conf.d/x.conf\"]\nowner = \"ubuntu:ubuntu\"\nmode = \"0666\"\n";
    host.checkout(&[
        (&desired("sites-available/a"), &site("a", "first")),
        (&desired("etc/app/conf.d/x.conf"), "0\n"),
        (&desired("watchme.toml"), policy),
    ]);
    host.apply(&[]).expect(0);
    host.sh("chown -R ubuntu: /etc/app
         mkdir -m 755 /etc/victim; echo secret >/etc/victim/x.conf; chmod 600 /etc/victim/x.conf");
    let victim = "stat -c '%a %U:%G %Y %i' /etc/victim /etc/victim/x.conf; cat /etc/victim/x.conf; ls -A /etc/victim";
    let before = host.sh(victim);
    let racer = "cd /etc/app; i=0
        while :; do
            i=$((i + 1))
            mv -T conf.d trash.$i; mkdir conf.d; ln -s /etc/victim/x.conf conf.d/x.conf
            mv -T conf.d hold.$i; ln -s /etc/victim conf.d
            rm -f conf.d; mv -T hold.$i conf.d; rm -f conf.d/x.conf
            cp conf.d/.watchme* trash.*/.watchme* /tmp/ 2>/dev/null
            rm -rf trash.*
        done";
    host.write("/usr/local/lib/racer", racer);
    host.sh("setsid runuser -u ubuntu -- sh /usr/local/lib/racer </dev/null >/dev/null 2>&1 &");
    let mut statuses = Vec::new();
    for round in 1..=25 {
        let text = format!("{round}\n");
        host.commit(&[(&desired("etc/app/conf.d/x.conf"), Some(&text))], "round");
        statuses.push(host.apply(&[]).status);
        assert_eq!(host.sh(victim), before, "round {round}: {statuses:?}");
    }
    println!("exit statuses {statuses:?}");
    host.sh("pkill -f /usr/local/lib/[r]acer; sleep 0.3; rm -rf /etc/app; mkdir -p /etc/app/conf.d; chown -R ubuntu: /etc/app");
    host.commit(
        &[(&desired("etc/app/conf.d/x.conf"), Some("last\n"))],
        "last",
    );
    host.apply(&[]).expect(0);
    assert_eq!(
        host.sh("stat -c '%a %U:%G' /etc/app/conf.d/x.conf; cat /etc/app/conf.d/x.conf"),
        "666 ubuntu:ubuntu\nlast"
    );
    assert_eq!(host.sh(victim), before);
    // A link that the user leaves there is refused with its name.
    host.sh("runuser -u ubuntu -- sh -c 'mv /etc/app/conf.d /etc/app/real; ln -s /etc/victim /etc/app/conf.d'");
    host.commit(
        &[(&desired("etc/app/conf.d/x.conf"), Some("more\n"))],
        "more",
    );
    let refused = host.apply(&[]);
    assert!(
        refused.status != 0
            && refused
                .stderr
                .contains("/etc/app/conf.d is a link of another user"),
        "{}",
        refused.text()
    );
    assert_eq!(host.sh(victim), before);
}

/// What would fail in the middle is refused before: nothing is interrupted, and nothing has to be undone.
#[test]
fn what_cannot_be_put_is_refused_by_the_plan() {
    let host = Host::boot();
    host.checkout(&[(&desired("systemd/one.service"), &sleeper(1000))]);
    host.apply(&[]).expect(0);
    host.sh("mkdir -p /etc/usr1 /root/target && chown ubuntu: /etc/usr1");
    host.sh_as("ubuntu", "ln -s /root/target /etc/usr1/sub");
    let unit = sleeper(1001);
    for (path, policy, said) in [
        (
            "etc/usr1/sub/file",
            "",
            "/etc/usr1/sub is a link of another user, which is not followed",
        ),
        (
            "etc/zfoo",
            "[etc.\"zfoo\"]\nowner = \"nobody-here:nobody-here\"\n",
            "its owner nobody-here:nobody-here does not exist",
        ),
    ] {
        host.commit(
            &[
                (&desired(path), Some("x\n")),
                (&desired("watchme.toml"), Some(policy)),
                (&desired("systemd/one.service"), Some(&unit)),
            ],
            path,
        );
        let plan = host.tool(&["plan"]).text();
        assert!(plan.contains(said), "{said} is not in\n{plan}");
        let refused = host.apply(&[]).expect(1);
        assert!(refused.text().contains(said), "{}", refused.text());
        assert_eq!(
            host.sh("ls /root/target; pgrep -xfc '/bin/sleep 1001' || true"),
            "0"
        );
        host.sh_as(
            "ubuntu",
            &format!("cd {CHECKOUT}; git reset -q --hard HEAD~1"),
        );
    }
}
