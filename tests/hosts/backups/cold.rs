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

[backup.slow]
command = ["sh", "-c", "echo begun; touch /root/begun; sleep 60"]
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
    host.tool(&["recover"]).expect(0);
    assert!(host.is_active("stack-db.service"));
    assert_eq!(host.in_service("cat /data/rows"), "a");

    // Files, and a folder that has no room.
    host.sh("mkdir -p /etc/app /srv/small; echo one >/etc/app/conf; ln -s /etc/shadow /etc/app/link; mount -t tmpfs -o size=64k none /srv/small");
    host.tool(&["backup", "run", "etc"]).expect(0);
    host.tool(&["restore", "etc", "--into-scratch"]).expect(0);
    host.assert_no_scratch();
    host.sh("echo two >/etc/app/conf");
    host.tool(&["restore", "etc", "--yes"]).expect(0);
    assert_eq!(host.sh("cat /etc/app/conf"), "one");
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
    }
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
