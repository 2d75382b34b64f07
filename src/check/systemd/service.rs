//! Settings of a service that do not go together, systemd.service(5).

use super::index::{Line, Unit, Units};
use super::table;
use crate::model::{Diagnostic, Finding, Rule, Severity};
use crate::source::error::misspelt;
use crate::source::unit::exec::base;
use crate::source::unit::settings::Value;

crate::rule! {
    ONESHOT_RESTART, "systemd-oneshot-restart", Error;
    SEVERAL_COMMANDS, "systemd-several-commands", Error;
    NO_COMMAND, "systemd-no-command", Error;
    DETACHED_COMMAND, "systemd-detached-command", Error;
    NOT_ENABLED, "systemd-not-enabled", Error;
}

/// The rules of this file.
pub const RULES: &[&Rule] = &[
    &ONESHOT_RESTART,
    &SEVERAL_COMMANDS,
    &NO_COMMAND,
    &DETACHED_COMMAND,
    &NOT_ENABLED,
];

/// Findings about one unit as a whole.
pub fn check(unit: &Unit, units: &Units) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !unit.is_ours() {
        return findings;
    }
    if unit.is_service() {
        let kind = Kind::of(unit);
        findings.extend(oneshot_restart(unit, &kind));
        findings.extend(several_commands(unit, &kind));
        findings.extend(no_command(unit, &kind));
        findings.extend(detached(unit, &kind));
        findings.extend(never_started(unit, units, &kind));
    }
    findings.extend(not_enabled(unit, units));
    findings
}

/// `Type=` as it counts.
struct Kind {
    value: Option<Value>,
    name: String,
    remains: bool,
}

impl Kind {
    fn of(unit: &Unit) -> Self {
        let value = unit.service("Type");
        // systemd.service(5): what is not said follows from what else is there.
        let implied = match unit.lines_of("ExecStart").next() {
            None => "oneshot",
            Some(_) if unit.service("BusName").is_some() => "dbus",
            Some(_) => "simple",
        };
        let name = value.as_ref().map_or(implied, |value| value.text.as_str());
        Self {
            name: name.to_owned(),
            remains: unit.settings.yes("Service", "RemainAfterExit"),
            value,
        }
    }

    fn is_oneshot(&self) -> bool {
        self.name == "oneshot"
    }

    /// In the words of the file.
    fn written(&self) -> String {
        match &self.value {
            Some(value) => format!("Type={}", value.text),
            None => format!("Type={} (none is written)", self.name),
        }
    }
}

fn with_help(rule: &'static Rule, place: Diagnostic, help: impl Into<String>) -> Finding {
    let help = Some(help.into());
    Finding::at(rule, Diagnostic { help, ..place })
}

fn oneshot_restart(unit: &Unit, kind: &Kind) -> Option<Finding> {
    if has_misspelt_command(unit) {
        return None;
    }
    let restart = unit.service("Restart")?;
    if !kind.is_oneshot() || !["always", "on-success"].contains(&restart.text.as_str()) {
        return None;
    }
    let message = format!(
        "systemd refuses Restart={} in a service of Type=oneshot",
        restart.text
    );
    let expected = "expected no or on-failure";
    let help = "remove the line, or write Restart=on-failure; where the command keeps running, remove Type=oneshot";
    Some(with_help(
        &ONESHOT_RESTART,
        restart.complain(message, expected),
        help,
    ))
}

fn several_commands(unit: &Unit, kind: &Kind) -> Option<Finding> {
    if kind.is_oneshot() {
        return None;
    }
    let mut commands = unit
        .lines_of("ExecStart")
        .flat_map(|line| line.commands.iter().map(move |command| (line, command)));
    let (first, _) = commands.next()?;
    let (line, command) = commands.next()?;
    let message = format!(
        "systemd refuses a second ExecStart in a service of {}",
        kind.written()
    );
    let start = command.words.first()?.span.start;
    let end = command.words.last()?.span.end;
    let place = line
        .value
        .complain_about(start..end, message, "expected one command");
    let in_file = |line: &Line| line.value.complain("", "").path;
    let help = match in_file(line) == in_file(first) {
        true => {
            "write Type=oneshot if each command ends, or ExecStartPre= for those that prepare the last"
        }
        false => {
            "write an empty ExecStart= above it in this drop-in: that takes the first one back"
        }
    };
    Some(with_help(&SEVERAL_COMMANDS, place, help))
}

/// Whether a key is meant to be a command: that is told at the key.
fn has_misspelt_command(unit: &Unit) -> bool {
    let sources = unit.settings.sources().iter();
    let sections = sources.flat_map(|source| &source.parsed.sections);
    let own = sections.filter(|section| section.name == "Service");
    let mut keys = own
        .flat_map(|section| &section.entries)
        .map(|entry| entry.key.as_str());
    keys.any(|key| !table::knows("Service", key) && misspelt(key, ["ExecStart"]).is_some())
}

/// The conditions of `service_verify`, as systemd.service(5) tells them.
fn no_command(unit: &Unit, kind: &Kind) -> Option<Finding> {
    let has = |key: &str| unit.lines_of(key).next().is_some();
    let succeeds = unit
        .settings
        .last("Unit", "SuccessAction")
        .is_some_and(|value| value.text != "none");
    if has("ExecStart") || has_misspelt_command(unit) {
        return None;
    }
    let (message, help) = if !kind.is_oneshot() {
        (
            format!(
                "a service of Type={} has no ExecStart: systemd refuses it",
                kind.name
            ),
            "write ExecStart=, or Type=oneshot",
        )
    } else if !has("ExecStop") && !succeeds {
        (
            "a service without ExecStart and ExecStop does nothing: systemd refuses it".to_owned(),
            "write ExecStart=",
        )
    } else if !kind.remains && !succeeds {
        (
            "a service without ExecStart needs RemainAfterExit=yes: systemd refuses it".to_owned(),
            "write RemainAfterExit=yes, or ExecStart=",
        )
    } else {
        return None;
    };
    let source = unit.settings.sources().first()?;
    let mut headers = source.parsed.sections.iter();
    let section = headers.find(|section| section.name == "Service");
    let span = section
        .or(source.parsed.sections.first())
        .map_or(0..0, |section| section.span.clone());
    let place = source.complain(span, message, "expected ExecStart below");
    Some(with_help(&NO_COMMAND, place, help))
}

/// A command that starts containers and ends, as the main process of a service.
fn detached(unit: &Unit, kind: &Kind) -> Option<Finding> {
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
        (true, true) => {
            "systemd runs ExecStop as soon as it has ended, and starts it again for ever"
        }
        (true, false) => "systemd runs ExecStop as soon as it has ended",
        (false, true) => "systemd starts it again for ever",
        (false, false) => "for systemd the service is dead as soon as it has ended",
    };
    let message = format!(
        "{command} {option} ends at once in a service of {}: {follows}",
        kind.written()
    );
    let written = format!(" {option}");
    let expected = "leaves the containers behind";
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
            "leave {option} out, or write Type=oneshot and RemainAfterExit=yes, and no Restart="
        ),
    };
    Some(with_help(&DETACHED_COMMAND, place, help))
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

/// Options of `docker run` that take a value as a word of its own, of those that stand before a `-d` somewhere.
const TAKE_A_VALUE: [&str; 34] = [
    "--name",
    "-e",
    "--env",
    "--env-file",
    "-p",
    "--publish",
    "-v",
    "--volume",
    "--mount",
    "--network",
    "--net",
    "--network-alias",
    "--ip",
    "--restart",
    "-m",
    "--memory",
    "--memory-swap",
    "--cpus",
    "-u",
    "--user",
    "-w",
    "--workdir",
    "-l",
    "--label",
    "--log-driver",
    "--log-opt",
    "--entrypoint",
    "-h",
    "--hostname",
    "--add-host",
    "--gpus",
    "--pull",
    "--platform",
    "--shm-size",
];

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

/// Whether `[Install]`, another unit, a timer or a socket starts it.
fn is_asked_for(unit: &Unit, units: &Units) -> bool {
    let installs = ["WantedBy", "RequiredBy", "UpheldBy", "Alias"];
    let mut installs = installs.into_iter();
    let name = unit.name.as_str();
    installs.any(|key| !unit.settings.list("Install", key).is_empty())
        || units.is_pulled_in(name)
        || units.is_triggered(name)
}

/// A service that keeps containers up, and that nobody starts.
fn never_started(unit: &Unit, units: &Units, kind: &Kind) -> Option<Finding> {
    let revision = units.revision;
    let name = unit.name.as_str();
    let policy = revision.parsed.policy.units.get(name);
    let said = policy.is_some_and(|section| section.value.start.is_some());
    let desired = revision.desired.units.get(name)?;
    if desired.stacks.is_empty()
        || kind.is_oneshot()
        || said
        || unit.name.is_template()
        || is_asked_for(unit, units)
    {
        return None;
    }
    let source = unit.settings.sources().first()?;
    let mut headers = source.parsed.sections.iter();
    let section = headers.find(|section| section.name == "Service")?;
    let message = format!("nothing starts {name}, neither an apply nor a reboot");
    let place = source.complain(section.span.clone(), message, "[Install] is missing here");
    let help = format!(
        "write [Install] and WantedBy=multi-user.target below, or start = false for [unit.\"{name}\"] in watchme.toml"
    );
    Some(with_help(&NOT_ENABLED, place, &help).weighing(Severity::Warning))
}

/// A unit that watchme.toml wants to run, and that nothing starts at boot.
fn not_enabled(unit: &Unit, units: &Units) -> Option<Finding> {
    let policy = &units.revision.parsed.policy;
    let section = policy.units.get(unit.name.as_str())?;
    if section.value.start != Some(true) || unit.name.is_template() {
        return None;
    }
    if is_asked_for(unit, units) {
        return None;
    }
    let message = format!("{} is to run, and nothing starts it at boot", unit.name);
    let expected = format!("[Install] is missing in {}", unit.name);
    let help = format!(
        "write [Install] and WantedBy=multi-user.target into {}",
        unit.name
    );
    let place = policy
        .place
        .complain(section.span.clone(), message, expected, Some(help));
    Some(Finding::at(&NOT_ENABLED, place))
}
