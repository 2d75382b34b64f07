//! Backups that nobody has ever restored.

use crate::check::rules::prelude::*;

pub(crate) static RULE: Rule = rule!(backup_not_rehearsed, Warning, run)
    .grouped(
        "backups are never restored in a rehearsal",
        Some("add [backup.NAME.rehearsal] for each, with a gate, and a schedule"),
    )
    .advice();

fn run(context: &Context, findings: &mut Findings) {
    let revision = context.revision();
    let policy = &revision.parsed.policy;
    for name in policy.backups.keys() {
        let backup = revision.desired.backups.get(name.as_str());
        if backup.is_some_and(|backup| backup.rehearsal.is_none()) {
            let name = name.as_str();
            let help = format!("add [backup.{name}.rehearsal] with a gate, and a schedule");
            let message = format!("the restore of {name} is never rehearsed");
            let expected = "nobody knows whether it can be restored";
            let span = policy
                .backups
                .get_key_value(name)
                .map(|(name, _)| name.span());
            let place = policy
                .file
                .complain(span.unwrap_or(0..0), message, expected, Some(help));
            findings.push(RULE.at(place));
        }
    }
}
