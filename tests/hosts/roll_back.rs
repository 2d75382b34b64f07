//! What a failed apply leaves behind, and what may not make one fail.

use std::time::Duration;

use crate::support::{CHECKOUT, Host, desired, service, site, sleeper};

#[test]
fn a_unit_that_keeps_failing_can_be_mended() {
    let host = Host::boot();
    let looping = "[Service]\nExecStart=/bin/sh -c 'test -e /run/ok && exec sleep 1000'\nRestart=always\nRestartSec=1\n\n[Install]\nWantedBy=multi-user.target\n";
    host.sh("touch /run/ok");
    host.checkout(&[(&desired("systemd/loop.service"), looping)]);
    host.apply(&[]).expect(0);
    host.sh("rm /run/ok; systemctl kill loop.service");
    host.wait_for("be restarted twice", Duration::from_secs(20), || {
        host.property("loop.service", "NRestarts")
            .parse::<u32>()
            .is_ok_and(|restarts| restarts >= 2)
    });
    let drift = host.tool(&["drift"]).expect(2);
    assert!(drift.stdout.contains("degraded"), "{}", drift.text());
    host.commit(
        &[(&desired("systemd/loop.service"), Some(&sleeper(1000)))],
        "mended",
    );
    host.apply(&[]).expect(0);
    assert!(host.is_active("loop.service"));
}

#[test]
fn a_reload_is_undone_by_a_reload_and_no_folder_stays() {
    let host = Host::boot();
    let reloads = |text: &str| {
        format!(
            "# {text}\n[Service]\nExecStart=/bin/sleep 1000\nExecReload=/bin/true\n\n[Install]\nWantedBy=multi-user.target\n"
        )
    };
    let dependent = format!("[Unit]\nRequires=base.service\n{}", sleeper(1001));
    host.checkout(&[
        (&desired("systemd/base.service"), &reloads("one")),
        (&desired("systemd/dependent.service"), &dependent),
        (&desired("sites-available/a"), &site("a", "old")),
        (
            &desired("watchme.toml"),
            "[unit.\"base.service\"]\non_change = \"reload\"\n",
        ),
    ]);
    host.apply(&[]).expect(0);
    let before = host.runs(&["base.service", "dependent.service"]);
    let listing = "find /etc -path /etc/watchme-apply -prune -o -printf '%p %y %l\\n' | sort";
    let tree = host.sh(listing);
    host.commit(
        &[
            (&desired("systemd/base.service"), Some(&reloads("two"))),
            (&desired("sites-available/a"), Some(&site("a", "new"))),
            (&desired("etc/some/folder/x.conf"), Some("x\n")),
            (
                &desired("systemd/bad.service"),
                Some(&service("/bin/false")),
            ),
        ],
        "bad",
    );
    let failed = host.apply(&[]).expect(3);
    assert!(failed.text().contains("bad.service"), "{}", failed.text());
    let after = host.runs(&["base.service", "dependent.service"]);
    assert_eq!(after.restarted_since(&before), Vec::<&str>::new());
    assert_eq!(host.sh(listing), tree);
    assert_eq!(host.get("http://a.example.com/").1.trim(), "old");
    assert_eq!(host.sh("ls /etc/watchme-apply/generations"), "1");
}

#[test]
fn a_commit_that_cannot_be_written_is_undone() {
    let host = Host::boot();
    host.checkout(&[(&desired("sites-available/a"), &site("a", "old"))]);
    host.apply(&[]).expect(0);
    host.commit(
        &[(&desired("sites-available/a"), Some(&site("a", "new")))],
        "new",
    );
    // The disk is full where the next generation is to be put: the very last step fails.
    host.sh(
        "cd /etc/watchme-apply && cp -a generations /root/kept && mount -t tmpfs -o size=64k tmpfs generations
         cp -a /root/kept/. generations && ! cat /dev/zero > generations/full",
    );
    let failed = host.apply(&[]).expect(3);
    assert!(failed.text().contains("No space left"), "{}", failed.text());
    assert_eq!(host.get("http://a.example.com/").1.trim(), "old");
}

#[test]
fn daemons_that_started_anew_are_no_reason_to_fail() {
    let host = Host::boot();
    host.checkout(&[
        (&desired("sites-available/a"), &site("a", "one")),
        (&desired("systemd/one.service"), &sleeper(1000)),
    ]);
    host.apply(&[]).expect(0);
    host.sh("systemctl restart nginx");
    host.commit(
        &[(&desired("systemd/one.service"), Some(&sleeper(1001)))],
        "unit",
    );
    host.apply(&[]).expect(0);
    host.reboot();
    host.commit(
        &[(&desired("sites-available/a"), Some(&site("a", "two")))],
        "site",
    );
    host.apply(&[]).expect(0);
    assert_eq!(host.get("http://a.example.com/").1.trim(), "two");
    host.assert_does_nothing(&["apply"]).expect(0);
}

/// What systemd was starting before the run belongs to nobody's undo.
#[test]
fn a_unit_that_is_still_starting_goes_on_while_a_run_is_rolled_back() {
    let host = Host::boot();
    let slow = service("/bin/sleep 1000").replace(
        "[Service]\n",
        "[Service]\nExecStartPre=/bin/sh -c 'until test -e /run/go; do sleep 0.1; done'\nTimeoutStartSec=60\n",
    );
    host.sh("touch /run/go");
    host.checkout(&[(&desired("systemd/slow.service"), &slow)]);
    host.apply(&[]).expect(0);
    host.sh("systemctl stop slow; rm /run/go; systemctl start --no-block slow");
    let bad = service("/bin/sh -c 'touch /run/go; exit 1'");
    host.commit(&[(&desired("systemd/bad.service"), Some(&bad))], "bad");
    let failed = host.apply(&[]).expect(3);
    assert!(failed.text().contains("bad.service"), "{}", failed.text());
    assert!(host.is_active("slow.service"));
    assert_eq!(host.property("slow.service", "NRestarts"), "0");
    assert!(!host.stands("/etc/systemd/system/bad.service"));
}

/// systemd starts what a unit requires along with it, before its own turn.
#[test]
fn what_a_unit_brings_along_is_undone_too() {
    let host = Host::boot();
    host.checkout(&[
        (
            &desired("systemd/alpha.service"),
            &format!(
                "[Unit]\nRequires=zbase.service\nAfter=zbase.service\n{}",
                sleeper(1000)
            ),
        ),
        (
            &desired("systemd/beta.service"),
            &service("/bin/sh -c 'exit 7'"),
        ),
        (&desired("systemd/zbase.service"), &sleeper(1001)),
    ]);
    let failed = host.apply(&[]).expect(3);
    assert!(failed.stderr.contains("beta.service"), "{}", failed.text());
    for unit in ["alpha.service", "beta.service", "zbase.service"] {
        assert!(!host.is_active(unit), "{unit}");
        assert_eq!(host.property(unit, "LoadState"), "not-found", "{unit}");
    }
    assert_eq!(
        host.sh("pgrep -fc '^/bin/sleep 100[01]' || true").trim(),
        "0"
    );
}

#[test]
fn a_unit_that_dies_by_itself_meanwhile_is_not_its_doing() {
    let host = Host::boot();
    let slow = "[Service]\nExecStart=/bin/sleep 1000\nRestart=always\nRestartSec=4\n\n[Install]\nWantedBy=multi-user.target\n";
    host.checkout(&[(&desired("systemd/slow.service"), slow)]);
    host.apply(&[]).expect(0);
    host.commit(
        &[(
            &desired("systemd/bad.service"),
            Some(&service("/bin/false")),
        )],
        "bad",
    );
    host.sh("systemctl kill slow.service");
    host.wait_for("wait for its restart", Duration::from_secs(5), || {
        host.property("slow.service", "SubState") == "auto-restart"
    });
    let failed = host.apply(&[]).expect(3);
    assert!(failed.stderr.contains("bad.service"), "{}", failed.text());
    host.wait_for("run again", Duration::from_secs(10), || {
        host.is_active("slow.service")
    });
}

/// systemd puts an empty file where it binds a stored one and the checkout has none: a later pull would stumble over it.
#[test]
fn the_checkout_is_clean_after_a_roll_back() {
    let host = Host::boot();
    let reads = |file: &str| {
        service(&format!(
            "/bin/sh -c 'exec sleep 1000' {CHECKOUT}/scripts/{file}"
        ))
    };
    host.checkout(&[
        ("scripts/one.sh", "#!/bin/sh\n"),
        (&desired("systemd/one.service"), &reads("one.sh")),
    ]);
    host.apply(&[]).expect(0);
    host.commit(
        &[
            ("scripts/one.sh", None),
            ("scripts/two.sh", Some("#!/bin/sh\n")),
            (&desired("systemd/one.service"), Some(&reads("two.sh"))),
            (
                &desired("systemd/bad.service"),
                Some(&service("/bin/false")),
            ),
        ],
        "another script",
    );
    host.apply(&[]).expect(3);
    assert!(host.is_active("one.service"));
    let status = host.sh_as("ubuntu", &format!("cd {CHECKOUT}; git status --porcelain"));
    // While the old unit runs, its script is bound over the place that git has left.
    let bound =
        host.sh("systemctl stop one.service; ls -A /home/ubuntu/watchme-server-configs/scripts");
    assert!(
        status.is_empty() || status == "?? scripts/one.sh",
        "{status}"
    );
    assert!(bound.contains("two.sh"), "{bound}");
    host.sh("systemctl start one.service");
    host.commit(&[(&desired("systemd/bad.service"), None)], "without bad");
    host.apply(&[]).expect(0);
    let status = host.sh_as("ubuntu", &format!("cd {CHECKOUT}; git status --porcelain"));
    assert_eq!(status, "");
}
