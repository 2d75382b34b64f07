//! Services that wait for themselves.

use std::collections::BTreeSet;

use crate::check::rules::compose::prelude::*;

pub(crate) static RULE: Rule = rule!(compose_dependency_cycle, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.projects();
    let whole = view.stacks.iter().filter(|stack| stack.whole);
    findings.extend(whole.filter_map(|stack| cycle(view, stack)));
}

/// A service that waits for itself.
fn cycle(view: &View, stack: &ParsedStack) -> Option<Finding> {
    let next = |name: &str| {
        let service = stack.compose.services.get(name);
        service.map(Service::named_services).unwrap_or_default()
    };
    let mut done: BTreeSet<String> = BTreeSet::new();
    for start in stack.compose.services.keys() {
        // The way to a service, each with those that it still has to be followed to.
        let mut way = vec![(start.clone(), next(start))];
        while let Some((name, left)) = way.last_mut() {
            let name = name.clone();
            let Some((key, other)) = left.pop() else {
                done.insert(name);
                way.pop();
                continue;
            };
            if done.contains(&other) {
                continue;
            }
            if way.iter().any(|(before, _)| *before == other) {
                let place = say(
                    view.at(stack, &name, &[key, &other]),
                    format!("service {name} waits for {other}, which waits for {name}"),
                    "compose refuses the file",
                    "remove one of the two dependencies",
                );
                return Some(RULE.at(place));
            }
            let following = next(&other);
            way.push((other, following));
        }
    }
    None
}
