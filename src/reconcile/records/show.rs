//! What a generation changed: the plan from the one before to it, and what its run did.

use jiff::Timestamp;

use super::history::{Entry, Part, history};
use crate::effect::Change;
use crate::host::Host;
use crate::kinds;
use crate::model::{Desired, Origin, RanImage};
use crate::plan::{Gates, Inputs};
use crate::reconcile::{ReconcileError, Request, error};
use crate::state::State;

/// A generation beside the one before.
#[derive(Debug)]
pub(crate) struct Shown {
    /// Its number.
    pub number: u64,
    /// Its run, with the commits that it brought.
    pub entry: Entry,
    /// The one before; `None`: it is the first one.
    pub before: Option<u64>,
    /// What the one before was.
    pub before_origin: Option<Origin>,
    /// What changed, as a plan has it.
    pub changes: Vec<Change>,
    /// Why that is not known.
    pub unknown: Option<String>,
    /// Images that other containers ran than in the one before.
    pub images: Vec<OtherImage>,
}

/// A container whose image is another one.
#[derive(Debug, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct OtherImage {
    /// What ran in the generation before; missing for a container that is new.
    pub before: Option<RanImage>,
    /// What ran in this one; missing for a container that is gone.
    pub after: Option<RanImage>,
}

/// What a generation changed against the one before; without a number, the youngest one. Writes nothing.
///
/// # Errors
/// When there is no such generation, it is not kept any more, or a record is damaged.
pub(crate) fn show(
    host: &Host,
    request: &Request,
    number: Option<u64>,
) -> Result<Shown, ReconcileError> {
    let state = State::new(host.root().clone());
    let kept = state.generations()?;
    let newest = || kept.last().copied().ok_or(ReconcileError::NothingApplied);
    let number = number.map_or_else(newest, Ok)?;
    let known: Vec<u64> = state
        .history()?
        .iter()
        .filter_map(|run| run.number)
        .collect();
    let Some((record, desired)) = state.generation(number)? else {
        return Err(match known.contains(&number) {
            true => ReconcileError::NotKept { number, kept },
            false => ReconcileError::NoSuchGeneration {
                number,
                known: kept,
            },
        });
    };
    let mut entries = match known.contains(&number) {
        true => history(host, request, Part::One(number))?.entries,
        false => Vec::new(),
    };
    // The history may have lost it.
    let images = || state.generation_images(number).unwrap_or_default();
    let entry = entries.pop().unwrap_or_else(|| Entry {
        kept: true,
        current: false,
        lines: None,
        images: images(),
        run: record.clone(),
    });
    let all = kept.iter().chain(&known).copied();
    let before = all.filter(|other| *other < number).max();
    let mut shown = Shown {
        number,
        entry,
        before,
        before_origin: None,
        changes: Vec::new(),
        unknown: None,
        images: Vec::new(),
    };
    let (from, older) = match before {
        None if number == 1 => (Desired::default(), Origin::default()),
        None => {
            shown.unknown = Some("no generation before it is on record".to_owned());
            return Ok(shown);
        }
        Some(before) => match state.generation(before) {
            Ok(Some((record, desired))) => {
                let older = state.generation_images(before).unwrap_or_default();
                shown.images = other_images(older, shown.entry.images.clone());
                shown.before_origin = Some(record.origin.clone());
                (desired, record.origin)
            }
            Ok(None) => {
                shown.unknown = Some(format!(
                    "generation {before}, with which it would be compared, is not kept any more"
                ));
                return Ok(shown);
            }
            Err(damaged) => {
                shown.unknown = Some(error::with_hint(&damaged, damaged.hint()));
                return Ok(shown);
            }
        },
    };
    shown.changes = between(&from, &older, &desired);
    Ok(shown)
}

/// What takes a host from one desired state to another one.
fn between(from: &Desired, origin: &Origin, to: &Desired) -> Vec<Change> {
    let (mut observed, recorded) = kinds::simulated(from, origin);
    kinds::simulate_host(to, &mut observed);
    let plan = kinds::plan(Inputs {
        desired: to,
        observed: &observed,
        recorded: &recorded,
        only: &[],
        left_alone: None,
        checkouts: &[],
        allow_empty: true,
        gates: Gates::None,
        ran: None,
        now: Timestamp::now(),
    });
    plan.changes
}

/// Containers whose image is another one, by their names.
fn other_images(before: Vec<RanImage>, after: Vec<RanImage>) -> Vec<OtherImage> {
    let mut found = Vec::new();
    // A generation of an earlier version has none on record.
    if before.is_empty() || after.is_empty() {
        return found;
    }
    for one in &after {
        let older = before.iter().find(|other| other.container == one.container);
        if older.is_none_or(|older| older.id != one.id) {
            found.push(OtherImage {
                before: older.cloned(),
                after: Some(one.clone()),
            });
        }
    }
    for one in before {
        if !after.iter().any(|other| other.container == one.container) {
            found.push(OtherImage {
                before: Some(one),
                after: None,
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_that_are_others_new_or_gone() {
        let ran = |container: &str, id: &str| RanImage {
            container: container.to_owned(),
            id: id.to_owned(),
            ..RanImage::default()
        };
        let before = vec![ran("a", "1"), ran("b", "1"), ran("c", "1")];
        let after = vec![ran("a", "1"), ran("b", "2"), ran("d", "1")];
        let found = other_images(before.clone(), after);
        let names: Vec<(Option<String>, Option<String>)> = found
            .into_iter()
            .map(|one| {
                (
                    one.before.map(|ran| ran.id),
                    one.after.map(|ran| ran.container),
                )
            })
            .collect();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            names,
            [(some("1"), some("b")), (None, some("d")), (some("1"), None)]
        );
        assert!(other_images(before, Vec::new()).is_empty());
    }
}
