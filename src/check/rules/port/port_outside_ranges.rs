//! Published ports outside the ranges that watchme.toml allows.

use crate::check::compose::ports::{Entry, entries, shown};
use crate::check::compose::view::{View, say};
use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};
use crate::model::Finding;

/// The rule.
pub static RULE: Rule = rule!(port_outside_ranges, Warning, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.projects();
    findings.extend(
        entries(view)
            .iter()
            .filter_map(|entry| outside(view, entry)),
    );
}

fn outside(view: &View, entry: &Entry) -> Option<Finding> {
    let allowed = &view.subject.revision.parsed.policy.ports;
    let host = entry.port.host.as_ref()?;
    let is_in = |(from, to): &(u16, u16)| from <= host.start() && host.end() <= to;
    if allowed.is_empty() || allowed.iter().any(is_in) {
        return None;
    }
    let ranges: Vec<String> = allowed
        .iter()
        .map(|(from, to)| shown(&(*from..=*to)))
        .collect();
    let message = format!(
        "port {} of {} is outside the ranges that watchme.toml allows",
        shown(host),
        entry.service
    );
    let help = format!(
        "publish a port of {}, or add this one to [ports] allowed",
        ranges.join(", ")
    );
    let place = say(entry.place(view), message, "", help);
    Some(RULE.at(place))
}
