//! Circumstances that no revision is to blame for: programs that die, a disk that is full, records that are gone.

use std::time::Duration;

use crate::support::{Host, desired, service, site, sleeper};

const ATTEMPTS: &str = "/var/lib/watchme-apply/attempts.json";

/// Has a program end itself when it is called with `word`, as the kernel does where memory is short.
/// By the kernel: a program that is PID 1 of its namespace, as a validator is, cannot be killed from inside.
fn dies(host: &Host, program: &str, word: &str) {
    host.sh(&format!("mv {program} {program}.real"));
    let wrapper = format!(
        "#!/bin/sh\nfor arg; do [ \"$arg\" = {word} ] && ulimit -t 1 && while :; do :; done; done\nexec {program}.real \"$@\"\n"
    );
    host.write(program, &wrapper);
    host.sh(&format!("chmod 0755 {program}"));
}

fn revives(host: &Host, program: &str) {
    host.sh(&format!("mv {program}.real {program}"));
}

/// What a rollback starts again may die a second later: at some moments it looks right.
#[test]
#[ignore = "long: tests/run --all"]
fn what_comes_back_and_dies_again_is_told() {
    let host = Host::boot();
    let fickle = "[Service]\nExecStart=/bin/sh -c \"test -e /tmp/marker || { sleep 1; exit 1; }; exec sleep 1000\"\nRestart=always\nRestartSec=1\n\n[Install]\nWantedBy=multi-user.target\n";
    host.sh("touch /tmp/marker");
    host.checkout(&[(&desired("systemd/fickle.service"), fickle)]);
    host.apply(&[]).expect(0);
    host.sh("rm /tmp/marker");
    let bad = fickle.replace("exec sleep 1000", "exit 2");
    host.commit(&[(&desired("systemd/fickle.service"), Some(&bad))], "bad");
    let failed = host.apply(&[]).expect(4);
    assert!(
        failed.stderr.contains("fickle.service does not stay up"),
        "{}",
        failed.text()
    );
    // All was undone: there is nothing for `recover` to do.
    assert!(
        !failed.stderr.contains("watchme-apply recover")
            && failed.stderr.contains("watchme-apply drift --fix"),
        "{}",
        failed.text()
    );
    host.tool(&["recover"]).expect(0);
    host.sh("touch /tmp/marker");
    host.wait_for("stay up again", Duration::from_secs(10), || {
        host.is_active("fickle.service")
    });
}

#[test]
#[ignore = "long: tests/run --all"]
fn validators_that_die_are_told_and_blame_nobody() {
    let host = Host::boot();
    host.checkout(&[
        (&desired("sites-available/a"), &site("a", "one")),
        (&desired("systemd/one.service"), &sleeper(1000)),
    ]);
    host.apply(&[]).expect(0);
    host.commit(
        &[
            (&desired("sites-available/a"), Some(&site("a", "two"))),
            (&desired("systemd/one.service"), Some(&sleeper(1001))),
        ],
        "two",
    );
    dies(&host, "/usr/bin/systemd-analyze", "verify");
    let plan = host.run(&[
        "sh",
        "-c",
        "cd /home/ubuntu/watchme-server-configs && SUDO_UID=1000 SUDO_GID=1000 watchme-apply plan",
    ]);
    assert!(
        plan.text()
            .contains("units were not validated: systemd-analyze verify ended with signal: 9"),
        "{}",
        plan.text()
    );
    revives(&host, "/usr/bin/systemd-analyze");
    dies(&host, "/usr/sbin/nginx", "-t");
    let failed = host.apply(&["--unattended"]).expect(3);
    assert!(
        failed.stderr.contains("nginx -t") && failed.stderr.contains("it was killed: signal: 9"),
        "{}",
        failed.text()
    );
    let attempts = host.read(ATTEMPTS);
    assert!(attempts.contains("\"quarantine\": null"), "{attempts}");
    revives(&host, "/usr/sbin/nginx");
    assert_eq!(host.page("a").trim(), "one");
    host.apply(&[]).expect(0);
    assert_eq!(host.page("a").trim(), "two");
}

/// At each amount of free room from nothing on, the host ends as it was, or as it was to be.
#[test]
fn a_full_state_folder_never_leaves_half() {
    let host = Host::boot();
    host.checkout(&[(&desired("sites-available/a"), &site("a", "0"))]);
    host.apply(&[]).expect(0);
    host.sh(
        "mkdir /tmp/kept; cp -a /var/lib/watchme-apply/. /tmp/kept
         mount -t tmpfs -o size=800k tmpfs /var/lib/watchme-apply; cp -a /tmp/kept/. /var/lib/watchme-apply",
    );
    let mut served = "0".to_owned();
    let (mut failures, mut unchanged) = (0, 0);
    for pages in 0..14 {
        let text = format!("{}", pages + 1);
        host.commit(
            &[(&desired("sites-available/a"), Some(&site("a", &text)))],
            &text,
        );
        host.sh(&format!(
            "cd /var/lib/watchme-apply; dd if=/dev/zero of=fill bs=4k 2>/dev/null || true; truncate -s -$(({pages} * 4096)) fill"
        ));
        let run = host.apply(&[]);
        host.sh("rm /var/lib/watchme-apply/fill");
        assert!(
            [0, 1, 3].contains(&run.status),
            "{pages} pages: {}",
            run.text()
        );
        // "Rolled back" says it in other words.
        assert_eq!(
            run.stderr.contains("nothing was changed"),
            run.status == 1,
            "{pages} pages: {}",
            run.text()
        );
        match run.status {
            0 => served = text,
            _ => {
                failures += 1;
                let hint = "hint: df -h /var/lib/watchme-apply";
                assert!(run.text().contains(hint), "{pages} pages: {}", run.text());
                // Where the first record had no room.
                let is_said = run.text().contains("; nothing was changed");
                assert!(run.status == 1 || !is_said, "{pages} pages: {}", run.text());
                unchanged += usize::from(is_said);
            }
        }
        assert_eq!(
            host.page("a").trim(),
            served,
            "{pages} pages: {}",
            run.text()
        );
    }
    assert!(failures > 2, "the disk was never full: {failures}");
    assert!(unchanged > 0, "no run failed before its first record");
    assert_ne!(served, "0", "the disk was always full");
    host.apply(&[]).expect(0);
    host.assert_does_nothing(&["apply"]).expect(0);
}

/// A copy that was kept for the undo and is gone: what stands there is better than nothing.
#[test]
fn a_kept_copy_that_is_gone_empties_nothing() {
    let host = Host::boot();
    let app = desired("etc/app/x.conf");
    host.checkout(&[
        (&app, "one\n"),
        (
            &desired("watchme.toml"),
            "[etc.\"app/x.conf\"]\ninstall = \"copy\"\n",
        ),
    ]);
    host.apply(&[]).expect(0);
    host.commit(
        &[
            (&app, Some("two\n")),
            (
                &desired("systemd/slow.service"),
                Some(
                    &service("/bin/sleep 1000").replace("[Service]\n", "[Service]\nType=oneshot\n"),
                ),
            ),
        ],
        "two",
    );
    host.sh("cd /home/ubuntu/watchme-server-configs; (SUDO_UID=1000 SUDO_GID=1000 setsid watchme-apply >/dev/null 2>&1 &)");
    host.wait_for("be in the middle", Duration::from_secs(15), || {
        host.property("slow.service", "ActiveState") == "activating"
    });
    host.sh("pkill -KILL -x watchme-apply; rm -rf /var/lib/watchme-apply/undo");
    let recovered = host.run(&["watchme-apply", "recover"]).expect(4);
    assert!(
        recovered
            .stderr
            .contains("could not find the kept copy /var/lib/watchme-apply/undo/"),
        "{}",
        recovered.text()
    );
    assert_ne!(host.read("/etc/app/x.conf"), "");
}

#[test]
fn a_store_on_another_file_system_is_refused() {
    let host = Host::boot();
    host.checkout(&[(&desired("sites-available/a"), &site("a", "one"))]);
    host.apply(&[]).expect(0);
    host.sh("cp -a /etc/watchme-apply /tmp/store; mount -t tmpfs tmpfs /etc/watchme-apply; cp -a /tmp/store/. /etc/watchme-apply");
    host.commit(
        &[(&desired("sites-available/a"), Some(&site("a", "two")))],
        "two",
    );
    let refused = host.apply(&[]).expect(1);
    assert!(
        refused
            .stderr
            .contains("/etc/watchme-apply is on another file system than /etc/systemd/system")
            && refused.stderr.contains("findmnt -T /etc/watchme-apply"),
        "{}",
        refused.text()
    );
    assert_eq!(host.page("a").trim(), "one");
}

/// Going back twice leaves both, also where the checkout cannot be read the second time.
#[test]
fn two_roll_backs_hold_together() {
    let host = Host::boot();
    let page = desired("sites-available/a");
    host.checkout(&[(&page, &site("a", "one"))]);
    host.apply(&[]).expect(0);
    for text in ["two", "three"] {
        host.commit(&[(&page, Some(&site("a", text)))], text);
        host.apply(&[]).expect(0);
    }
    host.tool(&["rollback"]).expect(0);
    host.commit(&[(&desired("sites-available/q"), Some("bad"))], "bad");
    host.tool(&["rollback"]).expect(0);
    assert_eq!(host.page("a").trim(), "one");
    host.commit(&[(&desired("sites-available/q"), None)], "without bad");
    let skipped = host.apply(&["--unattended"]).expect(2);
    assert!(skipped.stdout.contains("rolled back"), "{}", skipped.text());
    assert_eq!(host.page("a").trim(), "one");
}
