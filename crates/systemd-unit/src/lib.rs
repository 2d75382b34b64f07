//! systemd units: their syntax, their names, command lines, and `[Install]`.

pub mod exec;
pub mod install;
pub mod listen;
pub mod name;
pub mod parse;
pub mod settings;

pub use install::Install;
pub use name::Name;
pub use parse::{Entry, Section, Stray, Why, parse, words};
pub use settings::Settings;
