//! Text for people.

mod diff;
mod plan;
mod tables;

use anstyle::{AnsiColor, Style};

pub(super) use plan::{applied, plan, step};
pub(super) use tables::{drift, paused, status};

pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const DIM: Style = Style::new().dimmed();
const BAD: Style = AnsiColor::Red.on_default();
pub(super) const WARN: Style = AnsiColor::Yellow.on_default();
const STRONG: Style = Style::new().bold();

/// `1 thing`, `2 things`.
fn count(number: usize, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}
