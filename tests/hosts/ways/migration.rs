//! Ten services that go through all the ways of running a container, a commit each.

use std::collections::BTreeSet;

use super::{assert_answers, compose_file, compose_unit, containers, run};
use crate::support::{CHECKOUT, Host, desired};

const SERVICES: u16 = 10;

/// A service that no commit changes: no plan interrupts it.
const STEADY: (&str, u16) = ("steady", 8150);

/// Asks every service all the time, and writes down the ports that did not answer.
const PROBE: &str = "#!/bin/sh
while :; do
    for port in $(seq 8100 8109) 8150; do
        curl -sf -m 3 -o /dev/null http://127.0.0.1:$port/ || echo $port >>/run/lost
        echo >>/run/asked
    done
done
";

fn name(number: u16) -> String {
    format!("svc{number}")
}

fn port(number: u16) -> u16 {
    8100 + number
}

fn unit_path(number: u16) -> String {
    desired(&format!("systemd/{}.service", name(number)))
}

/// Image `app:1` in odd steps, `app:2` in even ones: each step shows in what answers.
fn image(step: usize) -> &'static str {
    if step % 2 == 1 { "app:1" } else { "app:2" }
}

/// Files of one step: a path in the checkout, and its text.
type Files = Vec<(String, String)>;

fn by_docker_run(step: usize) -> Files {
    let file = |number| {
        (
            unit_path(number),
            run(&name(number), image(step), port(number)),
        )
    };
    (0..SERVICES).map(file).collect()
}

fn by_compose(step: usize, file_of: fn(&str) -> String) -> Files {
    let files = |number: u16| {
        let file = file_of(&name(number));
        let unit = compose_unit(&format!("-f {CHECKOUT}/{file}"));
        let compose = compose_file(&name(number), &name(number), image(step), port(number));
        [(unit_path(number), unit), (file, compose)]
    };
    (0..SERVICES).flat_map(files).collect()
}

/// One project of all services, which the first unit runs; the others leave.
fn by_one_project(step: usize) -> Files {
    let mut compose = "services:\n".to_owned();
    for number in 0..SERVICES {
        let one = compose_file(&name(number), &name(number), image(step), port(number));
        compose += one.strip_prefix("services:\n").unwrap();
    }
    let file = "all/docker-compose.yml";
    vec![
        (unit_path(0), compose_unit(&format!("-f {CHECKOUT}/{file}"))),
        (file.to_owned(), compose),
    ]
}

/// The ports that lost a request since the last look.
fn lost(host: &Host) -> BTreeSet<u16> {
    let said = host.sh("touch /run/lost; sort -u /run/lost; : >/run/lost");
    said.lines().map(|line| line.parse().unwrap()).collect()
}

/// The ports of the services that the plan interrupts, by its own words.
fn announced(host: &Host) -> BTreeSet<u16> {
    let plan = host.tool(&["plan", "--json"]).expect(0).stdout;
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    let changes = plan["changes"].as_array().unwrap();
    let interrupted = changes.iter().filter(|change| {
        ["restart", "stop", "start"].contains(&change["action"].as_str().unwrap())
    });
    let units: BTreeSet<&str> = interrupted
        .flat_map(|change| {
            let along = change["interrupts"].as_array().unwrap().iter();
            let along = along.map(|unit| unit.as_str().unwrap());
            along.chain([change["subject"].as_str().unwrap()])
        })
        .collect();
    let numbers =
        (0..SERVICES).filter(|number| units.contains(&*format!("{}.service", name(*number))));
    numbers.map(port).collect()
}

/// Applies the files of a step, in the place of all of the step before.
fn apply(host: &Host, step: usize, before: &Files, files: &Files) {
    let gone = before
        .iter()
        .filter(|(path, _)| files.iter().all(|(other, _)| other != path));
    let gone = gone.map(|(path, _)| (path.as_str(), None));
    let new = files
        .iter()
        .map(|(path, text)| (path.as_str(), Some(text.as_str())));
    let changes: Vec<_> = gone.chain(new).collect();
    host.commit(&changes, &format!("step {step}"));
    let mut announced = announced(host);
    if step == 1 {
        // Nothing served before.
        announced.extend((0..SERVICES).map(port));
    }
    lost(host);
    let applied = host.apply(&[]);
    assert_eq!(applied.status, 0, "step {step}: {}", applied.text());
    let mut expected: Vec<String> = (0..SERVICES)
        .map(|number| format!("{} running", name(number)))
        .collect();
    expected.push(format!("{} running", STEADY.0));
    expected.sort();
    assert_eq!(containers(host), expected.join("\n"), "step {step}");
    for number in 0..SERVICES {
        assert_answers(host, port(number), image(step));
    }
    let lost = lost(host);
    assert!(
        lost.is_subset(&announced),
        "step {step}: {lost:?} lost requests, and the plan announced {announced:?}"
    );
}

#[test]
#[ignore = "long: tests/run --all"]
fn ten_services_migrate_commit_by_commit() {
    let host = Host::with_images(&["app:1", "app:2"]);
    let steady = run(STEADY.0, "app:1", STEADY.1);
    host.checkout(&[(&desired("systemd/steady.service"), &steady)]);
    host.apply(&[]).expect(0);
    assert_answers(&host, STEADY.1, "app:1");
    host.write("/usr/local/bin/probe", PROBE);
    host.sh("chmod +x /usr/local/bin/probe; systemd-run -q --unit probe /usr/local/bin/probe");
    let steps = [
        by_docker_run(1),
        by_compose(2, |name| format!("compose/{name}/docker-compose.yml")),
        by_compose(3, |name| format!("docker-compose-files/{name}.yml")),
        by_one_project(4),
        by_compose(5, |name| format!("docker-compose-files/{name}.yml")),
        by_compose(6, |name| format!("compose/{name}/docker-compose.yml")),
        by_docker_run(7),
    ];
    let mut before = Files::new();
    for (step, files) in steps.iter().enumerate() {
        apply(&host, step + 1, &before, files);
        before = files.clone();
    }
    // One of ten: the other nine go on.
    let file = run(&name(3), "app:2", port(3));
    host.commit(&[(&unit_path(3), Some(&file))], "one service");
    assert_eq!(announced(&host), BTreeSet::from([port(3)]));
    lost(&host);
    host.apply(&[]).expect(0);
    assert_answers(&host, port(3), "app:2");
    let lost = lost(&host);
    assert!(lost.is_subset(&BTreeSet::from([port(3)])), "{lost:?}");
    let asked: u32 = host.sh("wc -l </run/asked").trim().parse().unwrap();
    assert!(asked > 1000, "{asked} requests");
    host.sh("systemctl stop probe");
    host.assert_does_nothing(&["apply"]).expect(0);
    host.reboot();
    for number in 0..SERVICES {
        let image = if number == 3 { "app:2" } else { "app:1" };
        assert_answers(&host, port(number), image);
    }
    host.tool(&["drift"]).expect(0);
}
