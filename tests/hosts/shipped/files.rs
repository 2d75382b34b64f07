//! What the shipped desired state asks for, read from its files by the test itself, not by the tool.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_yaml::Value;

use crate::support::{Host, Service};

/// The shipped desired state.
pub(super) struct Shipped {
    pub policy: Policy,
    pub containers: Vec<Container>,
    pub locations: Vec<Location>,
    pub network: Value,
}

/// The part of watchme.toml that says what must be true afterwards.
#[derive(Deserialize)]
pub(super) struct Policy {
    #[serde(rename = "route")]
    pub routes: Vec<Route>,
    #[serde(rename = "gate")]
    pub gates: Vec<Gate>,
    network: BTreeMap<String, Members>,
}

#[derive(Deserialize)]
pub(super) struct Route {
    pub url: String,
    pub upstream: String,
}

#[derive(Deserialize)]
pub(super) struct Gate {
    pub url: String,
}

#[derive(Deserialize)]
struct Members {
    member: Vec<Member>,
}

/// A member, named by its container or by its compose service.
#[derive(Deserialize)]
struct Member {
    container: Option<String>,
    project: Option<String>,
    service: Option<String>,
}

/// A service of a compose file.
pub(super) struct Container {
    pub image: String,
    /// Port on the host and in the container, if it publishes one.
    pub ports: Option<(u16, u16)>,
}

/// A `location` of the site that passes on, with the address it passes to.
pub(super) struct Location {
    pub path: String,
    pub proxy_pass: String,
}

impl Shipped {
    pub(super) fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("desired-state")
    }

    pub(super) fn read() -> Self {
        let folder = Self::folder();
        let text = |path: &str| fs::read_to_string(folder.join(path)).expect("a shipped file");
        let policy: Policy = toml::from_str(&text("watchme.toml")).expect("watchme.toml");
        let infra: Value = serde_yaml::from_str(&text("docker-compose.infra.yml")).expect("YAML");
        let mut containers = services(&infra);
        for project in names(&folder.join("compose")) {
            let path = format!("compose/{project}/docker-compose.yml");
            if folder.join(&path).exists() {
                let file: Value = serde_yaml::from_str(&text(&path)).expect("YAML");
                containers.extend(services(&file));
            }
        }
        Self {
            policy,
            containers,
            locations: locations(&text("sites-available/api.hey-watch.me")),
            network: infra["networks"]["watchme-network"].clone(),
        }
    }

    /// The names that the members' containers have.
    pub(super) fn members(&self, host: &Host) -> Vec<String> {
        let members = self.policy.network.values().flat_map(|it| &it.member);
        let mut names: Vec<String> = members
            .map(
                |member| match (&member.container, &member.project, &member.service) {
                    (Some(container), ..) => container.clone(),
                    (None, Some(project), Some(service)) => host.container_of(project, service, 1),
                    _ => panic!("a member that names nothing"),
                },
            )
            .collect();
        names.sort();
        names
    }

    /// How many services listen: all but the container that holds the network.
    pub(super) fn services(&self) -> usize {
        self.containers
            .iter()
            .filter(|it| it.ports.is_some())
            .count()
    }

    /// Where the site sends a public URL, and the image that has to answer there.
    pub(super) fn upstream(&self, url: &str) -> (String, &Container) {
        let path = format!("/{}", url.splitn(4, '/').nth(3).expect("a path"));
        let location = (self.locations.iter())
            .find(|location| path.starts_with(&location.path))
            .unwrap_or_else(|| panic!("no location for {url}"));
        let rest = path.strip_prefix(&location.path).unwrap_or_default();
        let upstream = format!("{}{rest}", location.proxy_pass);
        let container = self.behind(&upstream);
        (upstream, container)
    }

    /// The container that publishes the port of an address on the host.
    fn behind(&self, address: &str) -> &Container {
        let port = address
            .split(['/', ':'])
            .nth(4)
            .and_then(|port| port.parse().ok());
        let published = |it: &&Container| it.ports.map(|(host, _)| host) == port;
        let found = self.containers.iter().find(published);
        found.unwrap_or_else(|| panic!("no compose file publishes the port of {address}"))
    }

    /// Every public URL: those of watchme.toml, and each location's own.
    pub(super) fn public_urls(&self) -> Vec<String> {
        let first = &self.policy.routes[0].url;
        let host = first.split('/').nth(2).expect("a host name");
        let routes = self.policy.routes.iter().map(|route| route.url.clone());
        let gates = self.policy.gates.iter().map(|gate| gate.url.clone());
        let own = self
            .locations
            .iter()
            .map(|location| format!("https://{host}{}", location.path));
        let mut urls: Vec<String> = routes.chain(gates).chain(own).collect();
        urls.sort();
        urls.dedup();
        urls
    }

    /// Loads a stand-in for each image, serving what the public URLs come out at.
    pub(super) fn load_images(&self, host: &Host) {
        let mut paths: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let through_nginx = self
            .public_urls()
            .into_iter()
            .map(|url| self.upstream(&url).0);
        let named = self
            .policy
            .routes
            .iter()
            .map(|route| route.upstream.clone());
        for upstream in through_nginx.chain(named) {
            let path = format!("/{}", upstream.splitn(4, '/').nth(3).unwrap_or_default());
            paths
                .entry(&self.behind(&upstream).image)
                .or_default()
                .push(path);
        }
        let borrowed: Vec<(&Container, Vec<&str>)> = (self.containers.iter())
            .map(|it| {
                (
                    it,
                    paths
                        .get(it.image.as_str())
                        .into_iter()
                        .flatten()
                        .map(String::as_str)
                        .collect(),
                )
            })
            .collect();
        let services: Vec<Service<'_>> = (borrowed.iter())
            .map(|(it, paths)| Service {
                image: &it.image,
                port: it.ports.map_or(80, |(_, inside)| inside),
                paths,
            })
            .collect();
        host.load_service_images(&services);
    }
}

fn services(file: &Value) -> Vec<Container> {
    let services = file["services"].as_mapping().expect("services");
    (services.values())
        .map(|it| Container {
            image: it["image"].as_str().expect("an image").to_owned(),
            ports: it["ports"].as_sequence().map(|ports| published(&ports[0])),
        })
        .collect()
}

/// `127.0.0.1:HOST:CONTAINER`: no service is open to the outside.
fn published(port: &Value) -> (u16, u16) {
    let text = port.as_str().expect("a port as text");
    let rest = text
        .strip_prefix("127.0.0.1:")
        .unwrap_or_else(|| panic!("{text} is open to the outside"));
    let (host, inside) = rest.split_once(':').expect("two ports");
    (
        host.parse().expect("a port"),
        inside.parse().expect("a port"),
    )
}

fn locations(site: &str) -> Vec<Location> {
    let mut found = Vec::new();
    let mut path = "";
    for line in site.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("location ") {
            path = rest.trim_end_matches('{').trim();
        } else if let Some(address) = line.strip_prefix("proxy_pass ") {
            let (path, proxy_pass) = (path.to_owned(), address.trim_end_matches(';').to_owned());
            found.push(Location { path, proxy_pass });
        }
    }
    found
}

/// The names in a folder, in order.
pub(super) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a shipped folder");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}
