//! What starts before a stack.

use std::collections::{BTreeMap, BTreeSet};

use super::Found;
use crate::model::StackCopy;
use crate::source::error::Result;
use crate::source::load::{Loader, STACKS};
use crate::source::policy::StackPolicy;
use crate::source::tree::Node;
use crate::source::unit::Name;

impl Loader<'_, '_> {
    /// The units that start before a stack: owners of its networks, and those that watchme.toml lists.
    pub(super) fn before_stack(
        &self,
        stack: &Found,
        makers: &BTreeMap<String, Vec<String>>,
    ) -> Result<BTreeSet<String>> {
        let mut before = BTreeSet::new();
        for (key, network) in &stack.parsed.compose.networks {
            let external = network
                .as_ref()
                .and_then(|network| network.external_name(key));
            let Some(external) = external else {
                continue;
            };
            let policy = self.policy().networks.get(external.as_str());
            let owner = policy.and_then(|policy| policy.owner.as_ref());
            before.extend(owner.map(|owner| owner.as_str().to_owned()));
            before.extend(makers.get(&external).cloned().unwrap_or_default());
        }
        for other in &stack.policy.after {
            if other.as_str() == stack.name {
                let message = format!("the stack {} cannot start after itself", stack.name);
                let wrong = (self.policy().file).complain(other.span(), message, "", None);
                return Err(wrong.into());
            }
            let as_unit = Name::parse(other.as_str());
            let is_stack = self
                .inputs
                .node(&self.input(STACKS)?.join(other.as_str()))?;
            match (is_stack, as_unit) {
                (Some((_, Node::Folder)), _) => before.extend(self.units_of(other.as_str())),
                (_, Ok(unit)) => before.extend([unit.to_string()]),
                (_, Err(_)) => {
                    let message = format!("{:?} is neither a stack nor a unit", other.as_str());
                    let expected =
                        "expected a folder of compose/, or a unit such as \"vpn.service\"";
                    let wrong =
                        (self.policy().file).complain(other.span(), message, expected, None);
                    return Err(wrong.into());
                }
            };
        }
        for own in stack.units() {
            before.remove(&own);
        }
        Ok(before)
    }

    /// The units that a stack may have: of one that updates start-first, those of both copies.
    fn units_of(&self, stack: &str) -> Vec<String> {
        let policy = self.policy().stacks.get(stack);
        match policy.and_then(StackPolicy::copies) {
            Some(_) => StackCopy::units(stack).into(),
            None => vec![format!("stack-{stack}.service")],
        }
    }
}

/// The units that make each network which others use as an external one.
pub(super) fn makers(stacks: &[Found]) -> BTreeMap<String, Vec<String>> {
    let mut makers = BTreeMap::new();
    for stack in stacks {
        for (key, network) in &stack.parsed.compose.networks {
            let own = network
                .as_ref()
                .filter(|network| network.external_name(key).is_none());
            if let Some(name) = own.and_then(|network| network.name.clone()) {
                makers.entry(name).or_insert_with(|| stack.units());
            }
        }
    }
    makers
}
