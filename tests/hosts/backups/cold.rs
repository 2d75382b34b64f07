//! Backups that stop what holds a volume, that go to a command, and that are cut off.

use std::time::Duration;

use super::host_with;
use crate::support::desired;

const POLICY: &str = r#"
[unit."stack-db.service"]
settle = "500ms"

[backup.rows]
volume = "db_rows"
store = ["sh", "-c", "cat > /srv/store-{}; sleep 0.$(cat /root/slow)"]
fetch = ["cat", "/srv/store-{}"]
remove = ["rm", "/srv/store-{}"]
keep = 1

[backup.rows.rehearsal]
gate = ["cat", "/data/rows"]
expect = "a"

[backup.etc]
files = ["/etc/app"]
to = "/srv/small"

[backup.etc.rehearsal]
gate = ["cat", "etc/app/conf"]
expect = "one"

[backup.hang]
stack = "db"
command = ["cat", "/data/rows"]
restore = ["sh", "-c", "cat > /data/rows"]
to = "/srv/hang"

[backup.hang.rehearsal]
gate = ["sleep", "60"]

[backup.slow]
command = ["sh", "-c", "echo begun; touch /root/begun; sleep 61; true"]
to = "/srv/slow"
"#;

#[test]
fn a_volume_is_copied_cold_and_comes_back() {
    let host = host_with(POLICY);
    host.sh("echo 0 >/root/slow");
    host.in_service("echo a > /data/rows");
    let invocation = host.property("stack-db.service", "InvocationID");
    host.tool(&["backup", "run", "rows"]).expect(0);
    assert_ne!(
        host.property("stack-db.service", "InvocationID"),
        invocation
    );
    assert!(host.is_active("stack-db.service"));
    assert_eq!(host.in_service("cat /data/rows"), "a");
    host.tool(&["restore", "rows", "--into-scratch"]).expect(0);
    host.assert_no_scratch();

    // Restored, the volume has what was backed up and nothing else.
    host.in_service("echo b > /data/rows; echo c > /data/more");
    let said = host.tool(&["restore", "rows", "--yes"]).expect(0).text();
    assert!(
        said.contains("this replaces the volume db_rows by rows-"),
        "{said}"
    );
    assert_eq!(host.in_service("cat /data/*"), "a");
    assert_eq!(host.sh("ls -A /var/lib/docker/volumes/db_rows"), "_data");
    host.assert_does_nothing(&["apply"]).expect(0);

    // Only the last one is kept at the other end.
    host.sh("sleep 1.1");
    host.tool(&["backup", "run", "rows"]).expect(0);
    assert_eq!(host.sh("ls /srv | grep -c store-"), "1");

    // Killed while the service is stopped: the next run starts it again.
    host.sh("cd /; systemd-run --unit=cut -E WATCHME_DESIRED_STATE=/nowhere -- sh -c 'echo 9 >/root/slow; exec watchme-apply backup run rows'");
    host.wait_for("the stop", Duration::from_secs(20), || {
        !host.is_active("stack-db.service")
    });
    host.sh("systemctl kill -s KILL cut.service; sleep 0.3");
    let said = host.tool(&["recover"]).expect(0).text();
    assert!(
        said.contains("a backup or a restore was interrupted"),
        "{said}"
    );
    assert!(host.is_active("stack-db.service"));
    assert_eq!(host.in_service("cat /data/rows"), "a");
    // That is no failure of a revision: nothing waits for it.
    let unattended = host.apply(&["--unattended"]).expect(0).text();
    assert!(unattended.contains("in sync"), "{unattended}");
    let attempts = host.sh("cat /var/lib/watchme-apply/attempts.json 2>/dev/null || true");
    assert!(!attempts.contains("failures"), "{attempts}");

    // Files, and a folder that has no room.
    host.sh("mkdir -p /etc/app /srv/small; echo one >/etc/app/conf; ln -s /etc/shadow /etc/app/link; mount -t tmpfs -o size=64k none /srv/small");
    host.tool(&["backup", "run", "etc"]).expect(0);
    host.tool(&["restore", "etc", "--into-scratch"]).expect(0);
    host.assert_no_scratch();
    host.sh("echo two >/etc/app/conf");
    host.tool(&["restore", "etc", "--yes"]).expect(0);
    assert_eq!(host.sh("cat /etc/app/conf"), "one");
    // What the backup does not have goes, and what is beside what was asked for is never written.
    host.sh("echo new >/etc/app/more");
    host.tool(&["restore", "etc", "--yes"]).expect(0);
    assert_eq!(host.sh("ls -A /etc/app"), "conf\nlink");
    assert_eq!(host.sh("readlink /etc/app/link"), "/etc/shadow");
    assert_eq!(host.sh("find /etc -name '*watchme-apply-restore*'"), "");
    host.assert_no_scratch();
    host.sh("mkdir -p /root/bad/root /root/bad/etc/app; echo x >/root/bad/root/UNLISTED; echo three >/root/bad/etc/app/conf; tar -C /root/bad -cf /srv/small/etc-20991231T000000Z ./etc/app ./root");
    let said = host.tool(&["restore", "etc", "--yes"]).expect(1).text();
    assert!(
        said.contains("etc-20991231T000000Z has /root, which is not one of the files"),
        "{said}"
    );
    // Nor what a link in the archive leads to.
    host.sh("rm -r /root/bad; mkdir -p /root/bad/etc; ln -s /root /root/bad/etc/app; tar -C /root/bad -cf /root/links.tar ./etc/app; rm /root/bad/etc/app; mkdir /root/bad/etc/app; echo x >/root/bad/etc/app/UNLISTED; tar -C /root/bad -rf /root/links.tar ./etc/app/UNLISTED; mv /root/links.tar /srv/small/etc-20991231T000000Z");
    host.tool(&["restore", "etc", "--yes"]);
    assert!(!host.stands("/root/UNLISTED"));
    host.sh("rm -r /srv/small/etc-2099* /etc/app; mkdir /etc/app; ln -s /etc/shadow /etc/app/link; echo one >/etc/app/conf");
    // One that has no room leaves all as it was.
    host.sh("mkdir -p /var/lib/watchme-apply/scratch; mount -t tmpfs -o nr_inodes=3 none /var/lib/watchme-apply/scratch; echo two >/etc/app/conf");
    host.tool(&["restore", "etc", "--yes"]).expect(1);
    assert_eq!(host.sh("cat /etc/app/conf"), "two");
    // With room, what is unpacked on another file system is copied.
    host.sh("mount -o remount,nr_inodes=100 /var/lib/watchme-apply/scratch");
    host.tool(&["restore", "etc", "--yes"]).expect(0);
    assert_eq!(
        host.sh("cat /etc/app/conf; ls -A /etc/app"),
        "one\nconf\nlink"
    );
    host.sh("umount /var/lib/watchme-apply/scratch");
    let kept = host.sh("ls -A /srv/small");
    host.sh("head -c 200000 /dev/urandom >/etc/app/large");
    let said = host.tool(&["backup", "run", "etc"]).expect(1).text();
    assert!(
        said.contains("could not write /srv/small/.etc.partial") && said.contains("No space left"),
        "{said}"
    );
    assert_eq!(host.sh("ls -A /srv/small"), kept);

    // A signal ends it at once, and leaves nothing; a kill leaves no backup.
    for (signal, left) in [("TERM", ""), ("KILL", ".slow.partial")] {
        host.sh("rm -f /root/begun; systemctl reset-failed; systemd-run --unit=slow -- watchme-apply backup run slow");
        host.wait_for("the dump", Duration::from_secs(20), || {
            host.stands("/root/begun")
        });
        host.sh(&format!(
            "systemctl kill --kill-whom=main -s {signal} slow.service"
        ));
        host.wait_for("its end", Duration::from_secs(20), || {
            host.property("slow.service", "ActiveState") != "active"
        });
        assert_eq!(host.sh("ls -A /srv/slow"), left, "{signal}");
        if signal == "TERM" {
            // With all that the command has started.
            host.sh("! pgrep -f '^sleep 61$'");
            let said = host.sh("journalctl -u slow --no-pager -o cat");
            assert!(
                said.contains("interrupted: the running command is ended"),
                "{said}"
            );
        }
    }
    // A rehearsal that is killed leaves its container, which the next one removes; a signal ends it, and removes all.
    host.tool(&["backup", "run", "hang"]).expect(0);
    let scratch = || host.sh("docker ps -q --no-trunc --filter label=watchme-apply.scratch=hang");
    let mut left = String::new();
    for signal in ["KILL", "TERM"] {
        host.sh("systemctl reset-failed; systemd-run --unit=hang -- watchme-apply restore hang --into-scratch");
        host.wait_for("a scratch container", Duration::from_secs(20), || {
            let found = scratch();
            !found.is_empty() && found != left
        });
        assert!(!scratch().contains('\n'), "{}", scratch());
        let id = scratch();
        let limits = host.sh(&format!("docker inspect -f '{{{{.HostConfig.NetworkMode}}}} {{{{.HostConfig.Memory}}}} {{{{.HostConfig.PortBindings}}}}' {id}"));
        assert_eq!(limits, "none 536870912 map[]");
        host.sh(&format!(
            "systemctl kill --kill-whom=main -s {signal} hang.service"
        ));
        host.wait_for("its end", Duration::from_secs(20), || {
            host.property("hang.service", "ActiveState") != "active"
        });
        left = scratch();
        assert_eq!(left.is_empty(), signal == "TERM");
    }
    host.assert_no_scratch();
    let status = host.tool(&["status"]).expect(0).text();
    assert!(
        status.contains("backup slow: none was made here yet"),
        "{status}"
    );

    // A backup of what is not there is an error with its place.
    let wrong =
        "[backup.db]\nstack = \"db\"\nservice = \"dd\"\ncommand = [\"cat\"]\nto = \"/srv\"\n";
    host.commit(&[(&desired("watchme.toml"), Some(wrong))], "wrong");
    let said = host.tool(&["plan"]).expect(1).text();
    assert!(
        said.contains("stack db has no service \"dd\"")
            || said.contains("db has no service \"dd\""),
        "{said}"
    );
}
