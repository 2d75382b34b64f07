//! What is asked for with a new service, and the files that come of it.

use std::path::{Path, PathBuf};

use source_text::suggest;

use super::NewFailure;
use super::files::Edit;
use super::port;
use super::site::{self, NewLocation};
use super::texts::Texts;
use crate::cli::Failure;
use crate::cli::commands::ports::Table;
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::source::Revision;
use crate::source::policy::SERVICE_FILE;

/// The folder of compose projects.
const COMPOSE: &str = "compose";
/// Names that compose looks for; the second one is that of older projects.
const COMPOSE_FILES: [&str; 2] = ["compose.yaml", "docker-compose.yml"];
/// The longest name: docker appends to it, and a name in DNS has 63 letters.
const LONGEST: usize = 50;
/// Words that YAML 1.1 reads as a truth value or as nothing: <https://yaml.org/type/bool.html>
const VALUES_OF_YAML: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

/// A service to add.
#[derive(Debug, clap::Args)]
pub(super) struct Service {
    /// Name of the service: of its folder in compose/, its container and its network alias
    name: String,
    /// Port on which nginx reaches it, and on which it listens in its container [default: a free port]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Port on which it listens in its container [default: the value of --port]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    container_port: Option<u16>,
    /// The public path [default: /NAME/, or / on a new site]
    #[arg(long, conflicts_with = "no_route")]
    path: Option<String>,
    /// Path in the service to which the public path is mapped
    #[arg(long, value_name = "PATH", default_value = "/")]
    internal_path: String,
    /// Path in the service that answers 200 when the service is healthy [default: health, below the internal path]
    #[arg(long, value_name = "PATH")]
    health: Option<String>,
    /// Its image, with a fixed tag [default: NAME:1, which you build]
    #[arg(long)]
    image: Option<String>,
    /// Memory limit of its container
    #[arg(long, value_name = "SIZE", default_value = "128m")]
    memory: String,
    /// The site that gets the location [default: the only site with a proxy_pass]
    #[arg(long, conflicts_with = "no_route")]
    site: Option<String>,
    /// Public domain: the server block of that name gets the location, or a new site is written
    #[arg(long, conflicts_with = "no_route")]
    domain: Option<String>,
    /// Its network, or none [default: the only network of the desired state]
    #[arg(long, value_name = "NAME")]
    network: Option<String>,
    /// Add no location and publish no port: only other containers can reach the service
    #[arg(long)]
    no_route: bool,
    /// Only show what would be written
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// What a new service comes to.
pub(super) struct Made {
    pub(super) name: String,
    pub(super) edits: Vec<Edit>,
    /// What a person should know.
    pub(super) says: Vec<String>,
    /// Commands, and why.
    pub(super) next: Vec<(String, String)>,
}

impl Service {
    /// The files with the service in them. Nothing is written.
    pub(super) async fn make(
        &self,
        session: &Session<'_>,
        output: &mut Output,
    ) -> Result<Made, Failure> {
        if let Some(host) = session.named_host() {
            let host = host.name().to_owned();
            return Err(NewFailure::OneHost { host }.into());
        }
        self.demand_name()?;
        let (revision, table) = Table::look(session, None, output).await?;
        self.demand_new(&revision)?;
        let port = port::choose(self.port, &revision.parsed.policy, &table)?;
        let internal = path_of("--internal-path", &self.internal_path)?;
        let health = self.health(&internal)?;
        let texts = Texts {
            name: &self.name,
            port,
            inside: self.container_port.unwrap_or(port),
            internal: &internal,
            health: &health,
            image: &self.image()?,
            memory: self.memory()?,
            network: self.network(&revision)?,
            is_published: !self.no_route,
        };
        Ok(self.edits(&revision, &texts)?)
    }

    fn edits(&self, revision: &Revision, texts: &Texts) -> Result<Made, NewFailure> {
        let folder = revision.parsed.folder.join(COMPOSE).join(&self.name);
        let mut edits = vec![Edit {
            path: folder.join(compose_file(revision)),
            old: None,
            new: texts.compose(),
        }];
        let mut says = Vec::new();
        let place = match self.no_route {
            true => None,
            false => Some(self.place(revision)?),
        };
        let settings = match &place {
            None => texts.gate_of_container(),
            Some(place) => {
                let public = format!("{}{}", place.base, place.path);
                let (upstream, name) = (texts.upstream(place.upstream), &self.name);
                says.push(format!(
                    "{public} reaches {upstream} of the container {name}"
                ));
                says.extend(place.note.clone());
                edits.push(place.edit(texts));
                texts.route_and_gate(place)
            }
        };
        edits.push(Edit {
            path: folder.join(SERVICE_FILE),
            old: None,
            new: settings,
        });
        Ok(Made {
            name: self.name.clone(),
            edits,
            says,
            next: self.next(texts, place.as_ref()),
        })
    }

    fn next(&self, texts: &Texts, place: Option<&NewLocation>) -> Vec<(String, String)> {
        let mut next: Vec<(String, String)> = Vec::new();
        let mut add = |command: &str, why: &str| next.push((command.to_owned(), why.to_owned()));
        let listens = format!("it answers GET {} on port {}", texts.health, texts.inside);
        match self.image {
            None => add(
                &format!("docker build -t {} .", texts.image),
                &format!("on the server, where its code is; {listens}"),
            ),
            Some(_) => add(
                &format!("docker push {}", texts.image),
                &format!("if it is not there yet; {listens}"),
            ),
        }
        add("watchme-apply check", "what is wrong with the files");
        add(
            "sudo watchme-apply plan --worktree",
            "what an apply would do",
        );
        let commit = format!("git add -A && git commit -m \"{}\"", self.name);
        add(&commit, "then watchme-apply on the server");
        if let Some(place) = place.filter(|place| place.is_new()) {
            add(
                &format!("sudo certbot --nginx -d {}", place.domain),
                "once it is applied; then capture its lines: docs/recipes.md",
            );
        }
        next
    }

    fn demand_name(&self) -> Result<(), NewFailure> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        // A key of a compose file that is a number or one of the words is no text.
        let begins = self.name.starts_with(|c: char| c.is_ascii_lowercase());
        let is_word = VALUES_OF_YAML.contains(&self.name.as_str());
        match begins && !is_word && self.name.len() <= LONGEST && self.name.chars().all(is_plain) {
            true => Ok(()),
            false => Err(NewFailure::Name {
                name: self.name.clone(),
            }),
        }
    }

    /// Fails where something has the name that the service needs.
    fn demand_new(&self, revision: &Revision) -> Result<(), NewFailure> {
        let name = self.name.as_str();
        let exists = |what: String| {
            let name = name.to_owned();
            Err(NewFailure::Exists { name, what })
        };
        let folder = revision.parsed.folder.join(COMPOSE).join(name);
        let mut inputs = revision.inputs.keys().chain(revision.parsed.beside.keys());
        if let Some(file) = inputs.find(|path| path.starts_with(&folder)) {
            return exists(file.display().to_string());
        }
        let units = [format!("{name}.service"), format!("stack-{name}.service")];
        let is_there = |unit: &&String| revision.desired.units.contains_key(*unit);
        if let Some(unit) = units.iter().find(is_there) {
            return exists(format!("the unit {unit}"));
        }
        for stack in &revision.parsed.stacks {
            if stack.project == name {
                return exists(format!("the compose project {name}"));
            }
            let file = stack.files.first().map(|file| file.display().to_string());
            let file = file.unwrap_or_default();
            for (service, definition) in &stack.compose.services {
                if definition.container_name.as_deref() == Some(name) {
                    return exists(format!("the container {name} in {file}"));
                }
                if service == name {
                    return exists(format!(
                        "the service {name} in {file}, which has that name on its networks"
                    ));
                }
            }
        }
        Ok(())
    }

    fn place(&self, revision: &Revision) -> Result<NewLocation, NewFailure> {
        let path = self.path.as_deref().map(|path| path_of("--path", path));
        let asked = site::Asked {
            name: &self.name,
            site: self.site.as_deref(),
            domain: self.domain()?,
            path: path.transpose()?,
        };
        site::place(revision, &asked)
    }

    fn domain(&self) -> Result<Option<&str>, NewFailure> {
        let Some(domain) = self.domain.as_deref() else {
            return Ok(None);
        };
        let is_label = |label: &str| {
            let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            let begins = !label.is_empty() && !label.starts_with('-');
            begins && label.len() < 64 && label.chars().all(is_plain)
        };
        let expected = "a name in lowercase letters, such as blog.example.com";
        match domain.len() < 254 && domain.split('.').all(is_label) {
            true => Ok(Some(domain)),
            false => Err(value("--domain", domain, expected)),
        }
    }

    fn health(&self, internal: &str) -> Result<String, NewFailure> {
        let Some(health) = &self.health else {
            return Ok(format!("{internal}health"));
        };
        let expected = "a path such as /health";
        let is_path = health.starts_with('/') && is_plain_path(health);
        if !is_path {
            return Err(value("--health", health, expected));
        }
        match health.starts_with(internal) {
            true => Ok(health.clone()),
            false => Err(NewFailure::HealthInside {
                health: health.clone(),
                internal: internal.to_owned(),
            }),
        }
    }

    fn image(&self) -> Result<String, NewFailure> {
        let Some(image) = &self.image else {
            return Ok(format!("{}:1", self.name));
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "./:@_-".contains(c);
        let begins = image.starts_with(|c: char| c.is_ascii_alphanumeric());
        let expected = "a name such as registry.example.com/blog:1.0";
        match begins && image.chars().all(is_plain) {
            true => Ok(image.clone()),
            false => Err(value("--image", image, expected)),
        }
    }

    fn memory(&self) -> Result<&str, NewFailure> {
        let number = self.memory.trim_end_matches(['k', 'm', 'g', 'b']);
        let unit = self.memory.strip_prefix(number).unwrap_or_default();
        let is_unit = ["k", "m", "g", "kb", "mb", "gb"].contains(&unit);
        let expected = "a size as compose has it: 128m, 1g";
        match is_unit && number.parse::<u32>().is_ok_and(|number| number > 0) {
            true => Ok(&self.memory),
            false => Err(value("--memory", &self.memory, expected)),
        }
    }

    /// The network that it is on.
    fn network(&self, revision: &Revision) -> Result<Option<String>, NewFailure> {
        let known = revision.desired.networks.keys();
        let known: Vec<&str> = known.map(String::as_str).collect();
        match (self.network.as_deref(), known.as_slice()) {
            (Some("none"), _) | (None, []) => Ok(None),
            (None, [one]) => Ok(Some((*one).to_owned())),
            (None, _) => Err(NewFailure::Networks {
                names: known.iter().map(|name| (*name).to_owned()).collect(),
            }),
            (Some(name), known) if known.contains(&name) => Ok(Some(name.to_owned())),
            (Some(name), known) => Err(NewFailure::NoNetwork {
                name: name.to_owned(),
                near: suggest(name, known.iter().copied()),
            }),
        }
    }
}

/// The name of compose files here.
fn compose_file(revision: &Revision) -> &'static str {
    let folder = revision.parsed.folder.join(COMPOSE);
    let has = |name: &str| {
        let mut files = revision.parsed.compose.keys();
        files.any(|path| path.starts_with(&folder) && path.file_name() == Some(name.as_ref()))
    };
    let [new, old] = COMPOSE_FILES;
    if !has(new) && has(old) { old } else { new }
}

/// A path that begins and ends with a slash: nginx replaces the one by the other.
fn path_of(option: &'static str, path: &str) -> Result<String, NewFailure> {
    if !path.starts_with('/') || !is_plain_path(path) {
        return Err(value(
            option,
            path,
            "a path such as /blog/, without spaces, //, . and ..",
        ));
    }
    Ok(format!("{}/", path.trim_end_matches('/')))
}

fn is_plain_path(path: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._~-".contains(c);
    let is_name = |part: &str| !["", ".", ".."].contains(&part);
    let inner = path.trim_start_matches('/').trim_end_matches('/');
    let slashes = path.starts_with("//") || path.ends_with("//");
    path.chars().all(is_plain) && !slashes && (inner.is_empty() || inner.split('/').all(is_name))
}

fn value(option: &'static str, value: &str, expected: &'static str) -> NewFailure {
    NewFailure::Value {
        option,
        value: value.to_owned(),
        expected,
    }
}

/// The path of a new site.
pub(super) fn site_path(revision: &Revision, name: &str) -> PathBuf {
    let mut sites = revision.desired.sites.values();
    let beside = sites.find_map(|site| {
        let folder = site.file.source.parent()?;
        let is_of_a_host = folder.components().any(|part| part.as_os_str() == "hosts");
        (!is_of_a_host).then(|| folder.to_owned())
    });
    let usual = || {
        let folder: &Path = &revision.parsed.folder;
        folder.join(revision.parsed.policy.folders.sites.as_str())
    };
    beside.unwrap_or_else(usual).join(name)
}
