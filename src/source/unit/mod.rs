//! systemd units: their syntax, their names, and what they say about other files.

pub mod commands;
mod compose_call;
pub mod docker_call;
pub mod exec;
pub mod install;
pub mod listen;
pub mod name;
pub mod parse;
pub mod settings;

pub use name::Name;
pub use parse::{Entry, Section, Stray, Why, parse, words};
pub use settings::Settings;
