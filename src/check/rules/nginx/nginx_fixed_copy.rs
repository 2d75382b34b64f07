//! Upstreams that are one copy of a stack that updates start-first.

use std::collections::{BTreeMap, HashSet};

use crate::check::nginx::target::{behind, group_of};
use crate::check::rules::nginx::prelude::*;
use crate::source::load::stack_units::UPSTREAMS;
use crate::source::nginx::Directive;

pub(crate) static RULE: Rule = rule!(nginx_fixed_copy, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    let stacks = &context.revision().parsed.policy.stacks;
    let copies: BTreeMap<u16, &str> = stacks
        .iter()
        .filter_map(|(name, policy)| Some((name.as_str(), policy.copies()?)))
        .flat_map(|(name, ports)| ports.map(|port| (port, name)))
        .collect();
    if copies.is_empty() {
        return;
    }
    // A group may be used many times.
    let mut seen: HashSet<*const Directive> = HashSet::new();
    for block in context.blocks() {
        for &(_, pass) in &block.passes {
            let group = group_of(context.groups(), pass);
            for (target, node) in behind(context.groups(), pass) {
                let stack = target.port.and_then(|port| copies.get(&port));
                let Some(stack) = stack.filter(|_| target.is_loopback()) else {
                    continue;
                };
                if node.path.ends_with(UPSTREAMS)
                    || !seen.insert(std::ptr::from_ref(node.directive))
                {
                    continue;
                }
                let Some(word) = node.args().first() else {
                    continue;
                };
                let message = format!(
                    "{} is one of the two copies of the stack {stack}: after an update the other one serves",
                    target.authority
                );
                let fixed = pass.first().replacen(target.authority, stack, 1);
                let help = match group {
                    None => format!("write {} {fixed};", pass.name()),
                    Some(_) => format!(
                        "remove this group, and write {} http://{stack};",
                        pass.name()
                    ),
                };
                let label = "the upstream of the stack is the copy that serves";
                let place = view.complain(node.path, word.span.clone(), message, label, help);
                findings.push(RULE.at(place));
            }
        }
    }
}
