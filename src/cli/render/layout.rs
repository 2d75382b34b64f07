//! Rows that fit a terminal: columns where there is room, else lines that are folded.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::cli::output::{Output, clean};

/// A row: its first cell, and the others.
pub(in crate::cli) struct Row {
    /// How far it is indented.
    pub indent: usize,
    /// Its cells, the name first; empty ones are left out.
    pub cells: Vec<String>,
    /// How it is shown.
    pub style: anstyle::Style,
}

/// Without a terminal, lines are not folded.
const UNBOUNDED: usize = usize::MAX;
/// What a terminal has if nobody made it wider.
const USUAL: usize = 80;

/// Columns for a table that is folded without a terminal too.
pub(in crate::cli) fn columns_of(output: &Output) -> usize {
    output.width().unwrap_or(USUAL)
}

/// Columns of a terminal that a text takes; an ideogram takes two.
pub(in crate::cli) fn wide(text: &str) -> usize {
    text.width()
}

/// `text` with blanks behind it, as wide as its column.
pub(in crate::cli) fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(wide(text))))
}

/// The lines of each row of a table; the first row is its head. If the table is wider than `width`, it has no head, and
/// each row is its first cell and the others, each behind its label, in as many lines as that takes. Cells `-` are left out
/// there.
pub(in crate::cli) fn fitted<const N: usize>(
    rows: &[[String; N]],
    labels: &[&str; N],
    width: usize,
) -> Vec<Vec<String>> {
    let table = super::columns(rows);
    if table.iter().all(|line| wide(line) <= width) {
        return table.into_iter().map(|line| vec![line]).collect();
    }
    let row = |(index, row): (usize, &[String; N])| match index {
        0 => Vec::new(),
        _ => packed(row, labels, width),
    };
    rows.iter().enumerate().map(row).collect()
}

/// Cells in lines that they fill; a cell is broken only if it does not fit a line.
fn packed(row: &[String], labels: &[&str], width: usize) -> Vec<String> {
    let cells = row.iter().zip(labels);
    let cells = cells.filter(|(cell, _)| !cell.is_empty() && *cell != "-");
    let cells: Vec<String> = cells
        .map(|(cell, label)| clean(format!("{label} {cell}").trim_start()).into_owned())
        .collect();
    let mut lines: Vec<String> = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        let comma = if index + 1 < cells.len() && index > 0 {
            ","
        } else {
            ""
        };
        let cell = format!("{cell}{comma}");
        let gap = if index == 1 { "  " } else { " " };
        match lines.last_mut() {
            Some(line) if wide(line) + gap.len() + wide(&cell) <= width => {
                line.push_str(gap);
                line.push_str(&cell);
            }
            Some(_) => lines.extend(folded(&cell, width, 2)),
            None => lines.extend(folded(&cell, width, 0)),
        }
    }
    lines
}

/// Rows as lines below a head: in columns if the widest fits, else each row as `name: cell, cell`, folded.
pub(in crate::cli) fn rows(
    head: &[&str],
    rows: &[Row],
    width: Option<usize>,
) -> Vec<(anstyle::Style, String)> {
    let width = width.unwrap_or(UNBOUNDED);
    let table = table(head, rows);
    let fits = table.iter().all(|(_, line)| wide(line) <= width);
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
    let widest = |column: usize| {
        let cells = all().map(|row| wide(&cell(row, column)));
        cells.max().unwrap_or(0)
    };
    let widths: Vec<usize> = columns.iter().map(|column| widest(*column)).collect();
    all()
        .map(|row| {
            let cells = columns.iter().zip(&widths);
            let cells: Vec<String> = cells
                .map(|(column, width)| padded(&cell(row, *column), *width))
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

/// Text as lines of at most `width` columns; those after the first are indented further. A word that is longer than a line is
/// broken behind one of its signs, such as a slash, or where the line ends.
pub(in crate::cli) fn folded(text: &str, width: usize, indent: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = " ".repeat(indent);
    let mut empty = true;
    let has_room = width >= indent + NARROWEST;
    for word in text.split(' ') {
        let longer = wide(&line) + usize::from(!empty) + wide(word);
        if !empty && longer > width {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent + 2)));
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        let mut rest = word;
        while has_room && wide(&line) + wide(rest) > width {
            let (fits, more) = rest.split_at(broken(rest, width.saturating_sub(wide(&line))));
            line.push_str(fits);
            lines.push(std::mem::replace(&mut line, " ".repeat(indent + 2)));
            rest = more;
        }
        line.push_str(rest);
        empty = false;
    }
    lines.push(line);
    lines
}

/// Signs behind which a long word is broken.
const BREAKS: [char; 11] = ['/', '.', '-', '_', ',', ':', '?', '&', '=', '|', ')'];
/// Where there are fewer columns, words are not broken.
const NARROWEST: usize = 20;

/// How many bytes of a word that is wider than `width` are put on a line.
fn broken(word: &str, width: usize) -> usize {
    let mut columns = 0;
    let mut fits = 0;
    let mut sign = 0;
    for (at, character) in word.char_indices() {
        columns += character.width().unwrap_or_default();
        if columns > width {
            break;
        }
        fits = at + character.len_utf8();
        if BREAKS.contains(&character) {
            sign = fits;
        }
    }
    // A break near the start would leave the line almost empty.
    match sign >= fits / 2 {
        true => sign,
        false => fits,
    }
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
    fn a_table_that_does_not_fit_is_a_block_for_each_row() {
        let all = [
            ["URL", "UPSTREAM", "UNIT"],
            ["https://a.example.com/", "-", "-"],
            [
                "https://b.example.com/",
                "http://localhost:1/",
                "表示.service",
            ],
        ];
        let all = all.map(|row| row.map(str::to_owned));
        let shown = |width| fitted(&all, &["", "upstream", "unit"], width);
        let table = "https://b.example.com/  http://localhost:1/  表示.service";
        assert_eq!(wide(table), 57);
        assert_eq!(shown(57).last().unwrap(), &[table]);
        assert_eq!(
            shown(56).concat(),
            [
                "https://a.example.com/",
                "https://b.example.com/  upstream http://localhost:1/,",
                "  unit 表示.service"
            ]
        );
    }

    #[test]
    fn words_longer_than_a_line_are_broken_behind_a_sign() {
        for (text, indent, expected) in [
            (
                "upstream http://a.example.com/one/two-three/four",
                0,
                &[
                    "upstream",
                    "  http://a.example.com/",
                    "  one/two-three/four",
                ][..],
            ),
            // Not near the start, and where there is no sign.
            (
                "a/0123456789012345678901234",
                0,
                &["a/0123456789012345678901", "  234"],
            ),
            (
                "012345678901234567890123456789",
                2,
                &["  0123456789012345678901", "    23456789"],
            ),
            (
                "表示表示表示表示表示表示表示",
                0,
                &["表示表示表示表示表示表示", "  表示"],
            ),
            (
                "https://example.com/ab/c https://example.com/de/f",
                0,
                &[
                    "https://example.com/ab/c",
                    "  https://example.com/",
                    "  de/f",
                ],
            ),
        ] {
            assert_eq!(folded(text, 24, indent), expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn lines_fit_and_lose_nothing(text in "[a-c/. 表]{0,120}", width in 20_usize..60, indent in 0_usize..6) {
            let lines = folded(&text, width + indent, indent);
            for line in &lines {
                proptest::prop_assert!(wide(line) <= width + indent, "{line:?}");
            }
            let bare = |text: &str| text.replace(' ', "");
            proptest::prop_assert_eq!(bare(&lines.concat()), bare(&text));
        }
    }

    #[test]
    fn words_are_not_broken_where_there_is_no_room() {
        assert_eq!(folded("one two three", 9, 0), ["one two", "  three"]);
        assert_eq!(
            folded("averylongword x", 5, 2),
            ["  averylongword", "    x"]
        );
        assert_eq!(folded("", 5, 2), ["  "]);
    }
}
