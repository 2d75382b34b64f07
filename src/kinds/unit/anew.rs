//! What compose makes anew when a stack is reloaded, as far as its files in git say it. compose itself decides; the plan says
//! before what it interrupts.

use std::collections::{BTreeMap, BTreeSet};

use super::{adopted, replacement};
use crate::model::{Stack, Unit};
use crate::plan::draft::Draft;
use crate::plan::loaded::{self, OnHost};

/// The services whose containers are made anew; `None` where that is not known: what runs was started with something that is
/// not on record, or a file outside git counts.
pub(super) fn services(draft: &Draft<'_>, name: &str, unit: &Unit) -> Option<BTreeSet<String>> {
    // On the way back to a generation, names of images lead to others.
    if unit.stack.is_none() || draft.ran.is_some() {
        return None;
    }
    let state = draft.observed.unit_state(name)?;
    let of = OnHost { name, unit, state };
    if loaded::may_differ_outside_git(&draft.inputs, of) || orders_lists_anew(draft, unit) {
        return None;
    }
    let before = replacement::before(draft, name)?;
    let mut anew = BTreeSet::new();
    for stack in &unit.stacks {
        let old = before.project(&stack.project)?;
        anew.extend(changed(old, stack)?);
    }
    Some(anew)
}

/// Whether docker-compose 1 reads a second file of a stack for the first time: then it puts the lists of all services in another
/// order (`merge_path_mappings` of its config.py), and recreates those for which that is another configuration.
fn orders_lists_anew(draft: &Draft<'_>, unit: &Unit) -> bool {
    is_by_compose_1(unit) && unit.stacks.iter().any(|stack| adopted::any(draft, stack))
}

/// Whether docker-compose 1 runs a stack.
pub(super) fn is_by_compose_1(unit: &Unit) -> bool {
    unit.file.iter().any(|file| {
        let mut lines = file.content.split(|byte| *byte == b'\n');
        lines.any(|line| line.starts_with(b"ExecStart=docker-compose "))
    })
}

/// Whether what services share beside networks changed, of which compose leaves as it is what is there: volumes, configs.
pub(super) fn shares_other(draft: &Draft<'_>, name: &str, unit: &Unit) -> bool {
    let before = replacement::before(draft, name);
    let mut old = before.iter().flat_map(|unit| &unit.stacks);
    let shared = |stack: &Stack| stack.kept.clone();
    old.any(|old| {
        let new = unit.project(&old.project);
        shared(old).is_some() && new.is_some_and(|new| shared(new) != shared(old))
    })
}

/// Whether the content of what a service mounts changed; not where an earlier version has not written down what it was.
pub(super) fn mounts_other(old: &Stack, new: &Stack, service: &str) -> bool {
    let pair = old.mounted.get(service).zip(new.mounted.get(service));
    pair.is_some_and(|(old, new)| old != new)
}

/// The services of a project whose containers change, and those that use them.
fn changed(old: &Stack, new: &Stack) -> Option<BTreeSet<String>> {
    if old.definitions.get(Stack::SHARED)? != new.definitions.get(Stack::SHARED)? {
        return None;
    }
    let is_changed = |service: &&String| {
        let context = |stack: &Stack| stack.contexts.get(*service).cloned();
        old.definitions.get(*service) != new.definitions.get(*service)
            || mounts_other(old, new, service)
            || old.built.contains(*service) && context(old) != context(new)
            || new.replicas_of(service) < old.replicas_of(service)
    };
    // What starts for the first time interrupts nothing.
    let goes_on = new.services.intersection(&old.services);
    let changed = goes_on.filter(is_changed).cloned().collect();
    Some(with_users(new, changed, |user| old.services.contains(user)))
}

/// Services of a project with those that use or depend on them and that run.
pub(super) fn with_users(
    stack: &Stack,
    mut changed: BTreeSet<String>,
    runs: impl Fn(&String) -> bool,
) -> BTreeSet<String> {
    let mut users: BTreeMap<&String, Vec<&String>> = BTreeMap::new();
    for (user, used) in stack.uses.iter().filter(|(user, _)| runs(user)) {
        for used in used {
            users.entry(used).or_default().push(user);
        }
    }
    let mut todo: Vec<String> = changed.iter().cloned().collect();
    while let Some(service) = todo.pop() {
        let users = users.get(&service).into_iter().flatten();
        for user in users.filter(|user| stack.services.contains(**user)) {
            if changed.insert((*user).clone()) {
                todo.push((*user).clone());
            }
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Hash;

    /// A project of services with their definitions, each with one that it uses.
    fn stack(shared: &str, services: &[(&str, &str, &str)]) -> Stack {
        let mut stack = Stack::default();
        let hash = |text: &str| Hash::of(text.as_bytes());
        stack
            .definitions
            .insert(Stack::SHARED.to_owned(), hash(shared));
        for (name, definition, uses) in services {
            stack.services.insert((*name).to_owned());
            stack
                .definitions
                .insert((*name).to_owned(), hash(definition));
            stack
                .uses
                .insert((*name).to_owned(), [(*uses).to_owned()].into());
        }
        stack
    }

    #[test]
    fn what_changed_and_what_depends_on_it() {
        let old = stack("", &[("a", "1", "b"), ("b", "1", "c"), ("c", "1", "a")]);
        let names = |new: &Stack| changed(&old, new).map(Vec::from_iter);
        let own =
            |names: &[&str]| Some(Vec::from_iter(names.iter().map(|name| (*name).to_owned())));
        assert_eq!(names(&old), own(&[]));
        // Services that depend on each other end.
        let all = stack("", &[("a", "2", "b"), ("b", "1", "c"), ("c", "1", "a")]);
        assert_eq!(names(&all), own(&["a", "b", "c"]));
        let one = stack("", &[("a", "1", ""), ("b", "2", ""), ("new", "1", "b")]);
        assert_eq!(names(&one), own(&["b"]));
        // What they share, and what an earlier version has not recorded.
        assert_eq!(names(&stack("volumes", &[("a", "1", "")])), None);
        assert_eq!(changed(&Stack::default(), &old), None);
    }

    #[test]
    fn fewer_containers_are_an_interruption_and_more_are_none() {
        let one = stack("", &[("a", "1", "")]);
        let mut two = one.clone();
        two.replicas.insert("a".to_owned(), 2);
        assert_eq!(changed(&one, &two), Some([].into()));
        assert_eq!(changed(&two, &one), Some(["a".to_owned()].into()));
    }

    #[test]
    fn what_it_is_built_from_counts() {
        let mut old = stack("", &[("a", "1", "")]);
        old.built.insert("a".to_owned());
        let mut new = old.clone();
        new.contexts.insert("a".to_owned(), Hash::of(b"tree"));
        assert_eq!(changed(&old, &new), Some(["a".to_owned()].into()));
    }
}
