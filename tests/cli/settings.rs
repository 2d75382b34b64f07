//! Revisions that change nothing on a host.

use crate::support::{Place, STATE};

/// What only `check` and the way of a run read: in sync for every command, and nothing is written.
#[test]
fn settings_that_ask_nothing_of_a_host_are_in_sync() {
    let place = Place::git(STATE);
    place.run(&["apply"]).expect(0);
    let applied = place.host();
    for (settings, subject) in [
        ("[ports]\nallowed = [\"8000-8100\"]\n", "Ports"),
        ("[budget]\nmemory = \"2G\"\n", "Budget"),
        (
            "[[route]]\nurl = \"http://api.example.com/hello/\"\nupstream = \"http://localhost:8001/\"\n",
            "Route",
        ),
        (
            "[unit.\"hello.service\"]\nstart_timeout = \"90s\"\nsettle = \"1s\"\n",
            "Times",
        ),
    ] {
        place.write(&[("watchme.toml", &format!("{}{settings}", STATE[0].1))]);
        place.commit(subject);
        let plan = place
            .run(&["plan", "--json", "--detailed-exitcode"])
            .expect(0)
            .json();
        assert_eq!(plan["in_sync"], true, "{subject}");
        let drift = place.run(&["drift"]).expect(0);
        assert!(!drift.stdout.contains("pending"), "{}", drift.shown());
        let apply = place.run(&["apply", "--json"]).expect(0).json();
        assert_eq!(apply["outcome"], "in-sync", "{subject}");
        assert_eq!(place.host(), applied, "{subject}");
    }
    let history = place.run(&["history", "--json"]).expect(0).json();
    assert_eq!(history["runs"].as_array().map(Vec::len), Some(1));
}

/// What a host is held to is written down, though there is nothing to change, and drift says so.
#[test]
fn a_path_that_is_to_be_absent_is_pending_until_it_is_applied() {
    let place = Place::git(STATE);
    place.run(&["apply"]).expect(0);
    let absent = "absent = [\"sites-enabled/default\", \"etc/old.conf\"]\n";
    place.write(&[("watchme.toml", absent)]);
    place.commit("Nothing at old.conf");
    let drift = place.run(&["drift"]).expect(2);
    assert!(drift.stdout.contains("etc/old.conf"), "{}", drift.shown());
    let plan = place.run(&["plan"]).expect(0);
    assert!(
        plan.stdout
            .contains("plan: nothing to change; the revision is recorded"),
        "{}",
        plan.shown()
    );
    place.run(&["apply"]).expect(0);
    place.run(&["drift"]).expect(0);
}

/// An error that `check` is sure of stops an apply; the plan says what helps, as the apply does.
#[test]
fn a_plan_that_an_apply_would_stop_at_ends_with_a_hint() {
    let compose = "services:\n  a:\n    image: a:1\n    ports: ['127.0.0.1:8001:80']\n  b:\n    image: b:1\n    ports: ['127.0.0.1:8001:80']\n";
    let unit = "[Service]\nExecStart=/usr/bin/docker-compose -f /srv/state/web.yml up\n\n[Install]\nWantedBy=multi-user.target\n";
    let place = Place::git(&[
        ("watchme.toml", "checkout = \"/srv/state\"\n"),
        ("systemd/web.service", unit),
        ("web.yml", compose),
    ]);
    let plan = place.run(&["plan"]).expect(1);
    let hint = "\nhint: an apply would stop here, before any change: fix it and commit\n";
    assert!(plan.stdout.contains("blocks the apply"), "{}", plan.shown());
    assert!(plan.stdout.ends_with(hint), "{}", plan.shown());
}
