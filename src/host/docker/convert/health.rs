//! What health checks of a container said.

use serde::Deserialize;

use crate::model::Health;

/// What the last health check said.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct HealthState {
    pub(super) status: Option<String>,
    log: Option<Vec<HealthCheck>>,
}

/// How one of them ended.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct HealthCheck {
    exit_code: i64,
    output: Option<String>,
}

/// How much of what a health check wrote is kept.
const PROBE: usize = 300;

/// What the last health check said, if it failed: `status 8: wget: server returned error: HTTP/1.1 404`.
pub(super) fn failed_probe(health: &HealthState) -> Option<String> {
    let last = health.log.as_ref()?.last()?;
    if last.exit_code == 0 {
        return None;
    }
    let said = last.output.as_deref().unwrap_or_default();
    let said: String = said.trim().chars().take(PROBE).collect();
    let said = said.lines().collect::<Vec<_>>().join("; ");
    Some(match said.is_empty() {
        true => format!("status {}", last.exit_code),
        false => format!("status {}: {said}", last.exit_code),
    })
}

/// A state that is none of Docker's is one in which nothing is known yet, such as Podman's `reset`.
pub(super) fn health(status: Option<String>) -> Health {
    match status.as_deref() {
        None | Some("" | "none") => Health::None,
        Some("healthy") => Health::Healthy,
        Some("unhealthy") => Health::Unhealthy,
        Some(_) => Health::Starting,
    }
}
