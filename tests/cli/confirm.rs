//! `confirm`, and `apply --confirm`, where nothing runs.

use crate::support::{Place, STATE};

#[test]
fn an_offline_root_waits_for_nobody() {
    let place = Place::git(STATE);
    let wrong = place.run(&["apply", "--confirm", "2m"]).expect(64).stderr;
    assert!(
        wrong.contains("--confirm waits for a session on the host"),
        "{wrong}"
    );
    for arguments in [
        &["apply", "--confirm", "soon"][..],
        &["apply", "--confirm", "25h"],
        &["apply", "--confirm", "2m", "--unattended"],
        &["apply", "--confirm", "2m", "--no-confirm"],
        &["apply", "--confirm", "2m", "--json"],
    ] {
        place.run(arguments).expect(64);
    }
    place.run(&["apply", "--confirm", "0"]).expect(0);
    let nothing = place.run(&["confirm"]).expect(1).stderr;
    assert!(
        nothing.contains("nothing waits for confirmation")
            && nothing.contains("watchme-apply status"),
        "{nothing}"
    );
}

#[test]
fn what_waits_is_said_and_no_other_apply_comes_between() {
    let place = Place::git(STATE);
    place.run(&["apply"]).expect(0);
    let record = |until: &str| {
        format!(
            "{{\"generation\": 2, \"back_to\": 1, \"until\": \"{until}\", \"by\": \"ubuntu\"}}\n"
        )
    };
    let path = "/var/lib/watchme-apply/confirm.json";
    place.write_host(path, &record("2999-01-01T00:00:00Z"));
    let status = place.run(&["status"]).stdout;
    assert!(
        status.contains("generation 2 waits for confirmation, and will be rolled back to 1 in "),
        "{status}"
    );
    let json = place.run(&["status", "--json"]).json();
    assert_eq!(json["waiting"]["back_to"], 1);
    place.write(&[(
        "etc/logrotate.d/hello",
        "/var/log/hello.log {\n    daily\n}\n",
    )]);
    place.commit("daily");
    let refused = place.run(&["apply"]).expect(1).stderr;
    for part in [
        "generation 2 waits for confirmation, and will be rolled back to 1 in ",
        "sudo watchme-apply confirm keeps it",
        "sudo watchme-apply rollback 1 rolls it back at once",
    ] {
        assert!(refused.contains(part), "{refused}");
    }
    let kept = place.run(&["confirm"]).expect(0).stdout;
    assert_eq!(kept, "confirmed: generation 2 stays\n");
    place.run(&["apply"]).expect(0);

    place.write_host(path, &record("2026-01-01T00:00:00Z"));
    let status = place.run(&["status"]).stdout;
    assert!(
        status.contains(
            "generation 2 was not confirmed, and will be rolled back to 1: watchme-apply rollback 1"
        ),
        "{status}"
    );
    let late = place.run(&["confirm"]).expect(1).stderr;
    assert!(
        late.contains(
            "too late: generation 2 was not confirmed in time, and will be rolled back to generation 1"
        ),
        "{late}"
    );
    let expired = place.run(&["confirm", "--expire"]).expect(3).stderr;
    assert!(
        expired.contains(
            "generation 2 was not confirmed and was rolled back: the host matches generation 1"
        ) && expired.contains("--confirm 5m"),
        "{expired}"
    );
    let weekly = place.read_host("/etc/logrotate.d/hello");
    assert!(weekly.contains("weekly"), "{weekly}");
    let late = place.run(&["confirm"]).expect(1).stderr;
    assert!(late.contains("too late"), "{late}");
    place.run(&["confirm", "--expire"]).expect(0);
}

#[test]
fn a_damaged_record_says_so() {
    let place = Place::git(STATE);
    place.run(&["apply"]).expect(0);
    place.write_host("/var/lib/watchme-apply/confirm.json", "{}\n");
    let wrong = place.run(&["confirm"]).expect(1).stderr;
    assert!(
        wrong.contains("confirm.json is damaged") && wrong.contains("move it away"),
        "{wrong}"
    );
}
