//! A plan as text.

use std::collections::BTreeMap;

use super::{DIM, HELP, STRONG, WARN, count, diff, gates, legend};
use crate::cli::output::{Output, clean, styled};
use crate::cli::snippet;
use crate::effect::{Change, Counted, Words};
use crate::model::{Finding, Origin, Severity};
use crate::reconcile::Planned;

/// Prints what apply would do.
pub(in crate::cli) fn plan(
    output: &mut Output,
    planned: &Planned,
    show_secrets: bool,
    all_findings: bool,
) {
    let back = planned.generation.map_or_else(String::new, |number| {
        format!("to go back to generation {number}, ")
    });
    let from = planned.from.as_ref().map_or_else(String::new, |from| {
        format!(", on a host that matches {}", origin(from))
    });
    let title = format!("plan {back}for {}{from}", origin(&planned.origin));
    output.line(&styled(STRONG, &title));
    for path in &planned.origin.dirty {
        let path = path.to_string_lossy();
        let (word, path) = (styled(WARN, "dirty"), clean(&path));
        output.line(&format!("  {word} {path} differs from the commit"));
    }
    warnings(output, planned);
    changes(output, &planned.plan.changes, show_secrets);
    for gate in &planned.plan.gates {
        output.line(&format!("  {}", gates::would_be_checked(gate)));
    }
    notes(output, planned);
    for refusal in &planned.plan.refusals {
        let text = format!("{}: {}", refusal.id, refusal.why);
        output.line(&format!("  {} {}", styled(WARN, "refused"), clean(&text)));
        if let Some(lost) = &refusal.diff {
            diff::print(output, lost, show_secrets);
        }
        for line in &refusal.help {
            output.line(&format!("      {}", clean(line)));
        }
    }
    for finding in &planned.findings {
        output.line(&snippet::finding(finding));
    }
    let others = &planned.other_findings;
    if all_findings {
        for finding in others {
            output.line(&snippet::finding(finding));
        }
    } else if !others.is_empty() {
        output.line(&format!(
            "  {} {} about what this plan does not change: watchme-apply plan --all-findings",
            styled(DIM, "note"),
            count(others.len(), "finding")
        ));
    }
    if is_first(planned) && output.is_terminal() {
        for line in legend!().lines() {
            output.line(&styled(DIM, line));
        }
    }
    output.line(&summary(planned));
    if planned.findings.iter().any(Finding::is_error) {
        let help = "an apply would stop here, before any change: fix it and commit";
        output.line(&format!("{} {help}", styled(HELP, "hint:")));
    }
}

pub(in crate::cli) fn warnings(output: &mut Output, planned: &Planned) {
    for warning in &planned.warnings {
        output.line(&format!("  {} {}", styled(WARN, "warning"), clean(warning)));
    }
}

pub(in crate::cli) fn notes(output: &mut Output, planned: &Planned) {
    for note in &planned.plan.notes {
        let text = format!("{}: {}", note.id, note.text);
        output.line(&format!("  {} {}", styled(DIM, "note"), clean(&text)));
    }
}

pub(in crate::cli) fn changes(output: &mut Output, changes: &[Change], show_secrets: bool) {
    for change in changes {
        output.line(&format!("  {}", step(change)));
        if let Some(change) = &change.diff {
            diff::print(output, change, show_secrets);
        }
    }
}

/// Whether it is the first plan of this host: nothing was applied here yet.
fn is_first(planned: &Planned) -> bool {
    planned.recorded.applied.is_none() && planned.from.is_none() && !planned.plan.is_empty()
}

/// Where a desired state came from, in a few words.
pub(in crate::cli) fn origin(origin: &Origin) -> String {
    let commit = match &origin.commit {
        Some(commit) => commit.get(..12).unwrap_or(commit).to_owned(),
        None => format!("the folder {}", origin.folder.display()),
    };
    let subject = origin.subject.as_ref();
    let subject = subject.map_or_else(String::new, |subject| format!(" ({subject})"));
    let worktree = match (origin.worktree, &origin.commit) {
        (true, Some(_)) => ", from the work tree",
        _ => "",
    };
    clean(&format!("{commit}{subject}{worktree}")).into_owned()
}

/// One change in one line: what, to what, and why.
pub(in crate::cli) fn step(change: &Change) -> String {
    let Words { sign, text, .. } = change.words();
    let why = match change.why.is_empty() {
        true => String::new(),
        false => styled(DIM, &format!("  ({})", clean(&change.why))),
    };
    let id = change.id.to_string();
    let (sign, id, text) = (styled(STRONG, sign.as_str()), clean(&id), clean(&text));
    format!("{sign} {id}: {text}{why}")
}

/// The closing count.
pub(in crate::cli) fn summary(planned: &Planned) -> String {
    let plan = &planned.plan;
    let mut counted: BTreeMap<Counted, usize> = BTreeMap::new();
    for change in &plan.changes {
        if let Some(thing) = change.words().counts_as {
            *counted.entry(thing).or_default() += 1;
        }
    }
    let parts: Vec<String> = (counted.iter())
        .map(|(thing, number)| count(*number, thing.as_str()))
        .collect();
    let found = |severity| {
        let of_it = |finding: &&Finding| finding.severity == severity;
        planned.findings.iter().filter(of_it).count()
    };
    let behind: String = [
        (plan.refusals.len(), "refusal", true),
        (found(Severity::Error), "error", true),
        (found(Severity::Warning), "warning", false),
    ]
    .into_iter()
    .filter(|(number, ..)| *number > 0)
    .map(|(number, thing, blocks)| {
        let how = match (blocks, number) {
            (false, _) => "",
            (true, 1) => " blocks the apply",
            (true, _) => " block the apply",
        };
        format!("; {}{how}", count(number, thing))
    })
    .collect();
    let changes = plan.changes.iter().filter(|change| change.effect.counts());
    let changes = count(changes.count(), "change");
    match (plan.is_empty(), parts.is_empty()) {
        (true, _) if planned.only_writes_down() => {
            let gates = match plan.gates.is_empty() {
                true => "",
                false => "new gates are checked and ",
            };
            format!("plan: nothing to change; {gates}the revision is recorded{behind}")
        }
        (true, _) => format!("plan: nothing to do{behind}"),
        (false, true) => format!("plan: {changes}{behind}"),
        (false, false) => format!("plan: {changes}: {}{behind}", parts.join(", ")),
    }
}
