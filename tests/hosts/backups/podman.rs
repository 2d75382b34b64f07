//! Backups of what Quadlets run, through Podman's socket: made, rehearsed and restored as those of Docker's containers.

use std::time::Duration;

use super::FOLDER;
use crate::podman::{SOCKET, boot};
use crate::support::{Host, desired};

const ROWS: &str = "[Unit]
Description=rows

[Container]
ContainerName=rows
Image=localhost/web:1
Pull=never
Volume=rows.volume:/data
StopTimeout=1

[Service]
Restart=always

[Install]
WantedBy=multi-user.target
";

fn policy() -> String {
    format!(
        r#"
[engine]
socket = "{SOCKET}"

[unit."rows.service"]
settle = "500ms"

[backup.db]
unit = "rows.service"
command = ["cat", "/data/rows"]
restore = ["sh", "-c", "cat > /data/rows"]
to = "{FOLDER}"
schedule = "03:15"
before_change = "0s"

[backup.db.rehearsal]
schedule = "Sun 05:00"
ready = ["test", "-d", "/data"]
gate = ["sh", "-c", "busybox wc -l < /data/rows"]
expect = "3"
memory = "64M"

[backup.volume]
volume = "db_rows"
to = "/srv/cold"

[backup.volume.rehearsal]
gate = ["cat", "/data/rows"]
expect = "a"
"#
    )
}

impl Host {
    /// Runs a script in the container of the Quadlet.
    #[track_caller]
    fn in_rows(&self, script: &str) -> String {
        self.sh(&format!("podman exec rows sh -c '{script}'"))
    }

    /// The container of the Quadlet, and nothing else.
    #[track_caller]
    fn assert_only_rows(&self) {
        let left = "podman ps -a --format '{{.Names}}'; podman volume ls -q; ls /var/lib/watchme-apply/scratch 2>/dev/null || true";
        assert_eq!(self.sh(left), "rows\ndb_rows");
    }
}

#[test]
#[ignore = "long: tests/run --all"]
fn what_a_quadlet_runs_is_backed_up_and_its_restore_rehearsed() {
    let host = boot();
    let container = desired("containers/rows.container");
    host.checkout(&[
        (&desired("watchme.toml"), &policy()),
        (&container, ROWS),
        (
            &desired("containers/rows.volume"),
            "[Volume]\nVolumeName=db_rows\n",
        ),
    ]);
    host.apply(&[]).expect(0);
    host.in_rows("for row in a b c; do echo $row; done > /data/rows");
    let invocation = || host.property("rows.service", "InvocationID");
    let first = invocation();

    // By the timer's services, beside what runs.
    host.sh("systemctl start watchme-apply-backup-db.service");
    assert_eq!(host.sh(&format!("cat {FOLDER}/db-2*")), "a\nb\nc");
    host.sh("systemctl start watchme-apply-rehearsal-db.service");
    host.assert_only_rows();
    assert_eq!(invocation(), first);
    let status = host.tool(&["status"]).expect(0).text();
    assert!(
        status.contains("backup db: the last good one is") && status.contains("rehearsed"),
        "{status}"
    );
    // The rehearsal of one that lacks rows fails, and leaves nothing either.
    host.in_rows("echo a > /data/rows");
    let kept = host.sh(&format!("ls {FOLDER}"));
    host.tool(&["backup", "run", "db"]).expect(0);
    let rehearse = ["restore", "db", "--into-scratch"];
    let said = host.tool(&rehearse).expect(1).text();
    assert!(
        said.contains("printed \"1\", and \"3\" was expected"),
        "{said}"
    );
    host.assert_only_rows();
    // A rehearsal that is cut off in the container ends there, too.
    let hangs = policy().replace(
        "ready = [\"test\", \"-d\", \"/data\"]",
        "ready = [\"sh\", \"-c\", \"exit 1\"]",
    );
    host.commit(&[(&desired("watchme.toml"), Some(&hangs))], "never ready");
    host.apply(&[]).expect(0);
    host.sh("systemd-run --unit=cut -- watchme-apply restore db --into-scratch");
    host.wait_for("the scratch container", Duration::from_secs(20), || {
        host.sh("podman ps -q | wc -l") == "2"
    });
    host.sh("systemctl stop cut.service");
    host.assert_only_rows();
    host.commit(&[(&desired("watchme.toml"), Some(&policy()))], "ready");
    host.apply(&[]).expect(0);

    // The volume: what holds it stops for the time of a copy.
    host.tool(&["backup", "run", "volume"]).expect(0);
    assert_ne!(invocation(), first);
    host.wait_for("rows", Duration::from_secs(10), || {
        host.is_active("rows.service")
    });
    assert_eq!(host.in_rows("cat /data/rows"), "a");
    host.tool(&["restore", "volume", "--into-scratch"])
        .expect(0);
    host.assert_only_rows();
    host.in_rows("echo b > /data/rows; echo c > /data/more");
    host.tool(&["restore", "volume", "--yes"]).expect(0);
    assert_eq!(host.in_rows("cat /data/*"), "a");
    host.tool(&["restore", "db", "--backup", &kept, "--yes"])
        .expect(0);
    assert_eq!(host.in_rows("cat /data/rows"), "a\nb\nc");

    // A change of the Quadlet has a backup made first.
    let newer = ROWS.replace("web:1", "web:2");
    host.commit(&[(&container, Some(&newer))], "another image");
    let said = host.apply(&[]).expect(0).text();
    let at = |text: &str| said.find(text).unwrap_or_else(|| panic!("{text}: {said}"));
    assert!(
        at("done . backup/db: back up the service rows") < at("done ! unit/rows.service"),
        "{said}"
    );
    assert_eq!(host.in_rows("cat /data/rows"), "a\nb\nc");
    let plan = host.tool(&["apply"]).expect(0).stdout;
    assert!(plan.contains("in sync"), "{plan}");
}
