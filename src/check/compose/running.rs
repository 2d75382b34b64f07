//! How containers are kept running: image, health, restarts, logs.

use serde_json::Value as Json;

use super::view::{View, say};
use crate::model::{Finding, Rule};
use crate::source::ParsedStack;
use crate::source::compose::{Service, Variables};

crate::rule! {
    LATEST, "compose-image-latest", Warning;
    NO_HEALTH, "compose-no-health-check", Warning;
    NO_RESTART, "compose-no-restart", Warning;
    RESTART, "compose-restart-beside-unit", Warning;
    NO_ROTATION, "compose-no-log-rotation", Warning;
}

/// The rules of this file.
pub const RULES: &[&Rule] = &[&LATEST, &NO_HEALTH, &NO_RESTART, &RESTART, &NO_ROTATION];

/// Commands that end at once, or do nothing: they have no health.
const DO_NOTHING: [&str; 4] = ["true", "/bin/true", "sleep", "/pause"];
/// Drivers whose files the engine does not rotate by itself.
const UNBOUNDED: &str = "json-file";

/// Findings about how containers run.
pub fn check(view: &View) -> Vec<Finding> {
    let daemon = Daemon::of(view);
    let mut findings = Vec::new();
    for (stack, name, service) in view.started() {
        findings.extend(latest(view, stack, name, service));
        let job = is_job(stack, name, service);
        if !job {
            findings.extend(health(view, stack, name, service));
        }
        findings.extend(restart(view, stack, name, service, job));
        findings.extend(rotation(view, stack, name, service, &daemon));
    }
    findings
}

/// Whether a service ends when its work is done.
fn is_job(stack: &ParsedStack, name: &str, service: &Service) -> bool {
    let command = service.command();
    let nothing = command
        .first()
        .is_some_and(|word| DO_NOTHING.contains(&word.as_str()));
    let mut others = stack.compose.services.values();
    nothing
        || others.any(|other| {
            let condition = other
                .rest
                .get("depends_on")
                .and_then(|all| all.get(name)?.get("condition")?.as_str());
            condition == Some("service_completed_successfully")
        })
}

fn latest(view: &View, stack: &ParsedStack, name: &str, service: &Service) -> Option<Finding> {
    let image = service
        .image()
        .filter(|image| !image.contains('@') && !service.is_built())?;
    let last = image.rsplit('/').next().unwrap_or(image);
    let tag = last.split_once(':').map(|(_, tag)| tag);
    let what = match tag {
        None => "has no tag, which means latest",
        Some("latest") => "is latest",
        Some(_) => return None,
    };
    let place = view.at(stack, name, &["image"]);
    // What a variable is on the server is not known elsewhere.
    if view.raw(&place).contains('$') && !matches!(stack.variables, Variables::File(_)) {
        return None;
    }
    let message = format!("the image of service {name} {what}");
    let bare = image.strip_suffix(":latest").unwrap_or(image);
    let help = format!("write the tag of the build that was tested, such as {bare}:prod-20250830");
    let place = say(
        place,
        message,
        "the next pull brings another image, and a roll-back has none to go to",
        help,
    );
    Some(Finding::at(&LATEST, place))
}

fn health(view: &View, stack: &ParsedStack, name: &str, service: &Service) -> Option<Finding> {
    if service
        .rest
        .get("healthcheck")
        .is_some_and(|check| !check.is_null())
    {
        return None;
    }
    let place = say(
        view.at(stack, name, &[]),
        format!("service {name} has no health check"),
        "",
        "add healthcheck: test: [\"CMD\", ...]; where the image has one, allow this here",
    );
    Some(Finding::at(&NO_HEALTH, place))
}

fn restart(
    view: &View,
    stack: &ParsedStack,
    name: &str,
    service: &Service,
    job: bool,
) -> Option<Finding> {
    let policy = service.restart();
    let at = || view.at(stack, name, &["restart"]);
    match (&stack.unit, policy.as_deref()) {
        // Docker starts those with its daemon, whatever units say; on-failure it does not.
        (Some(unit), Some(policy @ ("always" | "unless-stopped"))) => {
            let message = format!("service {name} has restart: {policy}, and {unit} runs it");
            let help = match stack.attached {
                true => "remove it: the unit's Restart= does it",
                false => {
                    "write restart: on-failure, which does not start it with the Docker daemon"
                }
            };
            let expected = "at boot Docker starts it without the unit's After= and Requires=";
            Some(Finding::at(&RESTART, say(at(), message, expected, help)))
        }
        (Some(unit), None) if !stack.attached && !job && stays(view, stack) => {
            let message = format!(
                "nothing restarts service {name}: {unit} starts it with up -d and does not look after it"
            );
            let help = "write restart: on-failure here, or let the unit run up without -d";
            Some(Finding::at(&NO_RESTART, say(at(), message, "", help)))
        }
        // A unit that could not be read may run it.
        (None, None) if !job && view.subject.is_whole() => {
            let message = format!(
                "nothing restarts service {name}: it has no restart policy, and no unit runs it"
            );
            let help = "write restart: unless-stopped here, or add a unit that runs it";
            Some(Finding::at(&NO_RESTART, say(at(), message, "", help)))
        }
        _ => None,
    }
}

/// Whether the unit of a project brings it up, and runs: one that only pulls or stops it does not.
fn stays(view: &View, stack: &ParsedStack) -> bool {
    let units = &view.subject.revision.desired.units;
    let unit = stack.unit.as_ref().and_then(|unit| units.get(unit));
    stack.up && unit.is_some_and(|unit| unit.start)
}

/// What the engine does with logs where a service says nothing.
struct Daemon {
    driver: String,
    rotates: bool,
}

impl Daemon {
    /// As `etc/docker/daemon.json` says.
    fn of(view: &View) -> Self {
        let etc = &view.subject.revision.desired.etc;
        let file = etc.get(std::path::Path::new("docker/daemon.json"));
        let json = file.and_then(|etc| serde_json::from_slice::<Json>(&etc.file.content).ok());
        let json = json.unwrap_or_default();
        let driver = json
            .get("log-driver")
            .and_then(Json::as_str)
            .unwrap_or(UNBOUNDED);
        let size = json
            .get("log-opts")
            .and_then(|options| options.get("max-size"));
        Self {
            driver: driver.to_owned(),
            rotates: size.is_some(),
        }
    }
}

fn rotation(
    view: &View,
    stack: &ParsedStack,
    name: &str,
    service: &Service,
    daemon: &Daemon,
) -> Option<Finding> {
    let (driver, options) = service.logging();
    let driver = driver.as_deref().unwrap_or(&daemon.driver);
    // The engine's options are for containers with its own driver.
    let by_daemon = daemon.rotates && daemon.driver == driver;
    if driver != UNBOUNDED || by_daemon || options.iter().any(|option| option == "max-size") {
        return None;
    }
    let place = say(
        view.at(stack, name, &["logging"]),
        format!("the log of service {name} grows without bound"),
        "",
        "add logging: driver: json-file, options: {max-size: 10m, max-file: \"3\"}, or log-opts in etc/docker/daemon.json",
    );
    Some(Finding::at(&NO_ROTATION, place))
}
