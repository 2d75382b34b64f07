//! Findings that a comment allows: `# watchme-apply: allow(RULE) REASON`, on the line of the finding or above it.

use std::cell::Cell;
use std::collections::HashMap;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use source_text::SourceFile;

use super::engine::{self, Rule};
use super::rules::checkout::rule::{allowance_invalid, allowance_unused};
use crate::model::{Diagnostic, File, Finding};
use crate::source::error::misspelt;

const MARK: &str = "watchme-apply:";
const ALLOW: &str = "allow";
/// What other tools call it.
const MEANT: [&str; 4] = [ALLOW, "ignore", "disable", "suppress"];

/// A comment that allows a rule's findings.
struct Allowance {
    rule: &'static Rule,
    file: Arc<SourceFile>,
    /// Bytes of the comment, without its `#`.
    span: Range<usize>,
    /// Lines that it speaks for, from 1: its own to the first one below that is no comment, with those that continue it.
    lines: RangeInclusive<usize>,
    used: Cell<bool>,
}

/// Takes out what is allowed, and adds what is wrong with the allowances of the files.
pub(super) fn apply_allowances<'a>(
    findings: Vec<Finding>,
    files: impl Iterator<Item = (&'a PathBuf, &'a File)>,
) -> Vec<Finding> {
    let mut kept = Vec::new();
    let mut allowances = Vec::new();
    let texts = files.filter_map(|(path, file)| {
        let text = std::str::from_utf8(&file.content).ok()?;
        text.contains(MARK).then(|| SourceFile::new(path, text))
    });
    for file in texts {
        read(&file, &mut allowances, &mut kept);
    }
    if allowances.is_empty() {
        kept.extend(findings);
        return kept;
    }
    let mut by_place: HashMap<(&Path, &str), Vec<&Allowance>> = HashMap::new();
    for allowance in &allowances {
        let key = (allowance.file.path(), allowance.rule.name);
        by_place.entry(key).or_default().push(allowance);
    }
    for finding in findings {
        let allowed = finding.place().is_some_and(|place| {
            let of_rule = by_place.get(&(place.path(), finding.rule.name));
            of_rule.is_some_and(|of_rule| allow(of_rule, place.position().line))
        });
        if !allowed {
            kept.push(finding);
        }
    }
    let unused = allowances.iter().filter(|allowance| !allowance.used.get());
    kept.extend(unused.map(|allowance| {
        let message = format!(
            "there is no finding of {} here to allow",
            allowance.rule.name
        );
        let place = Diagnostic::at(&allowance.file, allowance.span.clone(), message, "");
        let help = "remove the comment, or move it to the line above the finding".to_owned();
        allowance_unused::RULE.at(place.helped(help))
    }));
    kept
}

/// Whether one of a file's allowances covers a line; those that do are used. They are in the order of their first lines,
/// which is that of their last lines, too.
fn allow(allowances: &[&Allowance], line: usize) -> bool {
    let first = allowances.partition_point(|allowance| *allowance.lines.end() < line);
    let behind = allowances.iter().skip(first);
    let mut any = false;
    for allowance in behind.take_while(|allowance| *allowance.lines.start() <= line) {
        allowance.used.set(true);
        any = true;
    }
    any
}

/// The allowances in the comments of a file, and findings about those that say no rule or no reason.
fn read(file: &Arc<SourceFile>, allowances: &mut Vec<Allowance>, findings: &mut Vec<Finding>) {
    let (path, text) = (file.path(), file.text());
    let mut at = 0;
    let mut open: Vec<usize> = Vec::new();
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let number = index + 1;
        if let Some(mark) = comment(line) {
            let span = at + mark..at + line.trim_end().len();
            let parsed = match behind_a_value(path, line) {
                true => Err((
                    "in a unit file, an allow comment needs a line of its own: this one is part of the value"
                        .to_owned(),
                    Some("put it on the line above".to_owned()),
                )),
                false => parse(&text[span.clone()]),
            };
            match parsed {
                Ok(rule) => {
                    open.push(allowances.len());
                    let lines = number..=number;
                    allowances.push(Allowance {
                        rule,
                        file: Arc::clone(file),
                        span,
                        lines,
                        used: Cell::new(false),
                    });
                }
                Err((message, help)) => {
                    let place = Diagnostic::at(file, span, message, "");
                    findings.push(allowance_invalid::RULE.at(Diagnostic { help, ..place }));
                }
            }
        }
        let own = line.trim();
        // One behind something else on its line speaks for that line alone.
        if !own.is_empty() && !own.starts_with(['#', ';']) {
            for index in &open {
                if let Some(allowance) = allowances.get_mut(*index) {
                    allowance.lines = *allowance.lines.start()..=number;
                }
            }
            // systemd.syntax(7): a line that ends in a backslash goes on in the next one.
            if !own.ends_with('\\') {
                open.clear();
            }
        }
        at += line.len();
    }
}

/// Where in a line an allowance, or what is meant for one, begins: behind a `#` or `;` that begins a comment.
fn comment(line: &str) -> Option<usize> {
    let mark = line.find(MARK)?;
    let (before, behind) = line.split_at_checked(mark)?;
    let word = behind.strip_prefix(MARK)?.trim_start();
    let word = word.split(|c: char| !c.is_ascii_alphabetic()).next()?;
    let is_meant = misspelt(&word.to_ascii_lowercase(), MEANT).is_some();
    (is_meant && before.trim_end().ends_with(['#', ';'])).then_some(mark)
}

/// Whether systemd takes the comment of a unit's line for a part of its value, systemd.syntax(7).
fn behind_a_value(path: &Path, line: &str) -> bool {
    let kind = path
        .extension()
        .and_then(|kind| kind.to_str())
        .unwrap_or_default();
    let is_unit = kind == "conf"
        && path
            .parent()
            .is_some_and(|folder| folder.extension().is_some())
        || crate::source::unit::name::TYPES.contains(&kind);
    is_unit && !line.trim_start().starts_with(['#', ';'])
}

/// The rule of `watchme-apply: allow(RULE) REASON`; else what is wrong, and what helps.
fn parse(text: &str) -> Result<&'static Rule, (String, Option<String>)> {
    let form = || Some("write # watchme-apply: allow(RULE) REASON".to_owned());
    let said = text.strip_prefix(MARK).map(str::trim_start);
    let Some(said) = said.and_then(|said| said.strip_prefix(ALLOW)) else {
        return Err(("this comment allows nothing".to_owned(), form()));
    };
    let inside = said.strip_prefix('(');
    let Some((name, reason)) = inside.and_then(|inside| inside.split_once(')')) else {
        return Err(("this allow comment names no rule".to_owned(), form()));
    };
    if name.contains(',') {
        let help = Some("write a comment for each rule, one below the other".to_owned());
        return Err(("an allow comment names one rule".to_owned(), help));
    }
    let Some(rule) = engine::rule_of(name) else {
        let rules = engine::rules();
        let names = rules.iter().map(|rule| rule.name);
        let near = crate::source::error::nearest(name, names);
        let help = near.map(|near| format!("did you mean {near}?"));
        return Err((format!("there is no rule {name:?}"), help));
    };
    match reason.trim().is_empty() {
        true => Err((format!("{name} is allowed here without a reason"), form())),
        false => Ok(rule),
    }
}
