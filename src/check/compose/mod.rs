//! Compose projects: those that units run, the infrastructure file, and files that no unit names yet.
//! What is checked is what compose makes of several files; what is shown is where it is written.

pub(super) mod addresses;
pub(super) mod mounts;
pub(super) mod networks;
pub(super) mod ports;
pub(super) mod secrets;
pub(super) mod shapes;
pub(super) mod values;
pub(super) mod view;

use crate::model::{Version, Versions};
use crate::source::ParsedStack;
use crate::source::compose::Service;
use view::View;

/// What compose 2 brought: docker-compose 1.29, the last of version 1, does not know it.
pub(super) const COMPOSE_2: Versions = Versions::since(Version::major(2));

/// Commands that end at once, or do nothing: they have no health.
const DO_NOTHING: [&str; 4] = ["true", "/bin/true", "sleep", "/pause"];

/// Whether a service ends when its work is done.
pub(super) fn is_job(view: &View, stack: &ParsedStack, name: &str, service: &Service) -> bool {
    let command = service.command();
    let nothing = command
        .first()
        .is_some_and(|word| DO_NOTHING.contains(&word.as_str()));
    nothing || view.is_awaited(stack, name)
}

#[cfg(test)]
pub(super) mod tests;
