//! Units that wait for each other, systemd.unit(5).

use std::collections::BTreeSet;

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::check::systemd::index::Mention;
use crate::check::systemd::order::Order;
use crate::model::{Diagnostic, Finding, Severity};

/// The rule.
pub static RULE: Rule = Rule::new(
    "systemd-order-cycle",
    Severity::Error,
    include_str!("systemd_order_cycle.md"),
    run,
);

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    findings.extend(check(context.order()));
}

/// Findings about orders that cannot be: one for each circle, however many ways lead around it.
fn check(order: &Order) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut told: BTreeSet<usize> = BTreeSet::new();
    let knotted = order.knotted();
    for id in &knotted {
        for edge in order.edges(*id) {
            let Some(mention) = &edge.mention else {
                continue;
            };
            if told.contains(id) || !knotted.contains(&edge.to) {
                continue;
            }
            let Some(way) = order.way(edge.to, *id) else {
                continue;
            };
            findings.push(cycle(order, mention, &way));
            told.extend(way);
        }
    }
    findings
}

fn cycle(order: &Order, mention: &Mention, way: &[usize]) -> Finding {
    let name = |id: &usize| order.name(*id);
    let own = way.last().map_or("", name);
    let place = |message: String, expected: &str| {
        mention
            .value
            .complain_about(mention.part.clone(), message, expected)
    };
    let at = |place: Diagnostic, help: String| {
        let help = Some(help);
        RULE.at(Diagnostic { help, ..place })
    };
    if way.len() == 1 {
        let message = format!("{own} starts after itself: systemd drops this");
        return at(place(message, ""), "remove it".to_owned()).weighing(Severity::Warning);
    }
    let steps: Vec<&str> = way.iter().map(name).collect();
    let message = format!(
        "{own} starts after {}: systemd leaves one of them out",
        steps.join(", which starts after ")
    );
    let help = format!(
        "remove {} here, or another step of this circle",
        steps.first().unwrap_or(&own)
    );
    at(place(message, "closes a circle"), help)
}
