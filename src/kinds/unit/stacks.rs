//! Containers of compose projects that a unit runs and that do not work. The unit is active, and restarting it is a person's
//! decision; a stack is reloaded by `drift --fix`, with which compose starts what is missing.

use std::collections::{BTreeMap, BTreeSet};

use super::activity::only_fixes;
use super::{adopted, anew, replicas};
use crate::effect::{Change, Effect, UnitStep};
use crate::kinds::member::plan::{Trouble, not_running, trouble};
use crate::model::{
    Container, DriftKind, Kind, MemberName, ResourceId, Stack, Unit, UnitState, list,
};
use crate::plan::draft::{Draft, Stage, change};

pub(super) fn plan(draft: &mut Draft<'_>) {
    let (Some(systemd), Some(_)) = (&draft.observed.systemd, &draft.observed.docker) else {
        return;
    };
    let starting = draft.starting();
    for (name, unit) in &draft.desired.units {
        let active = systemd.units.get(name).is_some_and(UnitState::is_active)
            || goes_on_alone(draft, name, unit);
        // One that is not to run tells so itself; a oneshot that is done leaves its containers running.
        if starting.contains(name) || draft.paused(name) || !(active || unit.start) {
            continue;
        }
        match to_be_made(draft, name, unit, active) {
            Some(why) => reload(draft, name, unit, why),
            None => note_containers(draft, name, unit, active),
        }
    }
}

/// What a stack that runs lacks and compose would start, where the host is returned to what was applied.
fn to_be_made(draft: &Draft<'_>, name: &str, unit: &Unit, active: bool) -> Option<String> {
    let docker = draft.observed.docker.as_ref()?;
    let can_reload =
        (draft.observed.unit_state(name)).is_some_and(|state| state.can_reload || unit.alone);
    if unit.stack.is_none() || !active || !can_reload || !only_fixes(draft) {
        return None;
    }
    let own = docker.containers.iter().filter(|one| unit.owns(one));
    let own: Vec<&Container> = own.collect();
    let stopped = own.iter().find(|one| match one.state.as_str() {
        "exited" => one.exit_code != 0 || is_lasting(unit, one),
        state => matches!(state, "created" | "dead"),
    });
    let has = |service: &str| own.iter().any(|one| one.service() == Some(service));
    let mut services = unit.stacks.iter().flat_map(|stack| &stack.services);
    let extra = replicas::extra(unit, &own).into_iter().next();
    match (services.find(|service| !has(service)), stopped) {
        (None, None) if extra.is_some() => extra,
        (Some(service), _) => Some(format!("its service {service} no longer has a container")),
        (None, Some(stopped)) => Some(format!(
            "its container {} does not run: {}",
            stopped.name,
            not_running(stopped)?
        )),
        (None, None) => None,
    }
}

/// Whether the restart policy of a container starts it again whenever it ends: then somebody has stopped it.
fn is_lasting(unit: &Unit, container: &Container) -> bool {
    let mut stacks = unit.stacks.iter().filter(|stack| stack.owns(container));
    let service = container.service();
    service.is_some_and(|service| stacks.any(|stack| stack.lasting.contains(service)))
}

/// One that fails again is reported, and undoes nothing else.
fn reload(draft: &mut Draft<'_>, name: &str, unit: &Unit, why: String) {
    let step = UnitStep {
        may_fail: true,
        leaves: adopted::leaves(draft, name, unit, &BTreeSet::new()),
        ..UnitStep::of(name, unit)
    };
    let id = ResourceId::new(Kind::Unit, name);
    let reload = Change {
        drift: DriftKind::Degraded,
        ..change(id, Effect::ReloadUnit(step), why)
    };
    draft.change(Stage::Units, reload);
}

fn note_containers(draft: &mut Draft<'_>, name: &str, unit: &Unit, active: bool) {
    let own = (draft.observed.containers()).filter(|container| unit.owns(container));
    let own: Vec<&Container> = own.collect();
    let id = ResourceId::new(Kind::Unit, name);
    let mut texts = Vec::new();
    for container in own.iter().filter(|container| !is_member(draft, container)) {
        let name = &container.name;
        let finished = container.state == "exited" && container.exit_code == 0;
        let finished = finished && !is_lasting(unit, container);
        texts.extend(
            match trouble(draft.observed.engine(), container, draft.now) {
                _ if finished => None,
                Some(Trouble::Down(why)) => {
                    Some(format!("its container {name} does not run: {why}"))
                }
                Some(Trouble::Ill(why)) => Some(format!("its container {name} {why}")),
                None => None,
            },
        );
    }
    for text in replicas::extra(unit, &own) {
        let text = format!("{text}: `watchme-apply drift --fix` removes the others");
        draft.note(id.clone(), Some(DriftKind::Drifted), text);
    }
    if active {
        texts.extend(missing(draft, name, unit, &own));
    }
    for text in texts {
        draft.note(id.clone(), Some(DriftKind::Degraded), text);
    }
}

/// Services that a unit brought up and of which no container is left, not even one that ended. A member's absence is reported
/// with its network.
fn missing(draft: &Draft<'_>, name: &str, unit: &Unit, own: &[&Container]) -> Vec<String> {
    // Of files outside the checkout, the services are those that the files on the host have.
    let is_outside = |outside: &&Stack| {
        let mut stacks = unit.stacks.iter();
        stacks.any(|stack| stack.services.is_empty() && stack.project == outside.project)
    };
    let outside = draft.observed.outside.get(name).into_iter().flatten();
    let stacks = unit.stacks.iter().chain(outside.filter(is_outside));
    let services = stacks.flat_map(|stack| {
        let services = stack.services.iter();
        services.map(move |service| (stack.project.as_str(), service.as_str(), stack))
    });
    let is_told = |project: &str, service: &str, stack: &Stack| {
        members(draft).any(|member| match member {
            MemberName::Container(name) => stack.containers.contains(name),
            MemberName::Service {
                project: p,
                service: s,
            } => p == project && s == service,
        })
    };
    let is_there = |project, service| own.iter().any(|one| one.is_of(project, service));
    let gone = services.filter(|(project, service, stack)| {
        !is_there(project, service) && !is_told(project, service, stack)
    });
    let gone: BTreeSet<&str> = gone.map(|(_, service, _)| service).collect();
    let help = match unit.stack.is_some() {
        true => ": `watchme-apply drift --fix` recreates it".to_owned(),
        false => String::new(),
    };
    gone.into_iter()
        .map(|service| format!("its service {service} no longer has a container{help}"))
        .collect()
}

/// Members are reported with their network.
fn is_member(draft: &Draft<'_>, container: &Container) -> bool {
    members(draft).any(|member| member.is_of(container))
}

fn members<'d>(draft: &Draft<'d>) -> impl Iterator<Item = &'d MemberName> {
    let networks = draft.desired.networks.values();
    let members = networks.flat_map(|network| &network.members);
    members.map(|member| &member.name)
}

/// compose makes no volume or config anew that is there.
pub(super) fn note_what_stays(draft: &mut Draft<'_>, id: &ResourceId, name: &str, unit: &Unit) {
    if !anew::shares_other(draft, name, unit) {
        return;
    }
    let project = unit.stacks.first().map_or("", |stack| &stack.project);
    let text = format!(
        "its volumes, configs or secrets changed, and compose leaves those that are there as they are. No volume is removed here, since its data would go: save that, `docker compose --project-name {project} down`, `docker volume rm NAME`, and `watchme-apply drift --fix` recreates them"
    );
    draft.note(id.clone(), None, text);
}

/// Whether the containers of a unit run without it, once it has brought them up: after a reboot it is inactive.
pub(super) fn goes_on_alone(draft: &Draft<'_>, name: &str, unit: &Unit) -> bool {
    unit.alone && draft.recorded.loaded.units.contains_key(name)
}

/// Why a unit starts that nobody here has started before. Containers of a stack may run all the same.
pub(super) fn new(
    draft: &Draft<'_>,
    name: &str,
    unit: &Unit,
    recreated: &BTreeMap<String, String>,
) -> String {
    let is_known = draft.observed.adoptions.contains_key(name);
    let own = draft.observed.containers();
    let own = own.filter(|one| unit.stack.is_some() && unit.owns(one) && one.is_running());
    let services: BTreeSet<&str> = own.clone().filter_map(Container::service).collect();
    let stay = services.into_iter();
    let stay: Vec<&str> = stay
        .filter(|service| !recreated.contains_key(*service))
        .collect();
    match own.count() {
        0 => "new".to_owned(),
        1 if !recreated.is_empty() => {
            "new; its container runs, and compose recreates it".to_owned()
        }
        count if is_known && !recreated.is_empty() && !stay.is_empty() => format!(
            "new; its {count} containers run: compose recreates those of {}, and keeps those of {}",
            list(recreated.keys()),
            list(&stay)
        ),
        count if is_known && !recreated.is_empty() => {
            format!("new; its {count} containers run, and compose recreates all of them")
        }
        count if !recreated.is_empty() => format!(
            "new; its {count} containers run, and compose recreates those whose configuration changed"
        ),
        1 if is_known => {
            "new; its container runs, and stays: its configuration is the same".to_owned()
        }
        count if is_known => {
            format!("new; its {count} containers run, and stay: their configuration is the same")
        }
        1 => "new; its container runs, and compose keeps it if its configuration is the same"
            .to_owned(),
        count => format!(
            "new; its {count} containers run, and compose keeps those whose configuration is the same"
        ),
    }
}
