//! Which gates a run asks, and gates of every kind.

use super::{answering, asked, gate};
use crate::support::schema::json;
use crate::support::{CHECKOUT, Host, desired, sleeper};

/// A site that passes everything on to a port of this host, with a log of its own.
fn proxying(name: &str, port: u16) -> String {
    answering(name, 200, "").replace(
        "return 200 \"\";",
        &format!("proxy_pass http://localhost:{port}/;"),
    )
}

/// A unit that runs the compose file of the checkout.
fn compose_unit(text: &str) -> String {
    let compose = format!(
        "/usr/bin/docker-compose -f {CHECKOUT}/desired-state/compose/api/docker-compose.yml"
    );
    format!(
        "# {text}\n[Unit]\nRequires=docker.service\nAfter=docker.service\n\n[Service]\nExecStart={compose} up\nExecStop={compose} down\n\n[Install]\nWantedBy=multi-user.target\n"
    )
}

const COMPOSE: &str = "version: '3.8'
services:
  api:
    image: api:1
    container_name: api
    ports: ['127.0.0.1:8001:8001']
";

/// Two sites, one of them before a service, and a gate of every kind.
fn server(host: &Host) {
    host.load_service_image("api:1", 8001, &[]);
    let toml = [
        gate("url = \"http://static.example.com/\"", ""),
        gate("url = \"http://api.example.com/health\"", ""),
        gate("container = \"api\"", ""),
        gate("unit = \"api.service\"", ""),
        gate("tcp = \"localhost:8001\"", ""),
    ];
    host.checkout(&[
        (&desired("watchme.toml"), &toml.concat()),
        (
            &desired("sites-available/static"),
            &answering("static", 200, "one"),
        ),
        (&desired("sites-available/api"), &proxying("api", 8001)),
        (&desired("systemd/api.service"), &compose_unit("one")),
        (&desired("systemd/other.service"), &sleeper(1000)),
        (&desired("compose/api/docker-compose.yml"), COMPOSE),
    ]);
}

/// The gates that the plan would ask.
fn planned(host: &Host) -> Vec<String> {
    let plan = json("plan", &host.tool(&["plan", "--json"]).expect(0).stdout);
    let gates = plan["gates"].as_array().expect("gates").iter();
    gates
        .map(|gate| gate["gate"].as_str().expect("a text").to_owned())
        .collect()
}

#[test]
#[ignore = "long: tests/run --all"]
fn only_what_a_run_touches_is_asked() {
    let host = Host::boot();
    server(&host);
    host.apply(&[]).expect(0);
    let both = || (asked(&host, "static"), asked(&host, "api"));
    assert_eq!(both(), (1, 1), "the first apply touches all");
    assert_eq!(planned(&host), Vec::<String>::new());

    let change = |path: &str, text: &str| {
        host.commit(&[(&desired(path), Some(text))], path);
        let planned = planned(&host);
        host.apply(&[]).expect(0);
        planned
    };
    let site = change("sites-available/static", &answering("static", 200, "two"));
    assert_eq!(site, ["http://static.example.com/"]);
    assert_eq!(both(), (2, 1));
    let unit = change("systemd/api.service", &compose_unit("two"));
    let behind = [
        "http://api.example.com/health",
        "container api",
        "unit api.service",
        "tcp 127.0.0.1:8001",
    ];
    assert_eq!(unit, behind);
    assert_eq!(both(), (2, 2));
    assert_eq!(change("systemd/other.service", &sleeper(1001)), [""; 0]);
    assert_eq!(both(), (2, 2));

    host.tool(&["drift"]).expect(0);
    host.sh("rm /etc/nginx/sites-enabled/api");
    host.tool(&["drift", "--fix"]).expect(0);
    assert_eq!(both(), (2, 2), "drift asks nobody");

    let all = host.apply(&["--verify-all"]).expect(0);
    assert!(
        all.stdout.contains("all 5 health gates passed"),
        "{}",
        all.text()
    );
    assert_eq!(both(), (3, 3));
    host.assert_does_nothing(&["apply", "--verify-all"])
        .expect(0);
    change_with_all(&host);
    a_paused_unit_is_not_asked(&host);
    every_kind_says_what_it_found(&host);
}

/// All of them are asked when there is something to do, too.
fn change_with_all(host: &Host) {
    let before = asked(host, "static");
    host.commit(
        &[(&desired("systemd/other.service"), Some(&sleeper(1002)))],
        "other",
    );
    host.apply(&["--verify-all"]).expect(0);
    assert_eq!(asked(host, "static"), before + 1);
}

fn a_paused_unit_is_not_asked(host: &Host) {
    host.tool(&["pause", "api", "--reason", "memory"]).expect(0);
    let before = asked(host, "api");
    let paused = host.apply(&["--verify-all"]).expect(0);
    let note = "unit/api.service: is paused: the gate http://api.example.com/health is skipped";
    assert!(paused.stdout.contains(note), "{}", paused.text());
    assert_eq!(asked(host, "api"), before);
    host.tool(&["resume", "api"]).expect(0);
}

/// Nothing that the program manages is wrong here, so that only gates can say so.
fn every_kind_says_what_it_found(host: &Host) {
    let none = "retries = 0";
    host.sh(
        "docker run -d --name sick --health-cmd 'test ! -e /sick' --health-interval 1s --health-retries 1 api:1 >/dev/null
         docker run -d --name ended api:1 true >/dev/null",
    );
    let health = |wanted: &str| {
        host.wait_for(
            "a container's health",
            std::time::Duration::from_secs(20),
            || host.container("sick", "{{.State.Health.Status}}") == wanted,
        );
    };
    health("healthy");
    let toml = gate("container = \"sick\"", none) + &gate("unit = \"nginx.service\"", none);
    host.commit(&[(&desired("watchme.toml"), Some(&toml))], "two gates");
    // Only watchme.toml has changed, which touches nothing but the gates that are new.
    assert_eq!(planned(host), ["container sick", "unit nginx.service"]);
    host.apply(&[]).expect(0);
    assert_eq!(planned(host), [""; 0]);
    host.sh("docker exec sick sh -c ': >/sick'");
    health("unhealthy");
    host.apply(&[]).expect(0);
    let failed = host
        .assert_does_nothing(&["apply", "--verify-all"])
        .expect(1);
    for said in [
        "in sync, but 1 of 2 health gates fails; nothing was changed",
        "container sick: expected it running and healthy, got unhealthy after 1 try",
    ] {
        assert!(failed.stderr.contains(said), "{said}\n{}", failed.text());
    }
    for (asked, said) in [
        (
            "container = \"sick\"",
            "container sick: expected it running and healthy, got unhealthy after 1 try",
        ),
        (
            "container = \"ended\"",
            "container ended: expected it running and healthy, got exited after 1 try",
        ),
        (
            "container = \"nobody\"",
            "container nobody: expected it running and healthy, got no such container after 1 try",
        ),
        (
            "unit = \"apt-daily.service\"",
            "unit apt-daily.service: expected active, got inactive (dead) after 1 try",
        ),
        (
            "tcp = \"127.0.0.1:8999\"",
            "tcp 127.0.0.1:8999: could not connect to 127.0.0.1:8999: Connection refused (os error 111) after 1 try",
        ),
        (
            "url = \"http://localhost:8999/\"",
            "http://localhost:8999/: could not connect to 127.0.0.1:8999: Connection refused (os error 111) after 1 try",
        ),
    ] {
        let toml = gate("unit = \"nginx.service\"", none) + &gate(asked, none);
        host.commit(&[(&desired("watchme.toml"), Some(&toml))], asked);
        let failed = host.apply(&["--verify-all"]).expect(1);
        assert!(failed.stderr.contains(said), "{said}\n{}", failed.text());
    }
}
