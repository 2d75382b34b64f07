//! What comes between an apply and its confirmation: another apply, Ctrl-C, a kill, a record that is damaged, a clock that is set.

use std::process::Command;

use super::{BOUND, SUDOERS, applied, commit, ended, rule, start, timers};
use crate::support::{CHECKOUT, Host, desired};

const SLOW: &str =
    "[Service]\nType=oneshot\nExecStart=/bin/sleep 60\n[Install]\nWantedBy=multi-user.target\n";
const RECORD: &str = "/var/lib/watchme-apply/confirm.json";

#[test]
#[ignore = "long: several applies that wait, and one that is killed in a slow step"]
fn nothing_to_do_ctrl_c_a_kill_and_a_damaged_record() {
    let host = applied();
    commit(&host, "two");
    start(&host, "waits", "60s");
    // Nothing is to be done, and all the same something waits.
    for (command, status) in [("apply", 0), ("plan", 0), ("drift", 0)] {
        let said = host.tool(&[command]).expect(status).text();
        assert!(
            said.contains("generation 2 waits for confirmation, and will be rolled back to 1 in ")
                && said.contains("sudo watchme-apply confirm keeps it"),
            "{command}: {said}"
        );
    }

    // Ctrl-C rolls it back at once, and no timer is left.
    host.sh("pkill -INT -x watchme-apply");
    let said = ended(&host, "waits");
    assert!(said.contains("status 3"), "{said}");
    assert_eq!(host.read(SUDOERS), rule("one"));
    assert_eq!(timers(&host), "");
    let status = host.tool(&["status"]).text();
    assert!(
        status.contains("automatically: nobody confirmed what root had applied"),
        "{status}"
    );

    // A record that cannot be read is named wherever it would count, with what helps.
    host.write(RECORD, "{\n");
    for command in ["status", "plan", "drift", "apply", "confirm"] {
        let said = host.tool(&[command]).text();
        assert!(
            said.contains("confirm.json is damaged")
                && said.contains(&format!("sudo mv {RECORD} {RECORD}.damaged")),
            "{command}: {said}"
        );
    }
    host.sh(&format!("mv {RECORD} {RECORD}.damaged"));

    // Killed in the middle: there is nothing to confirm, and what undoes it is said.
    commit(&host, "three");
    host.commit(&[(&desired("systemd/slow.service"), Some(SLOW))], "slow");
    host.sh(&format!(
        "cd {CHECKOUT}; (setsid watchme-apply apply --confirm 60s </dev/null >/root/killed 2>&1 &)"
    ));
    host.wait_for("the step", BOUND, || {
        host.property("slow.service", "ActiveState") == "activating"
    });
    assert_eq!(host.read(SUDOERS), rule("three"));
    host.sh("pkill -KILL -x watchme-apply");
    let cut_off = host.tool(&["confirm"]).expect(1).text();
    assert!(
        cut_off.contains(
            "the run was interrupted before its end: there is nothing to confirm until it is undone"
        ) && cut_off.contains("sudo watchme-apply recover, then apply again"),
        "{cut_off}"
    );
    host.tool(&["recover"]).expect(0);
    assert_eq!(host.read(SUDOERS), rule("one"));
    assert!(!host.stands("/etc/systemd/system/slow.service"));
    let nothing = host.tool(&["confirm"]).expect(1).text();
    assert!(
        nothing.contains("nothing waits for confirmation"),
        "{nothing}"
    );
    assert_eq!(timers(&host), "");
}

/// Has the time of day of a program shifted by so many seconds, as the program reads it.
const SHIFT: &str = "
#define _GNU_SOURCE
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>
int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && clock == CLOCK_REALTIME) now->tv_sec += atol(getenv(\"SHIFT\"));
    return result;
}
";

/// The hosts share the clock of the machine below them, which is not set for a test: a program sees it shifted.
fn with_clock(host: &Host) {
    let folder = tempfile::tempdir().expect("a folder");
    let (source, library) = (folder.path().join("s.c"), folder.path().join("s.so"));
    std::fs::write(&source, SHIFT).expect("the source");
    let mut compiler = Command::new("cc");
    compiler
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&library, &source]);
    assert!(compiler.status().expect("cc").success());
    host.copy_program(&library, "/root/shift.so");
    let clock = |by: &str| {
        format!("#!/bin/sh\nSHIFT={by} LD_PRELOAD=/root/shift.so exec watchme-apply \"$@\"\n")
    };
    for (name, by) in [("ahead", "3600"), ("behind", "-3600")] {
        let path = format!("/usr/local/bin/{name}");
        host.write(&path, &clock(by));
        host.sh(&format!("chmod 755 {path}"));
    }
}

#[test]
#[ignore = "long: waits until applies go back by themselves"]
fn a_clock_that_is_set_moves_no_end() {
    let host = applied();
    with_clock(&host);
    commit(&host, "two");
    start(&host, "forward", "60s");
    // Forward, and back: as much is left as before, and it can be confirmed.
    for clock in ["ahead", "behind"] {
        let status = host
            .try_sh(&format!("cd {CHECKOUT}; {clock} status"))
            .text();
        let left = status
            .split_once("and will be rolled back to 1 in ")
            .and_then(|(_, rest)| rest.split_once(" s"))
            .and_then(|(left, _)| left.parse::<u32>().ok());
        assert!(
            left.is_some_and(|left| (20..=60).contains(&left)),
            "{clock}: {status}"
        );
    }
    let confirmed = host.sh(&format!("cd {CHECKOUT}; ahead confirm"));
    assert!(confirmed.contains("generation 2 stays"), "{confirmed}");
    assert!(ended(&host, "forward").contains("status 0"));

    // Written down by a clock that was ahead, or behind, and set right while it waits: it goes back in time, by the timer.
    for (clock, program) in [("ahead", "three"), ("behind", "four")] {
        commit(&host, program);
        host.sh(&format!(
            "cd {CHECKOUT}; (setsid {clock} apply --confirm 4s </dev/null >/root/{clock} 2>&1 &)"
        ));
        host.wait_for("an apply that waits", BOUND, || {
            host.try_sh(&format!("cat /root/{clock}"))
                .stdout
                .contains("sudo watchme-apply confirm")
        });
        assert_eq!(host.read(SUDOERS), rule(program));
        host.sh("pkill -KILL -x watchme-apply");
        host.wait_for("the rollback", BOUND, || {
            host.read(SUDOERS) == rule("two") && !host.stands(RECORD)
        });
    }
}
