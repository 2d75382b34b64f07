//! Several `-f` files laid over each other, and a service laid over the one that it extends:
//! <https://docs.docker.com/reference/compose-file/merge/>

use serde_yaml::{Mapping, Value};
use source_text::word_list;

use super::types::text;

/// Lists whose items are distinguished by all that they say.
const UNIQUE: [&str; 9] = word_list(
    "ports expose links external_links cap_add cap_drop volumes_from profiles security_opt",
);
/// Lists that may be written as one string.
const LISTS: [&str; 4] = ["env_file", "dns", "dns_search", "tmpfs"];
/// Maps that may be written as a list of `KEY=VALUE` or of names.
const MAPS: [&str; 7] =
    word_list("environment labels sysctls extra_hosts networks depends_on annotations");
/// Lists of `SOURCE:TARGET`, distinguished by their target.
const TARGETS: [&str; 2] = ["volumes", "devices"];
/// Maps in which maps are merged and anything else, lists included, is replaced.
const DEEP: [&str; 4] = ["healthcheck", "deploy", "build", "blkio_config"];

/// Lays one file over another.
pub fn overlay(base: &mut Value, over: Value) {
    if base.is_null() {
        *base = over;
        return;
    }
    let (Value::Mapping(known), Value::Mapping(over)) = (base, over) else {
        return;
    };
    for (key, value) in over {
        match known.get_mut(&key) {
            Some(known) if key.as_str() == Some("services") => services(known, value),
            Some(known) => deep(known, value),
            None => {
                known.insert(key, value);
            }
        }
    }
}

fn services(base: &mut Value, over: Value) {
    match (&mut *base, over) {
        (Value::Mapping(base), Value::Mapping(over)) => {
            for (name, value) in over {
                match base.get_mut(&name) {
                    Some(known) => service(known, value),
                    None => {
                        base.insert(name, value);
                    }
                }
            }
        }
        (base, over) => deep(base, over),
    }
}

/// Lays one service over another.
pub fn service(base: &mut Value, over: Value) {
    let Value::Mapping(over) = over else { return };
    if base.is_null() {
        *base = Value::Mapping(Mapping::new());
    }
    let Value::Mapping(known) = base else {
        return;
    };
    for (key, value) in over {
        match known.get_mut(&key) {
            Some(known) => field(key.as_str().unwrap_or_default(), known, value),
            None => {
                known.insert(key, value);
            }
        }
    }
}

fn field(name: &str, base: &mut Value, over: Value) {
    if over.is_null() {
        return;
    }
    if UNIQUE.contains(&name) || LISTS.contains(&name) || TARGETS.contains(&name) {
        let mut items = list(std::mem::take(base));
        for item in list(over) {
            let same = |known: &Value| match name {
                "volumes" | "devices" => target(known) == target(&item),
                _ => *known == item,
            };
            match items.iter_mut().find(|known| same(known)) {
                Some(known) => *known = item,
                None => items.push(item),
            }
        }
        *base = Value::Sequence(items);
    } else if MAPS.contains(&name) {
        let mut map = mapping(std::mem::take(base));
        for (key, value) in mapping(over) {
            match map.get_mut(&key) {
                Some(known) if name == "networks" => deep(known, value),
                _ => {
                    map.insert(key, value);
                }
            }
        }
        *base = Value::Mapping(map);
    } else if name == "logging" {
        logging(base, over);
    } else if DEEP.contains(&name) {
        deep(base, over);
    } else {
        *base = over;
    }
}

/// Options are those of a driver: another driver does not get them.
fn logging(base: &mut Value, over: Value) {
    let driver = |value: &Value| value.get("driver").and_then(text);
    match driver(&over) {
        Some(other) if driver(base).is_some_and(|driver| driver != other) => *base = over,
        _ => deep(base, over),
    }
}

/// Maps are merged, anything else is replaced.
fn deep(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Mapping(base), Value::Mapping(over)) => {
            for (key, value) in over {
                match base.get_mut(&key) {
                    Some(known) => deep(known, value),
                    None => {
                        base.insert(key, value);
                    }
                }
            }
        }
        (_, Value::Null) => {}
        (base, over) => *base = over,
    }
}

fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Sequence(list) => list,
        Value::Null => Vec::new(),
        other => vec![other],
    }
}

/// A map, also from a list of `KEY=VALUE` (`NAME:VALUE` for hosts) or of names.
fn mapping(value: Value) -> Mapping {
    let items = match value {
        Value::Mapping(map) => return map,
        other => list(other),
    };
    let texts = items.iter().filter_map(text);
    let pairs = texts.map(|item| match item.split_once('=') {
        Some((key, value)) => (key.into(), value.into()),
        None => (item.into(), Value::Null),
    });
    pairs.collect()
}

/// The path in the container of a volume or device in either form.
fn target(value: &Value) -> Option<String> {
    if let Some(target) = value.get("target") {
        return text(target);
    }
    let text = text(value)?;
    let parts: Vec<&str> = text.split(':').collect();
    let path = match parts.as_slice() {
        [path] => path,
        [_, path, ..] => path,
        [] => return None,
    };
    Some(path.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(base: &str, over: &str) -> Value {
        let read = |text: &str| -> Value { serde_yaml::from_str(text).unwrap() };
        let mut whole = read(&format!("services: {{a: {base}}}"));
        overlay(&mut whole, read(&format!("services: {{a: {over}}}")));
        whole["services"]["a"].clone()
    }

    #[test]
    fn services_merge_as_compose_does_it() {
        for (base, over, expected) in [
            (
                "{environment: [A=1, B]}",
                "{environment: {A: 2}}",
                "{environment: {A: 2, B: null}}",
            ),
            (
                "{ports: ['80:80']}",
                "{ports: ['80:80', '81:81']}",
                "{ports: ['80:80', '81:81']}",
            ),
            ("{command: [a, b]}", "{command: [c]}", "{command: [c]}"),
            ("{env_file: a}", "{env_file: [b]}", "{env_file: [a, b]}"),
            (
                "{networks: [n]}",
                "{networks: {m: {aliases: [x]}}}",
                "{networks: {n: null, m: {aliases: [x]}}}",
            ),
            (
                "{volumes: ['a:/x', 'b:/y']}",
                "{volumes: ['c:/x:ro']}",
                "{volumes: ['c:/x:ro', 'b:/y']}",
            ),
            (
                "{logging: {driver: json-file, options: {max-size: 1m}}}",
                "{logging: {options: {max-file: '2'}}}",
                "{logging: {driver: json-file, options: {max-size: 1m, max-file: '2'}}}",
            ),
            (
                "{logging: {driver: json-file, options: {max-size: 1m}}}",
                "{logging: {driver: journald}}",
                "{logging: {driver: journald}}",
            ),
            (
                "{healthcheck: {test: [a], retries: 2}}",
                "{healthcheck: {test: [b]}}",
                "{healthcheck: {test: [b], retries: 2}}",
            ),
            ("{image: a}", "", "{image: a}"),
            ("", "{image: a}", "{image: a}"),
        ] {
            let expected: Value = serde_yaml::from_str(expected).unwrap();
            assert_eq!(merged(base, over), expected, "{base} {over}");
        }
    }
}
