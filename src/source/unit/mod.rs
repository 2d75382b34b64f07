//! What units run and name, beside what [`systemd_unit`] reads: compose projects, containers, files.

pub mod commands;
mod compose_call;
pub mod docker_call;
mod laid_over;
mod pulls;

pub use laid_over::{USERS, laid_over, laid_over_instead, without_services};
pub use pulls::{pulls_all_the_same, without_pulls};
pub use systemd_unit::*;

/// Settings of files for tests, the one that counts least first.
#[cfg(test)]
pub(crate) fn settings_of(texts: &[&str]) -> Settings {
    let source = |text: &&str| std::sync::Arc::new(settings::Source::new("u.service", *text));
    Settings::new(texts.iter().map(source).collect())
}
