//! Unified diffs, with what changed within a line emphasised on a terminal.

use std::path::Path;

use anstyle::Style;
use similar::{ChangeTag, TextDiff};

use super::{BAD, DIM, GOOD};
use crate::cli::masks::DiffMask;
use crate::cli::output::{Output, clean, styled};
use crate::effect::Diff;

/// Lines of context around a change, as in diff(1).
const CONTEXT: usize = 3;
const INDENT: &str = "    ";

/// Prints a diff, indented below its change.
pub(in crate::cli) fn print(output: &mut Output, diff: &Diff, show_secrets: bool) {
    for line in lines(diff, show_secrets) {
        output.line(&line);
    }
}

/// The lines of a diff, indented.
pub(in crate::cli) fn lines(diff: &Diff, show_secrets: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let old = diff.old.as_deref().unwrap_or_default();
    let new = diff.new.as_deref().unwrap_or_default();
    let from = label(&diff.old_path, diff.old.is_some());
    lines.push(format!("{INDENT}--- {from}"));
    let to = label(&diff.new_path, diff.new.is_some());
    lines.push(format!("{INDENT}+++ {to}"));
    let text = TextDiff::from_lines(old, new);
    for group in text.grouped_ops(CONTEXT) {
        let mut secrets = DiffMask::default();
        if let (Some(first), Some(last)) = (group.first(), group.last()) {
            let (old, new) = (
                first.old_range().start..last.old_range().end,
                first.new_range().start..last.new_range().end,
            );
            let header = format!("@@ -{} +{} @@", hunk(&old), hunk(&new));
            lines.push(format!("{INDENT}{}", styled(DIM, &header)));
        }
        for op in &group {
            for change in text.iter_inline_changes(op) {
                let (sign, style) = match change.tag() {
                    ChangeTag::Delete => ('-', BAD),
                    ChangeTag::Insert => ('+', GOOD),
                    ChangeTag::Equal => (' ', Style::new()),
                };
                let parts: Vec<(bool, &str)> =
                    change.values().iter().map(|(e, v)| (*e, *v)).collect();
                let secrets = (!show_secrets).then_some(&mut secrets);
                let line = line(sign, style, &parts, secrets);
                lines.push(format!("{INDENT}{line}"));
                if change.missing_newline() {
                    lines.push(format!("{INDENT}\\ No newline at end of file"));
                }
            }
        }
    }
    lines
}

/// Start and length of a hunk's side; an empty one starts at the line before, as in diff(1).
fn hunk(lines: &std::ops::Range<usize>) -> String {
    let start = if lines.is_empty() {
        lines.start
    } else {
        lines.start + 1
    };
    format!("{start},{}", lines.len())
}

fn label(path: &Path, exists: bool) -> String {
    match exists {
        true => clean(&path.to_string_lossy()).into_owned(),
        false => "/dev/null".to_owned(),
    }
}

/// A line of a diff. One with a masked value has no emphasis.
fn line(
    sign: char,
    style: Style,
    parts: &[(bool, &str)],
    secrets: Option<&mut DiffMask>,
) -> String {
    let whole: String = parts.iter().map(|(_, value)| *value).collect();
    let whole = whole.trim_end_matches('\n');
    let masked = match secrets {
        Some(secrets) => secrets.mask(sign, whole),
        None => whole.into(),
    };
    if masked != whole || sign == ' ' {
        return styled(style, &format!("{sign}{}", clean(&masked)));
    }
    let mut text = styled(style, &sign.to_string());
    for (emphasised, value) in parts {
        let value = value.trim_end_matches('\n');
        let style = if *emphasised {
            style.underline().bold()
        } else {
            style
        };
        if !value.is_empty() {
            text.push_str(&styled(style, &clean(value)));
        }
    }
    text
}
