//! Text that several commands print.

pub(super) mod diff;
mod gates;
pub(super) mod layout;
pub(super) mod plan;
pub(super) mod records;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::output::clean;
use crate::model::image::short;

pub(super) use diff::lines as diff_lines;
pub(super) use gates::{checking, passed};
pub(super) use plan::{plan, step, summary as plan_summary};

/// What the symbols at the beginning of a line mean: in the help, and in the first plan on a host.
macro_rules! legend {
    () => {
        "\
Symbols:
  +  create or start         ~  write, link or connect
  -  remove or stop          !  restart or reload; the line says what it interrupts
  ?  check a health gate     .  pull or build an image, or wait
"
    };
}
pub(super) use legend;

pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const BAD: Style = AnsiColor::Red.on_default();
pub(super) const WARN: Style = AnsiColor::Yellow.on_default();
pub(super) const HELP: Style = AnsiColor::Cyan.on_default().bold();
pub(super) const STRONG: Style = Style::new().bold();

/// `1 thing`, `2 things`.
pub(super) fn count(number: usize, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}

/// `in sync`, and what was not checked according to the warnings.
pub(super) fn in_sync_but(warnings: &[String]) -> String {
    let unchecked = warnings
        .iter()
        .filter(|text| text.contains(" not checked: "));
    let unchecked: Vec<&str> = unchecked.map(String::as_str).collect();
    match unchecked.is_empty() {
        true => "in sync (not everything was checked)".to_owned(),
        false => format!("in sync ({})", clean(&unchecked.join("; "))),
    }
}

/// An image for people: by the digest by which its registry knows it, or by its id where none does.
pub(super) fn identity(digest: Option<&str>, id: &str) -> String {
    match digest {
        Some(digest) => short(digest),
        None => format!("id {}, made or tagged here", short(id)),
    }
}

/// A time as the reader's clock shows it.
pub(super) fn when(time: Timestamp) -> String {
    time.to_zoned(TimeZone::system())
        .strftime("%Y-%m-%d %H:%M:%S %Z")
        .to_string()
}

/// Rows as lines with their cells in columns, safe for a terminal.
pub(super) fn columns<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| layout::wide(cell)).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths);
        let cells = cells.map(|(cell, width)| layout::padded(cell, *width));
        let line = cells.collect::<Vec<_>>().join("  ");
        clean(line.trim_end()).into_owned()
    };
    rows.iter().map(line).collect()
}
