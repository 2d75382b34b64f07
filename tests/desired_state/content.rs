//! What it holds, against what the server's documents say. Compose files, units and the site are read as plain YAML and
//! text, here and in `services`, not with the program's own reader, where a plain look does.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use watchme_apply::model::{MemberName, Probe};

use crate::{policy, repository, shipped, texts};

/// Members and addresses as the server's documents list them.
const MEMBERS: [(&str, &str); 13] = [
    ("watchme-scheduler-prod", "172.27.0.2"),
    ("api-transcriber", "172.27.0.3"),
    ("watchme-api-manager-prod", "172.27.0.4"),
    ("opensmile-aggregator", "172.27.0.5"),
    ("watchme-vault-api", "172.27.0.6"),
    ("api_gen_prompt_mood_chart", "172.27.0.7"),
    ("api-gpt-v1", "172.27.0.8"),
    ("watchme-web-prod", "172.27.0.9"),
    ("vibe-transcriber-v2", "172.27.0.10"),
    ("api_sed_v1-sed_api-1", "172.27.0.11"),
    ("opensmile-api", "172.27.0.12"),
    ("watchme-admin", "172.27.0.13"),
    ("api-sed-aggregator", "172.27.0.14"),
];

#[test]
fn the_network_has_its_thirteen_members() {
    let (desired, _) = shipped();
    assert_eq!(desired.networks.len(), 1);
    let network = &desired.networks["watchme-network"];
    assert_eq!(network.driver, "bridge");
    let subnets: Vec<_> = network
        .subnets
        .iter()
        .map(|range| {
            (
                range.subnet.to_string(),
                range.gateway.map(|gateway| gateway.to_string()),
            )
        })
        .collect();
    assert_eq!(
        subnets,
        [("172.27.0.0/16".to_owned(), Some("172.27.0.1".to_owned()))]
    );
    assert_eq!(
        network.owner.as_deref(),
        Some("watchme-infrastructure.service")
    );
    let container = |name: &MemberName| match name {
        MemberName::Container(name) => name.clone(),
        // What compose calls the container of a service.
        MemberName::Service { project, service } => format!("{project}-{service}-1"),
    };
    let found: BTreeMap<String, Option<String>> = network
        .members
        .iter()
        .filter(|member| !matches!(&member.name, MemberName::Service { service, .. } if service == "network-holder"))
        .map(|member| (container(&member.name), member.address.map(|address| address.to_string())))
        .collect();
    for (name, address) in MEMBERS {
        assert_eq!(
            found.get(name).and_then(Option::as_deref),
            Some(address),
            "{name}"
        );
    }
    // The avatar uploader is not on the list of the documents; nobody else may join unseen.
    let others: Vec<&String> = found
        .keys()
        .filter(|name| !MEMBERS.iter().any(|(known, _)| known == name))
        .collect();
    assert!(
        others.iter().all(|name| name.contains("avatar")),
        "{others:?}"
    );
}

#[test]
fn nothing_in_it_deserves_a_warning() {
    let (desired, warnings) = shipped();
    assert_eq!(warnings, Vec::<String>::new());
    assert!(
        desired
            .absent
            .contains(Path::new("/etc/nginx/sites-enabled/default"))
    );
}

/// Public locations of the site with where they go.
pub(crate) fn locations() -> BTreeMap<String, String> {
    let site =
        fs::read_to_string(repository().join("desired-state/sites-available/api.hey-watch.me"))
            .unwrap();
    let mut found = BTreeMap::new();
    let mut location = None;
    for line in site.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("location ") {
            location = Some(rest.trim_end_matches('{').trim().to_owned());
        }
        if let (Some(name), Some(rest)) = (&location, line.strip_prefix("proxy_pass ")) {
            found.insert(name.clone(), rest.trim_end_matches(';').to_owned());
        }
    }
    found
}

#[test]
fn every_public_location_has_a_route_and_a_gate() {
    let (desired, _) = shipped();
    let routes = policy().routes;
    let locations = locations();
    assert!(locations.len() >= 13, "{locations:?}");
    assert_eq!(
        locations["/scheduler/"],
        "http://localhost:8015/api/scheduler/"
    );
    for (location, upstream) in &locations {
        let public = format!("https://api.hey-watch.me{location}");
        let routes: Vec<_> = routes
            .iter()
            .filter(|route| route.url.starts_with(&public))
            .collect();
        assert!(!routes.is_empty(), "no [[route]] below {public}");
        for route in routes {
            // nginx replaces the location by the path of proxy_pass.
            let rest = route.url.strip_prefix(&public).unwrap();
            let expected = format!("{upstream}{rest}");
            assert_eq!(route.upstream.as_str(), expected, "{}", route.url.as_str());
        }
        let is_gate = |probe: &Probe| matches!(probe, Probe::Url { url, status: 200, verify: true } if url.to_string().starts_with(&public));
        assert!(
            desired.gates.iter().any(|gate| is_gate(&gate.probe)),
            "no [[gate]] below {public}"
        );
    }
    for route in &routes {
        let location = locations.keys().find(|name| {
            route
                .url
                .starts_with(&format!("https://api.hey-watch.me{name}"))
        });
        let url = route.url.as_str();
        assert!(location.is_some(), "{url} leads to no location");
    }
}

#[test]
fn the_timer_mends_the_network_and_never_applies() {
    let folder = repository().join("desired-state/systemd");
    let timer = fs::read_to_string(folder.join("watchme-drift.timer")).unwrap();
    assert!(timer.contains("OnUnitActiveSec=5min"), "{timer}");
    let service = fs::read_to_string(folder.join("watchme-drift.service")).unwrap();
    let lines: Vec<&str> = service
        .lines()
        .filter(|line| line.starts_with("ExecStart="))
        .collect();
    assert!(
        lines.iter().any(|line| line.contains("drift")
            && line.contains("--fix")
            && line.contains("--only network")),
        "{lines:?}"
    );
    assert!(
        lines.iter().any(|line| line.contains(" drift")
            && !line.contains("--only")
            && !line.contains("--fix")),
        "all other drift is reported: {lines:?}"
    );
    assert!(
        lines
            .iter()
            .all(|line| !line.contains("watchme-apply apply")),
        "{lines:?}"
    );
    assert!(
        service.contains("SuccessExitStatus=2")
            && service.contains("/var/log/watchme-infrastructure.log")
    );
    let rotation = fs::read_to_string(
        repository().join("desired-state/etc/logrotate.d/watchme-infrastructure"),
    )
    .unwrap();
    assert!(rotation.contains("/var/log/watchme-infrastructure.log"));
}

/// Addresses, accounts and keys are those that documentation may use.
#[test]
fn nothing_real_is_in_it() {
    for (path, text) in texts(&repository().join("desired-state")) {
        for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.')) {
            let Ok(address) = word.parse::<std::net::Ipv4Addr>() else {
                continue;
            };
            let fine = address.is_loopback()
                || address.is_private()
                || address.is_documentation()
                || address.is_unspecified();
            assert!(fine, "{}: {address}", path.display());
        }
        for account in text
            .split(|c: char| !c.is_ascii_digit())
            .filter(|digits| digits.len() == 12)
        {
            assert_eq!(account, "123456789012", "{}", path.display());
        }
        assert!(
            !text.contains("BEGIN ") && !text.contains("AKIA"),
            "{}",
            path.display()
        );
    }
}
