//! What was applied before: going back to it, what is known about it, and what a store that was
//! damaged by hand does to a running host.

use std::time::Duration;

use serde_json::Value;

use crate::support::network::{NETWORK, POLICY, Server, policy};
use crate::support::{CHECKOUT, Host, Output, desired, site, sleeper};

/// The unit runs a compose file of the checkout.
const WEB: &str = "[Unit]
Requires=docker.service
After=docker.service

[Service]
TimeoutStartSec=0
ExecStart=/usr/bin/docker-compose -f /home/ubuntu/watchme-server-configs/compose/web/docker-compose.yml up
ExecStop=/usr/bin/docker-compose -f /home/ubuntu/watchme-server-configs/compose/web/docker-compose.yml down
Restart=always

[Install]
WantedBy=multi-user.target
";

const COMPOSE_FILE: &str = "compose/web/docker-compose.yml";
const PORT: &str = "http://localhost:8101/";

fn compose(image: &str) -> String {
    format!("services:\n  web:\n    image: {image}\n    ports: ['127.0.0.1:8101:8000']\n")
}

#[track_caller]
fn assert_serves(host: &Host, image: &str, page: &str) {
    host.wait_for(image, Duration::from_secs(20), || {
        host.get(PORT) == (200, format!("{image}\n"))
    });
    assert_eq!(host.page("a"), page);
}

fn unattended(host: &Host) -> Output {
    host.try_sh(&format!("cd {CHECKOUT}; watchme-apply apply --unattended"))
}

/// The runs that `history --json` tells of, the youngest first.
#[track_caller]
fn runs(host: &Host) -> Vec<Value> {
    let told = host.tool(&["history", "--json"]).expect(0).stdout;
    let told: Value = serde_json::from_str(&told).expect("history is JSON");
    told["runs"].as_array().expect("a list of runs").clone()
}

fn two_generations() -> Host {
    let host = Host::boot();
    for image in ["web:1", "web:2"] {
        host.load_service_image(image, 8000, &[]);
    }
    host.checkout(&[
        (&desired("systemd/web.service"), WEB),
        (&desired("sites-available/a"), &site("a", "first")),
        (COMPOSE_FILE, &compose("web:1")),
    ]);
    host.apply(&[]).expect(0);
    host.commit(
        &[
            (COMPOSE_FILE, Some(&compose("web:2"))),
            (&desired("sites-available/a"), Some(&site("a", "second"))),
            (&desired("systemd/new.service"), Some(&sleeper(1001))),
        ],
        "the second",
    );
    host.apply(&[]).expect(0);
    host
}

#[test]
#[ignore = "long: tests/run --all"]
fn an_older_generation_comes_back_and_stays() {
    let host = two_generations();
    assert_serves(&host, "web:2", "second");
    // All that is needed is kept in the store.
    host.sh(&format!(
        "mv {CHECKOUT}/.git /home/ubuntu/git-of-the-checkout"
    ));
    let back = host.tool(&["rollback"]).expect(0);
    assert!(
        back.stdout.contains("back to generation 1"),
        "{}",
        back.text()
    );
    host.sh(&format!(
        "mv /home/ubuntu/git-of-the-checkout {CHECKOUT}/.git"
    ));
    assert_serves(&host, "web:1", "first");
    let stored = format!("/etc/watchme-apply/live/files/{COMPOSE_FILE}");
    assert_eq!(host.read(&stored), compose("web:1"));
    assert_eq!(
        host.read(&format!("{CHECKOUT}/{COMPOSE_FILE}")),
        compose("web:2")
    );
    assert_eq!(host.property("new.service", "LoadState"), "not-found");
    assert_eq!(host.wants_links("new.service"), Vec::<String>::new());

    what_was_left_is_not_brought_back(&host);
    host.apply(&[]).expect(0);
    assert_serves(&host, "web:2", "second");
    assert!(host.is_active("new.service"));
    unattended(&host).expect(0);
    history_tells_of_all(&host);
    a_roll_back_that_fails_is_undone(&host);
}

fn what_was_left_is_not_brought_back(host: &Host) {
    let skipped = host
        .assert_does_nothing(&["apply", "--unattended"])
        .expect(2);
    assert!(
        skipped.stdout.contains("generation 1"),
        "{}",
        skipped.text()
    );
    host.commit(&[("README.md", Some("words\n"))], "no input");
    unattended(host).expect(2);
    host.reboot();
    unattended(host).expect(2);
    assert_serves(host, "web:1", "first");
    // It is as it was applied: there is nothing to mend.
    host.assert_does_nothing(&["drift", "--fix"]);
}

fn history_tells_of_all(host: &Host) {
    let told: Vec<_> = runs(host)
        .iter()
        .map(|run| {
            let field = |name: &str| run[name].to_string().replace('"', "");
            [
                field("kind"),
                field("number"),
                field("back_to"),
                field("outcome"),
            ]
            .join(" ")
        })
        .collect();
    assert_eq!(
        told,
        [
            "apply 4 null applied",
            "rollback 3 1 applied",
            "apply 2 null applied",
            "apply 1 null applied"
        ]
    );
    let text = host.tool(&["history", "1..2"]).expect(0).stdout;
    assert!(
        text.contains("the second") && !text.contains("first\n"),
        "{text}"
    );
}

/// An image that the older generation needs is gone, and then a bad one: the host stays as it was.
fn a_roll_back_that_fails_is_undone(host: &Host) {
    host.sh("docker image rm web:1");
    let failed = host.tool(&["rollback", "1"]).expect(1);
    assert!(
        failed
            .text()
            .contains("could not pull the image web:1 for web.service"),
        "{}",
        failed.text()
    );
    assert_serves(host, "web:2", "second");
    // One that is there and ends at once.
    host.sh("docker commit --change 'CMD [\"false\"]' $(docker ps -q | head -1) web:1");
    let failed = host.tool(&["rollback", "1"]).expect(3);
    assert!(failed.text().contains("web.service"), "{}", failed.text());
    let what = "error: the rollback failed and was rolled back: the host is as before";
    assert!(failed.text().contains(what), "{}", failed.text());
    assert_serves(host, "web:2", "second");
    let last = &runs(host)[0];
    assert_eq!(
        [&last["kind"], &last["outcome"]],
        ["rollback", "rolled-back"]
    );
    let reason = last["reason"].as_str().expect("a reason");
    assert!(
        reason.contains("web.service") && !reason.contains('\n'),
        "{reason}"
    );
    host.assert_does_nothing(&["apply", "--unattended"])
        .expect(0);
}

#[test]
fn runs_that_mend_are_in_the_history() {
    let host = Host::boot();
    host.checkout(&[(&desired("sites-available/a"), &site("a", "first"))]);
    host.apply(&[]).expect(0);
    host.sh("rm /etc/nginx/sites-enabled/a; systemctl reload nginx");
    host.tool(&["drift", "--fix"]).expect(0);
    assert_eq!(host.page("a"), "first");
    let last = &runs(&host)[0];
    assert_eq!([&last["kind"], &last["outcome"]], ["fix", "applied"]);
    assert_eq!(last["number"], Value::Null);
    assert!(last["changes"].to_string().contains("site/a"), "{last}");
    // A run that has nothing to do is none.
    host.tool(&["drift", "--fix"]).expect(0);
    assert_eq!(runs(&host).len(), 2);
}

/// Containers that a unit makes are attached in a second pass, which belongs to the run as well.
#[test]
fn what_followed_is_in_the_history() {
    let host = Host::boot();
    Server::with_owner()
        .service("vault", ("up", "down"), &["container_name: watchme-vault"])
        .with(POLICY, policy(&["container = 'watchme-vault'"]))
        .check_out(&host);
    host.apply(&[]).expect(0);
    assert!(host.names_on_network(NETWORK).contains("watchme-vault"));
    let changes = &runs(&host)[0]["changes"];
    let member = format!("member/{NETWORK}/watchme-vault");
    assert!(changes.to_string().contains(&member), "{changes}");
    let told = host.read("/etc/watchme-apply/generations/1/desired.json");
    assert!(told.contains(&member), "{told}");
}

/// Units that run go on running, and what is served is served, whatever of the store is lost.
#[test]
#[ignore = "long: tests/run --all"]
fn what_is_lost_of_the_store_comes_back_without_an_interruption() {
    let host = Host::boot();
    host.checkout(&[
        (&desired("sites-available/a"), &site("a", "first")),
        (&desired("systemd/one.service"), &sleeper(1001)),
        (
            &desired("systemd/one.service.d/x.conf"),
            "[Service]\nNice=5\n",
        ),
    ]);
    host.apply(&[]).expect(0);
    host.commit(
        &[(&desired("sites-available/a"), Some(&site("a", "second")))],
        "second",
    );
    host.apply(&[]).expect(0);
    let picture = host.picture();
    let before = host.runs(&["one.service"]);
    for lost in [
        "/var/lib/watchme-apply/loaded.json",
        "/var/lib/watchme-apply/inventory.json",
        "/var/lib/watchme-apply/history.json",
        "/etc/watchme-apply/live",
    ] {
        host.sh(&format!("rm -rf {lost}"));
        host.tool(&["status"]).expect(0);
        host.apply(&[]).expect(0);
        assert_eq!(host.page("a"), "second", "{lost}");
        let after = host.runs(&["one.service"]);
        assert_eq!(after.restarted_since(&before), Vec::<&str>::new(), "{lost}");
        assert_eq!(host.property("one.service", "NeedDaemonReload"), "no");
        host.assert_does_nothing(&["apply"]).expect(0);
        host.assert_does_nothing(&["drift"]).expect(0);
    }
    host.sh("rm -rf /etc/watchme-apply/live && cd / && watchme-apply drift --fix");
    host.sh("cd /etc/watchme-apply/generations; ls | grep -vx -e 1 -e 2 | xargs rm -rf");
    host.assert_unchanged(&picture, "the store");
}
