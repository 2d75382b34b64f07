//! Rows that fit a terminal: columns where there is room, else lines that are folded.

use crate::cli::output::clean;

/// A row: its first cell, and the others.
pub(super) struct Row {
    /// How far it stands in.
    pub indent: usize,
    /// Its cells, the name first; empty ones say nothing.
    pub cells: Vec<String>,
    /// How it is shown.
    pub style: anstyle::Style,
}

/// Where nobody watches, lines are as long as they are.
const UNBOUNDED: usize = usize::MAX;

/// Rows as lines below a head: in columns if the widest fits, else each row as `name: cell, cell`, folded.
pub(super) fn rows(
    head: &[&str],
    rows: &[Row],
    width: Option<usize>,
) -> Vec<(anstyle::Style, String)> {
    let width = width.unwrap_or(UNBOUNDED);
    let table = table(head, rows);
    let fits = table.iter().all(|(_, line)| line.chars().count() <= width);
    match fits {
        true => table,
        false => rows.iter().flat_map(|row| folded_row(row, width)).collect(),
    }
}

fn table(head: &[&str], rows: &[Row]) -> Vec<(anstyle::Style, String)> {
    let head = Row {
        indent: 0,
        cells: head.iter().map(|cell| (*cell).to_owned()).collect(),
        style: super::DIM,
    };
    let used = |column: usize| {
        let mut cells = rows.iter().filter_map(|row| row.cells.get(column));
        cells.any(|cell| !cell.is_empty())
    };
    let columns: Vec<usize> = (0..head.cells.len())
        .filter(|column| used(*column))
        .collect();
    let all = || std::iter::once(&head).chain(rows);
    let cell = |row: &Row, column: usize| {
        let text = row.cells.get(column).map_or("", String::as_str);
        let indent = if column == 0 { row.indent } else { 0 };
        format!("{}{}", " ".repeat(indent), clean(text))
    };
    let wide = |column: usize| {
        let cells = all().map(|row| cell(row, column).chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: Vec<usize> = columns.iter().map(|column| wide(*column)).collect();
    all()
        .map(|row| {
            let cells = columns.iter().zip(&widths);
            let cells: Vec<String> = cells
                .map(|(column, width)| format!("{:<width$}", cell(row, *column)))
                .collect();
            (row.style, format!("  {}", cells.join("  ").trim_end()))
        })
        .collect()
}

fn folded_row(row: &Row, width: usize) -> Vec<(anstyle::Style, String)> {
    let mut cells = row.cells.iter().filter(|cell| !cell.is_empty());
    let name = cells.next().map_or("", String::as_str);
    let rest: Vec<&str> = cells.map(String::as_str).collect();
    let text = match rest.is_empty() {
        true => name.to_owned(),
        false => format!("{name}: {}", rest.join(", ")),
    };
    let lines = folded(&clean(&text), width, row.indent + 2);
    lines.into_iter().map(|line| (row.style, line)).collect()
}

/// Text as lines of at most `width` characters, as far as its words allow; those after the first stand in further.
pub(super) fn folded(text: &str, width: usize, indent: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = " ".repeat(indent);
    let mut empty = true;
    for word in text.split(' ') {
        let longer = line.chars().count() + usize::from(!empty) + word.chars().count();
        if !empty && longer > width {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent + 2)));
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(indent: usize, cells: &[&str]) -> Row {
        Row {
            indent,
            cells: cells.iter().map(|cell| (*cell).to_owned()).collect(),
            style: anstyle::Style::new(),
        }
    }

    fn shown(width: Option<usize>) -> Vec<String> {
        let all = [
            row(0, &["a.service", "running", ""]),
            row(2, &["web", "exited 1", ""]),
        ];
        let lines = rows(&["UNIT", "STATE", "NOTHING"], &all, width);
        lines.into_iter().map(|(_, line)| line).collect()
    }

    #[test]
    fn columns_where_there_is_room() {
        let wide = [
            "  UNIT       STATE",
            "  a.service  running",
            "    web      exited 1",
        ];
        assert_eq!(shown(None), wide);
        assert_eq!(shown(Some(21)), wide);
        assert_eq!(
            shown(Some(20)),
            ["  a.service: running", "    web: exited 1"]
        );
        assert_eq!(
            shown(Some(10)),
            [
                "  a.service:",
                "    running",
                "    web:",
                "      exited",
                "      1"
            ]
        );
    }

    #[test]
    fn words_are_not_broken() {
        assert_eq!(folded("one two three", 9, 0), ["one two", "  three"]);
        assert_eq!(
            folded("averylongword x", 5, 2),
            ["  averylongword", "    x"]
        );
        assert_eq!(folded("", 5, 2), ["  "]);
    }
}
