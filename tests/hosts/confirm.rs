//! Applies that wait for confirmation: kept by a second session, else rolled back, whatever becomes of the first one.

mod between;
mod lock_out;

use std::time::Duration;

use crate::support::{CHECKOUT, Host, desired, sleeper};

const SUDOERS: &str = "/etc/sudoers.d/app";
const BOUND: Duration = Duration::from_secs(40);

fn rule(program: &str) -> String {
    format!("ubuntu ALL=(root) NOPASSWD: /usr/bin/{program}\n")
}

/// A host to which the first revision was applied.
fn applied() -> Host {
    let host = Host::boot();
    host.checkout(&[
        (
            &desired("watchme.toml"),
            "[etc.\"sudoers.d/app\"]\nmode = \"0440\"\n",
        ),
        (&desired("etc/sudoers.d/app"), &rule("one")),
        (&desired("systemd/plain.service"), &sleeper(1000)),
    ]);
    let first = host.apply(&["--confirm", "5s"]).expect(1).text();
    assert!(
        first.contains("the first apply cannot wait for confirmation")
            && first.contains("without --confirm"),
        "{first}"
    );
    assert!(!host.stands(SUDOERS));
    host.apply(&[]).expect(0);
    host
}

fn commit(host: &Host, program: &str) {
    let path = desired("etc/sudoers.d/app");
    host.commit(&[(&path, Some(&rule(program)))], program);
}

/// Starts an apply that waits, and comes back once it does. What it prints is in `/root/NAME`, its status at the end.
fn start(host: &Host, name: &str, time: &str) {
    host.sh(&format!(
        "cd {CHECKOUT}; (setsid sh -c 'watchme-apply apply --confirm {time} >/root/{name} 2>&1; echo \"status $?\" >>/root/{name}' </dev/null >/dev/null 2>&1 &)"
    ));
    host.wait_for("an apply that waits", BOUND, || {
        printed(host, name).contains("sudo watchme-apply confirm")
    });
}

/// What an apply has printed so far.
fn printed(host: &Host, name: &str) -> String {
    host.try_sh(&format!("cat /root/{name}")).stdout
}

/// What an apply has printed, once it has ended.
fn ended(host: &Host, name: &str) -> String {
    host.wait_for("its end", BOUND, || {
        printed(host, name).contains("\nstatus ")
    });
    printed(host, name)
}

/// Timers that would roll back.
fn timers(host: &Host) -> String {
    host.sh("systemctl list-units --all --plain --no-legend 'watchme-apply-confirm-*.timer'")
}

fn wait_rolled_back(host: &Host, program: &str) {
    host.wait_for("the rollback", BOUND, || {
        host.read(SUDOERS) == rule(program) && !host.stands("/var/lib/watchme-apply/confirm.json")
    });
    host.tool(&["status"]);
    let plan = host.tool(&["history"]).expect(0).text();
    assert!(plan.contains("not confirmed"), "{plan}");
}

#[test]
fn what_is_not_confirmed_comes_back() {
    let host = applied();
    let pid = host.property("plain", "MainPID");
    let nothing = host.tool(&["confirm"]).expect(1).text();
    assert!(
        nothing.contains("nothing waits for confirmation"),
        "{nothing}"
    );

    // Confirmed in another session; no other run comes between.
    commit(&host, "two");
    start(&host, "confirmed", "60s");
    let status = host.tool(&["status"]).text();
    assert!(
        status.contains("generation 2 waits for confirmation, and will be rolled back to 1 in "),
        "{status}"
    );
    commit(&host, "other");
    let refused = host.apply(&[]).expect(1).text();
    assert!(
        refused.contains("generation 2 waits for confirmation")
            && refused.contains("sudo watchme-apply confirm keeps it")
            && refused.contains("sudo watchme-apply rollback 1"),
        "{refused}"
    );
    let confirmed = host.tool(&["confirm"]).expect(0).text();
    assert!(
        confirmed.contains("confirmed: generation 2 stays"),
        "{confirmed}"
    );
    let said = ended(&host, "confirmed");
    assert!(
        said.contains("confirmed: it stays") && said.contains("status 0"),
        "{said}"
    );
    assert_eq!(host.read(SUDOERS), rule("two"));
    assert_eq!(timers(&host), "", "nothing is left to wait for");

    // Not confirmed: the program that waits rolls back, and says so.
    let late = host.apply(&["--confirm", "3s"]).expect(3).text();
    for part in [
        "otherwise everything is rolled back to generation 2",
        "not confirmed: rolling back to generation 2",
        "generation 3 was not confirmed and was rolled back: the host matches generation 2",
    ] {
        assert!(late.contains(part), "no {part}\n{late}");
    }
    wait_rolled_back(&host, "two");
    let late = host.tool(&["confirm"]).expect(1).text();
    assert!(
        late.contains("too late: generation 3 was not confirmed in time"),
        "{late}"
    );

    // Killed while it waits: systemd's timer rolls back.
    commit(&host, "three");
    start(&host, "killed", "6s");
    assert_eq!(host.read(SUDOERS), rule("three"));
    host.sh("pkill -KILL -x watchme-apply");
    wait_rolled_back(&host, "two");
    // That is what the timer is for, and no failure.
    host.wait_for("its end", BOUND, || {
        host.try_sh(
            "systemctl list-units --plain --no-legend --state=activating 'watchme-apply-confirm-*'",
        )
        .stdout
        .trim()
        .is_empty()
    });
    let failed = host.try_sh(
        "journalctl -o cat | grep \"watchme-apply-confirm-.*Failed with result 'exit-code'\"",
    );
    assert_eq!(failed.stdout.trim(), "");

    // The rollback fails at first: systemd tries again. Nothing else comes between, and nothing makes it permanent.
    commit(&host, "broken");
    start(&host, "failing", "5s");
    // The generation to go back to is not there for a while.
    let folder = "/etc/watchme-apply/generations/";
    let before = host.sh(&format!("ls -v {folder} | tail -2 | head -1"));
    host.sh(&format!(
        "pkill -KILL -x watchme-apply; mv {folder}{before} /root/"
    ));
    let refused = host
        .tool(&["uninstall", "--keep", "--yes"])
        .expect(1)
        .text();
    assert!(refused.contains("waits for confirmation"), "{refused}");
    let next = "watchme-apply-confirm-*-try-1.timer";
    let next = format!("systemctl list-units --all --plain --no-legend '{next}' | cut -d. -f1");
    host.wait_for("the next try", BOUND, || !host.sh(&next).is_empty());
    commit(&host, "pending");
    let refused = host.apply(&[]).expect(1).text();
    assert!(
        refused.contains("was not confirmed in time, and is not rolled back to ")
            && refused.contains("it cannot be confirmed any more: sudo watchme-apply rollback "),
        "{refused}"
    );
    assert_eq!(host.read(SUDOERS), rule("broken"));
    // That of the timer, and not yet.
    let service = host.sh(&next);
    host.sh(&format!(
        "mv /root/{before} {folder}; systemctl start {service}.service"
    ));
    wait_rolled_back(&host, "two");

    // A rollback in another session ends the wait.
    commit(&host, "four");
    start(&host, "taken-back", "60s");
    host.tool(&["rollback", "--yes"]).expect(0);
    let said = ended(&host, "taken-back");
    assert!(said.contains("status 3"), "{said}");
    assert_eq!(host.read(SUDOERS), rule("two"));
    let nothing = host.tool(&["confirm"]).expect(1).text();
    assert!(
        nothing.contains("nothing waits for confirmation"),
        "{nothing}"
    );
    assert_eq!(host.property("plain", "MainPID"), pid, "nothing restarted");
    // No unit of a timer is left behind.
    host.wait_for("no timer", Duration::from_secs(90), || {
        let units = host.sh("systemctl list-units --all --plain --no-legend 'watchme-apply-confirm-*' | grep -c failed || true");
        units == "0"
    });
}

#[test]
fn over_ssh_what_may_lock_out_waits_unasked_and_a_boot_confirms_nothing() {
    let host = applied();
    // A terminal below a process that is called as sshd is.
    host.sh("cp /bin/bash /root/sshd");
    let on_terminal = |arguments: &str, log: &str| {
        format!(
            "cd {CHECKOUT}; (setsid /root/sshd -c 'script -qec \"watchme-apply apply {arguments}\" /dev/null >/root/{log} 2>&1; true' </dev/null >/dev/null 2>&1 &)"
        )
    };
    let finished = |log: &str| {
        host.wait_for("an apply", BOUND, || {
            printed(&host, log).contains("verified")
        });
        printed(&host, log)
    };
    host.commit(
        &[(&desired("systemd/other.service"), Some(&sleeper(2000)))],
        "harmless",
    );
    host.sh(&on_terminal("", "harmless"));
    let said = finished("harmless");
    assert!(!said.contains("waiting for confirmation"), "{said}");
    commit(&host, "two");
    host.sh(&on_terminal("--no-confirm", "no"));
    let said = finished("no");
    assert!(!said.contains("waiting for confirmation"), "{said}");

    commit(&host, "three");
    // Whoever plans it reads that before.
    let plan = host.sh(&format!(
        "cd {CHECKOUT}; setsid /root/sshd -c 'script -qec \"watchme-apply plan\" /dev/null; true' </dev/null 2>&1"
    ));
    assert!(
        plan.contains("over SSH, an apply waits 2 min for `watchme-apply confirm` in another session, as it changes etc/sudoers.d/app"),
        "{plan}"
    );
    assert!(!host.tool(&["plan"]).text().contains("over SSH"));
    host.sh(&on_terminal("", "risky"));
    host.wait_for("the wait", BOUND, || {
        printed(&host, "risky").contains("sudo watchme-apply confirm")
    });
    assert_eq!(host.read(SUDOERS), rule("three"));
    // As if its two minutes were over while the host was down. These hosts all have the boot of the machine below them.
    let record = "/var/lib/watchme-apply/confirm.json";
    host.sh(&format!(
        "pkill -KILL -x watchme-apply; sed -i 's/\"until\": \"20[0-9]*/\"until\": \"2000/; s/\"boot\": \"/&before-/' {record}"
    ));
    host.reboot();
    wait_rolled_back(&host, "two");
}
