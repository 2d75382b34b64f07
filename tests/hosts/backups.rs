//! Backups: made by a timer, kept, rehearsed and restored.

mod cold;
mod podman;

use crate::support::{Host, desired};

/// Where the backups of the tests are.
const FOLDER: &str = "/srv/backups";

/// A service that keeps rows in a file of a volume.
const STACK: &str = "services:
  db:
    image: rows:1
    restart: unless-stopped
    network_mode: bridge
    stop_grace_period: 1s
    volumes: [rows:/data]
volumes:
  rows: {}
";

const POLICY: &str = r#"
[unit."stack-db.service"]
settle = "500ms"

[backup.db]
stack = "db"
command = ["cat", "/data/rows"]
restore = ["sh", "-c", "cat > /data/rows"]
to = "/srv/backups"
schedule = "03:15"
keep = 2
before_change = "1h"

[backup.db.rehearsal]
schedule = "Sun 05:00"
ready = ["test", "-d", "/data"]
gate = ["sh", "-c", "busybox wc -l < /data/rows"]
expect = "3"
memory = "64M"
"#;

fn files(policy: &str) -> Vec<(String, String)> {
    vec![
        (desired("watchme.toml"), policy.to_owned()),
        (desired("compose/db/compose.yaml"), STACK.to_owned()),
    ]
}

/// A host whose service runs, as a policy has it backed up.
fn host_with(policy: &str) -> Host {
    let host = Host::with_images(&["rows:1", "rows:2"]);
    let files = files(policy);
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (&**path, &**text))
        .collect();
    host.checkout(&files);
    host.apply(&[]).expect(0);
    host
}

impl Host {
    /// Runs a script in the container of the service.
    #[track_caller]
    fn in_service(&self, script: &str) -> String {
        let id = self.sh("docker ps -q --filter label=com.docker.compose.service=db");
        self.sh(&format!("docker exec {id} sh -c '{script}'"))
    }

    /// Names of the files in the folder of the backups.
    fn kept(&self) -> Vec<String> {
        let listed = self.sh(&format!("ls -A {FOLDER} 2>/dev/null || true"));
        listed.lines().map(str::to_owned).collect()
    }

    /// Nothing of a rehearsal is left.
    #[track_caller]
    fn assert_no_scratch(&self) {
        let left = self.sh("docker ps -aq --filter label=watchme-apply.scratch; docker volume ls -q --filter label=watchme-apply.scratch; ls /var/lib/watchme-apply/scratch 2>/dev/null || true");
        assert_eq!(left, "");
    }
}

#[test]
fn a_timer_backs_up_and_the_restore_is_rehearsed() {
    let host = host_with(POLICY);
    for timer in ["backup-db", "rehearsal-db"] {
        assert!(host.is_active(&format!("watchme-apply-{timer}.timer")));
    }
    assert!(!host.is_active("watchme-apply-backup-db.service"));
    host.assert_does_nothing(&["apply"]).expect(0);
    host.in_service("for row in a b c; do echo $row; done > /data/rows");

    // It starts the installed program, whatever systemd would find first for its name.
    host.write(
        "/usr/local/sbin/watchme-apply",
        "#!/bin/sh\ntouch /run/another\n",
    );
    host.sh("chmod 0755 /usr/local/sbin/watchme-apply");
    // The service of the timer makes a backup that only root reads.
    host.sh("systemctl start watchme-apply-backup-db.service");
    let [first] = &host.kept()[..] else {
        panic!("{:?}", host.kept());
    };
    assert_eq!(
        host.sh(&format!(
            "stat -c '%a %U' {FOLDER} {FOLDER}/{first}; cat {FOLDER}/{first}"
        )),
        "700 root\n600 root\na\nb\nc"
    );
    assert!(!host.stands("/run/another"));
    host.sh("rm /usr/local/sbin/watchme-apply");
    host.assert_does_nothing(&["apply"]).expect(0);
    host.sh("chmod g+w /usr/local/bin");
    let refused = host.tool(&["apply"]).expect(1).text();
    assert!(
        refused.contains("backup/db: its timer would start /usr/local/bin/watchme-apply as root")
            && refused.contains("chmod go-w /usr/local/bin"),
        "{refused}"
    );
    host.sh("chmod g-w /usr/local/bin");

    // A rehearsal restores it beside the service, which runs on, and leaves nothing.
    let before = host.sh("docker ps -q");
    host.sh("systemctl start watchme-apply-rehearsal-db.service");
    host.assert_no_scratch();
    assert_eq!(host.sh("docker ps -q"), before);
    let status = host.tool(&["status"]).expect(0).text();
    assert!(
        status.contains("backup db: the last good one is"),
        "{status}"
    );
    assert!(status.contains("rehearsed"), "{status}");

    // Rows are lost; the rehearsal of a backup that lacks one is reported.
    host.in_service("echo a > /data/rows");
    let rehearse = ["restore", "db", "--into-scratch"];
    host.tool(&["backup", "run", "db"]).expect(0);
    let said = host.tool(&rehearse).expect(1).text();
    assert!(
        said.contains("printed \"1\", and \"3\" was expected"),
        "{said}"
    );
    host.assert_no_scratch();
    let status = host.tool(&["status"]).expect(0).text();
    assert!(status.contains("the rehearsal failed"), "{status}");
    // So is one that is damaged.
    let last = host.kept().pop().unwrap();
    host.sh(&format!("printf x >>{FOLDER}/{last}"));
    let said = host.tool(&rehearse).expect(1).text();
    assert!(said.contains(&format!("{last} is damaged")), "{said}");

    // An older one brings the rows back; nobody is asked who is not there.
    let restore = ["restore", "db", "--backup", first];
    let said = host.tool(&restore).expect(1).text();
    assert!(said.contains("not confirmed"), "{said}");
    let said = host
        .tool(&[&restore[..], &["--yes"]].concat())
        .expect(0)
        .text();
    assert!(
        said.contains(&format!("this replaces the service db:db by {first}")),
        "{said}"
    );
    assert_eq!(host.in_service("cat /data/rows"), "a\nb\nc");

    // What is not kept goes, and nothing else.
    host.sh(&format!(
        "touch {FOLDER}/db-notes {FOLDER}/other-20200101T000000Z"
    ));
    for _ in 0..2 {
        host.sh("sleep 1.1");
        host.tool(&["backup", "run", "db"]).expect(0);
    }
    let kept = host.kept();
    assert_eq!(kept.len(), 4, "{kept:?}");
    assert!(
        kept.contains(&"db-notes".to_owned()) && !kept.contains(first),
        "{kept:?}"
    );

    // A dump that fails leaves nothing, and keeps what is there.
    host.in_service("busybox mv /data/rows /data/away");
    let said = host.tool(&["backup", "run", "db"]).expect(1).text();
    assert!(
        said.contains("cat /data/rows exited with 1") && said.contains("No such file or directory"),
        "{said}"
    );
    assert_eq!(host.kept(), kept);
    let status = host.tool(&["status"]).expect(0).text();
    assert!(
        status.contains("failed: cat /data/rows exited with 1"),
        "{status}"
    );
    host.in_service("busybox mv /data/away /data/rows");

    // A young backup is enough for a change of its holder; without one, a new one comes first.
    let newer = STACK.replace("rows:1", "rows:2");
    let path = desired("compose/db/compose.yaml");
    host.commit(&[(&path, Some(&newer))], "rows 2");
    let plan = host.tool(&["plan"]).expect(0).text();
    assert!(!plan.contains("backup/db"), "{plan}");
    let policy = POLICY.replace("before_change = \"1h\"", "before_change = \"0s\"");
    host.commit(&[(&desired("watchme.toml"), Some(&policy))], "always");
    let plan = host.tool(&["plan"]).expect(0).text();
    assert!(
        plan.contains("backup/db: back up the service db:db"),
        "{plan}"
    );
    // One that fails changes nothing.
    host.in_service("busybox mv /data/rows /data/away");
    let said = host.apply(&[]).expect(1).text();
    assert!(
        said.contains("a backup was not made; nothing was changed"),
        "{said}"
    );
    assert_eq!(host.sh("docker ps -q"), before);
    host.in_service("busybox mv /data/away /data/rows");
    let known = host.kept().len();
    let said = host.apply(&[]).expect(0).text();
    let at = |text: &str| said.find(text).unwrap_or_else(|| panic!("{text}: {said}"));
    assert!(
        at("done . backup/db") < at("done ! unit/stack-db.service"),
        "{said}"
    );
    assert_eq!(host.kept().len(), known);
    assert_eq!(host.in_service("cat /data/rows"), "a\nb\nc");
    host.assert_does_nothing(&["apply"]).expect(0);

    // Two within a second have names of their own.
    host.tool(&["backup", "run", "db"]).expect(0);
    host.tool(&["backup", "run", "db"]).expect(0);
    host.tool(&["restore", "db", "--yes"]).expect(0);
    // One that is empty or gone is none: the next change of its holder has a new one made.
    let path = desired("watchme.toml");
    host.commit(&[(&path, Some(POLICY))], "an hour");
    host.apply(&[]).expect(0);
    let older = desired("compose/db/compose.yaml");
    for (image, lost) in [
        (STACK, format!("truncate -s 0 {FOLDER}/db-2*")),
        (&newer, format!("rm -rf {FOLDER}")),
    ] {
        host.sh(&lost);
        let status = host.tool(&["status"]).expect(0).text();
        assert!(status.contains("the last one is gone: "), "{status}");
        let listed = host.tool(&["backup", "list"]).expect(0).text();
        assert!(!listed.contains("  db-2"), "{listed}");
        host.commit(&[(&older, Some(image))], "its image");
        let said = host.apply(&[]).expect(0).text();
        assert!(said.contains("done . backup/db"), "{said}");
        let status = host.tool(&["status"]).expect(0).text();
        assert!(!status.contains("is gone"), "{status}");
    }
    // A record that is damaged concerns its backup only.
    host.sh("echo '{' >/var/lib/watchme-apply/backup/db.json");
    let status = host.tool(&["status"]).expect(0).text();
    assert!(
        status.contains("db.json is damaged: the next backup writes a new one"),
        "{status}"
    );
    host.tool(&["backup", "run", "db"]).expect(0);
    let status = host.tool(&["status"]).expect(0).text();
    assert!(!status.contains("db.json is damaged"), "{status}");

    // On a fresh host, the folder is all that is needed.
    host.sh(&format!("tar -C {FOLDER} -cf /root/kept.tar ."));
    let fresh = host_with(POLICY);
    let archive = host.sh("base64 -w0 /root/kept.tar");
    fresh.write("/root/kept.b64", &archive);
    fresh.sh(&format!(
        "mkdir -p {FOLDER}; base64 -d /root/kept.b64 | tar -C {FOLDER} -xf -"
    ));
    fresh.tool(&rehearse).expect(0);
    fresh.tool(&["restore", "db", "--yes"]).expect(0);
    assert_eq!(fresh.in_service("cat /data/rows"), "a\nb\nc");

    // Without [backup.db], its timers go, and the backups stay.
    host.commit(
        &[(
            &desired("watchme.toml"),
            Some("[unit.\"stack-db.service\"]\n"),
        )],
        "none",
    );
    let kept = host.kept();
    host.apply(&[]).expect(0);
    assert_eq!(host.kept(), kept);
    assert!(!host.stands("/etc/systemd/system/watchme-apply-backup-db.timer"));
    assert_eq!(
        host.property("watchme-apply-backup-db.timer", "ActiveState"),
        "inactive"
    );
}
