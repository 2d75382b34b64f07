//! Text for people.

mod diff;
mod drift;
mod gates;
mod layout;
mod markdown;
mod plan;
mod records;
mod routes;
mod status;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::output::clean;

pub(super) use diff::lines as diff_lines;
pub(super) use drift::drift;
pub(super) use gates::{asked, held};
pub(super) use markdown::markdown;
pub(super) use plan::{applied, plan, step};
pub(super) use records::{history, skip};
pub(super) use routes::{explained, routes};
pub(super) use status::{paused, status};

pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const DIM: Style = Style::new().dimmed();
const BAD: Style = AnsiColor::Red.on_default();
pub(super) const WARN: Style = AnsiColor::Yellow.on_default();
pub(super) const STRONG: Style = Style::new().bold();

/// `1 thing`, `2 things`.
fn count(number: usize, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}

/// That all which was compared is in sync, and what was not compared, from the warnings that say so.
fn in_sync_but(warnings: &[String]) -> String {
    let unchecked = warnings
        .iter()
        .filter(|text| text.contains(" not checked: "));
    let unchecked: Vec<&str> = unchecked.map(String::as_str).collect();
    match unchecked.is_empty() {
        true => "in sync (not everything was checked)".to_owned(),
        false => format!("in sync ({})", clean(&unchecked.join("; "))),
    }
}

/// A time as the reader's clock shows it.
fn when(time: Timestamp) -> String {
    time.to_zoned(TimeZone::system())
        .strftime("%Y-%m-%d %H:%M:%S %Z")
        .to_string()
}

/// Rows as lines with their cells in columns, safe for a terminal.
pub(super) fn columns<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths);
        let cells = cells.map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        clean(line.trim_end()).into_owned()
    };
    rows.iter().map(line).collect()
}
