//! Stacks that run and that nobody here has started: compose is asked what it would make of their files, so that the plan can
//! say which containers an adoption leaves as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use nix::unistd::Uid;

use crate::effect::Effect;
use crate::host::{ComposeProject, Host, HostError};
use crate::model::{Adoption, Engine, Hash, Shape, Stack, Unit};
use crate::reconcile::Planned;
use crate::source::compose::types::text;
use crate::source::compose::{Compose, Service, pairs};

/// Asks about the stacks that the plan starts. What compose cannot say, as of files whose variables are secrets, is left out.
///
/// # Errors
/// When the engine does not answer.
pub(in crate::reconcile) async fn observe(
    host: &Host,
    planned: &mut Planned,
) -> Result<(), HostError> {
    planned.observed.adoptions.clear();
    // Compose is called as an apply calls it.
    if !Uid::effective().is_root() || planned.observed.engine() != Engine::Docker {
        return Ok(());
    }
    for (name, stack) in adopted(planned) {
        let Some(unit) = planned.desired.units.get(&name) else {
            continue;
        };
        let Some(profiles) = profiles(unit).filter(|_| is_there(host, planned, &stack)) else {
            continue;
        };
        if let Some(found) = ask(host, planned, &stack, &profiles).await? {
            planned.observed.adoptions.insert(name, found);
        }
    }
    Ok(())
}

/// The stacks that the plan starts for the first time and that have containers.
fn adopted(planned: &Planned) -> Vec<(String, Stack)> {
    let starts = planned.plan.changes.iter().filter_map(|change| {
        let Effect::Start(step) = &change.effect else {
            return None;
        };
        let known = &planned.recorded.loaded.units;
        (!known.contains_key(&step.unit)).then_some(&step.unit)
    });
    let units = starts.filter_map(|name| Some((name, planned.desired.units.get(name)?)));
    let stacks = units.filter(|(_, unit)| unit.stack.is_some());
    let stacks = stacks.filter_map(|(name, unit)| Some((name.clone(), unit.stacks.first()?)));
    stacks
        .filter(|(_, stack)| {
            let mut containers = planned.observed.containers();
            let runs = containers.any(|one| stack.owns(one) && one.is_running());
            !stack.services.is_empty() && runs
        })
        .map(|(name, stack)| (name, stack.clone()))
        .collect()
}

/// The profiles of a stack's unit; `None` where its files have variables that are secrets.
fn profiles(unit: &Unit) -> Option<Vec<String>> {
    let file = unit.file.as_ref()?;
    let text = String::from_utf8_lossy(&file.content);
    let mut lines = text.lines();
    if lines.any(|line| line.starts_with("EnvironmentFile=")) {
        return None;
    }
    let mut lines = text.lines();
    let stop = lines.find_map(|line| line.strip_prefix("ExecStop="))?;
    let words: Vec<&str> = stop.split_whitespace().collect();
    let pairs = words.windows(2).filter(|pair| pair[0] == "--profile");
    let names = pairs.map(|pair| pair[1].trim_matches('"').to_owned());
    Some(names.collect())
}

/// Whether the files of a stack on this host are those of the revision: compose reads them there.
fn is_there(host: &Host, planned: &Planned, stack: &Stack) -> bool {
    let mut files = stack.files.iter();
    files.all(|path| {
        let wanted = planned.desired.files.get(path);
        let found = host.root().read(path).ok().flatten();
        wanted
            .zip(found)
            .is_some_and(|(wanted, found)| wanted.hash == Hash::of(&found))
    })
}

async fn ask(
    host: &Host,
    planned: &Planned,
    stack: &Stack,
    profiles: &[String],
) -> Result<Option<Adoption>, HostError> {
    let Some(folder) = stack.files.first().and_then(|file| file.parent()) else {
        return Ok(None);
    };
    let files: Vec<PathBuf> = stack.files.clone();
    let project = ComposeProject {
        name: &stack.project,
        folder,
        files: &files,
        profiles,
    };
    // What it says of files that it refuses may be of what they read: it is not shown.
    let Ok(Ok(hashes)) = host.compose_hashes(&project) else {
        return Ok(None);
    };
    let own = planned.observed.containers();
    let own = own.filter(|one| stack.owns(one) && one.is_running());
    let differing = own.filter_map(|one| {
        let hash = hashes.get(one.service()?)?;
        (one.config_hash.as_ref() != Some(hash)).then(|| one.id.clone())
    });
    let differing: Vec<String> = differing.collect();
    let mut found = Adoption {
        hashes,
        ..Adoption::default()
    };
    if differing.is_empty() {
        return Ok(Some(found));
    }
    if let Ok(Some(whole)) = host.compose_whole(&project) {
        found.wanted = shapes(&whole, &stack.project);
    }
    let docker = host.docker().await?;
    for id in differing {
        // One that has gone since has no reasons.
        if let Ok(shape) = docker.shape(&id).await {
            found.has.insert(id, shape);
        }
    }
    Ok(Some(found))
}

/// How compose would make the containers of each service of what it prints.
fn shapes(whole: &str, project: &str) -> BTreeMap<String, Shape> {
    let value = serde_yaml::from_str(whole).ok();
    let compose = value.and_then(|value| Compose::of(&value).ok());
    let compose = compose.unwrap_or_default();
    let services = compose.services.iter();
    services
        .map(|(name, service)| (name.clone(), shape(&compose, service, project)))
        .collect()
}

fn shape(compose: &Compose, service: &Service, project: &str) -> Shape {
    let hashed = |text: &String| Hash::of(text.as_bytes());
    let environment = service.environment().into_iter();
    let labels = pairs(service.rest.get("labels")).into_iter();
    let restart = service.restart();
    // What `deploy` says has other words.
    let is_known = service.rest.contains_key("restart") || restart.is_none();
    let restart = restart.unwrap_or_else(|| "no".to_owned());
    let restart = restart.split(':').next().unwrap_or_default().to_owned();
    Shape {
        environment: environment
            .map(|(name, value)| (name, value.as_ref().map(hashed)))
            .collect(),
        labels: labels
            .map(|(name, value)| (name, hashed(&value.unwrap_or_default())))
            .collect(),
        command: words(service, "command"),
        entrypoint: words(service, "entrypoint"),
        ports: ports(service),
        networks: networks(compose, service, project),
        restart: is_known.then_some(restart),
        made_by: None,
        of_image: None,
    }
}

/// The words of a command. One that only compose can take apart has none.
fn words(service: &Service, key: &str) -> Option<Vec<String>> {
    match service.rest.get(key)? {
        serde_yaml::Value::Sequence(list) => Some(list.iter().filter_map(text).collect()),
        serde_yaml::Value::String(line) if !line.contains(['"', '\'', '\\']) => {
            Some(line.split_whitespace().map(str::to_owned).collect())
        }
        _ => None,
    }
}

fn ports(service: &Service) -> BTreeSet<(crate::model::Publish, u16)> {
    let published = service.published().into_iter();
    let pairs = published.flat_map(|port| {
        let inside = port.container.clone();
        port.on_host().into_iter().zip(inside).collect::<Vec<_>>()
    });
    pairs.collect()
}

/// The networks of a service by the names that the engine knows; none where another container has them.
fn networks(compose: &Compose, service: &Service, project: &str) -> BTreeSet<String> {
    match service.network_mode() {
        Some(mode) if mode.contains(':') => return BTreeSet::new(),
        Some(mode) => return [mode.to_owned()].into(),
        None => {}
    }
    let mut keys: Vec<&str> = service
        .networks
        .entries()
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    if keys.is_empty() {
        keys.push("default");
    }
    let names = keys.into_iter().map(|key| {
        let network = compose.networks.get(key).and_then(Option::as_ref);
        let name = network.and_then(|network| network.name.clone());
        let is_external = network.is_some_and(|network| network.external.as_bool() == Some(true));
        name.unwrap_or_else(|| match is_external {
            true => key.to_owned(),
            false => format!("{project}_{key}"),
        })
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_compose_prints_is_read_in_both_of_its_forms() {
        let second = "name: shop
services:
  web:
    command: [serve, --port, '80']
    entrypoint: null
    environment: {MODE: fast, EMPTY: null}
    labels: {team: a}
    networks: {back: null}
    ports:
    - {mode: ingress, host_ip: 127.0.0.1, target: 80, published: '8080', protocol: tcp}
    restart: unless-stopped
networks:
  back: {name: shop_back}
";
        let first = "services:
  web:
    command: serve --port 80
    environment: {MODE: fast, EMPTY: null}
    labels: {team: a}
    networks: {back: null}
    ports: ['127.0.0.1:8080:80/tcp']
    restart: unless-stopped
networks:
  back: {}
version: '3.9'
";
        let of = |text: &str| shapes(text, "shop").remove("web").unwrap();
        assert_eq!(of(first), of(second));
        let shape = of(second);
        assert_eq!(shape.command.unwrap(), ["serve", "--port", "80"]);
        assert_eq!(shape.restart.as_deref(), Some("unless-stopped"));
        assert_eq!(shape.environment["MODE"], Some(Hash::of(b"fast")));
        assert_eq!(shape.environment["EMPTY"], None);
        let (port, inside) = shape.ports.first().unwrap();
        assert_eq!((port.port, *inside), (8080, 80));
        let plain = shapes(
            "services: {a: {network_mode: host}, b: {}, c: {network_mode: 'service:a'}}",
            "p",
        );
        assert_eq!(plain["a"].networks, ["host".to_owned()].into());
        assert_eq!(plain["b"].networks, ["p_default".to_owned()].into());
        assert!(plain["c"].networks.is_empty());
        assert_eq!(plain["b"].restart.as_deref(), Some("no"));
    }
}
