//! The desired state with what would be written, as `check` sees it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::NewFailure;
use super::files::contents;
use super::wanted::Made;
use crate::cli::Failure;
use crate::cli::commands::check::Checked;
use crate::cli::session::Session;
use crate::model::Finding;
use crate::source::Which;

/// What of a finding stays the same if lines move.
type Key = (&'static str, Option<PathBuf>, String);

/// Fails where the result would have an error that is not there now; returns what else `check` would say of it.
pub(super) async fn demand_clean(
    session: &Session<'_>,
    made: &Made,
) -> Result<Vec<String>, Failure> {
    let before = Checked::of_work_tree(session, &session.checkout()?).await?;
    let checkout = session.checkout()?.with_written(contents(&made.edits));
    let (revision, _) = checkout.survey(&Which::Worktree)?;
    let ignored = made.edits.iter().find(|edit| {
        let is_read = revision.inputs.contains_key(&edit.path);
        !is_read && edit.old.is_none()
    });
    let after = Checked::of_work_tree(session, &checkout).await?;
    let new = new(&before, after);
    let (errors, warnings): (Vec<_>, Vec<_>) = new.into_iter().partition(Finding::is_error);
    if !errors.is_empty() {
        return Err(NewFailure::Wrong {
            name: made.name.clone(),
            findings: errors,
        }
        .into());
    }
    if let Some(edit) = ignored {
        return Err(NewFailure::Ignored {
            path: edit.path.clone(),
        }
        .into());
    }
    let warning = |finding: &Finding| format!("warning: {finding} [{}]", finding.rule.name);
    Ok(warnings.iter().map(warning).collect())
}

/// Those of `after` that are not in `before`.
fn new(before: &[Finding], after: Vec<Finding>) -> Vec<Finding> {
    let mut known: BTreeMap<Key, usize> = BTreeMap::new();
    for finding in before {
        *known.entry(key(finding)).or_default() += 1;
    }
    let is_new = |finding: &Finding| match known.get_mut(&key(finding)) {
        Some(left) if *left > 0 => {
            *left -= 1;
            false
        }
        _ => true,
    };
    after.into_iter().filter(is_new).collect()
}

fn key(finding: &Finding) -> Key {
    let place = finding.place().map(|place| place.path().to_owned());
    // Messages name other places by their line, which moves.
    let parts = finding.message().split(':');
    let parts = parts.map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()));
    (
        finding.rule.name,
        place,
        parts.collect::<Vec<_>>().join(":"),
    )
}
