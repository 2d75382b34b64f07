//! Drift.

use super::plan::origin;
use super::{BAD, GOOD, WARN, count, diff, in_sync_but, records};
use crate::cli::output::{Output, clean, styled};
use crate::model::{DriftItem, DriftKind};
use crate::reconcile::Drift;

/// Prints how the host deviates.
pub(in crate::cli) fn drift(output: &mut Output, drift: &Drift, show_secrets: bool) {
    for item in &drift.fixed {
        output.line(&format!("{}     {}", styled(GOOD, "fixed"), describe(item)));
    }
    for item in &drift.items {
        let kind = styled(colour(item.kind), &format!("{:<9}", item.kind.as_str()));
        output.line(&format!("{kind} {}", describe(item)));
    }
    for refusal in &drift.plan.refusals {
        output.line(&format!("{}: {}", refusal.id, clean(&refusal.why)));
        for line in &refusal.help {
            output.line(&format!("    {}", clean(line)));
        }
    }
    for change in drift
        .plan
        .changes
        .iter()
        .filter_map(|change| change.diff.as_ref())
    {
        diff::print(output, change, show_secrets);
    }
    for warning in &drift.warnings {
        output.line(&format!("{}   {}", styled(WARN, "warning"), clean(warning)));
    }
    let applied = match &drift.applied {
        Some(record) => format!(
            "{}, {}",
            records::generation(record),
            origin(&record.origin)
        ),
        None => {
            let number = count(drift.items.len(), "resource");
            return output.line(&format!("nothing was applied yet; {number} in git"));
        }
    };
    match drift.items.len() {
        0 if drift.incomplete => {
            output.line(&format!(
                "{}: {applied}",
                styled(WARN, &in_sync_but(&drift.warnings))
            ));
        }
        0 => output.line(&format!("{}: {applied}", styled(GOOD, "in sync"))),
        number => {
            let fixable = drift.items.iter().filter(|item| item.fixable).count();
            let help = match fixable {
                0 => String::new(),
                fixable => format!("; `watchme-apply drift --fix` fixes {fixable}"),
            };
            output.line(&format!(
                "drift: {} from {applied}{help}",
                count(number, "deviation")
            ));
        }
    }
}

fn describe(item: &DriftItem) -> String {
    clean(&format!("{}: {}", item.resource, item.what)).into_owned()
}

fn colour(kind: DriftKind) -> anstyle::Style {
    match kind {
        DriftKind::Degraded => BAD,
        _ => WARN,
    }
}
