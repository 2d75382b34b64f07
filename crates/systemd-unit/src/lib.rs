//! systemd units: their syntax, their names, command lines, `[Install]`, and what systemd
//! knows: sections, keys and the kinds of their values.

pub mod exec;
pub mod install;
pub mod listen;
pub mod name;
pub mod parse;
pub mod settings;
pub mod table;
pub mod values;

pub use install::Install;
pub use name::Name;
pub use parse::{Entry, Section, Stray, Why, parse, words};
pub use settings::Settings;
