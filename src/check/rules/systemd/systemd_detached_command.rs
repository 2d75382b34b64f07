//! Commands that start containers and end, as the main process of a service.

use source_text::word_list;

use crate::check::rules::systemd::prelude::*;
use crate::source::unit::exec::base;

pub(crate) static RULE: Rule = rule!(systemd_detached_command, Error, run);

/// Options of `docker run` that take a value as a word of its own, of those that stand before a `-d` somewhere.
const TAKE_A_VALUE: [&str; 34] = word_list(
    "--name -e --env --env-file -p --publish -v --volume --mount --network --net --network-alias \
    --ip --restart -m --memory --memory-swap --cpus -u --user -w --workdir -l --label --log-driver \
    --log-opt --entrypoint -h --hostname --add-host --gpus --pull --platform --shm-size",
);

fn run(context: &Context, findings: &mut Findings) {
    for unit in context.units().services() {
        findings.extend(detached(unit, &ServiceType::of(unit)));
    }
}

/// A command that starts containers and ends, as the main process of a service.
fn detached(unit: &Unit, kind: &ServiceType) -> Option<Finding> {
    if kind.remains {
        return None;
    }
    let stop = unit
        .lines_of("ExecStop")
        .chain(unit.lines_of("ExecStopPost"));
    let takes_down = stop.flat_map(Line::runs).any(|run| stops_containers(&run));
    // Without an ExecStop the containers of a oneshot service just go on.
    if kind.is_oneshot() && !takes_down {
        return None;
    }
    let line = unit.lines_of("ExecStart").last()?;
    let run = line.runs().last()?;
    let (command, option) = detaches(&run)?;
    let restart = unit.service("Restart");
    let restarts = restart.is_some_and(|value| value.text != "no");
    let follows = match (takes_down, restarts && !kind.is_oneshot()) {
        (true, true) => "systemd runs ExecStop as soon as it exits, and restarts it forever",
        (true, false) => "systemd runs ExecStop as soon as it exits",
        (false, true) => "systemd restarts it forever",
        (false, false) => "systemd considers the service dead as soon as it exits",
    };
    let message = format!(
        "{command} {option} ends at once in a service of {}: {follows}",
        kind.written()
    );
    let written = format!(" {option}");
    let expected = "leaves the containers in the background";
    let place = match line.value.text.rfind(&written) {
        Some(at) => line
            .value
            .complain_about(at + 1..at + written.len(), message, expected),
        None => line.value.complain(message, expected),
    };
    let help = match (kind.is_oneshot(), command) {
        (true, _) => "write RemainAfterExit=yes".to_owned(),
        (false, "start") => "write docker start --attach".to_owned(),
        (false, _) => format!(
            "remove {option}, or write Type=oneshot and RemainAfterExit=yes, and no Restart="
        ),
    };
    Some(RULE.at(place.helped(help)))
}

/// Whether a command stops or removes containers.
fn stops_containers(run: &[String]) -> bool {
    let is_docker = run
        .first()
        .is_some_and(|program| ["docker", "docker-compose", "podman"].contains(&base(program)));
    is_docker
        && run
            .iter()
            .any(|word| ["down", "stop", "rm", "kill"].contains(&word.as_str()))
}

/// The command and the option that leave containers behind: `up -d`, `run -d`, `start NAME`.
fn detaches(run: &[String]) -> Option<(&str, &str)> {
    let program = base(run.first()?);
    let compose = match program {
        "docker-compose" | "podman-compose" => Some(1),
        "docker" | "podman" => run
            .iter()
            .position(|word| word == "compose")
            .map(|at| at + 1),
        _ => return None,
    };
    if let Some(at) = compose {
        let arguments = run.get(at..)?;
        let up = arguments.iter().position(|word| word == "up")?;
        let option = arguments.get(up + 1..)?.iter();
        let mut option =
            option.filter(|word| ["-d", "--detach", "--wait"].contains(&word.as_str()));
        return Some(("up", option.next()?));
    }
    match run.get(1)?.as_str() {
        "run" => {
            let mut words = run.get(2..)?.iter();
            while let Some(word) = words.next() {
                let cluster = word.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
                let short = cluster
                    .is_some_and(|rest| rest.trim_start_matches(['i', 't', 'P']).starts_with('d'));
                if short || word == "--detach" {
                    return Some(("run", word));
                }
                if TAKE_A_VALUE.contains(&word.as_str()) {
                    words.next();
                } else if !word.starts_with('-') {
                    return None;
                }
            }
            None
        }
        "start" => {
            let attached = |word: &String| {
                ["-a", "--attach", "-i", "--interactive", "-ai", "-ia"].contains(&word.as_str())
            };
            (!run.iter().any(attached)).then_some(("start", run.get(2)?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::check::systemd::tests::dependencies::DOCKER;
    use crate::check::systemd::tests::{found, service};

    #[test]
    fn commands_that_leave_containers_behind() {
        for (lines, expected) in [
            ("ExecStart=/usr/bin/docker-compose up -d", vec!["-d"]),
            (
                "ExecStart=/usr/bin/docker compose -f a.yml up --build -d --remove-orphans\nRestart=always",
                vec!["-d"],
            ),
            (
                "Type=forking\nExecStart=docker run -p 80:80 -itd nginx:1",
                vec!["-itd"],
            ),
            (
                "ExecStart=/bin/sh -c 'cd /srv && docker-compose up --detach'",
                vec!["--detach"],
            ),
            (
                "Type=oneshot\nExecStart=docker-compose up -d\nExecStop=docker-compose down",
                vec!["-d"],
            ),
            ("Type=oneshot\nExecStart=docker-compose up -d", vec![]),
            (
                "Type=oneshot\nRemainAfterExit=yes\nExecStart=docker-compose up -d\nExecStop=docker-compose down",
                vec![],
            ),
            (
                "RemainAfterExit=true\nExecStart=docker-compose up -d",
                vec![],
            ),
            ("ExecStart=docker-compose up", vec![]),
            (
                "ExecStart=docker run --rm --name d -v /srv:/d nginx:1 -d",
                vec![],
            ),
            ("ExecStart=docker run --unknown x -d nginx:1", vec![]),
            ("ExecStart=docker start api", vec!["api"]),
            ("ExecStart=docker start -a api", vec![]),
            (
                "ExecStart=/bin/sh -c 'docker-compose up -d && docker-compose logs -f'",
                vec![],
            ),
        ] {
            let text = format!("{DOCKER}{}", service(lines));
            let found = found(&[("systemd/a.service", &text)]);
            let expected = expected
                .iter()
                .map(|option| format!("detached-command {option}"));
            assert_eq!(found, expected.collect::<Vec<_>>(), "{lines}");
        }
    }
}
