//! Compose projects: those that units run, the infrastructure file, and files that no unit names yet.
//! What is checked is what compose makes of several files; what is shown is where it is written.

pub mod addresses;
pub mod mounts;
pub mod networks;
pub mod ports;
pub mod secrets;
pub mod shapes;
pub mod view;

use crate::source::ParsedStack;
use crate::source::compose::Service;

/// Commands that end at once, or do nothing: they have no health.
const DO_NOTHING: [&str; 4] = ["true", "/bin/true", "sleep", "/pause"];

/// Whether a service ends when its work is done.
pub fn is_job(stack: &ParsedStack, name: &str, service: &Service) -> bool {
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

#[cfg(test)]
pub(super) mod tests;
