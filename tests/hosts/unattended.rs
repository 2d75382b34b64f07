//! Runs that no person watches: what they leave alone, what they try again, and when.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::support::{CHECKOUT, Host, Output, desired, service, site, sleeper};

const ATTEMPTS: &str = "/var/lib/watchme-apply/attempts.json";

/// A network, for which the engine is needed.
const NETWORK: &str =
    "services:\n  web:\n    image: web:1\n    networks: [n]\nnetworks:\n  n:\n    name: n\n";

/// `apply --unattended` as a unit runs it: root, and nobody who called sudo.
fn unattended(host: &Host) -> Output {
    host.try_sh(&format!("cd {CHECKOUT}; watchme-apply apply --unattended"))
}

/// What the record that unattended runs heed says about `what`.
#[track_caller]
fn recorded(host: &Host, what: &str) -> Value {
    let text = host.read(ATTEMPTS);
    let record: Value = serde_json::from_str(&text).expect("the record is JSON");
    record[what].clone()
}

/// Lets the wait after a failure be over.
fn pass_the_time(host: &Host) {
    let past = "s/\"next\": \".*\"/\"next\": \"2020-01-01T00:01:00Z\"/; s/\"last\": \".*\"/\"last\": \"2020-01-01T00:00:00Z\"/";
    host.sh(&format!("sed -i '{past}' {ATTEMPTS}"));
}

#[test]
fn a_revision_that_failed_is_left_alone_until_it_changes() {
    let host = Host::boot();
    host.checkout(&[
        (&desired("sites-available/a"), &site("a", "first")),
        (&desired("systemd/one.service"), &sleeper(1001)),
    ]);
    host.apply(&[]).expect(0);
    let bad = service("/bin/sh -c 'echo no; exit 7'");
    host.commit(
        &[
            (&desired("sites-available/a"), Some(&site("a", "second"))),
            (&desired("systemd/bad.service"), Some(&bad)),
        ],
        "a unit that dies",
    );
    let failed = host.apply(&[]).expect(3);
    assert!(
        failed.text().contains("unattended runs"),
        "{}",
        failed.text()
    );
    assert_eq!(host.page("a"), "first");

    let skipped = host
        .assert_does_nothing(&["apply", "--unattended"])
        .expect(2);
    assert_eq!(skipped.stdout.lines().count(), 1, "{}", skipped.text());
    for part in ["bad.service", "watchme-apply apply", "--retry"] {
        assert!(skipped.stdout.contains(part), "{}", skipped.text());
    }
    assert!(
        host.tool(&["status"])
            .expect(0)
            .stdout
            .contains("bad.service")
    );
    host.commit(&[("README.md", Some("words\n"))], "no input");
    unattended(&host).expect(2);
    host.reboot();
    unattended(&host).expect(2);

    // Whoever insists gets another try, and the same answer.
    let insists = format!("cd {CHECKOUT}; watchme-apply apply --unattended --retry");
    assert_eq!(host.try_sh(&insists).status, 3);
    host.apply(&[]).expect(3);
    unattended(&host).expect(2);

    host.commit(
        &[(&desired("systemd/bad.service"), Some(&sleeper(1007)))],
        "mended",
    );
    unattended(&host).expect(0);
    assert_eq!(host.page("a"), "second");
    assert!(host.is_active("bad.service"));
    assert_eq!(recorded(&host, "quarantine"), Value::Null);
    host.assert_does_nothing(&["apply", "--unattended"])
        .expect(0);
}

/// The example: a timer's service pulls as the checkout's owner and applies as root.
#[test]
fn what_was_pushed_is_pulled_and_applied() {
    let host = Host::boot();
    host.checkout(&[(&desired("sites-available/a"), &site("a", "first"))]);
    let example = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/unattended/desired-state"
    );
    host.copy_in(Path::new(example), &format!("{CHECKOUT}/desired-state"));
    host.commit(&[], "pull by itself");
    host.apply(&[]).expect(0);
    assert!(host.is_active("watchme-pull.timer"));
    // What is pushed comes from another clone.
    host.sh_as(
        "ubuntu",
        &format!("git clone -q --bare {CHECKOUT} origin.git; cd {CHECKOUT}; git remote add origin ~/origin.git
                  git fetch -q; git branch -q -u origin/$(git branch --show-current); git clone -q ~/origin.git ~/desk"),
    );
    let push = |text: &str| {
        host.write(
            "/home/ubuntu/desk/desired-state/sites-available/a",
            &site("a", text),
        );
        host.sh_as(
            "ubuntu",
            &format!("cd desk; git commit -qam '{text}'; git push -q"),
        );
        host.try_sh("systemctl start watchme-pull.service").status
    };
    assert_eq!(push("second"), 0);
    assert_eq!(host.page("a"), "second");
    host.sh(&format!("test -z \"$(find {CHECKOUT} ! -user ubuntu)\""));
    let reloads = host.reloads();
    host.sh("systemctl start watchme-pull.service");
    assert_eq!(host.reloads(), reloads, "nothing to do");

    // What fails fails the unit once, and is left alone from then on.
    assert_ne!(push("broken\"; nonsense \""), 0);
    assert_eq!(host.page("a"), "second");
    host.sh("systemctl start watchme-pull.service");
    let said = host.sh("journalctl --sync; journalctl -u watchme-pull.service -o cat -n 20");
    assert!(said.contains("skipped: this revision failed"), "{said}");
    assert_eq!(push("third"), 0);
    assert_eq!(host.page("a"), "third");
}

#[test]
fn an_engine_that_is_gone_is_waited_for() {
    let host = Host::boot();
    host.checkout(&[
        (&desired("docker-compose.infra.yml"), NETWORK),
        (&desired("sites-available/a"), &site("a", "first")),
    ]);
    host.apply(&[]).expect(0);
    host.commit(
        &[(&desired("sites-available/a"), Some(&site("a", "second")))],
        "second",
    );
    host.sh("systemctl stop docker.socket docker.service");
    unattended(&host).expect(1);
    assert_eq!(recorded(&host, "quarantine"), Value::Null);
    assert_eq!(recorded(&host, "back_off")["failures"], 1);

    // Not tried again before its time, whether the engine is there or not.
    let before = host.read(ATTEMPTS);
    let waits = unattended(&host).expect(2);
    assert!(waits.stdout.contains("next try"), "{}", waits.text());
    pass_the_time(&host);
    unattended(&host).expect(1);
    assert_ne!(host.read(ATTEMPTS), before);
    host.sh("systemctl start docker.socket docker.service");
    host.assert_does_nothing(&["apply", "--unattended"])
        .expect(2);
    assert_eq!(host.page("a"), "first");

    pass_the_time(&host);
    unattended(&host).expect(0);
    assert_eq!(host.page("a"), "second");
    assert_eq!(recorded(&host, "back_off"), Value::Null);
}

/// Gone in the middle: the unit fails, and nobody knows whether it would have with an engine.
#[test]
#[ignore = "long: tests/run --all"]
fn an_engine_that_goes_in_the_middle_is_no_fault_of_the_revision() {
    let host = Host::boot();
    host.checkout(&[(&desired("docker-compose.infra.yml"), NETWORK)]);
    host.apply(&[]).expect(0);
    let stops = service("/bin/sh -c 'systemctl stop docker.socket docker.service; exit 1'");
    host.commit(
        &[(&desired("systemd/stops.service"), Some(&stops))],
        "stops",
    );
    assert!([3, 4].contains(&unattended(&host).status));
    assert_eq!(recorded(&host, "quarantine"), Value::Null);
    assert_eq!(recorded(&host, "back_off")["failures"], 1);
}

/// The revision is not to blame for a port that another process holds.
#[test]
fn a_port_that_is_taken_is_tried_again() {
    let host = Host::boot();
    host.checkout(&[(&desired("sites-available/a"), &site("a", "first"))]);
    host.apply(&[]).expect(0);
    host.sh("systemd-run -q --unit=holder busybox httpd -f -p 0.0.0.0:8090");
    host.wait_for("holder of the port", Duration::from_secs(10), || {
        host.try_sh("busybox netstat -ltn | grep -q :8090").status == 0
    });
    let listens = site("a", "second").replace("listen 80;", "listen 80; listen 8090;");
    host.commit(&[(&desired("sites-available/a"), Some(&listens))], "a port");
    unattended(&host).expect(3);
    assert_eq!(host.page("a"), "first");
    assert_eq!(recorded(&host, "quarantine"), Value::Null);
    unattended(&host).expect(2);

    // A person does not wait.
    host.apply(&[]).expect(3);
    assert_eq!(recorded(&host, "back_off")["failures"], 2);
    host.sh("systemctl stop holder");
    pass_the_time(&host);
    unattended(&host).expect(0);
    assert_eq!(host.page("a"), "second");
}
