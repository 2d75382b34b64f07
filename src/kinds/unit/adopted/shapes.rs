//! What compose would make another way of a container that runs, in words.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Hash, MOUNTS_LABEL, Publish, Shape, list};

/// Labels of compose itself; pkg/api/labels.go.
const OF_COMPOSE: &str = "com.docker.compose.";

/// What differs between a container and what compose would make. Values of variables and labels are not named.
pub(super) fn differences(has: &Shape, wanted: &Shape) -> Vec<String> {
    let mut found = Vec::new();
    if has.ports != wanted.ports {
        let (old, new) = (ports(&has.ports), ports(&wanted.ports));
        found.push(format!("it publishes {old}, and the file says {new}"));
    }
    let lacks: Vec<&str> = wanted
        .networks
        .difference(&has.networks)
        .map(String::as_str)
        .collect();
    if !lacks.is_empty() {
        found.push(format!("it is not on {}", lacks.join(", ")));
    }
    let names = environment(has, wanted);
    if !names.is_empty() {
        found.push(format!("other variables: {}", names.join(", ")));
    }
    for (what, old, new) in [
        ("command", &has.command, &wanted.command),
        ("entrypoint", &has.entrypoint, &wanted.entrypoint),
    ] {
        // With an entrypoint of its own, it does not have the command of the image.
        let is_its_own = what == "command" && wanted.entrypoint.is_some() && new.is_none();
        if old != new && !is_its_own {
            found.push(format!("another {what}"));
        }
    }
    if let (Some(old), Some(new)) = (&has.restart, &wanted.restart)
        && old != new
    {
        found.push(format!(
            "its restart policy is {old}, and the file says {new}"
        ));
    }
    let labels = labels(has, wanted);
    if !labels.is_empty() {
        found.push(format!("other labels: {}", labels.join(", ")));
    }
    found
}

fn ports(ports: &BTreeSet<(Publish, u16)>) -> String {
    if ports.is_empty() {
        return "nothing".to_owned();
    }
    let words = ports.iter().map(|(port, inside)| {
        let address = match port.address {
            Some(address) if address.is_ipv6() => format!("[{address}]:"),
            Some(address) => format!("{address}:"),
            None => String::new(),
        };
        format!("{address}{}:{inside}/{}", port.port, port.protocol)
    });
    list(words)
}

/// Names of variables that are other ones, new, or no longer there.
fn environment(has: &Shape, wanted: &Shape) -> Vec<String> {
    let changed = wanted.environment.iter().filter(|(name, value)| {
        // One that is taken from whoever starts it may be anything.
        value.is_some() && has.environment.get(*name) != Some(value)
    });
    let of_image = has.of_image.as_ref().map(|(variables, _)| variables);
    let gone = has.environment.iter().filter(|(name, value)| {
        let base = of_image.map(|of_image| of_image.get(*name));
        !wanted.environment.contains_key(*name) && base.is_some_and(|base| base != value.as_ref())
    });
    let names: BTreeSet<&String> = changed.chain(gone).map(|(name, _)| name).collect();
    names.into_iter().cloned().collect()
}

/// The same of labels, those of compose and of this program apart.
fn labels(has: &Shape, wanted: &Shape) -> Vec<String> {
    let none = BTreeMap::new();
    let of_image: Option<&BTreeMap<String, Hash>> = has.of_image.as_ref().map(|(_, labels)| labels);
    let changed = wanted
        .labels
        .iter()
        .filter(|(name, value)| has.labels.get(*name) != Some(value));
    let gone = has.labels.iter().filter(|(name, value)| {
        let is_own = name.starts_with(OF_COMPOSE) || *name == MOUNTS_LABEL;
        let base = of_image.unwrap_or(&none).get(*name);
        !is_own && of_image.is_some() && !wanted.labels.contains_key(*name) && base != Some(value)
    });
    let names: BTreeSet<&String> = changed.chain(gone).map(|(name, _)| name).collect();
    names.into_iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape() -> Shape {
        let hash = |text: &str| Hash::of(text.as_bytes());
        let port = Publish {
            port: 8080,
            protocol: "tcp".to_owned(),
            address: Some([127, 0, 0, 1].into()),
        };
        Shape {
            environment: [("MODE".to_owned(), Some(hash("fast")))].into(),
            labels: [("team".to_owned(), hash("a"))].into(),
            command: Some(vec!["serve".to_owned()]),
            ports: [(port, 80)].into(),
            networks: ["p_default".to_owned()].into(),
            restart: Some("no".to_owned()),
            ..Shape::default()
        }
    }

    #[test]
    fn each_difference_is_said_and_no_value_of_a_variable() {
        let has = Shape {
            of_image: Some(([("PATH".to_owned(), Hash::of(b"/bin"))].into(), [].into())),
            ..shape()
        };
        assert_eq!(differences(&has, &shape()), [""; 0]);
        let of_image = Shape {
            environment: [
                ("MODE".to_owned(), Some(Hash::of(b"fast"))),
                ("PATH".to_owned(), Some(Hash::of(b"/bin"))),
                ("OLD".to_owned(), Some(Hash::of(b"x"))),
            ]
            .into(),
            labels: [
                ("team".to_owned(), Hash::of(b"a")),
                ("com.docker.compose.project".to_owned(), Hash::of(b"p")),
                ("own".to_owned(), Hash::of(b"x")),
            ]
            .into(),
            ..has
        };
        assert_eq!(
            differences(&of_image, &shape()),
            ["other variables: OLD", "other labels: own"]
        );
        let mut wanted = shape();
        let hash = Some(Hash::of(b"slow"));
        wanted.environment = [("MODE".to_owned(), hash), ("FREE".to_owned(), None)].into();
        wanted.labels.clear();
        wanted.command = None;
        wanted.ports.clear();
        wanted.networks = ["front".to_owned()].into();
        wanted.restart = Some("always".to_owned());
        assert_eq!(
            differences(&shape(), &wanted),
            [
                "it publishes 127.0.0.1:8080:80/tcp, and the file says nothing",
                "it is not on front",
                "other variables: MODE",
                "another command",
                "its restart policy is no, and the file says always",
            ]
        );
    }
}
