//! `docker-compose config` and this program say the same about compose files: which ones are refused, and what
//! variables, several files and `extends:` make of those that are not.

#[path = "check_compose/cases.rs"]
mod cases;
#[path = "check_compose/generator.rs"]
mod generator;
#[path = "check_compose/inside.rs"]
mod inside;
#[path = "check_compose/started.rs"]
mod started;
#[path = "check_compose/versions.rs"]
mod versions;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use watchme_apply::check::{self, Subject};
use watchme_apply::source::compose::Compose;
use watchme_apply::source::{Checkout, Which};

use crate::support::{Debian, Host};
use cases::{EXCEPTIONS, REFUSED, TAKEN};

/// Compose files, and in which order they are given.
pub(crate) struct Case {
    name: String,
    files: Vec<(String, String)>,
}

impl Case {
    fn new(name: impl Into<String>, files: &[(&str, &str)]) -> Self {
        let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), format!("{text}\n"));
        Self {
            name: name.into(),
            files: files.iter().map(owned).collect(),
        }
    }

    /// The names behind `-f`: files that are read otherwise do not begin with a letter a to f.
    fn arguments(&self, folder: &str) -> String {
        let names = self.files.iter().map(|(name, _)| name);
        let named = names.filter(|name| name.len() == 5 && name.ends_with(".yml"));
        named.map(|name| format!("-f {folder}{name} ")).collect()
    }

    fn write(&self, folder: &Path) {
        for (name, text) in &self.files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
}

/// Rules about what `docker-compose config` refuses. An undeclared network is only refused by `up`.
const REFUSALS: [&str; 8] = [
    "syntax",
    "compose-dependency-cycle",
    "compose-no-image",
    "compose-service-unknown",
    "compose-unknown-key",
    "compose-version",
    "compose-volume-undeclared",
    "compose-wrong-type",
];

/// What this program makes of a case, or why it is refused.
fn ours(case: &Case) -> Result<BTreeMap<String, String>, String> {
    ours_of(case, "[host]\ncompose = 1\n")
}

/// The same for a host that watchme.toml describes.
fn ours_of(case: &Case, host: &str) -> Result<BTreeMap<String, String>, String> {
    let folder = tempfile::tempdir().unwrap();
    case.write(folder.path());
    fs::create_dir(folder.path().join("systemd")).unwrap();
    let unit = format!(
        "[Service]\nExecStart=/usr/bin/docker-compose {}up\n",
        case.arguments("/srv/c/")
    );
    fs::write(folder.path().join("systemd/a.service"), unit).unwrap();
    fs::write(
        folder.path().join("watchme.toml"),
        format!("checkout = \"/srv/c\"\n{host}"),
    )
    .unwrap();
    let owner = nix::unistd::Uid::effective().as_raw();
    let checkout = Checkout::open(folder.path(), &[owner]).unwrap();
    let (revision, wrong) = checkout.survey(&Which::Worktree).unwrap();
    let findings = check::check(&Subject {
        revision: &revision,
        wrong: &wrong,
    });
    let refusal = findings.iter().find(|finding| {
        let needed = finding
            .place()
            .is_some_and(|place| place.expected.contains("refuses to start"));
        REFUSALS.contains(&finding.rule.name) || needed
    });
    if let Some(refusal) = refusal {
        return Err(format!("{} {refusal}", refusal.rule.name));
    }
    let stacks = revision.parsed.stacks.iter();
    let stack = stacks
        .into_iter()
        .find(|stack| stack.unit.is_some())
        .unwrap();
    Ok(summary(&stack.compose))
}

/// What of a file is read by this program, one line a service and network.
fn summary(compose: &Compose) -> BTreeMap<String, String> {
    let mut lines = BTreeMap::new();
    for (name, service) in &compose.services {
        let environment: BTreeMap<_, _> = service.environment().into_iter().collect();
        let mut ports = BTreeSet::new();
        for port in service.published() {
            let host: Vec<u16> = port.host.clone().into_iter().flatten().collect();
            let container: Vec<u16> = port.container.clone().collect();
            match host.len() == container.len() {
                true => ports.extend(host.iter().zip(&container).map(|(host, container)| {
                    format!("{:?} {host} {container} {}", port.address, port.protocol)
                })),
                false if host.is_empty() => {
                    ports.extend(container.iter().map(|container| {
                        format!("{:?} {container} {}", port.address, port.protocol)
                    }));
                }
                false => {
                    ports.insert(format!(
                        "{:?} {host:?} {container:?} {}",
                        port.address, port.protocol
                    ));
                }
            }
        }
        let networks: BTreeMap<_, _> = service
            .networks
            .entries()
            .into_iter()
            .map(|(key, at)| {
                let aliases: Vec<String> = at.map(|at| at.aliases.clone()).unwrap_or_default();
                (
                    key.to_owned(),
                    (at.and_then(|at| at.ipv4_address.clone()), aliases),
                )
            })
            .collect();
        let named: BTreeSet<_> = service.named_services().into_iter().collect();
        let (driver, mut options) = service.logging();
        options.sort();
        let line = format!(
            "{:?} {:?} {:?} env {environment:?} ports {ports:?} networks {networks:?} memory {} restart {:?} command {:?} logging {driver:?} {options:?} named {named:?} health {}",
            service.image(),
            service.is_built(),
            service.container_name,
            service.memory(),
            service.restart(),
            service.command(),
            service.rest.contains_key("healthcheck"),
        );
        lines.insert(format!("service {name}"), line);
    }
    for (name, network) in &compose.networks {
        let network = network.clone().unwrap_or_default();
        let external = network.external_name(name);
        let own = match external {
            Some(_) => None,
            None => network.name.clone(),
        };
        let subnets = network.ipam.unwrap_or_default().config;
        let subnets: Vec<_> = subnets
            .into_iter()
            .map(|range| (range.subnet, range.gateway, range.ip_range))
            .collect();
        lines.insert(
            format!("network {name}"),
            format!("{external:?} {own:?} {:?} {subnets:?}", network.driver),
        );
    }
    lines
}

/// What docker-compose makes of the cases, in their order.
fn theirs(host: &Host, cases: &[Case]) -> Vec<Result<BTreeMap<String, String>, String>> {
    let folder = tempfile::tempdir().unwrap();
    for (number, case) in cases.iter().enumerate() {
        let own = folder.path().join(format!("{number:04}"));
        case.write(&own);
        fs::write(own.join("arguments"), case.arguments("")).unwrap();
    }
    host.copy_in(folder.path(), "/srv/cases");
    host.sh(
        "cd /srv/cases; ls | xargs -P 2 -I{} sh -c 'cd {}; docker-compose $(cat arguments) config >out 2>err; echo $? >status'",
    );
    let all = host.sh("cd /srv/cases; for case in *; do echo \"@@@@ $(cat $case/status)\"; if test $(cat $case/status) = 0; then cat $case/out; else tail -n 3 $case/err; fi; done");
    let parts = all.split("@@@@ ").skip(1);
    let read = |part: &str| {
        let (status, text) = part.split_once('\n').unwrap_or((part, ""));
        match status {
            // What it writes is to be read again, so that a dollar sign is two.
            "0" => Ok(summary(
                &serde_yaml::from_str(&text.replace("$$", "$")).unwrap(),
            )),
            _ => Err(text.trim().to_owned()),
        }
    };
    let answers: Vec<_> = parts.map(read).collect();
    assert_eq!(answers.len(), cases.len());
    answers
}

#[test]
#[ignore = "long: tests/run --all"]
fn docker_compose_says_the_same() {
    // Compose 2 writes all defaults into what it prints: `versions` asks it which of these files it takes.
    let host = Host::boot_debian(Debian::Twelve);
    let mut cases: Vec<Case> = Vec::new();
    let single = |(name, text): &(&str, &str)| Case::new(*name, &[("a.yml", text)]);
    cases.extend(REFUSED.iter().map(single));
    cases.extend(TAKEN.iter().map(|(name, files)| Case::new(*name, files)));
    cases.extend(
        EXCEPTIONS
            .iter()
            .map(|(name, text, _)| Case::new(*name, &[("a.yml", text)])),
    );
    cases.extend((0..80).map(generator::case));
    let answers = theirs(&host, &cases);
    let mut wrong = Vec::new();
    let mut taken = 0;
    for (case, theirs) in cases.iter().zip(answers) {
        let ours = ours(case);
        let differs = match (&ours, &theirs) {
            (Ok(ours), Ok(theirs)) => {
                taken += 1;
                ours != theirs
            }
            (Err(_), Err(_)) => false,
            _ => true,
        };
        let exception = EXCEPTIONS.iter().any(|(name, ..)| *name == case.name);
        if differs != exception {
            let what = if exception {
                "no exception any more"
            } else {
                "differs"
            };
            wrong.push(format!(
                "{} {what}: {:?}\nours   {ours:?}\ntheirs {theirs:?}\n",
                case.name, case.files
            ));
        }
        // The lists say what they are.
        if REFUSED.iter().any(|(name, _)| *name == case.name) && theirs.is_ok() {
            wrong.push(format!("{} is not refused by docker-compose", case.name));
        }
        if TAKEN.iter().any(|(name, _)| *name == case.name) && theirs.is_err() {
            wrong.push(format!(
                "{} is refused by docker-compose: {theirs:?}",
                case.name
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
    assert!(taken > 60, "only {taken} files were compared");
}
