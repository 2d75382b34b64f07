//! What people do to a host by hand, each found by `drift` and mended by `drift --fix`.

mod certificates;
mod containers;
mod edits;
mod outside;

use self::edits::{EDITS_OF_FILES, EDITS_OF_UNITS, Edit};
use crate::support::{Host, desired, site, sleeper};

fn applied_host() -> Host {
    let host = Host::boot();
    let twice = "[Service]\nExecStart=/bin/sleep 1002\n\n[Install]\nWantedBy=multi-user.target graphical.target\n";
    let policy = "absent = [\"sites-enabled/default\"]
[etc.\"app/settings.conf\"]
mode = \"0640\"
owner = \"root:www-data\"
";
    host.checkout(&[
        (&desired("watchme.toml"), policy),
        (&desired("sites-available/a"), &site("a", "a first")),
        (&desired("sites-available/b"), &site("b", "b first")),
        (&desired("systemd/one.service"), &sleeper(1001)),
        (&desired("systemd/two.service"), twice),
        (
            &desired("systemd/two.service.d/nice.conf"),
            "[Service]\nNice=5\n",
        ),
        (&desired("etc/app/settings.conf"), "x = 1\n"),
    ]);
    host.apply(&[]).expect(0);
    host
}

/// Each edit is looked for, made, seen, found, found again without a write, fixed, and looked for again.
fn all_are_found_and_fixed(host: &Host, edits: &[Edit]) {
    host.assert_does_nothing(&["drift"]).expect(0);
    let picture = host.picture();
    for Edit {
        what,
        by_hand,
        found: (kind, name),
        undone,
    } in edits
    {
        assert_eq!(
            host.try_sh(undone).status,
            0,
            "{what}: the check without the tool is wrong"
        );
        host.sh(by_hand);
        assert_ne!(
            host.try_sh(undone).status,
            0,
            "{what}: the check without the tool sees nothing"
        );
        let report = host.tool(&["drift"]);
        assert_eq!(report.status, 2, "{what}\n{}", report.text());
        let is_named = |line: &str| line.starts_with(kind) && line.contains(name);
        assert!(
            report.stdout.lines().any(is_named),
            "{what}: no {kind} {name} in\n{}",
            report.text()
        );
        let fixed = host.tool(&["drift", "--fix"]);
        assert_eq!(fixed.status, 0, "{what}\n{}", fixed.text());
        assert!(fixed.stdout.contains("fixed"), "{what}\n{}", fixed.text());
        let looked = host.try_sh(undone);
        assert_eq!(
            looked.status,
            0,
            "{what} is not mended: {}\n{}",
            looked.text(),
            fixed.text()
        );
        let again = host.tool(&["drift"]);
        assert_eq!(again.status, 0, "{what}\n{}", again.text());
        host.assert_unchanged(&picture, what);
    }
    host.assert_does_nothing(&["drift", "--fix"]).expect(0);
    host.assert_does_nothing(&["apply"]).expect(0);
}

/// What was edited by hand is kept, below the path where it stood.
#[track_caller]
fn assert_kept(host: &Host, mark: &str, path: &str) {
    let kept = host.sh(&format!(
        "grep -rl '{mark}' /var/lib/watchme-apply/backups || true"
    ));
    let there = |line: &str| line.ends_with(path) && line.split('/').nth(5).is_some_and(is_moment);
    assert!(
        kept.lines().any(there),
        "{mark} is not kept as {path}, but as {kept:?}"
    );
}

/// `%Y%m%d_%H%M%S`, as the old script named its backups.
fn is_moment(folder: &str) -> bool {
    let digits = folder.chars().filter(char::is_ascii_digit).count();
    digits >= 14 && folder.as_bytes().get(8) == Some(&b'_')
}

#[test]
fn hand_edits_of_files_are_found_and_fixed() {
    let host = applied_host();
    all_are_found_and_fixed(&host, EDITS_OF_FILES);
    assert_kept(&host, "edit-1", "sites-available/a");
    assert_kept(&host, "edit-2", "/etc/nginx/sites-enabled/a");
    assert_kept(&host, "edit-3", "/etc/app/settings.conf");
    assert!(
        host.stands("/etc/nginx/sites-available/default"),
        "only its link was unwanted"
    );
}

#[test]
#[ignore = "long: tests/run --all"]
fn hand_edits_of_units_are_found_and_fixed() {
    let host = applied_host();
    all_are_found_and_fixed(&host, EDITS_OF_UNITS);
    assert_kept(&host, "edit-4", "systemd/one.service");
    assert_kept(&host, "sleep 4005", "/etc/systemd/system/one.service");
    assert_kept(
        &host,
        "edit-6",
        "/etc/systemd/system/one.service.d/override.conf",
    );
    let masked = host.assert_untouched(|host| host.run(&["systemctl", "mask", "one.service"]));
    assert_ne!(
        masked.status,
        0,
        "a linked unit cannot be masked: {}",
        masked.text()
    );
    host.assert_does_nothing(&["drift"]).expect(0);
    host.reboot();
    host.assert_does_nothing(&["drift"]).expect(0);
}

#[test]
fn what_git_has_and_nobody_applied_is_pending_and_not_brought_in() {
    let host = applied_host();
    host.commit(
        &[
            (&desired("sites-available/a"), Some(&site("a", "a second"))),
            (&desired("systemd/three.service"), Some(&sleeper(1003))),
            (&desired("systemd/two.service.d"), None),
        ],
        "pending",
    );
    let report = host.assert_does_nothing(&["drift"]).expect(2).stdout;
    for (name, what) in [
        ("site/a", "changed"),
        ("unit/three.service", "new"),
        ("unit/two.service", "changed"),
    ] {
        let told =
            |line: &str| line.starts_with("pending") && line.contains(name) && line.contains(what);
        assert!(report.lines().any(told), "{name}\n{report}");
    }
    host.assert_does_nothing(&["drift", "--fix"]).expect(2);

    host.sh("rm /etc/nginx/sites-enabled/a; systemctl stop one.service; rm -r /etc/systemd/system/two.service.d");
    let fixed = host.tool(&["drift", "--fix"]).expect(2).stdout;
    assert!(
        fixed
            .lines()
            .any(|line| line.starts_with("fixed") && line.contains("site/a")),
        "{fixed}"
    );
    assert!(
        fixed
            .lines()
            .any(|line| line.starts_with("pending") && line.contains("site/a")),
        "{fixed}"
    );
    assert_eq!(host.page("a"), "a first");
    assert!(host.is_active("one.service"));
    assert_eq!(host.property("three.service", "LoadState"), "not-found");
    assert_eq!(host.property("two.service", "Nice"), "5");

    // Nor does it need the checkout.
    host.sh(
        "mv /home/ubuntu/watchme-server-configs /home/ubuntu/away; rm /etc/nginx/sites-enabled/a",
    );
    let without = host.run(&["watchme-apply", "drift", "--fix"]).expect(0);
    assert!(
        without.text().contains("not compared with the checkout"),
        "{}",
        without.text()
    );
    assert_eq!(host.page("a"), "a first");
}

#[test]
fn only_what_is_selected_is_compared_and_fixed() {
    let host = applied_host();
    host.sh("rm /etc/nginx/sites-enabled/a; systemctl stop one.service; chmod 0600 /etc/app/settings.conf");
    let report = host
        .assert_does_nothing(&["drift", "--only", "etc"])
        .expect(2)
        .stdout;
    assert!(
        report.contains("settings.conf") && !report.contains("one.service"),
        "{report}"
    );
    assert!(!report.contains("site/a"), "{report}");
    host.tool(&["drift", "--fix", "--only", "etc"]).expect(0);
    assert_eq!(host.sh("stat -c %a /etc/app/settings.conf"), "640");
    assert!(!host.is_active("one.service") && !host.stands("/etc/nginx/sites-enabled/a"));
    host.tool(&["drift", "--fix", "--only", "unit/one.service"])
        .expect(0);
    assert!(host.is_active("one.service") && !host.stands("/etc/nginx/sites-enabled/a"));
    let json = host
        .assert_does_nothing(&["drift", "--json"])
        .expect(2)
        .stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert!(json["format_version"].is_u64());
    assert!(
        json.to_string().contains("/etc/nginx/sites-enabled/a"),
        "{json}"
    );
}
