//! `--only`: which resources it names, and which ones those bring along.

use crate::model::{Desired, Kind, ResourceId, Selector, absent_id};
use crate::reconcile::{ReconcileError, named};

/// A name that nothing has is a mistake: "in sync" would be taken for the answer.
pub(in crate::reconcile) fn check(
    only: &[Selector],
    new: &Desired,
    applied: Option<&Desired>,
) -> Result<(), ReconcileError> {
    let known: Vec<ResourceId> = [Some(new), applied]
        .into_iter()
        .flatten()
        .flat_map(ids)
        .collect();
    let is_unit = |selector: &Selector| {
        let mut all = [Some(new), applied].into_iter().flatten();
        all.any(|desired| !units(selector, desired).is_empty())
    };
    // Which containers a member stands for, only the engine knows.
    let named = |selector: &&Selector| selector.name().is_some() && selector.kind() != Kind::Member;
    for selector in only.iter().filter(named) {
        if known.iter().any(|id| selector.selects(id)) || is_unit(selector) {
            continue;
        }
        let asked = selector.to_string();
        let nearest = known
            .iter()
            .map(ResourceId::to_string)
            .map(|known| (strsim::jaro_winkler(&known, &asked), known))
            .max_by(|(a, _), (b, _)| a.total_cmp(b))
            .filter(|(likeness, _)| *likeness > 0.8)
            .map(|(_, known)| known);
        return Err(ReconcileError::NoSuchResource { asked, nearest });
    }
    Ok(())
}

/// Everything that can be named, what is to be absent included.
fn ids(desired: &Desired) -> Vec<ResourceId> {
    let absent = desired.absent.iter().map(|path| absent_id(path));
    desired.ids().into_iter().chain(absent).collect()
}

/// The units that a selector names in another way than by their full names.
fn units<'a>(selector: &Selector, desired: &'a Desired) -> Vec<&'a str> {
    let name = selector.name().filter(|_| selector.kind() == Kind::Unit);
    name.map(|name| named::units(desired, name))
        .unwrap_or_default()
}

/// With the units that are named by their stack, or by what they run.
pub(in crate::reconcile) fn with_names(
    only: &[Selector],
    new: &Desired,
    applied: Option<&Desired>,
) -> Vec<Selector> {
    let mut all = only.to_vec();
    for desired in [Some(new), applied].into_iter().flatten() {
        let named = only.iter().flat_map(|selector| units(selector, desired));
        all.extend(named.map(|name| Selector::exactly(ResourceId::new(Kind::Unit, name))));
    }
    all
}

/// The same with what those bring along: a unit the files that it names, its secrets, and the Quadlet that it is made of; a
/// Quadlet its unit, and a secret the units that use it.
pub(in crate::reconcile) fn expand(
    only: &[Selector],
    new: &Desired,
    applied: Option<&Desired>,
) -> Vec<Selector> {
    let only = &with_names(only, new, applied)[..];
    let mut expanded = only.to_vec();
    for desired in [Some(new), applied].into_iter().flatten() {
        for (name, unit) in &desired.units {
            let own = ResourceId::new(Kind::Unit, name);
            let made_of = unit.quadlet.as_ref();
            if let Some(quadlet) = made_of.map(|name| ResourceId::new(Kind::Quadlet, name))
                && (Selector::any(only, &own) || Selector::any(only, &quadlet))
                && !only.is_empty()
            {
                expanded.extend([own.clone(), quadlet].map(Selector::exactly));
            }
            let secrets = unit.secrets.iter();
            for secret in secrets.map(|name| ResourceId::new(Kind::Secret, name)) {
                if !only.is_empty() && (Selector::any(only, &own) || Selector::any(only, &secret)) {
                    expanded.extend([own.clone(), secret].map(Selector::exactly));
                }
            }
            if !only.is_empty() && Selector::any(only, &ResourceId::new(Kind::Unit, name)) {
                let paths = unit.names.iter().chain(&unit.mounts);
                let files = paths.filter_map(|path| desired.files.get(path));
                expanded.extend(files.map(|file| {
                    Selector::exactly(ResourceId::new(Kind::File, file.source.to_string_lossy()))
                }));
            }
        }
    }
    expanded
}
