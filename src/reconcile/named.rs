//! Units by the names that people have for them: with and without `.service`, those of stacks, compose projects, containers
//! and Quadlets.

use super::ReconcileError;
use crate::model::{Desired, Stack, Unit};

/// The full name of the unit that is meant by a name.
///
/// # Errors
/// When none is, or several are.
pub(super) fn unit(desired: &Desired, name: &str) -> Result<String, ReconcileError> {
    let found = units(desired, name);
    match found.as_slice() {
        [unit] => Ok((*unit).to_owned()),
        [] => Err(ReconcileError::NoSuchUnit {
            name: name.to_owned(),
            nearest: nearest(desired, name),
        }),
        _ => Err(ReconcileError::SeveralUnits {
            name: name.to_owned(),
            units: found.into_iter().map(str::to_owned).collect(),
        }),
    }
}

/// The full names of the units that may be meant by a name: the one that has it, else those of the stack that has it, else
/// those that run something of that name.
pub(super) fn units<'a>(desired: &'a Desired, name: &str) -> Vec<&'a str> {
    let with_suffix = format!("{name}.service");
    let own = [name, &with_suffix].map(|name| desired.units.get_key_value(name));
    if let Some((unit, _)) = own.into_iter().flatten().next() {
        return vec![unit];
    }
    let that = |is: fn(&Unit, &str) -> bool| -> Vec<&str> {
        let units = desired.units.iter().filter(|(_, unit)| is(unit, name));
        units.map(|(unit, _)| unit.as_str()).collect()
    };
    let of_stack = that(|unit, name| unit.stack.as_deref() == Some(name));
    if of_stack.is_empty() {
        that(runs)
    } else {
        of_stack
    }
}

/// Whether a unit runs something of that name.
fn runs(unit: &Unit, name: &str) -> bool {
    let quadlet = unit.quadlet.as_deref();
    let stem = quadlet.and_then(|file| Some(file.rsplit_once('.')?.0));
    quadlet == Some(name)
        || stem == Some(name)
        || unit.container_names().contains(name)
        || unit
            .stacks
            .iter()
            .any(|stack| stack.project == name || has_container(stack, name))
}

/// Whether compose would call a container of a project so: `PROJECT-SERVICE-1`, with `_` in version 1.
fn has_container(stack: &Stack, name: &str) -> bool {
    let rest = name.strip_prefix(&stack.project);
    let Some((rest, number)) = rest.and_then(|rest| rest.rsplit_once(['-', '_'])) else {
        return false;
    };
    let service = rest.strip_prefix(['-', '_']);
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number && service.is_some_and(|service| stack.services.contains(service))
}

/// The name of a unit or a stack that is most like another one.
fn nearest(desired: &Desired, name: &str) -> Option<String> {
    // The suffix, which all units have, is no likeness.
    let stem = |unit: &str| unit.strip_suffix(".service").unwrap_or(unit).to_owned();
    let likeness =
        |known: &String| strsim::normalized_damerau_levenshtein(&stem(known), &stem(name));
    let units = desired.units.values();
    let stacks = units.filter_map(|unit| unit.stack.as_ref());
    let known = desired.units.keys().chain(stacks);
    known
        .map(|known| (likeness(known), known))
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .filter(|(likeness, _)| *likeness > 0.5)
        .map(|(_, known)| known.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desired() -> Desired {
        let stack = |project: &str, service: &str| Stack {
            project: project.to_owned(),
            services: [service.to_owned()].into(),
            ..Stack::default()
        };
        let fixed = Stack {
            containers: ["web".to_owned()].into(),
            ..stack("team", "app")
        };
        let units = [
            (
                "stack-wiki.service",
                Unit {
                    stack: Some("wiki".to_owned()),
                    stacks: vec![stack("docs", "app")],
                    ..Unit::default()
                },
            ),
            (
                "blog.service",
                Unit {
                    stacks: vec![fixed],
                    ..Unit::default()
                },
            ),
            (
                "other.service",
                Unit {
                    stacks: vec![stack("team", "db")],
                    ..Unit::default()
                },
            ),
            (
                "cache.service",
                Unit {
                    quadlet: Some("redis.container".to_owned()),
                    ..Unit::default()
                },
            ),
        ];
        Desired {
            units: units.map(|(name, unit)| (name.to_owned(), unit)).into(),
            ..Desired::default()
        }
    }

    #[test]
    fn a_unit_is_found_by_each_of_its_names() {
        let desired = desired();
        for (name, expected) in [
            ("stack-wiki.service", "stack-wiki.service"),
            ("stack-wiki", "stack-wiki.service"),
            ("wiki", "stack-wiki.service"),
            ("docs", "stack-wiki.service"),
            ("docs-app-1", "stack-wiki.service"),
            ("docs_app_12", "stack-wiki.service"),
            ("blog", "blog.service"),
            ("web", "blog.service"),
            ("team-db-1", "other.service"),
            ("redis", "cache.service"),
            ("redis.container", "cache.service"),
        ] {
            assert_eq!(unit(&desired, name).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn what_names_none_or_several_is_refused() {
        let desired = desired();
        for (name, expected) in [
            ("team", "team may be blog.service or other.service"),
            ("docs-db-1", "no unit docs-db-1 in what was applied"),
        ] {
            assert_eq!(unit(&desired, name).unwrap_err().to_string(), expected);
        }
    }
}
