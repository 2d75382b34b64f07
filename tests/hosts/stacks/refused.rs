//! Stacks that can be read and cannot run.

use super::{path, port, project};
use crate::support::{CHECKOUT, Debian, Host, desired};

const TOOL: &str = "services:
  shell:
    image: worker:1
    profiles: [debug]
    restart: unless-stopped
    command: [sleep, '100000']
";

#[test]
fn a_stack_of_which_nothing_starts_is_said_before_it_fails() {
    let host = Host::with_images(&["worker:1"]);
    host.checkout(&[(&path("a"), TOOL)]);
    // What compose itself says.
    let up = format!(
        "cd {CHECKOUT}/desired-state/compose/a; docker-compose up -d && echo status 0 || echo status $?"
    );
    let up = host.sh(&up);
    let message = "all services of a need a profile, and none is enabled";
    match host.debian() {
        Debian::Twelve => {
            assert!(up.ends_with("status 0"), "{up}");
            let said = host.apply(&[]).expect(0).text();
            assert!(said.contains(message), "{said}");
        }
        Debian::Thirteen => {
            assert!(up.ends_with("status 1"), "{up}");
            for command in ["plan", "apply"] {
                let said = host.tool(&[command]).expect(1).text();
                assert!(said.contains(message), "{said}");
                assert!(
                    said.contains("profiles = [\"debug\"] in [stack.a]"),
                    "{said}"
                );
            }
            assert_eq!(
                host.sh("systemctl list-unit-files 'stack-*' --no-legend || true"),
                ""
            );
        }
    }
    let policy = "[stack.a]\nprofiles = [\"debug\"]\n";
    host.commit(&[(&desired("watchme.toml"), Some(policy))], "profile");
    host.apply(&[]).expect(0);
    assert_eq!(host.sh("docker ps -q | wc -l"), "1");
    host.assert_does_nothing(&["apply"]).expect(0);
}

#[test]
fn two_that_are_one_compose_project_are_refused() {
    let host = Host::with_images(&["web:1", "worker:1"]);
    let (a, b) = (project(port("a"), "web:1"), project(port("b"), "web:1"));
    host.checkout(&[(&path("a"), &a), (&path("b"), &b)]);
    host.apply(&[]).expect(0);
    let before = super::containers(&host);

    // By a file that git does not have.
    let env = format!("{CHECKOUT}/desired-state/compose/b/.env");
    host.sh(&format!("echo COMPOSE_PROJECT_NAME=a > {env}"));
    for command in ["plan", "apply", "check"] {
        let status = if command == "check" { 2 } else { 1 };
        let said = host.tool(&[command]).expect(status).text();
        let message = "the stack b and the stack a are one compose project, a";
        assert!(said.contains(message), "{command}: {said}");
    }
    host.sh(&format!("rm {env}"));

    // A unit that somebody wrote.
    let unit = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/bin/docker-compose -p b -f /opt/own/docker-compose.yml up -d\n";
    host.sh("mkdir -p /opt/own");
    host.commit(&[(&desired("systemd/own.service"), Some(unit))], "a unit");
    for command in ["plan", "apply", "check"] {
        let status = if command == "check" { 2 } else { 1 };
        let said = host.tool(&[command]).expect(status).text();
        let message = "the stack b and the unit own.service are one compose project, b";
        assert!(said.contains(message), "{command}: {said}");
    }
    assert_eq!(super::containers(&host), before);
}

/// What compose refuses, or cannot find, is said at its place in the compose file before anything changes.
#[test]
fn files_that_compose_cannot_use_are_refused_before_anything_changes() {
    let host = Host::with_images(&["worker:1"]);
    let head = "services:\n  a:\n    image: worker:1\n    command: [sleep, '100000']\n";
    let must = format!("{head}    environment:\n      MUST: ${{MUST:?set MUST}}\n");
    let env_file = format!("{head}    env_file: [there.txt, nope.env]\n");
    let build = "services:\n  a:\n    build: nodir\n    command: [sleep, '100000']\n";
    let there = desired("compose/a/there.txt");
    host.checkout(&[(&path("a"), head), (&there, "A=1\n")]);
    host.apply(&[]).expect(0);
    let before = super::containers(&host);
    let place = path("a");
    for (text, parts) in [
        (
            must.as_str(),
            ["compose refuses the file without MUST", "compose/a/.env"],
        ),
        (
            &env_file,
            ["nope.env of stack-a.service does not exist", ":5:27"],
        ),
        (
            build,
            ["compose/a/nodir of stack-a.service does not exist", ":3:12"],
        ),
    ] {
        host.commit(&[(&place, Some(text))], "another");
        for command in ["plan", "apply"] {
            let said = host.tool(&[command]).expect(1).text();
            for part in parts {
                let part = match part.strip_prefix(':') {
                    Some(at) => format!("{place}:{at}"),
                    None => part.to_owned(),
                };
                assert!(said.contains(&part), "{command}: {part}: {said}");
            }
        }
        assert_eq!(super::containers(&host), before, "nothing was changed");
    }
    // With a value it goes on.
    let env = format!("{CHECKOUT}/{}", desired("compose/a/.env"));
    host.commit(&[(&place, Some(&must))], "a value");
    host.sh(&format!("echo MUST=1 > {env}; chmod 600 {env}"));
    host.apply(&[]).expect(0);
}
