//! A plan in the making.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::path::{Path, PathBuf};

use super::Inputs;
use crate::effect::{Change, Diff, Effect, Note, Plan, Refusal};
use crate::model::{Desired, DriftKind, File, Kind, ResourceId, Selector};

/// When a change comes, in the order of an apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Images, without which what follows would be an outage.
    Images,
    /// Old units whose place a new one takes, and which cannot run beside it.
    MakeRoom,
    /// Networks and volumes, which containers need to start.
    Networks,
    /// Certificates, which nginx needs to load a site.
    Certificates,
    /// The store and the links.
    Switch,
    /// systemd reads units again.
    Manager,
    /// What a changed file under /etc asks for.
    Etc,
    /// Units start, restart, reload.
    Units,
    /// Containers are attached.
    Members,
    /// nginx serves the new sites.
    Nginx,
    /// The gates hold, and go on holding.
    Soak,
    /// Last requests to what leaves end.
    Drain,
    /// What left the desired state stops and goes.
    Retire,
    /// systemd forgets it.
    Forget,
}

pub(super) struct Draft<'a> {
    pub inputs: Inputs<'a>,
    /// Every file of the desired store.
    pub tree: BTreeMap<PathBuf, File>,
    /// Every file of the store as it was applied.
    pub applied: BTreeMap<PathBuf, File>,
    /// Paths outside the store that are wanted, whether they change or not.
    pub wanted: BTreeMap<PathBuf, ResourceId>,
    changes: Vec<(Stage, Change)>,
    refusals: Vec<Refusal>,
    notes: Vec<Note>,
}

impl<'a> Deref for Draft<'a> {
    type Target = Inputs<'a>;

    fn deref(&self) -> &Self::Target {
        &self.inputs
    }
}

impl<'a> Draft<'a> {
    pub fn new(inputs: Inputs<'a>) -> Self {
        Self {
            inputs,
            tree: inputs.desired.tree(),
            applied: inputs
                .recorded
                .applied
                .as_ref()
                .map(|(_, desired)| desired.tree())
                .unwrap_or_default(),
            wanted: BTreeMap::new(),
            changes: Vec::new(),
            refusals: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a change, unless `--only` leaves its resource out.
    pub fn change(&mut self, stage: Stage, change: Change) {
        if self.selects(&change.id) {
            self.changes.push((stage, change));
        }
    }

    /// Adds a change that other changes ask for: `--only` has decided about those already.
    pub fn derived(&mut self, stage: Stage, change: Change) {
        self.changes.push((stage, change));
    }

    /// Units that stop at the end, in order.
    pub fn retiring(&self) -> Vec<String> {
        let stopped = self
            .changes
            .iter()
            .filter(|(stage, _)| *stage == Stage::Retire);
        stopped
            .filter_map(|(_, change)| match &change.effect {
                Effect::Stop(step) => Some(step.unit.clone()),
                _ => None,
            })
            .collect()
    }

    /// The changes so far, in the order in which they came up.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().map(|(_, change)| change)
    }

    /// Whether `--only` leaves any resource of `kind` in.
    pub fn selects_kind(&self, kind: Kind) -> bool {
        Selector::any_of_kind(self.only, kind)
    }

    /// Whether links or files of units go at the end.
    pub fn retires_units(&self) -> bool {
        self.changes
            .iter()
            .any(|(stage, change)| *stage == Stage::Retire && change.id.kind == Kind::Unit)
    }

    pub fn refuse(&mut self, id: ResourceId, why: impl Into<String>, help: Vec<String>) {
        if self.selects(&id) {
            let why = why.into();
            self.refusals.push(Refusal {
                id,
                why,
                help,
                diff: None,
            });
        }
    }

    /// [`Draft::refuse`] with what would be lost.
    pub fn refuse_loss(
        &mut self,
        id: ResourceId,
        why: impl Into<String>,
        help: Vec<String>,
        diff: Option<Diff>,
    ) {
        let known = self.refusals.len();
        self.refuse(id, why, help);
        if let Some(refusal) = self.refusals.get_mut(known) {
            refusal.diff = diff;
        }
    }

    pub fn note(&mut self, id: ResourceId, drift: Option<DriftKind>, text: impl Into<String>) {
        if self.selects(&id) {
            let text = text.into();
            self.notes.push(Note { id, drift, text });
        }
    }

    /// Whether a change so far touches a path for which `touches` holds.
    pub fn any_path(&self, touches: impl Fn(&Path, bool) -> bool) -> bool {
        let mut files = self.changes().flat_map(|change| change.effect.files());
        files.any(|file| match file.stored {
            Some(stored) => touches(stored, true),
            None => touches(&file.path, false),
        })
    }

    /// Whether a change so far does what `is` looks for.
    pub fn any_action(&self, is: impl Fn(&Effect) -> bool) -> bool {
        self.changes.iter().any(|(_, change)| is(&change.effect))
    }

    /// Units that stop before anything starts.
    pub fn stops_first(&self) -> Vec<String> {
        let early = self
            .changes
            .iter()
            .filter(|(stage, _)| *stage == Stage::MakeRoom);
        let stops = early.filter_map(|(_, change)| match &change.effect {
            Effect::Stop(step) => Some(step.unit.clone()),
            _ => None,
        });
        stops.collect()
    }

    /// Units that a change so far starts or restarts, those taken along included.
    pub fn starting(&self) -> BTreeSet<String> {
        let mut units = BTreeSet::new();
        for (_, change) in &self.changes {
            if let Effect::Start(step) | Effect::Restart(step) = &change.effect {
                units.insert(step.unit.clone());
                units.extend(change.interrupts.iter().cloned());
            }
        }
        units
    }

    pub fn finish(mut self) -> Plan {
        let (gates, notes) = super::gates::plan(&self);
        self.notes.extend(notes);
        self.changes.sort_by_key(|(stage, _)| *stage);
        let desired = self.inputs.desired;
        for (_, change) in &mut self.changes {
            await_others(desired, change);
        }
        Plan {
            changes: self.changes.into_iter().map(in_place).collect(),
            gates,
            refusals: self.refusals,
            notes: self.notes,
        }
    }
}

/// What a restart takes along has to be up again before the next step, images and health checks included.
fn await_others(desired: &Desired, change: &mut Change) {
    let Effect::Restart(step) = &mut change.effect else {
        return;
    };
    let ours = change.interrupts.iter();
    let ours = ours.filter_map(|name| Some((name, desired.units.get(name)?)));
    let ours = ours.filter(|(_, unit)| super::units::is_ours(unit));
    step.along = ours
        .map(|(name, unit)| super::activity::step(name, unit))
        .collect();
}

/// The change with what its place in the order means for it.
fn in_place((stage, change): (Stage, Change)) -> Change {
    Change {
        after_gates: stage >= Stage::Soak,
        ..change
    }
}

/// A change without a diff that interrupts nobody.
pub(super) fn change(id: ResourceId, effect: Effect, why: impl Into<String>) -> Change {
    Change {
        id,
        effect,
        why: why.into(),
        diff: None,
        interrupts: BTreeSet::new(),
        drift: DriftKind::Drifted,
        after_gates: false,
    }
}

/// The resource to which a path of the store belongs.
pub(super) fn store_id(path: &Path) -> ResourceId {
    use crate::model::layout::store;
    let mut parts = path.components();
    let folder = parts.next().and_then(|part| part.as_os_str().to_str());
    let rest = parts.as_path();
    match folder {
        Some(store::SITES) => ResourceId::new(Kind::Site, rest.to_string_lossy()),
        Some(store::UNITS) => {
            let first = rest
                .components()
                .next()
                .map_or("", |part| part.as_os_str().to_str().unwrap_or_default());
            let unit = match rest.components().count() {
                1 => first,
                _ => first.strip_suffix(".d").unwrap_or(first),
            };
            ResourceId::new(Kind::Unit, unit)
        }
        Some(store::ETC) => ResourceId::new(Kind::Etc, rest.to_string_lossy()),
        _ => ResourceId::new(Kind::File, rest.to_string_lossy()),
    }
}

/// Before and after as text; nothing where one is binary.
pub(super) fn diff(
    old_path: &Path,
    old: Option<&[u8]>,
    new_path: &Path,
    new: Option<&[u8]>,
) -> Option<Diff> {
    // Comments in an older encoding must not hide what else changed.
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let is_binary = |bytes: &[u8]| bytes.contains(&0);
    if old.is_some_and(is_binary) || new.is_some_and(is_binary) {
        return None;
    }
    let (old, new) = (old.map(text), new.map(text));
    (old != new).then(|| Diff {
        old_path: old_path.to_owned(),
        new_path: new_path.to_owned(),
        old,
        new,
    })
}
