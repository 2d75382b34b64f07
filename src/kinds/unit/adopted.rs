//! Containers of stacks that ran before somebody adopted them. What is laid over the compose files would have compose make
//! them anew; they stay until what they mount of the checkout changes.

use std::collections::BTreeSet;

use super::{anew, replacement};
use crate::model::{Container, Stack, Unit};
use crate::plan::draft::Draft;

/// The services whose containers stay as they are when compose is called, but for those of `anew`.
pub(super) fn leaves(
    draft: &Draft<'_>,
    name: &str,
    unit: &Unit,
    anew: &BTreeSet<String>,
) -> BTreeSet<String> {
    let before = replacement::before(draft, name);
    let changed = |stack: &Stack, service: &str| {
        let old = before
            .as_ref()
            .and_then(|unit| unit.project(&stack.project));
        old.is_some_and(|old| anew::mounts_other(old, stack, service))
    };
    let mut leaves = BTreeSet::new();
    for stack in unit.stacks.iter().filter(|_| unit.stack.is_some()) {
        let services = stack.mounted.keys().filter(|service| {
            !anew.contains(*service)
                && !changed(stack, service)
                && is_adopted(draft, stack, service)
        });
        leaves.extend(services.cloned());
    }
    leaves
}

/// Whether a service that mounts something of the checkout has such containers.
pub(super) fn any(draft: &Draft<'_>, stack: &Stack) -> bool {
    let mut services = stack.mounted.keys();
    services.any(|service| is_adopted(draft, stack, service))
}

/// Whether a service has containers, and all of them were made without what is laid over the compose files.
fn is_adopted(draft: &Draft<'_>, stack: &Stack, service: &str) -> bool {
    let docker = draft.observed.docker.iter();
    let containers = docker.flat_map(|docker| &docker.containers);
    let is_of = |container: &&Container| {
        let labels = container.compose.as_ref();
        stack.owns(container) && labels.is_some_and(|(_, known)| known == service)
    };
    let mut own = containers.filter(is_of).peekable();
    own.peek().is_some() && own.all(|container| !container.is_laid_over)
}
