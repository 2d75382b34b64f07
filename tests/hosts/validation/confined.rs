//! Hosts whose kernel allows less than the validation asks for.

use super::*;

#[test]
fn where_no_namespace_is_allowed_the_test_after_the_switch_decides() {
    let host = Host::boot();
    host.checkout(&[(&desired("sites-available/a"), &site("a", "old"))]);
    let confined = |args: &str| {
        host.try_sh(&format!(
            "cd {CHECKOUT}; SUDO_UID=1000 SUDO_GID=1000 SUDO_USER=ubuntu exec setpriv --bounding-set -sys_admin watchme-apply {args}"
        ))
    };
    let warning = "not validated: no private mount namespace (unshare: Operation not permitted";
    let plan = confined("plan").expect(0);
    assert!(plan.stdout.contains(warning), "{}", plan.text());
    let applied = confined("apply").expect(0);
    assert!(applied.stdout.contains(warning), "{}", applied.text());
    assert_eq!(host.page("a"), "old");

    let picture = host.picture();
    host.commit_one(
        "sites-available/a",
        Some(&site_with("a", "rewrite_all on;")),
    );
    let failed = confined("apply").expect(3);
    for part in [
        "unknown directive",
        "rewrite_all",
        "sites-enabled/a:4",
        "rolled back",
    ] {
        assert!(
            failed.stderr.contains(part),
            "{part} is not in\n{}",
            failed.text()
        );
    }
    host.assert_unchanged(&picture, "the second net");
    assert_eq!(host.page("a"), "old");
}

/// On a root that is two layers deep the kernel puts no third one.
#[test]
fn where_no_layer_is_possible_folders_are_bound() {
    let host = Host::boot();
    host.checkout(&[
        (&desired("sites-available/a"), &site("a", "old")),
        (&desired("systemd/one.service"), &sleeper(1000)),
    ]);
    host.write(
        "/root/deep",
        "set -eu
        mount --make-rprivate /
        mount -t tmpfs deep /mnt
        mkdir /mnt/upper /mnt/work /mnt/root
        mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work deep /mnt/root
        for folder in proc sys dev run; do mount --rbind /$folder /mnt/root/$folder; done
        cd /mnt/root; pivot_root . mnt
        export SUDO_UID=1000 SUDO_GID=1000 SUDO_USER=ubuntu
        exec chroot . sh -c 'cd \"$0\"; exec \"$@\"' \"$@\"\n",
    );
    let deep = |args: &[&str]| {
        let command = ["unshare", "-m", "sh", "/root/deep", CHECKOUT];
        host.run(&[&command[..], args].concat())
    };
    let refused = deep(&[
        "sh",
        "-c",
        "mkdir /opt/u /opt/w; mount -t overlay -o lowerdir=/etc,upperdir=/opt/u,workdir=/opt/w x /opt",
    ]);
    assert_ne!(refused.status, 0, "a third layer: {}", refused.text());

    let plan = host
        .assert_unseen(|_| deep(&["watchme-apply", "plan"]))
        .expect(0);
    assert!(!plan.stdout.contains("validated"), "{}", plan.text());
    host.commit_one(
        "sites-available/a",
        Some(&site_with("a", "rewrite_all on;")),
    );
    host.commit_one("systemd/one.service", Some(&service("/usr/bin/nosuch")));
    let plan = host
        .assert_unseen(|_| deep(&["watchme-apply", "plan"]))
        .expect(1);
    for part in [
        "desired-state/sites-available/a:4:5",
        "desired-state/systemd/one.service:2:1",
    ] {
        assert!(
            plan.stdout.contains(part),
            "{part} is not in\n{}",
            plan.text()
        );
    }
}
