//! Stacks, as what is said about them: why one is not there any more.

use crate::support::{Output, Place};

const POLICY: &str = "[stack.app]\nupdate = \"start-first\"\nports = [8101, 8102]\n";

fn compose(number: u32) -> String {
    format!(
        "services:\n  web:\n    image: web:1\n    ports: ['127.0.0.1:${{PORT}}:80']\n    environment: {{A: '{number}'}}\n"
    )
}

#[track_caller]
fn assert_says(said: &Output, words: &[&str], not: &str) {
    let text = said.shown();
    for words in words {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    assert!(!text.contains(not), "{not} is in\n{text}");
}

/// What is pending after a copy has failed, too: the host has the old one, and git asks for the next.
#[test]
fn a_copy_gives_way_to_the_next_one() {
    let place = Place::git(&[
        ("watchme.toml", POLICY),
        ("compose/app/compose.yaml", &compose(1)),
    ]);
    place.run(&["apply"]).expect(0);
    place.write(&[("compose/app/compose.yaml", &compose(2))]);
    place.commit("Two");
    let takes = "stack-app-b.service takes its place";
    let pending = format!("unit/stack-app-a.service: changed in git: {takes}");
    for command in ["status", "drift"] {
        let said = place.run(&[command]);
        assert_says(&said, &[&pending], "gone from git");
    }
    let plan = place.run(&["plan"]).expect(0);
    assert_says(&plan, &[takes], "left the desired state");
    place.run(&["apply"]).expect(0);
    assert!(
        !place
            .on_host("etc/systemd/system/stack-app-a.service")
            .exists()
    );
}

#[test]
fn a_stack_that_is_not_to_run_has_not_left() {
    let place = Place::git(&[
        (
            "compose/app/compose.yaml",
            "services: {web: {image: 'web:1'}}\n",
        ),
        (
            "compose/other/compose.yaml",
            "services: {x: {image: 'x:1'}}\n",
        ),
        ("systemd/hello.service", "[Service]\nExecStart=/bin/true\n"),
    ]);
    place.run(&["apply"]).expect(0);
    place.write(&[("watchme.toml", "[stack.app]\nstart = false\n")]);
    place.commit("Off");
    let off = "[stack.app] has start = false";
    let pending = format!("unit/stack-app.service: changed in git: {off}");
    let status = place.run(&["status"]);
    assert_says(&status, &[&pending], "gone from git");
    let plan = place.run(&["plan"]).expect(0);
    assert_says(&plan, &[off], "left the desired state");
    place.run(&["apply"]).expect(0);
    // There is nothing more to do, and nothing to say.
    let again = place.run(&["apply"]).expect(0);
    assert_says(&again, &[], off);

    place.remove(&["compose/other/compose.yaml"]);
    place.commit("Gone");
    let plan = place.run(&["plan"]).expect(0);
    assert_says(&plan, &["left the desired state"], "start = false");
}

/// Nobody knows that the unit of a stack is `stack-app-a.service`.
#[test]
fn a_stack_is_named_as_its_folder() {
    let file = |name: &str| {
        format!("name: {name}\nservices:\n  web:\n    image: web:1\n    container_name: c-{name}\n")
    };
    let place = Place::git(&[
        ("watchme.toml", POLICY),
        ("compose/app/compose.yaml", &compose(1)),
        ("compose/wiki/compose.yaml", &file("pages")),
        ("systemd/wiki2.service", "[Service]\nExecStart=/bin/true\n"),
    ]);
    let only = place.run(&["plan", "--only", "unit/wiki"]).expect(0);
    assert_says(&only, &["unit/stack-wiki.service"], "unit/stack-app");
    place.run(&["apply"]).expect(0);
    for (name, unit) in [
        ("app", "stack-app-a.service"),
        ("wiki", "stack-wiki.service"),
        ("pages", "stack-wiki.service"),
        ("c-pages", "stack-wiki.service"),
        ("stack-wiki", "stack-wiki.service"),
        ("wiki2", "wiki2.service"),
    ] {
        let paused = place.run(&["pause", name, "--reason", "a test"]).expect(0);
        assert_says(&paused, &[&format!("paused {unit}")], "error");
        place.run(&["resume", name]).expect(0);
    }
    let unknown = place.run(&["pause", "wikki", "--reason", "a test"]);
    assert_says(&unknown, &["no unit wikki", "did you mean wiki?"], "stack-");

    place.write(&[("compose/app/compose.yaml", &compose(2))]);
    place.commit("Two");
    let only = place.run(&["plan", "--only", "unit/app"]).expect(0);
    assert_says(
        &only,
        &["unit/stack-app-b.service", "unit/stack-app-a.service"],
        "wiki",
    );
    let drift = place.run(&["drift", "--only", "unit/app"]);
    assert_says(&drift, &["unit/stack-app-b.service: is new"], "wiki");
}

#[test]
fn a_name_of_several_units_is_none() {
    let unit = |file: &str| {
        format!(
            "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/bin/docker compose -p shop -f /opt/shop/{file}.yml up -d\n"
        )
    };
    let place = Place::git(&[
        ("systemd/one.service", &unit("one")),
        ("systemd/two.service", &unit("two")),
    ]);
    place.run(&["apply"]).expect(0);
    let several = place.run(&["pause", "shop", "--reason", "a test"]);
    let words = [
        "shop may be one.service or two.service",
        "use the full name of the unit",
    ];
    assert_says(&several, &words, "paused one");
}

/// The checkout says that there are two copies, and the host which of them it has.
#[test]
fn routes_and_ports_are_those_of_the_copy_that_serves() {
    let site = "server {\n    listen 80;\n    server_name a.example.com;\n    location / { proxy_pass http://app; }\n}\n";
    let place = Place::git(&[
        ("watchme.toml", POLICY),
        ("compose/app/compose.yaml", &compose(1)),
        ("sites-available/a", site),
    ]);
    for (number, serves, other) in [
        (1, "app-a", "app-b"),
        (2, "app-b", "app-a"),
        (3, "app-a", "app-b"),
    ] {
        place.write(&[("compose/app/compose.yaml", &compose(number))]);
        place.commit("Next");
        place.run(&["apply"]).expect(0);
        for command in [
            &["routes"][..],
            &["routes", "explain", "http://a.example.com/"],
            &["ports"],
        ] {
            assert_says(&place.run(command), &[serves], other);
        }
        let port = ["8102", "8101"][number as usize % 2];
        assert_says(&place.run(&["ports"]), &[port], "error");
    }
}

/// A drop-in for the unit of a stack is laid over it, and what compose is told stays known.
#[test]
fn the_unit_of_a_stack_has_drop_ins() {
    let place = Place::git(&[
        ("watchme.toml", POLICY),
        ("compose/app/compose.yaml", &compose(1)),
        (
            "systemd/stack-app-a.service.d/nice.conf",
            "[Service]\nNice=5\n",
        ),
    ]);
    let checked = place.run(&["check"]).expect(0);
    assert_says(&checked, &[], "compose-variable-unset");
    let ports = place.run(&["ports"]).expect(0);
    assert_says(&ports, &["8101", "web"], "8102");
    place.run(&["apply"]).expect(0);
    let on_host = |path: &str| place.on_host(path).is_symlink();
    assert!(on_host(
        "etc/systemd/system/stack-app-a.service.d/nice.conf"
    ));
    assert!(on_host("etc/systemd/system/stack-app-a.service"));
    place.run(&["plan"]).expect(0);
}
