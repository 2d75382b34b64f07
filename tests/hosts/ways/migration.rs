//! Ten services that go through all the ways of running a container, a commit each.

use super::{assert_answers, compose_file, compose_unit, containers, host, run};
use crate::support::{CHECKOUT, Host, desired};

const SERVICES: u16 = 10;

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
    let applied = host.apply(&[]);
    assert_eq!(applied.status, 0, "step {step}: {}", applied.text());
    let expected: Vec<String> = (0..SERVICES)
        .map(|number| format!("{} running", name(number)))
        .collect();
    assert_eq!(containers(host), expected.join("\n"), "step {step}");
    for number in 0..SERVICES {
        assert_answers(host, port(number), image(step));
    }
}

#[test]
fn ten_services_migrate_commit_by_commit() {
    let host = host(&["app:1", "app:2"]);
    host.checkout(&[("README", "ten services")]);
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
    host.assert_does_nothing(&["apply"]).expect(0);
    host.reboot();
    for number in 0..SERVICES {
        assert_answers(&host, port(number), "app:1");
    }
    host.tool(&["drift"]).expect(0);
}
