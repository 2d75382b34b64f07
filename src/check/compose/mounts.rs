//! What is mounted into a container: folders and volumes by name.

use std::collections::BTreeSet;

use serde_yaml::Value;
use source_text::word_list;

use super::COMPOSE_2;
use super::view::{View, say};
use crate::check::rules::compose::rule::{compose_invalid_value, compose_volume_undeclared};
use crate::model::{Finding, Program, Severity};
use crate::source::ParsedStack;
use crate::source::compose::Service;
use crate::source::error::nearest;

/// What becomes of what docker-compose 1 or the engine refuses, where compose 2 takes it for something else.
pub(crate) const BY_1: &str = "docker-compose 1 refuses it, compose 2 takes it for something else";

/// How severe that is.
pub(crate) fn by_1(view: &View) -> Severity {
    let lack = view
        .subject
        .revision
        .target()
        .lack(Program::Compose, COMPOSE_2);
    match lack.is_some_and(|lack| lack.is_certain()) {
        true => Severity::Error,
        false => Severity::Warning,
    }
}

/// Words behind the second colon, <https://docs.docker.com/reference/compose-file/services/#short-syntax-5>.
const MODES: [&str; 15] = word_list(
    "ro rw z Z nocopy cached delegated consistent shared rshared slave rslave private rprivate \
    default",
);

/// Looks at all mounts of all services.
pub(crate) fn walk(view: &View) -> Vec<Finding> {
    let mut findings = Vec::new();
    for stack in view.stacks.iter().filter(|stack| stack.whole) {
        for (name, service) in &stack.compose.services {
            findings.extend(volumes(view, stack, name, service));
        }
    }
    findings
}

/// The parts of `[SOURCE:]TARGET[:MODE]`.
struct Mount<'t> {
    source: Option<&'t str>,
    target: &'t str,
    mode: Option<&'t str>,
}

impl<'t> Mount<'t> {
    fn read(short: &'t str) -> Option<Self> {
        let parts: Vec<&str> = short.split(':').collect();
        // A variable may hold colons, and one without a value leaves nothing.
        if short.contains(['$', '\\']) || parts.iter().any(|part| part.is_empty()) {
            return None;
        }
        let (source, target, mode) = match parts.as_slice() {
            [target] => (None, *target, None),
            [source, target] => (Some(*source), *target, None),
            [source, target, mode] => (Some(*source), *target, Some(*mode)),
            _ => return None,
        };
        Some(Self {
            source,
            target,
            mode,
        })
    }
}

fn volumes(view: &View, stack: &ParsedStack, name: &str, service: &Service) -> Vec<Finding> {
    let list = service.rest.get("volumes").and_then(Value::as_sequence);
    let mut targets = BTreeSet::new();
    let mut findings = Vec::new();
    for item in list.into_iter().flatten() {
        let mount = item.as_str().and_then(Mount::read);
        let source = match (item.as_str(), &mount) {
            (Some(short), None) => short.split_once(':').map(|(source, _)| source),
            (Some(_), Some(mount)) => mount.source,
            (None, _) if item.get("type").and_then(Value::as_str) == Some("volume") => {
                item.get("source").and_then(Value::as_str)
            }
            (None, _) => None,
        };
        let found = source
            .and_then(|volume| undeclared(view, (stack, name), item, volume))
            .or_else(|| wrong(view, (stack, name), item, mount.as_ref()?, &mut targets));
        findings.extend(found);
    }
    findings
}

/// A volume by name that no file of the project declares, and a path that is taken for one.
fn undeclared(
    view: &View,
    (stack, name): (&ParsedStack, &str),
    item: &Value,
    volume: &str,
) -> Option<Finding> {
    // Paths begin with one of these.
    if volume.is_empty()
        || volume.starts_with(['/', '.', '~', '$'])
        || volume.contains('\\')
        || stack.compose.volumes.contains_key(volume)
    {
        return None;
    }
    let known = stack.compose.volumes.keys().map(String::as_str);
    let (message, help) = match (volume.contains('/'), nearest(volume, known)) {
        (true, _) => (
            format!(
                "{volume} is neither the name of a volume nor a path: relative paths begin with ./"
            ),
            format!("write ./{volume}"),
        ),
        (false, near) => (
            format!("service {name} has the volume {volume}, which its file does not declare"),
            match near {
                Some(near) => format!("did you mean {near}?"),
                None => format!(
                    "add volumes: {volume}: at the end of the file, or write ./{volume} for a folder"
                ),
            },
        ),
    };
    let place = view.at_item(stack, name, "volumes", item);
    let place = say(place, message, "compose refuses the file", help);
    Some(compose_volume_undeclared::RULE.at(place))
}

/// A mount that the engine refuses.
fn wrong<'t>(
    view: &View,
    (stack, name): (&ParsedStack, &str),
    item: &Value,
    mount: &Mount<'t>,
    targets: &mut BTreeSet<&'t str>,
) -> Option<Finding> {
    let target = mount.target;
    let unknown = mount
        .mode
        .and_then(|mode| mode.split(',').find(|word| !MODES.contains(word)));
    let (is_by_1, message, help) = if !target.starts_with('/') {
        let message = format!("{target} is not an absolute path in the container");
        (false, message, format!("write /{target}"))
    } else if let Some(word) = unknown {
        let message = format!("{word} is not a mount mode");
        (true, message, "write ro, or nothing".to_owned())
    } else if !targets.insert(target.trim_end_matches('/')) {
        let message = format!("{target} of service {name} has two mounts");
        (true, message, "remove one of the two".to_owned())
    } else {
        return None;
    };
    let place = view.at_item(stack, name, "volumes", item);
    let expected = match is_by_1 {
        true => BY_1.to_owned(),
        false => format!("Docker does not start {name} with it"),
    };
    let found = compose_invalid_value::RULE.at(say(place, message, expected, help));
    Some(found.weighing_where(is_by_1, by_1(view)))
}
