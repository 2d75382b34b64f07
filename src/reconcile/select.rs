//! `--only`: what is applied becomes what was applied with the selected resources changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::ReconcileError;
use crate::model::{Desired, File, Kind, ResourceId, Selector};

/// `new` where `only` selects, `applied` elsewhere.
pub(super) fn merge(new: Desired, applied: Option<&Desired>, only: &[Selector]) -> Desired {
    if only.is_empty() {
        return new;
    }
    let applied = applied.cloned().unwrap_or_default();
    let selects = |kind: Kind, name: &str| Selector::any(only, &ResourceId::new(kind, name));
    macro_rules! merged {
        ($field:ident, $selected:expr) => {{
            let selected = $selected;
            let kept = applied
                .$field
                .into_iter()
                .filter(|(name, _)| !selected(name));
            let taken = new.$field.into_iter().filter(|(name, _)| selected(name));
            kept.chain(taken).collect()
        }};
    }
    let network = |name: &String| {
        selects(Kind::Network, name) || only.iter().any(|selector| selector.reaches_member_of(name))
    };
    let absent = absent(&applied.absent, &new.absent, only);
    Desired {
        sites: merged!(sites, |name: &String| selects(Kind::Site, name)),
        units: merged!(units, |name: &String| selects(Kind::Unit, name)),
        etc: merged!(etc, |path: &PathBuf| selects(
            Kind::Etc,
            &path.to_string_lossy()
        )),
        files: files(applied.files, new.files, &selects),
        networks: merged!(networks, network),
        volumes: merged!(volumes, |name: &String| selects(Kind::Volume, name)),
        absent,
        bootstrap_certificates: match Selector::any_of_kind(only, Kind::Site) {
            true => new.bootstrap_certificates,
            false => applied.bootstrap_certificates,
        },
        drain_timeout: applied.drain_timeout,
        soak: applied.soak,
        gates: applied.gates,
        budget: applied.budget,
    }
}

/// Paths that are to be absent, as the resources that would stand there.
fn absent(
    applied: &BTreeSet<PathBuf>,
    new: &BTreeSet<PathBuf>,
    only: &[Selector],
) -> BTreeSet<PathBuf> {
    let selected = |path: &&PathBuf| Selector::any(only, &crate::plan::absent_id(path));
    let kept = applied.iter().filter(|path| !selected(path));
    kept.chain(new.iter().filter(selected)).cloned().collect()
}

/// Files are keyed by where they lie on the host, and named by their path in the checkout.
fn files(
    applied: BTreeMap<PathBuf, File>,
    new: BTreeMap<PathBuf, File>,
    selects: &impl Fn(Kind, &str) -> bool,
) -> BTreeMap<PathBuf, File> {
    let selected = |file: &File| selects(Kind::File, &file.source.to_string_lossy());
    let kept = applied.into_iter().filter(|(_, file)| !selected(file));
    let taken = new.into_iter().filter(|(_, file)| selected(file));
    kept.chain(taken).collect()
}

/// A name that nothing has is a mistake: "in sync" would be taken for the answer.
pub(super) fn check(
    only: &[Selector],
    new: &Desired,
    applied: Option<&Desired>,
) -> Result<(), ReconcileError> {
    let known: Vec<ResourceId> = [Some(new), applied]
        .into_iter()
        .flatten()
        .flat_map(ids)
        .collect();
    // Which containers a member stands for, only the engine knows.
    let named = |selector: &&Selector| selector.name().is_some() && selector.kind() != Kind::Member;
    for selector in only.iter().filter(named) {
        if known.iter().any(|id| selector.selects(id)) {
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
    let mut ids = desired.ids();
    ids.extend(
        desired
            .absent
            .iter()
            .map(|path| crate::plan::absent_id(path)),
    );
    ids
}

/// A unit brings the files along that it names.
pub(super) fn expand(only: &[Selector], new: &Desired, applied: Option<&Desired>) -> Vec<Selector> {
    let mut expanded = only.to_vec();
    for desired in [Some(new), applied].into_iter().flatten() {
        for (name, unit) in &desired.units {
            if !only.is_empty() && Selector::any(only, &ResourceId::new(Kind::Unit, name)) {
                let files = unit.names.iter().filter_map(|path| desired.files.get(path));
                expanded.extend(files.map(|file| {
                    Selector::exactly(ResourceId::new(Kind::File, file.source.to_string_lossy()))
                }));
            }
        }
    }
    expanded
}
