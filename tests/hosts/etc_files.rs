//! Files of /etc are validated by the programs that read them, before anything changes.

use crate::support::{CHECKOUT, Host, desired, sleeper};

/// Refused: where it is committed to, what it says, what the finding says, and at which line.
const REFUSED: [(&str, &str, &str, &str); 7] = [
    (
        "etc/docker/daemon.json",
        "{\n  \"debug\": true,\n}\n",
        "it is no JSON object",
        ":3:1",
    ),
    (
        "etc/sudoers.d/app",
        "# one\nubuntu ALL=(ALL NOPASSWD: ALL\n",
        "visudo: ",
        ":2:1",
    ),
    (
        "etc/ssh/sshd_config.d/app.conf",
        "# one\nPermitRootLogins no\n",
        "Bad configuration option: PermitRootLogins",
        ":2:1",
    ),
    (
        "etc/logrotate.d/app",
        "/var/log/app.log {\n    weeklyy\n}\n",
        "unknown option 'weeklyy'",
        ":2:5",
    ),
    (
        "etc/nftables.conf",
        "table inet app {\n    chain x { typo }\n}\n",
        "syntax error",
        ":2:",
    ),
    (
        "etc/cron.d/app",
        "0 4 * * * root /bin/true",
        "its last line does not end",
        ":1:1",
    ),
    ("etc/app/own.conf", "bad\n", "grep refuses it", ":1:1"),
];
/// Taken.
const TAKEN: [(&str, &str); 8] = [
    ("etc/docker/daemon.json", "{\n  \"debug\": false\n}\n"),
    ("etc/sudoers.d/app", "ubuntu ALL=(ALL) NOPASSWD: ALL\n"),
    ("etc/ssh/sshd_config.d/app.conf", "PermitRootLogin no\n"),
    (
        "etc/logrotate.d/app",
        "/var/log/app.log {\n    weekly\n    missingok\n}\n",
    ),
    (
        "etc/nftables.conf",
        "table inet app {\n    chain x { tcp dport 22 accept; }\n}\n",
    ),
    ("etc/cron.d/app", "0 4 * * * root /bin/true\n"),
    ("etc/cron.daily/app", "#!/bin/sh\n"),
    ("etc/app/own.conf", "good\n"),
];
const POLICY: &str = "[etc.\"app/own.conf\"]\nvalidate = [\"grep\", \"-q\", \"good\", \"{}\"]\n[etc.\"sudoers.d/app\"]\nmode = \"0440\"\n";

#[test]
fn what_its_program_refuses_is_not_installed() {
    let host = Host::boot();
    host.checkout(&[
        (&desired("watchme.toml"), POLICY),
        (&desired("systemd/one.service"), &sleeper(1000)),
        (&desired("etc/app/own.conf"), "good one\n"),
        (
            &desired("etc/sudoers.d/app"),
            "ubuntu ALL=(root) NOPASSWD: ALL\n",
        ),
    ]);
    host.apply(&[]).expect(0);
    let docker = host.property("docker.service", "MainPID");
    let listing =
        "find /etc -xdev -printf '%p %y %m %l %T@\\n' | grep -v watchme-apply | sort | sha256sum";
    let before = host.sh(listing);
    for (path, content, text, line) in REFUSED {
        host.commit(&[(&desired(path), Some(content))], path);
        let place = format!("{}{line}", desired(path));
        for command in ["plan", "apply"] {
            let said = host.tool(&[command]).expect(1);
            for part in ["error[etc-invalid]", text, &place] {
                assert!(
                    said.text().contains(part),
                    "{command}: {part} is not in\n{}",
                    said.text()
                );
            }
        }
        assert_eq!(host.sh(listing), before, "{path}: something changed");
        host.sh_as(
            "ubuntu",
            &format!("cd {CHECKOUT}; git reset -q --hard HEAD~1"),
        );
    }
    assert_eq!(host.property("docker.service", "MainPID"), docker);
    assert_eq!(host.sh_as("ubuntu", "sudo id -u"), "0");

    for (path, content) in TAKEN {
        host.commit(&[(&desired(path), Some(content))], path);
    }
    let plan = host.tool(&["plan"]).expect(0);
    assert!(!plan.text().contains("etc-invalid"), "{}", plan.text());
    // The engine of Debian 12 cannot validate its own file, and that is said; all others can.
    let text = plan.text();
    let not_validated = text.lines().filter(|line| line.contains("not validated"));
    let others: Vec<&str> = not_validated
        .filter(|line| {
            !line.contains(
                "/etc/docker/daemon.json was not validated: this dockerd has no --validate",
            )
        })
        .collect();
    assert_eq!(others, [""; 0]);
    assert_eq!(
        text.contains("this dockerd has no --validate"),
        host.try_sh("dockerd --help | grep -q -- --validate").status != 0
    );
    host.apply(&[]).expect(0);
    for (path, content) in TAKEN {
        assert_eq!(
            host.read(&format!("/{path}")).trim(),
            content.trim(),
            "{path}"
        );
    }
    assert_eq!(host.sh_as("ubuntu", "sudo id -u"), "0");
    host.assert_does_nothing(&["apply"]).expect(0);

    // One that is not there validates nothing, and says so.
    host.sh("mv /usr/sbin/visudo /root/");
    host.commit(&[(&desired("etc/sudoers.d/app"), Some("nonsense\n"))], "x");
    let plan = host.tool(&["plan"]).expect(0);
    assert!(
        plan.text()
            .contains("/etc/sudoers.d/app was not validated: there is no visudo here"),
        "{}",
        plan.text()
    );

    // A command of one's own that cannot take it has not taken it.
    let nobodys = POLICY.replace("\"grep\"", "\"no-such-command\"");
    host.commit(
        &[
            (
                &desired("etc/sudoers.d/app"),
                Some("ubuntu ALL=(ALL) NOPASSWD: ALL\n"),
            ),
            (&desired("watchme.toml"), Some(&nobodys)),
            (&desired("etc/app/own.conf"), Some("good three\n")),
        ],
        "x",
    );
    for command in ["plan", "apply"] {
        let said = host.tool(&[command]).expect(1);
        assert!(
            said.text()
                .contains("there is no no-such-command in /usr/local/sbin, "),
            "{}",
            said.text()
        );
    }
    assert_eq!(host.read("/etc/app/own.conf").trim(), "good");
}

#[test]
fn what_reads_a_file_restarts_when_the_file_leaves() {
    let host = Host::boot();
    host.write(
        "/etc/systemd/system/reader.service",
        "[Service]\nExecStart=/bin/sleep 100000\n",
    );
    host.sh("systemctl daemon-reload; systemctl start reader");
    let (file, policy) = (desired("etc/reader.conf"), desired("watchme.toml"));
    let restarts = "[etc.\"reader.conf\"]\nrestart = \"reader.service\"\n";
    let other = desired("etc/other.conf");
    host.checkout(&[(&policy, restarts), (&file, "a\n"), (&other, "b\n")]);
    host.apply(&[]).expect(0);
    let invocation = || host.sh("systemctl show -p InvocationID --value reader");
    let before = invocation();
    host.commit(&[(&file, None), (&policy, Some(""))], "it leaves");
    let line = "etc/reader.conf: restart, interrupts only reader.service  (/etc/reader.conf left the desired state)";
    let plan = host.tool(&["plan"]).expect(0).text();
    assert!(plan.contains(line), "{plan}");
    assert_eq!(invocation(), before);
    host.apply(&[]).expect(0);
    assert!(!host.stands("/etc/reader.conf"));
    assert_ne!(invocation(), before);
    host.assert_does_nothing(&["apply"]).expect(0);
}
