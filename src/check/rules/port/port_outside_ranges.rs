//! Published ports outside the ranges that watchme.toml allows.

use crate::check::compose::ports::{entries, shown};
use crate::check::rules::port::prelude::*;
use crate::source::policy::PortRange;

pub(crate) static RULE: Rule = rule!(port_outside_ranges, Warning, run).grouped(
    "ports are outside the ranges that watchme.toml allows",
    None,
);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.projects();
    findings.extend(entries(view).iter().filter_map(|entry| {
        let allowed = &view.subject.revision.parsed.policy.ports.allowed;
        let host = entry.port.host.as_ref()?;
        let is_in = |range: &PortRange| range.start() <= host.start() && host.end() <= range.end();
        if allowed.is_empty() || allowed.iter().any(is_in) {
            return None;
        }
        let ranges: Vec<String> = allowed.iter().map(|range| shown(range)).collect();
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
    }));
}
