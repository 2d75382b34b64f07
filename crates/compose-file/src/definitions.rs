//! What containers are made from: compose makes those of a service anew when it changes.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::{Mapping, Value};
use source_text::word_list;

use crate::Service;

/// Keys of a service of which no container is made. compose leaves them out of its own hash of a service, `ServiceHash` of
/// docker/compose; of `depends_on` only some versions do.
const NOT_OF_CONTAINERS: [&str; 6] = word_list("build develop profiles pull_policy replicas scale");
/// What services share: a change of it can concern any of them.
const SHARED: [&str; 4] = ["networks", "volumes", "configs", "secrets"];

/// What the files of a project say about the containers of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definition {
    /// All of it, as bytes that are the same for the same definition in another order.
    pub bytes: Vec<u8>,
    /// Services whose containers those of this one use or depend on: they can stop with them.
    pub uses: BTreeSet<String>,
}

/// The definitions of all services of a project.
pub fn definitions(project: &Value) -> BTreeMap<String, Definition> {
    let definition = |service: &Value| Definition {
        bytes: bytes_of(&own(service)),
        uses: used(service),
    };
    each(project, "services", definition)
}

/// What the services of a project share, as such bytes.
pub fn shared(project: &Value) -> Vec<u8> {
    let parts = SHARED
        .iter()
        .map(|key| project.get(key).unwrap_or(&Value::Null));
    parts.flat_map(bytes_of).collect()
}

/// What a project says of each of its networks, by key, as such bytes.
pub fn networks(project: &Value) -> BTreeMap<String, Vec<u8>> {
    each(project, "networks", |network| {
        // Nothing said is the same as an empty map.
        let is_empty = network.as_mapping().is_some_and(Mapping::is_empty);
        bytes_of(if is_empty { &Value::Null } else { network })
    })
}

/// What services share of which compose makes none anew, as such bytes.
pub fn kept(project: &Value) -> Vec<u8> {
    let keys = SHARED.iter().filter(|key| **key != "networks");
    let parts = keys.map(|key| project.get(key).unwrap_or(&Value::Null));
    parts.flat_map(bytes_of).collect()
}

/// Something of each entry of a section.
fn each<T>(project: &Value, section: &str, of: impl Fn(&Value) -> T) -> BTreeMap<String, T> {
    let entries = project.get(section).and_then(Value::as_mapping);
    let entries = entries.into_iter().flatten();
    let named = entries.filter_map(|(name, value)| Some((name.as_str()?.to_owned(), of(value))));
    named.collect()
}

fn bytes_of(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(value, &mut bytes);
    bytes
}

/// A service without what no container is made of.
fn own(service: &Value) -> Value {
    let Value::Mapping(keys) = service else {
        return service.clone();
    };
    let kept = keys.iter().filter(|(key, _)| {
        let key = key.as_str().unwrap_or_default();
        !NOT_OF_CONTAINERS.contains(&key) && !key.starts_with("x-")
    });
    let mut kept: Mapping = kept
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if let Some(Value::Mapping(deploy)) = kept.get_mut("deploy") {
        deploy.retain(|key, _| !NOT_OF_CONTAINERS.contains(&key.as_str().unwrap_or_default()));
    }
    Value::Mapping(kept)
}

/// Services whose containers those of a service need to be the ones that they are. Some versions of compose 2 stop all that
/// depend on a container that they make anew, others only those with `restart: true`.
fn used(service: &Value) -> BTreeSet<String> {
    let typed: Service = serde_yaml::from_value(service.clone()).unwrap_or_default();
    let named = typed.named_services().into_iter();
    named.map(|(_, name)| name).collect()
}

/// Writes a value so that no two different ones give the same bytes, and the order of keys does not count.
fn write(value: &Value, bytes: &mut Vec<u8>) {
    let text = |kind: u8, text: &str, bytes: &mut Vec<u8>| {
        bytes.push(kind);
        bytes.extend(text.len().to_le_bytes());
        bytes.extend(text.as_bytes());
    };
    match value {
        Value::Null => bytes.push(b'0'),
        Value::Bool(is) => bytes.extend([b'b', u8::from(*is)]),
        Value::Number(number) => text(b'n', &number.to_string(), bytes),
        Value::String(string) => text(b's', string, bytes),
        Value::Sequence(list) => {
            bytes.push(b'[');
            for value in list {
                write(value, bytes);
            }
            bytes.push(b']');
        }
        Value::Mapping(keys) => {
            let mut entries: Vec<Vec<u8>> = (keys.iter())
                .map(|(key, value)| {
                    let mut entry = Vec::new();
                    write(key, &mut entry);
                    write(value, &mut entry);
                    entry
                })
                .collect();
            entries.sort_unstable();
            bytes.push(b'{');
            bytes.extend(entries.into_iter().flatten());
            bytes.push(b'}');
        }
        Value::Tagged(tagged) => {
            text(b't', &tagged.tag.to_string(), bytes);
            write(&tagged.value, bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> BTreeMap<String, Definition> {
        definitions(&serde_yaml::from_str(text).unwrap())
    }

    #[test]
    fn what_containers_are_made_of_counts() {
        let service = |keys: &str| {
            let project = of(&format!("services: {{web: {{image: 'web:1', {keys}}}}}"));
            project["web"].bytes.clone()
        };
        for (before, after, is_same) in [
            ("", "environment: {A: 1}", false),
            ("", "container_name: web", false),
            (
                "environment: {A: 1, B: 2}",
                "environment: {B: 2, A: 1}",
                true,
            ),
            ("command: [a, b]", "command: [b, a]", false),
            ("command: [ab]", "command: [a, b]", false),
            ("command: ['1']", "command: [1]", false),
            ("", "scale: 2", true),
            ("", "build: .", true),
            ("", "depends_on: [other]", false),
            ("", "x-note: 1", true),
            ("deploy: {replicas: 3}", "deploy: {replicas: 2}", true),
            ("deploy: {replicas: 3}", "deploy: {mode: x}", false),
        ] {
            let same = service(before) == service(after);
            assert_eq!(same, is_same, "{before} | {after}");
        }
    }

    #[test]
    fn what_it_uses_of_others_is_known() {
        for (keys, expected) in [
            ("network_mode: 'service:db'", &["db"][..]),
            ("network_mode: host", &[]),
            ("pid: 'service:db', ipc: 'service:x'", &["db", "x"]),
            ("volumes_from: ['db:ro', 'container:y']", &["db"]),
            ("links: ['db:database']", &["db"]),
            ("depends_on: [db]", &["db"]),
            ("depends_on: {db: {restart: true}, x: {}}", &["db", "x"]),
        ] {
            let project = of(&format!("services: {{web: {{{keys}}}}}"));
            let uses: Vec<&str> = project["web"].uses.iter().map(String::as_str).collect();
            assert_eq!(uses, expected, "{keys}");
        }
    }

    #[test]
    fn networks_are_compared_one_by_one() {
        let of = |text: &str| networks(&serde_yaml::from_str(text).unwrap());
        let first = of("networks: {a: , b: {internal: true}}");
        assert_eq!(first, of("networks: {b: {internal: true}, a: {}}"));
        let other = of("networks: {a: {driver: x}, b: {internal: true}}");
        assert_ne!(first["a"], other["a"]);
        assert_eq!(first["b"], other["b"]);
        let kept = |text: &str| kept(&serde_yaml::from_str(text).unwrap());
        assert_eq!(kept("networks: {a: }"), kept("networks: {b: }"));
        assert_ne!(kept("volumes: {a: }"), kept("volumes: {b: }"));
    }

    #[test]
    fn what_they_share_is_another_thing() {
        let of = |text: &str| shared(&serde_yaml::from_str(text).unwrap());
        let plain = "services: {web: {image: 'web:1'}}\nvolumes: {data: {}}\n";
        assert_eq!(of(plain), of(&plain.replace("web:1", "web:2")));
        assert_ne!(of(plain), of(&plain.replace("data: {}", "data: {name: x}")));
    }
}
