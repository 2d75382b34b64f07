//! Which health gates a plan touches. Where it is not clear what is behind a gate, it counts as
//! touched: one that is asked too often costs nothing.

use std::collections::BTreeSet;
use std::path::Path;

use super::Gates;
use super::draft::Draft;
use crate::effect::{Change, Effect, Note};
use crate::model::{Backend, Gate, Kind, Probe, ResourceId, Stack, Unit, layout};

/// The gates that the changes so far touch and those that are new, all of them when asked for; with notes on those that
/// are left out because what they ask about is paused.
pub(crate) fn plan(draft: &Draft<'_>) -> (Vec<Gate>, Vec<Note>) {
    let touch = Touch::of(draft);
    let (mut gates, mut notes) = (Vec::new(), Vec::new());
    for gate in &draft.desired.gates {
        let asked = match draft.inputs.gates {
            Gates::None => false,
            Gates::Touched => is_new(draft, gate) || touch.reaches(draft, gate),
            Gates::All => true,
        };
        if !asked {
            continue;
        }
        match paused(draft, gate) {
            None => gates.push(gate.clone()),
            Some(unit) => notes.push(Note {
                id: ResourceId::new(Kind::Unit, unit),
                drift: None,
                text: format!("is paused: the gate {} is skipped", gate.probe),
            }),
        }
    }
    (gates, notes)
}

/// Whether nothing that was applied has held it yet: a gate that never passes is reported before it fails another change.
fn is_new(draft: &Draft<'_>, gate: &Gate) -> bool {
    let applied = draft.recorded.desired();
    applied.is_some_and(|desired| desired.gates.iter().all(|known| known.probe != gate.probe))
}

/// What the changes of a plan do to what serves.
#[derive(Default)]
struct Touch {
    /// Units that start, restart or reload, those taken along included.
    units: BTreeSet<String>,
    /// Containers that are attached to a network.
    containers: BTreeSet<String>,
    nginx: Nginx,
}

#[derive(Default)]
enum Nginx {
    /// Nothing.
    #[default]
    Left,
    /// It loads these sites anew, and nothing else.
    Sites(BTreeSet<String>),
    /// It starts, or loads everything anew.
    Whole,
}

impl Touch {
    fn of(draft: &Draft<'_>) -> Self {
        let (mut touch, mut sites) = (Self::default(), BTreeSet::new());
        let (mut reloads, mut whole) = (false, false);
        for change in draft.changes() {
            match &change.effect {
                Effect::Start(step) | Effect::Restart(step) | Effect::ReloadUnit(step) => {
                    touch.units.insert(step.unit.clone());
                    touch.units.extend(change.interrupts.iter().cloned());
                }
                Effect::Connect(connect) => {
                    touch.containers.insert(connect.container.clone());
                    let holders = connect.holders.iter();
                    let holders = holders.map(|holder| holder.container.clone());
                    touch.containers.extend(holders);
                }
                Effect::ReloadNginx => reloads = true,
                Effect::StartNginx | Effect::RestartNginx => whole = true,
                _ if is_included(change) => whole = true,
                _ if change.id.kind == Kind::Site => {
                    sites.insert(change.id.name.clone());
                }
                _ => {}
            }
        }
        // A reload that no site asked for: nginx had not loaded what is there.
        whole |= reloads && sites.is_empty();
        whole |= touch.units.contains(layout::NGINX_UNIT);
        touch.nginx = match (whole, reloads) {
            (true, _) => Nginx::Whole,
            (false, true) => Nginx::Sites(sites),
            (false, false) => Nginx::Left,
        };
        touch
    }

    fn reaches(&self, draft: &Draft<'_>, gate: &Gate) -> bool {
        let units = units_of(draft, gate);
        match &gate.probe {
            Probe::Unit(name) => {
                let nginx = name == layout::NGINX_UNIT && !matches!(self.nginx, Nginx::Left);
                nginx || self.units.contains(name)
            }
            Probe::Container(name) => {
                self.containers.contains(name) || self.reaches_any(draft, &units)
            }
            Probe::Url { .. } | Probe::Copy { .. } | Probe::Tcp(_) => {
                let answered_here = gate.behind.ports.as_ref().is_some_and(BTreeSet::is_empty);
                self.reaches_nginx(&gate.behind)
                    || (!answered_here && self.reaches_any(draft, &units))
            }
        }
    }

    fn reaches_nginx(&self, behind: &Backend) -> bool {
        let maybe_nginx = !behind.sites.is_empty() || behind.ports.is_none();
        match &self.nginx {
            Nginx::Left => false,
            Nginx::Whole => maybe_nginx,
            Nginx::Sites(changed) => behind.ports.is_none() || !behind.sites.is_disjoint(changed),
        }
    }

    /// Whether one of `units` is touched; anything counts where none of them is known.
    fn reaches_any(&self, draft: &Draft<'_>, units: &[(&str, &Unit)]) -> bool {
        if units.is_empty() {
            return !self.units.is_empty() || !self.containers.is_empty();
        }
        units.iter().any(|(name, unit)| {
            self.units.contains(*name)
                || self.containers.iter().any(|container| {
                    unit.stacks
                        .iter()
                        .any(|stack| runs(draft, stack, container))
                })
        })
    }
}

/// Whether a change is one of a file below etc/ that nginx reads.
fn is_included(change: &Change) -> bool {
    change.id.kind == Kind::Etc && Path::new(&change.id.name).starts_with("nginx")
}

/// Units of the desired state that run what a gate asks about; none where it is not known.
fn units_of<'a>(draft: &Draft<'a>, gate: &Gate) -> Vec<(&'a str, &'a Unit)> {
    let units = draft
        .desired
        .units
        .iter()
        .filter(|(name, unit)| match &gate.probe {
            Probe::Unit(wanted) => *name == wanted,
            Probe::Container(container) => {
                unit.container_names().contains(container.as_str())
                    || (unit.stacks.iter()).any(|stack| runs(draft, stack, container))
            }
            Probe::Url { .. } | Probe::Copy { .. } | Probe::Tcp(_) => {
                let ports = gate.behind.ports.iter().flatten();
                let mut ports = ports.filter(|port| unit.publishes(**port));
                ports.next().is_some()
            }
        });
    units.map(|(name, unit)| (name.as_str(), unit)).collect()
}

/// Whether a container is one of a compose project: by its fixed name, by what the engine says,
/// or by the name that compose gives it (`project_service_1`, `project-service-1`).
fn runs(draft: &Draft<'_>, stack: &Stack, container: &str) -> bool {
    if stack.containers.contains(container) {
        return true;
    }
    let known = (draft.observed.containers()).find(|known| known.name == container);
    if let Some(known) = known.filter(|known| known.compose.is_some()) {
        return stack.owns(known);
    }
    stack.services.iter().any(|service| {
        ["_", "-"].iter().any(|joint| {
            let number =
                container.strip_prefix(&format!("{}{joint}{service}{joint}", stack.project));
            number.is_some_and(|number| number.parse::<u32>().is_ok())
        })
    })
}

/// The paused unit because of which a gate cannot hold: all that could answer are paused.
fn paused(draft: &Draft<'_>, gate: &Gate) -> Option<String> {
    if let Probe::Unit(name) = &gate.probe {
        return draft.paused(name).then(|| name.clone());
    }
    let units = units_of(draft, gate);
    let all = units.iter().all(|(name, _)| draft.paused(name));
    let (first, _) = units.first()?;
    all.then(|| (*first).to_owned())
}
