//! Units: paused, masked, failed, restarted again and again, stopped.

use super::{Cause, What, last, of_line};
use crate::reconcile::doctor::facts::Facts;
use crate::reconcile::doctor::focus::Focus;
use crate::reconcile::status::UnitStatus;

/// How often systemd may restart a unit that runs before it is a cause.
const OFTEN: u32 = 3;

/// What is wrong with units.
pub(super) fn find(facts: &Facts, focus: &Focus) -> Vec<Cause> {
    let units = facts.units.iter();
    let units = units.filter(|unit| focus.has_unit(&unit.name));
    units.filter_map(|unit| of_unit(facts, unit)).collect()
}

fn of_unit(facts: &Facts, unit: &UnitStatus) -> Option<Cause> {
    let name = unit.name.as_str();
    if let Some(reason) = facts.pauses.get(name).filter(|_| unit.state == "paused") {
        let cause = Cause::new(What::Paused, name, format!("{name} is paused: {reason}"));
        return Some(cause.fixed(format!("watchme-apply resume {name}, when that is over")));
    }
    if unit.state == "masked" {
        let cause = Cause::new(
            What::Masked,
            name,
            format!("{name} is masked: nothing can start it"),
        );
        return Some(cause.fixed(format!(
            "sudo systemctl unmask {name} && sudo systemctl start {name}; sudo watchme-apply drift"
        )));
    }
    let state = facts.states.get(name);
    let lately = state.is_some_and(|state| state.restarted_lately(facts.now));
    let again = unit.state == "keeps failing" || (unit.restarts >= OFTEN && lately);
    if unit.well && !again {
        return None;
    }
    // Its container tells more, and is told by itself.
    if unit.state == "done" || (unit.state == "running" && !again) {
        return None;
    }
    let nothing = Vec::new();
    let lines = facts.journals.get(name).unwrap_or(&nothing);
    if let Some(cause) = of_line(facts, lines, name, Some(name)) {
        return Some(cause);
    }
    let how = unit.meaning.clone().or_else(|| {
        let status = unit.exit_status.filter(|status| *status != 0)?;
        Some(match unit.signalled {
            true => format!("signal {status}"),
            false => format!("exit status {status}"),
        })
    });
    let how = how.map_or_else(String::new, |how| format!(": {how}"));
    let (what, text) = match again {
        true => (
            What::Restarting,
            format!("{name} keeps restarting ({} restarts){how}", unit.restarts),
        ),
        false => (
            What::UnitDown,
            format!("{name} is not up: {}{how}", unit.state),
        ),
    };
    let mut cause = Cause::new(what, name, text);
    if let Some(why) = facts.needs.get(name) {
        cause = cause.shown([format!("it needs {why}")]);
    }
    cause = cause.shown(last(lines));
    let fix = match (unit.state.as_str(), unit.exit_status) {
        ("not known to systemd" | "cannot be loaded", _) => "watchme-apply drift --fix".to_owned(),
        ("stopped", None | Some(0)) => format!("sudo systemctl start {name}"),
        _ => format!(
            "sudo journalctl -u {name} -n 50; correct what it says, then: sudo systemctl restart {name}"
        ),
    };
    Some(cause.fixed(fix))
}
