//! Commands by which a unit pulls images before it starts, and what is left without them.

use std::sync::Arc;

use super::compose_call::TAKE_A_VALUE;
use super::docker_call::subcommand;
use super::settings::Source;
use super::{Name, Settings, commands, exec};

/// The setting whose commands run before a service starts, systemd.service(5).
const BEFORE: &str = "ExecStartPre";
/// What scripts have beside a pull, and what changes nothing.
const HARMLESS: [&str; 4] = ["cd", "echo", "true", ":"];

/// The drop-in with which a service starts without its pulls; `None` where none of its settings is a pull and nothing else:
/// `--pull always` of `up` and `run`, and a pull in a script that does more, stay.
pub fn without_pulls(settings: &Settings) -> Option<String> {
    let before = settings.list("Service", BEFORE);
    let (pulls, rest): (Vec<_>, Vec<_>) = before.iter().partition(|value| only_pulls(&value.text));
    if pulls.is_empty() {
        return None;
    }
    let mut text = format!(
        "# Written by watchme-apply for one start: the image that is to run is on this host.\n[Service]\n{BEFORE}=\n"
    );
    for value in rest {
        text.push_str(&format!("{BEFORE}={}\n", value.text));
    }
    Some(text)
}

/// Whether a unit that pulls does so without those commands as well.
pub fn pulls_all_the_same(name: &Name, settings: &Settings) -> bool {
    let Some(dropin) = without_pulls(settings) else {
        return true;
    };
    let mut sources = settings.sources().to_vec();
    sources.push(Arc::new(Source::new("no-pull.conf", dropin)));
    let mentions = commands::mentions(name, &Settings::new(sources));
    mentions.is_ok_and(|mentions| mentions.docker.pull.is_some())
}

/// Whether a value of an Exec setting pulls images and does nothing else.
fn only_pulls(value: &str) -> bool {
    let Ok(commands) = exec::commands(value) else {
        return false;
    };
    let run = commands.iter().flat_map(|words| exec::runs(words));
    let run: Vec<_> = run.collect();
    let counts = |words: &&Vec<String>| {
        words
            .first()
            .is_some_and(|program| !HARMLESS.contains(&program.as_str()))
    };
    let mut counting = run.iter().filter(counts).peekable();
    counting.peek().is_some() && counting.all(|words| pulls(words))
}

fn pulls(words: &[String]) -> bool {
    let Some((program, arguments)) = words.split_first() else {
        return false;
    };
    match exec::base(program) {
        "docker-compose" => compose_pulls(arguments),
        "docker" | "podman" => match subcommand(arguments) {
            ("compose", rest) => compose_pulls(rest),
            (command, _) => command == "pull",
        },
        _ => false,
    }
}

fn compose_pulls(arguments: &[String]) -> bool {
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            option if TAKE_A_VALUE.contains(&option) => drop(words.next()),
            option if option.starts_with('-') => {}
            command => return command == "pull",
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::settings_of;
    use super::*;

    #[test]
    fn what_only_pulls_is_left_out_and_the_rest_stays_as_it_is_written() {
        let text = "[Service]\nExecStartPre=-/usr/bin/docker-compose -f /c/a.yml pull -q\nExecStartPre=/bin/mkdir -p \"/x y\"\n\
                    ExecStartPre=/bin/sh -c 'cd /c; docker compose pull'\nExecStart=/usr/bin/docker-compose up --pull always\n";
        let dropin = without_pulls(&settings_of(&[text])).unwrap();
        let lines: Vec<&str> = dropin.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "[Service]",
                "ExecStartPre=",
                "ExecStartPre=/bin/mkdir -p \"/x y\""
            ]
        );
        // A drop-in has taken the pull away already.
        assert_eq!(
            without_pulls(&settings_of(&[text, "[Service]\nExecStartPre="])),
            None
        );
    }

    #[test]
    fn a_pull_by_an_option_stays() {
        let name = Name::parse("web.service").unwrap();
        let pulls = |text: &str| pulls_all_the_same(&name, &settings_of(&[text]));
        let before = "[Service]\nWorkingDirectory=/c\nExecStartPre=docker-compose pull\n";
        assert!(!pulls(&format!("{before}ExecStart=docker-compose up\n")));
        assert!(pulls(&format!(
            "{before}ExecStart=docker-compose up --pull always\n"
        )));
        assert!(pulls("[Service]\nExecStart=docker run --pull=always app\n"));
    }

    #[test]
    fn what_does_more_than_pull_stays() {
        for value in [
            "/usr/bin/docker pull app; /bin/x",
            "/usr/bin/docker pull app ; /bin/x",
            "/bin/sh -c 'docker pull app && docker rm -f web'",
            "/usr/bin/docker-compose -f pull up",
            "/usr/bin/docker run --pull=always app",
            "/bin/echo pull",
            "/bin/true",
            "\"",
        ] {
            let more = value.contains(" ; ") || !value.contains("app; ");
            assert_eq!(only_pulls(value), !more, "{value}");
        }
        for value in [
            "-/usr/bin/docker pull app:latest",
            "/usr/bin/docker image pull app",
            "/usr/bin/env A=b docker compose --file x.yml pull",
            "/usr/bin/docker pull a ; /usr/bin/docker pull b",
        ] {
            assert!(only_pulls(value), "{value}");
        }
    }
}
