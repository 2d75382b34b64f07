//! Logs that grow without bound.

use serde_json::Value as Json;

use crate::check::rules::compose::prelude::*;

pub(crate) static RULE: Rule = rule!(compose_no_log_rotation, Warning, run)
    .grouped("services have logs that grow without bound", None)
    .advice();

/// Drivers whose files the engine does not rotate by itself.
const UNBOUNDED: &str = "json-file";

/// What the engine does with logs where a service says nothing.
struct Daemon {
    driver: String,
    rotates: bool,
}

fn run(context: &Context, findings: &mut Findings) {
    let view = context.projects();
    let daemon = Daemon::of(view);
    findings.extend(view.started().filter_map(|(stack, name, service)| {
        let (driver, options) = service.logging();
        let driver = driver.as_deref().unwrap_or(&daemon.driver);
        // The engine's options are for containers with its own driver.
        let by_daemon = daemon.rotates && daemon.driver == driver;
        if driver != UNBOUNDED || by_daemon || options.iter().any(|option| option == "max-size") {
            return None;
        }
        let message = format!("the log of service {name} grows without bound");
        let place = say(view.at(stack, name, &["logging"]), message, "", "add logging: driver: json-file, options: {max-size: 10m, max-file: \"3\"}, or log-opts in etc/docker/daemon.json");
        Some(RULE.at(place))
    }));
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
