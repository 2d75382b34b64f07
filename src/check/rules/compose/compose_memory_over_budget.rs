//! What the services of units that start may take together, against what the machine has.

use std::collections::BTreeSet;

use crate::check::compose::view::View;
use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::model::{Finding, Severity};
use crate::source::compose::Service;

/// The rule.
pub static RULE: Rule = Rule::new(
    "compose-memory-over-budget",
    Severity::Warning,
    include_str!("compose_memory_over_budget.md"),
    run,
);

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    findings.extend(budget(context.projects()));
}

fn budget(view: &View) -> Option<Finding> {
    let desired = &view.subject.revision.desired;
    let memory = desired.budget.memory?;
    let all = desired.budget.swap.map(|swap| memory.saturating_add(swap));
    let mut seen = BTreeSet::new();
    let mut counted: Vec<(u64, &str)> = Vec::new();
    for (stack, name, service) in view.started() {
        let unit = stack.unit.as_ref().and_then(|unit| desired.units.get(unit));
        if unit.is_some_and(|unit| unit.start) && seen.insert((&stack.project, name)) {
            counted.push((Service::memory(service), name));
        }
    }
    let sum = counted
        .iter()
        .fold(0_u64, |sum, (size, _)| sum.saturating_add(*size));
    if sum <= memory {
        return None;
    }
    counted.sort_by(|one, other| other.cmp(one));
    let largest: Vec<String> = counted
        .iter()
        .take(3)
        .map(|(size, name)| format!("{name} {}", mebibytes(*size)))
        .collect();
    let (over, limit) = match all {
        Some(all) if sum > all => (true, format!("memory and swap of {}", mebibytes(all))),
        // Without swap, memory is all that there is.
        Some(_) => (false, format!("memory of {}", mebibytes(memory))),
        None => (true, format!("memory of {}", mebibytes(memory))),
    };
    let policy = &view.subject.revision.parsed.policy;
    let span = policy.budget_span.clone().unwrap_or(0..0);
    let message = format!(
        "the limits of {} containers add up to {}, more than the {limit}",
        counted.len(),
        mebibytes(sum)
    );
    let help = format!("lower the largest ({}), or start fewer", largest.join(", "));
    let place = policy.place.complain(span, message, "", Some(help));
    let finding = RULE.at(place);
    Some(match over {
        true => finding.weighing(Severity::Error),
        false => finding,
    })
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}
