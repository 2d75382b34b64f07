//! The services of the compose files: watched, bounded, reachable only through nginx, each run by a unit.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use serde_yaml::Value;

use crate::content::locations;
use crate::{policy, repository, shipped};

/// The services of all compose files: path, key, definition.
fn services() -> Vec<(PathBuf, String, Value)> {
    let mut files = vec![repository().join("desired-state/docker-compose.infra.yml")];
    for folder in fs::read_dir(repository().join("desired-state/compose")).unwrap() {
        let file = folder.unwrap().path().join("docker-compose.yml");
        files.extend(file.is_file().then_some(file));
    }
    files.sort();
    let mut found = Vec::new();
    for file in files {
        let document: Value = serde_yaml::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        for (name, service) in document["services"].as_mapping().unwrap() {
            found.push((
                file.clone(),
                name.as_str().unwrap().to_owned(),
                service.clone(),
            ));
        }
    }
    found
}

/// Those that serve: not the one that only makes compose create the network.
fn serving() -> Vec<(PathBuf, String, Value)> {
    let mut services = services();
    services.retain(|(file, ..)| !file.ends_with("docker-compose.infra.yml"));
    services
}

#[test]
fn every_service_can_be_watched_and_is_bounded() {
    let services = serving();
    assert_eq!(services.len(), 14, "13 members and the avatar uploader");
    for (file, name, service) in services {
        let at = format!("{} {name}", file.display());
        let test = service["healthcheck"]["test"]
            .as_sequence()
            .unwrap_or_else(|| panic!("{at}: no health check"));
        assert!(test.len() > 1 && test[0] != "NONE", "{at}");
        assert!(bytes(&service["mem_limit"]) > 0, "{at}: no memory limit");
        let logging = &service["logging"]["options"];
        assert!(
            logging["max-size"].as_str().is_some() && logging["max-file"].as_str().is_some(),
            "{at}: logs grow for ever"
        );
        let networks: Vec<&str> = service["networks"]
            .as_sequence()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let document: Value = serde_yaml::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let definitions = document["networks"]
            .as_mapping()
            .cloned()
            .unwrap_or_default();
        assert!(
            definitions
                .values()
                .all(|network| network["external"] == true),
            "{at}: makes a network"
        );
        if !at.contains("avatar") {
            assert_eq!(networks, ["watchme-network"], "{at}");
        }
        assert_eq!(service.get("restart"), None, "{at}: the unit restarts it");
        let image = service["image"].as_str().unwrap_or_default();
        assert!(
            !image.ends_with(":latest") && image.rsplit('/').next().unwrap().contains(':'),
            "{at}: {image} is not one image"
        );
    }
}

/// `512m`, `1g`, or a number.
fn bytes(value: &Value) -> u64 {
    let Some(text) = value.as_str() else {
        return value.as_u64().unwrap_or(0);
    };
    let (number, unit) = text.split_at(
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len()),
    );
    let factor = match unit.to_ascii_lowercase().trim_end_matches('b') {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        _ => panic!("{text}"),
    };
    number.parse::<u64>().unwrap() * factor
}

#[test]
fn the_memory_limits_fit_the_machine() {
    let budget = policy().budget;
    let (memory, swap) = (***budget.memory.as_ref().unwrap(), *budget.swap.unwrap());
    assert!(
        memory <= 1_800 << 20 && swap <= 2 << 30,
        "the documents' machine"
    );
    let limits: Vec<u64> = services()
        .iter()
        .map(|(_, _, service)| bytes(&service["mem_limit"]))
        .collect();
    let sum: u64 = limits.iter().sum();
    assert!(
        sum <= memory + swap,
        "{} MiB of limits, {} MiB there",
        sum >> 20,
        (memory + swap) >> 20
    );
    assert!(
        limits.iter().all(|limit| *limit < memory),
        "no service alone may take the machine"
    );
}

#[test]
fn ports_are_unique_local_and_in_range() {
    let allowed = policy().ports.allowed;
    assert!(!allowed.is_empty());
    let mut taken: BTreeMap<u16, String> = BTreeMap::new();
    for (file, name, service) in services() {
        for port in service["ports"].as_sequence().into_iter().flatten() {
            let text = port
                .as_str()
                .unwrap_or_else(|| panic!("{}: {port:?}", file.display()));
            let parts: Vec<&str> = text.split(':').collect();
            let [address, port, _] = parts[..] else {
                panic!("{}: {text}", file.display())
            };
            assert_eq!(
                address,
                "127.0.0.1",
                "{}: only nginx may be reached from outside",
                file.display()
            );
            let port: u16 = port.parse().unwrap();
            assert!(
                allowed.iter().any(|range| range.contains(&port)),
                "{port} of {name}"
            );
            if let Some(other) = taken.insert(port, name.clone()) {
                panic!("{port} of {name} and of {other}");
            }
        }
    }
    assert_eq!(taken.len(), 14);
    let upstreams: BTreeSet<u16> = locations()
        .values()
        .map(|url| {
            url.split(':')
                .nth(2)
                .unwrap()
                .split('/')
                .next()
                .unwrap()
                .parse()
                .unwrap()
        })
        .collect();
    let published: BTreeSet<u16> = taken.into_keys().collect();
    assert_eq!(
        upstreams, published,
        "each port has a public route, and each route a service"
    );
}

#[test]
fn every_service_has_a_unit_ordered_after_the_infrastructure() {
    let folder = repository().join("desired-state/systemd");
    let (desired, _) = shipped();
    let files: BTreeSet<PathBuf> = serving()
        .into_iter()
        .map(|(file, ..)| file.strip_prefix(repository()).unwrap().to_owned())
        .collect();
    let mut run = BTreeSet::new();
    for (name, unit) in &desired.units {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        for stack in unit
            .stacks
            .iter()
            .filter(|_| name != "watchme-infrastructure.service")
        {
            let line = |setting: &str| {
                text.lines()
                    .find(|line| line.starts_with(setting))
                    .unwrap_or_default()
            };
            for setting in ["After=", "Requires="] {
                // One that is on no network only has to come later.
                let needed = setting == "After=" || !name.contains("avatar");
                assert!(
                    line(setting).contains("watchme-infrastructure.service") || !needed,
                    "{name}: {}",
                    line(setting)
                );
                assert!(
                    line(setting).contains("docker.service"),
                    "{name}: {}",
                    line(setting)
                );
            }
            run.extend(stack.files.iter().map(|file| {
                file.strip_prefix("/home/ubuntu/watchme-server-configs")
                    .unwrap()
                    .to_owned()
            }));
        }
        let endless = text.lines().any(|line| line.contains(" #"));
        assert!(
            !endless,
            "{name}: a comment behind a value is part of the value"
        );
    }
    assert_eq!(run, files);
    for name in [
        "watchme-infrastructure.service",
        "watchme-drift.timer",
        "watchme-drift.service",
    ] {
        assert!(desired.units.contains_key(name), "{name}");
    }
}

#[test]
fn the_preset_of_renovate_reads_the_tags() {
    let text = fs::read_to_string(repository().join("examples/renovate/default.json")).unwrap();
    let preset: serde_json::Value = serde_json::from_str(&text).unwrap();
    let rules = preset["packageRules"].as_array().unwrap();
    let rule = rules.iter().find(|rule| rule["versioning"].is_string());
    let rule = rule.unwrap();
    let current = rule["matchCurrentValue"].as_str().unwrap();
    let current = regex_lite::Regex::new(current.trim_matches('/')).unwrap();
    let version = rule["versioning"].as_str().unwrap();
    let version = regex_lite::Regex::new(version.strip_prefix("regex:").unwrap()).unwrap();
    for (file, name, service) in serving() {
        let (_, tag) = service["image"].as_str().unwrap().rsplit_once(':').unwrap();
        let at = format!("{} {name}: {tag}", file.display());
        assert!(current.is_match(tag), "{at}");
        let parts = version.captures(tag).unwrap();
        assert_eq!(&parts["major"], &tag[5..9], "{at}");
    }
}
