//! Containers that do not run, start again and again, or are not healthy.

use super::{Cause, What, again, killed, last, logs_of, of_line};
use crate::model::{Container, Health, exit};
use crate::reconcile::doctor::facts::{Facts, Log};
use crate::reconcile::doctor::focus::Focus;

/// How often the engine may restart a container that runs before it is a cause.
const OFTEN: i64 = 3;

/// What is wrong with containers.
pub(super) fn find(facts: &Facts, focus: &Focus) -> Vec<Cause> {
    let containers = facts.containers();
    let containers = containers.filter(|one| focus.has_container(facts, one));
    containers
        .filter_map(|one| of_container(facts, one))
        .collect()
}

fn of_container(facts: &Facts, container: &Container) -> Option<Cause> {
    let name = &container.name;
    let unit = facts.unit_of(container);
    let is_paused = unit.is_some_and(|unit| facts.pauses.contains_key(unit));
    let lines = facts.logs.get(&container.id).map(Log::lines);
    let lines = lines.unwrap_or_default();
    let often = container.restarts >= OFTEN || container.state == "restarting";
    if let Some(cause) = killed::find(facts, container).filter(|_| !is_paused) {
        return Some(cause);
    }
    let engine = facts.engine().command();
    if container.state == "paused" {
        let text = format!("container {name} is frozen ({engine} pause)");
        let cause = Cause::new(What::ContainerDown, name, text);
        return Some(cause.fixed(format!("sudo {engine} unpause {name}")));
    }
    if !container.is_running() {
        // One that ended well may be a job; one whose unit is paused is stopped on purpose.
        let ended_well = container.exit_code == 0 && !is_needed(facts, container);
        if is_paused || ended_well {
            return None;
        }
    }
    let is_down = !container.is_running();
    let is_ill = container.health == Health::Unhealthy;
    if !is_down && !is_ill && !often {
        return None;
    }
    if is_down && let Some(cause) = of_line(facts, lines, name, unit) {
        return Some(cause);
    }
    let code = container.exit_code;
    let meaning = exit::of_container(code, container.oom_killed);
    let meaning = meaning.map_or_else(String::new, |meaning| format!(": {meaning}"));
    let (what, text) = match (often, is_down) {
        (true, _) => (
            What::Restarting,
            format!(
                "container {name} keeps restarting ({} restarts, exit code {code}{meaning})",
                container.restarts
            ),
        ),
        (false, true) => (
            What::ContainerDown,
            format!(
                "container {name} does not run: {}, exit code {code}{meaning}",
                container.state
            ),
        ),
        (false, false) => (
            What::ContainerDown,
            format!("container {name} is running but unhealthy"),
        ),
    };
    let mut cause = Cause::new(what, name, text);
    cause = cause.shown(container.probe.clone().filter(|_| is_ill));
    cause = cause.shown(last(lines));
    let lost = facts.docker.as_ref();
    if is_down && lost.is_some_and(|docker| docker.has_lost_network(container)) {
        cause = cause.shown(["the network on which it was created is gone".to_owned()]);
        return Some(cause.fixed("watchme-apply drift --fix recreates it"));
    }
    Some(
        cause
            .fixed(logs_of(facts, container))
            .fixed(again(facts, container)),
    )
}

/// Whether it is to run all the time: a member of a network, or one that publishes a port that nginx or others use.
fn is_needed(facts: &Facts, container: &Container) -> bool {
    let mut members = facts.networks.iter().flat_map(|network| &network.members);
    let is_member = members.any(|member| member.name == container.name);
    let unit = facts.unit_of(container);
    let unit = unit.and_then(|unit| facts.desired.units.get(unit));
    let is_lasting = unit.is_some_and(|unit| {
        unit.stacks.iter().any(|stack| {
            let service = container.compose.as_ref().map(|(_, service)| service);
            stack.owns(container) && service.is_some_and(|service| stack.lasting.contains(service))
        })
    });
    is_member || is_lasting
}
