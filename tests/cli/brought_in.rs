//! Errors that `check` is sure of stop an apply where the change brings them in, and nowhere else.

use std::fs;

use crate::support::{Place, STATE};

fn unit(place: &Place, name: &str) -> String {
    format!(
        "[Service]\nExecStart=/usr/bin/docker-compose -f {}/{name}.yml up\n[Install]\nWantedBy=multi-user.target\n",
        place.checkout().display()
    )
}

fn compose(name: &str, port: u16) -> String {
    format!("services:\n  {name}:\n    image: {name}:1\n    ports: ['127.0.0.1:{port}:80']\n")
}

/// A place with one service applied, and a second one that is committed and takes the same port.
fn same_port() -> Place {
    let place = Place::git(STATE);
    place.write(&[
        ("systemd/one.service", &unit(&place, "one")),
        ("one.yml", &compose("one", 8010)),
    ]);
    place.commit("One");
    place.run(&["apply"]).expect(0);
    place.write(&[
        ("systemd/two.service", &unit(&place, "two")),
        ("two.yml", &compose("two", 8010)),
    ]);
    place
}

#[test]
fn a_port_published_twice_is_refused_where_it_is_new() {
    let place = same_port();
    place.commit("Two");
    let plan = place.run(&["plan"]).expect(1);
    assert!(
        plan.stdout.contains("port-published-twice"),
        "{}",
        plan.shown()
    );
    let json = place.run(&["plan", "--json"]).expect(1).json();
    assert_eq!(json["findings"][0]["rule"], "port-published-twice");
    let apply = place.run(&["apply"]).expect(1);
    assert!(
        apply.stderr.contains("port-published-twice"),
        "{}",
        apply.shown()
    );
    assert!(
        apply.stderr.contains("nothing was changed"),
        "{}",
        apply.shown()
    );
    assert!(!place.on_host("etc/systemd/system/two.service").exists());
    // Another one that is told of nothing.
    place.write(&[("two.yml", &compose("two", 8011))]);
    place.commit("Two on its own");
    place.run(&["apply"]).expect(0);
}

/// What an older version applied is told in one line, and can be listed.
#[test]
fn what_was_wrong_before_stops_nothing() {
    let place = same_port();
    let head = || {
        let repo = git2::Repository::open(place.checkout()).unwrap();
        repo.head().unwrap().target().unwrap().to_string()
    };
    let before = head();
    place.commit("Two");
    // As if it had been applied by one that did not look.
    for path in place.host().into_keys() {
        if let Ok(text) = fs::read_to_string(&path)
            && text.contains(&before)
        {
            fs::write(&path, text.replace(&before, &head())).unwrap();
        }
    }
    place.write(&[(
        "etc/logrotate.d/hello",
        "/var/log/hello.log {\n    daily\n}\n",
    )]);
    place.commit("Daily");
    let plan = place.run(&["plan"]).expect(0);
    let line = "1 finding about what this plan does not change: watchme-apply plan --all-findings";
    assert!(plan.stdout.contains(line), "{}", plan.shown());
    assert!(
        !plan.stdout.contains("port-published-twice"),
        "{}",
        plan.shown()
    );
    let all = place.run(&["plan", "--all-findings"]).expect(0);
    assert!(
        all.stdout.contains("port-published-twice"),
        "{}",
        all.shown()
    );
    let json = place.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(json["other_findings"][0]["rule"], "port-published-twice");
    place.run(&["apply"]).expect(0);
}

/// A matter of style never stops an apply.
#[test]
fn style_stops_nothing() {
    let place = Place::git(STATE);
    let secret =
        "services:\n  one:\n    image: one:latest\n    environment: {DB_PASSWORD: open-sesame}\n";
    place.write(&[
        ("systemd/one.service", &unit(&place, "one")),
        ("one.yml", secret),
    ]);
    place.commit("Style");
    place.run(&["check"]).expect(2);
    place.run(&["apply"]).expect(0);
}
