//! Container names that two services have.

use std::collections::BTreeMap;

use crate::check::rules::compose::prelude::*;

pub(crate) static RULE: Rule = rule!(compose_container_name_twice, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.projects();
    let mut known: BTreeMap<&str, Vec<(&ParsedStack, &str)>> = BTreeMap::new();
    for (stack, service, definition) in view.started() {
        let Some(name) = definition
            .container_name
            .as_deref()
            .filter(|name| !name.is_empty())
        else {
            continue;
        };
        let own = (stack, service);
        let holders = known.entry(name).or_default();
        if let Some((other, holder)) = holders.iter().find(|other| view.run_together(own, **other))
        {
            let place = say(
                view.at(stack, service, &["container_name"]),
                format!(
                    "container name {name} is taken by service {holder} of project {}",
                    other.project
                ),
                "the engine allows each name only once",
                "choose another name, or remove container_name",
            );
            findings.push(RULE.at(place));
        } else {
            holders.push(own);
        }
    }
}
