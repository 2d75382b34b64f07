//! A plan as a comment of a pull request: the most important first, diffs folded.

use std::fmt::Write as _;

use similar::{ChangeTag, TextDiff};

use crate::cli::masks::{DiffMask, mask};
use crate::cli::output::clean;
use crate::cli::render::count;
use crate::cli::render::plan::{origin, summary};
use crate::effect::{Change, Diff, Effect};
use crate::reconcile::Planned;

/// Characters that the comment may have; GitHub refuses more than 65,536.
const LIMIT: usize = 65_000;
/// Characters that the list of changes may take of them, so that there is room for diffs.
const LIST_LIMIT: usize = 30_000;

/// The whole comment.
pub(super) fn comment(planned: &Planned, show_secrets: bool) -> String {
    // Hidden: a later run finds its comment by this.
    let mut text = String::from("<!-- watchme-apply plan -->\n");
    let _ = writeln!(text, "### {}\n", plain(&summary(planned)));
    let from = planned.from.as_ref().map_or_else(String::new, |from| {
        format!(", on a host that matches {}", code(&origin(from)))
    });
    let _ = writeln!(text, "{}{from}.\n", code(&origin(&planned.origin)));
    in_the_way(&mut text, planned);
    interruptions(&mut text, &planned.plan.changes);
    changes(&mut text, &planned.plan.changes);
    diffs(&mut text, &planned.plan.changes, show_secrets);
    text
}

/// Refusals, findings, warnings and notes.
fn in_the_way(text: &mut String, planned: &Planned) {
    let plan = &planned.plan;
    let refusals = plan.refusals.iter().map(|refusal| {
        let why = plain(&refusal.why);
        format!("**refused** {}: {why}", code(&refusal.id.to_string()))
    });
    let findings = planned.findings.iter().map(|finding| {
        let word = match finding.is_error() {
            true => "**error**",
            false => "warning",
        };
        format!("{word} {}", plain(&mask(&finding.to_string())))
    });
    let warnings = planned.warnings.iter();
    let warnings = warnings.map(|warning| format!("warning: {}", plain(warning)));
    let notes = plan.notes.iter().map(|note| {
        let id = code(&note.id.to_string());
        format!("note: {id}: {}", plain(&note.text))
    });
    let lines = refusals.chain(findings).chain(warnings).chain(notes);
    list(text, "", &lines.collect::<Vec<_>>());
}

/// What users of the services will notice.
fn interruptions(text: &mut String, changes: &[Change]) {
    let interrupts = |change: &&Change| {
        matches!(
            change.effect,
            Effect::Restart(_) | Effect::Stop(_) | Effect::RestartNginx
        ) || change.effect.recreates()
    };
    let lines = changes.iter().filter(interrupts).map(|change| {
        let what = change.words().text;
        format!("{}: {}", code(&change.id.to_string()), plain(&what))
    });
    let lines: Vec<String> = lines.collect();
    match lines.is_empty() && !changes.is_empty() {
        true => text.push_str("No running service is interrupted.\n\n"),
        false => list(text, "**Interruptions**\n\n", &lines),
    }
}

fn list(text: &mut String, headline: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    text.push_str(headline);
    let (shown, left) = within(lines, LIST_LIMIT / 3);
    for line in shown {
        let _ = writeln!(text, "- {line}");
    }
    if left > 0 {
        let _ = writeln!(text, "- … and {left} more");
    }
    text.push('\n');
}

fn changes(text: &mut String, changes: &[Change]) {
    if changes.is_empty() {
        return;
    }
    let rows = changes.iter().map(|change| {
        let words = change.words();
        let (sign, id) = (cell(words.sign.as_str()), cell(&change.id.to_string()));
        let (what, why) = (plain(&words.text), plain(&change.why));
        format!("| {sign} | {id} | {what} | {why} |")
    });
    let rows: Vec<String> = rows.collect();
    let number = count(rows.len(), "step");
    let _ = writeln!(text, "<details><summary>{number}, in order</summary>\n");
    text.push_str("| | resource | change | why |\n|---|---|---|---|\n");
    let (shown, left) = within(&rows, LIST_LIMIT);
    for row in shown {
        let _ = writeln!(text, "{row}");
    }
    text.push_str("\n</details>\n\n");
    if left > 0 {
        let _ = writeln!(text, "… and {} more.\n", count(left, "change"));
    }
}

/// As many lines as fit, and how many are left.
fn within(lines: &[String], limit: usize) -> (&[String], usize) {
    let mut size = 0;
    let fit = lines.iter().take_while(|line| {
        size += line.chars().count() + 3;
        size <= limit
    });
    let (shown, left) = lines.split_at(fit.count());
    (shown, left.len())
}

fn diffs(text: &mut String, changes: &[Change], show_secrets: bool) {
    let mut left = 0;
    let mut size = text.chars().count();
    for diff in changes.iter().filter_map(|change| change.diff.as_ref()) {
        let folded = folded(diff, show_secrets);
        let takes = folded.chars().count();
        // Room for the closing line.
        if size + takes > LIMIT - 200 {
            left += 1;
            continue;
        }
        size += takes;
        text.push_str(&folded);
    }
    if left > 0 {
        let left = count(left, "diff");
        let _ = writeln!(
            text,
            "{left} left out: GitHub does not accept longer comments."
        );
    }
}

fn folded(diff: &Diff, show_secrets: bool) -> String {
    let old = diff.old.as_deref().unwrap_or_default();
    let new = diff.new.as_deref().unwrap_or_default();
    let lines = TextDiff::from_lines(old, new);
    let changed = |tag| {
        let changed = lines.iter_all_changes();
        changed.filter(|line| line.tag() == tag).count()
    };
    let (added, removed) = (changed(ChangeTag::Insert), changed(ChangeTag::Delete));
    let unified = lines.unified_diff().to_string();
    let mut secrets = DiffMask::default();
    let shown = unified.lines().map(|line| match show_secrets {
        true => clean(line).into_owned(),
        false => clean(&secrets.unified(line)).into_owned(),
    });
    let shown = shown.collect::<Vec<_>>().join("\n");
    let name = match diff.new.is_some() {
        true => &diff.new_path,
        false => &diff.old_path,
    };
    let name = html(&name.to_string_lossy());
    let fence = fence(&shown);
    format!(
        "<details><summary>{name} (+{added} −{removed})</summary>\n\n{fence}diff\n{shown}\n{fence}\n\n</details>\n\n"
    )
}

/// A fence longer than any within.
fn fence(text: &str) -> String {
    let fences = text.split(|c| c != '`').map(str::len);
    "`".repeat(fences.max().map_or(3, |longest| (longest + 1).max(3)))
}

/// A code span: Markdown interprets nothing in it.
fn code(text: &str) -> String {
    format!("`{}`", clean(text).replace('`', "'"))
}

/// A code span in a table, where a bar would end the cell.
fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// Text in which neither Markdown nor HTML interprets anything, and no user is mentioned.
fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' => {
                safe.push('\\');
                safe.push(c);
            }
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            // The empty comment keeps GitHub from mentioning a user of that name.
            '@' => safe.push_str("@<!-- -->"),
            '\n' => safe.push(' '),
            other => safe.push(other),
        }
    }
    safe
}

fn html(text: &str) -> String {
    clean(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_the_repository_is_escaped() {
        assert_eq!(
            plain("<b> @who [x](y) a|b `c` *d*"),
            "&lt;b&gt; @<!-- -->who \\[x\\](y) a\\|b \\`c\\` \\*d\\*"
        );
        assert_eq!(code("a`b|c\u{1b}"), "`a'b|c\\u{1b}`");
        assert_eq!(cell("a|b"), "`a\\|b`");
        assert_eq!(fence("a ``` b ````"), "`````");
        assert_eq!(fence("none"), "```");
    }

    #[test]
    fn lists_are_cut_to_what_github_accepts() {
        let lines: Vec<String> = (0..100).map(|n| format!("{n:0>10}")).collect();
        let (shown, left) = within(&lines, 130);
        assert_eq!((shown.len(), left), (10, 90));
    }
}
