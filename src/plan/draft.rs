//! A plan in the making.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::path::{Path, PathBuf};

use super::Inputs;
use crate::effect::{Change, Diff, Effect, Note, Plan, Refusal, UnitStep};
use crate::model::{Desired, DriftKind, File, Inventory, Kind, ResourceId, Selector};

/// When a change comes, in the order of an apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Packages, without which nothing of what follows may work.
    Packages,
    /// Images, without which what follows would be an outage.
    Images,
    /// Backups of what is interrupted: nothing has changed yet.
    Backups,
    /// Old units whose place a new one takes, and which cannot run beside it.
    MakeRoom,
    /// Networks and volumes, which containers need to start.
    Networks,
    /// Certificates, which nginx needs to load a site.
    Certificates,
    /// Secrets, which units need to start.
    Secrets,
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
    /// Packages of ours that nothing wants any more.
    Uninstall,
}

/// Changes, refusals and notes so far, and what they are made of.
pub(crate) struct Draft<'a> {
    pub(crate) inputs: Inputs<'a>,
    /// Every file of the desired store.
    pub(crate) tree: BTreeMap<PathBuf, File>,
    /// Every file of the store as it was applied.
    pub(crate) applied: BTreeMap<PathBuf, File>,
    /// Paths outside the store that are wanted, whether they change or not.
    pub(crate) wanted: BTreeMap<PathBuf, ResourceId>,
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
    pub(crate) fn new(inputs: Inputs<'a>) -> Self {
        Self {
            inputs,
            tree: inputs.desired.tree(),
            applied: (inputs.recorded.desired())
                .map(Desired::tree)
                .unwrap_or_default(),
            wanted: BTreeMap::new(),
            changes: Vec::new(),
            refusals: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a change, unless `--only` leaves its resource out.
    pub(crate) fn change(&mut self, stage: Stage, change: Change) {
        if self.selects(&change.id) {
            self.changes.push((stage, change));
        }
    }

    /// Adds a change that other changes ask for: `--only` has decided about those already.
    pub(crate) fn derived(&mut self, stage: Stage, change: Change) {
        self.changes.push((stage, change));
    }

    /// Units that stop in a stage, in order.
    pub(crate) fn stopping(&self, stage: Stage) -> Vec<String> {
        let stop = |(of, change): &(Stage, Change)| match &change.effect {
            Effect::Stop(step) if *of == stage => Some(step.unit.clone()),
            _ => None,
        };
        self.changes.iter().filter_map(stop).collect()
    }

    /// The changes so far, in the order in which they came up.
    pub(crate) fn changes(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().map(|(_, change)| change)
    }

    /// Whether `--only` leaves any resource of `kind` in.
    pub(crate) fn selects_kind(&self, kind: Kind) -> bool {
        Selector::any_of_kind(self.only, kind)
    }

    /// Whether links or files of units, or those that units are made of, go at the end.
    pub(crate) fn retires_units(&self) -> bool {
        self.changes
            .iter()
            .any(|(stage, change)| match change.id.kind {
                Kind::Unit | Kind::Firewall => *stage == Stage::Retire,
                Kind::Quadlet => *stage == Stage::Forget,
                _ => false,
            })
    }

    pub(crate) fn refuse(&mut self, id: ResourceId, why: impl Into<String>, help: Vec<String>) {
        self.refuse_loss(id, why, help, None);
    }

    /// [`Draft::refuse`] with what would be lost.
    pub(crate) fn refuse_loss(
        &mut self,
        id: ResourceId,
        why: impl Into<String>,
        help: Vec<String>,
        diff: Option<Diff>,
    ) {
        if self.selects(&id) {
            self.refusals.push(Refusal {
                id,
                why: why.into(),
                help,
                diff,
            });
        }
    }

    pub(crate) fn note(
        &mut self,
        id: ResourceId,
        drift: Option<DriftKind>,
        text: impl Into<String>,
    ) {
        if self.selects(&id) {
            let text = text.into();
            self.notes.push(Note { id, drift, text });
        }
    }

    /// Whether a change so far touches a path for which `touches` holds.
    pub(crate) fn any_path(&self, touches: impl Fn(&Path, bool) -> bool) -> bool {
        let mut files = self.changes().flat_map(|change| change.effect.files());
        files.any(|file| match file.stored {
            Some(stored) => touches(stored, true),
            None => touches(&file.path, false),
        })
    }

    /// Whether a change so far does what `is` looks for.
    pub(crate) fn any_action(&self, is: impl Fn(&Effect) -> bool) -> bool {
        self.changes().any(|change| is(&change.effect))
    }

    /// The same among the changes of a stage.
    pub(crate) fn any_action_in(&self, stage: Stage, is: impl Fn(&Effect) -> bool) -> bool {
        let mut changes = self.changes.iter();
        changes.any(|(of, change)| *of == stage && is(&change.effect))
    }

    /// Units that a change so far starts or restarts, those taken along included, and stacks that it reloads.
    pub(crate) fn starting(&self) -> BTreeSet<String> {
        let mut units = BTreeSet::new();
        for (_, change) in &self.changes {
            if let Some(step) = change.effect.starts() {
                units.insert(step.unit.clone());
                units.extend(change.interrupts.iter().cloned());
            }
        }
        units
    }

    /// Packages of ours once this is done: those from before, as long as they are wanted or there, and those that it brings.
    fn packages(&self) -> BTreeSet<String> {
        let state = self.observed.packages.as_ref();
        let mut packages = self.recorded.inventory.packages.clone();
        packages.retain(|name| {
            self.desired.packages.contains_key(name)
                || state.is_none_or(|state| state.there.contains_key(name))
        });
        for change in self.changes() {
            match &change.effect {
                // One of which another version comes was there before.
                Effect::InstallPackages(install) => {
                    let new = install.new.keys();
                    let new = new.filter(|name| install.wanted.contains_key(*name));
                    packages.extend(new.cloned());
                }
                Effect::RemovePackages(gone) => packages.retain(|name| !gone.contains_key(name)),
                _ => {}
            }
        }
        packages
    }

    /// Whether it brings packages: what a host has not got may come with them.
    pub(crate) fn brings_packages(&self) -> bool {
        self.any_action(Effect::brings_packages)
    }

    pub(crate) fn finish(mut self) -> Plan {
        let (gates, notes) = super::gates::plan(&self);
        self.notes.extend(notes);
        self.changes.sort_by_key(|(stage, _)| *stage);
        let desired = self.inputs.desired;
        let packages = self.packages();
        for (_, change) in &mut self.changes {
            await_others(desired, change);
        }
        let left_alone = self.inputs.left_alone;
        let skips = |id: &ResourceId| left_alone.is_some_and(|ids| ids.contains(id));
        let changes = self.changes.into_iter().map(|(stage, change)| Change {
            after_gates: stage >= Stage::Soak,
            ..change
        });
        let mut changes: Vec<Change> = changes.filter(|change| !skips(&change.id)).collect();
        super::switch::insert(&mut changes);
        self.refusals.retain(|refusal| !skips(&refusal.id));
        Plan {
            changes,
            gates,
            refusals: self.refusals,
            notes: self.notes,
            inventory: Inventory {
                packages,
                ..inventory(desired, self.wanted)
            },
        }
    }
}

/// What is managed once `desired` is applied, with the paths outside the store that it wants.
fn inventory(desired: &Desired, paths: BTreeMap<PathBuf, ResourceId>) -> Inventory {
    let units = desired.units.iter().filter(|(_, unit)| unit.is_ours());
    Inventory {
        paths,
        units: units.map(|(name, _)| name.clone()).collect(),
        networks: desired.networks.keys().cloned().collect(),
        volumes: desired.volumes.keys().cloned().collect(),
        secrets: desired.secrets.keys().cloned().collect(),
        packages: BTreeSet::new(),
        generation: None,
    }
}

/// What a restart takes along has to be up again before the next step, images and health checks included.
fn await_others(desired: &Desired, change: &mut Change) {
    let Effect::Restart(step) = &mut change.effect else {
        return;
    };
    let ours = change.interrupts.iter();
    let ours = ours.filter_map(|name| Some((name, desired.units.get(name)?)));
    let ours = ours.filter(|(_, unit)| unit.is_ours());
    step.along = ours.map(|(name, unit)| UnitStep::of(name, unit)).collect();
}

/// A change without a diff that interrupts nobody.
pub(crate) fn change(id: ResourceId, effect: Effect, why: impl Into<String>) -> Change {
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

/// Before and after as text; nothing where one is binary.
pub(crate) fn diff(
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
