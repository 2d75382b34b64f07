//! Compose projects that units run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_yaml::Value;

use super::units::folder_of;
use super::{Loader, text};
use crate::model::{Stack, Unit};
use crate::source::compose::{self, Compose, Document, Environment, Service, interpolate, types};
use crate::source::error::Result;
use crate::source::unit::commands::{ComposeCall, Role, normal};

/// Names that compose looks for without `-f`, and those it lays over them.
const DEFAULT_FILES: [&str; 4] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
];
const OVERRIDES: [&str; 4] = [
    "compose.override.yaml",
    "compose.override.yml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
];
/// Services that extend services that extend services: bounds what refers to itself.
const MAX_EXTENDS: usize = 8;

impl Loader<'_, '_> {
    /// Reads what the compose calls of a unit run.
    pub(super) fn stacks(
        &mut self,
        name: &str,
        unit: &mut Unit,
        calls: &[ComposeCall],
    ) -> Result<()> {
        let mut found = BTreeSet::new();
        for call in calls {
            let stack = self.stack(name, unit, call)?;
            if call.files.is_empty() {
                found.insert(stack.files.clone());
            }
            // `up` and `down` name the same project; so does a `pull` that names fewer files.
            if !unit.stacks.contains(&stack) {
                unit.stacks.push(stack);
            }
        }
        // What a script calls where is not known: what is named for one call would bind the others.
        let is_script = |path: &PathBuf| {
            let file = self.out.desired.files.get(path);
            file.is_some_and(|file| file.content.starts_with(b"#!"))
        };
        if let [files] = &found.into_iter().collect::<Vec<_>>()[..]
            && files.iter().all(|file| unit.names.contains(file))
            && !unit.names.iter().any(is_script)
        {
            unit.compose_files = files.clone();
        }
        Ok(())
    }

    fn stack(&mut self, name: &str, unit: &mut Unit, call: &ComposeCall) -> Result<Stack> {
        let files = self.stack_files(name, unit, call)?;
        let first = files.first().map(|file| folder_of(file));
        let folder = call
            .folder
            .clone()
            .filter(|_| call.files.is_empty())
            .or(first);
        let environment = match &folder {
            Some(folder) => self.environment(name, unit, folder)?,
            None => Environment::new(),
        };
        let mut whole = Value::Null;
        for file in &files {
            if let Some(document) = self.document(name, unit, file, &environment)? {
                let value = self.extended(name, unit, &document, file, &environment, 0)?;
                match whole.is_null() {
                    true => whole = value,
                    false => compose::overlay(&mut whole, value),
                }
            }
        }
        let compose = read_whole(whole);
        for service in compose.services.values() {
            for env_file in service.env_files() {
                let base = files
                    .first()
                    .map(|file| folder_of(file))
                    .unwrap_or_default();
                if let Some(path) = normal(&base.join(env_file)) {
                    self.named(name, unit, &path, Role::Environment)?;
                }
            }
        }
        let basename = folder.as_deref().and_then(Path::file_name);
        let basename = basename.map(|name| name.to_string_lossy().into_owned());
        let project = call
            .project
            .clone()
            .or_else(|| environment.get("COMPOSE_PROJECT_NAME").cloned())
            .or_else(|| compose.name.clone())
            .or(basename)
            .unwrap_or_default();
        let project = compose::project_name(&project);
        let services = compose.started(&call.services);
        let stack = Stack {
            memory: services
                .iter()
                .filter_map(|name| compose.services.get(name))
                .map(Service::memory)
                .fold(0, u64::saturating_add),
            services,
            containers: compose
                .services
                .values()
                .filter_map(|service| service.container_name.clone())
                .collect(),
            ports: compose
                .services
                .values()
                .flat_map(|service| service.host_ports())
                .collect(),
            project: project.clone(),
            files,
        };
        self.collect_members(&project, &compose, &stack);
        Ok(stack)
    }

    /// The compose files of a call: those it names, or those compose would find.
    fn stack_files(
        &mut self,
        name: &str,
        unit: &mut Unit,
        call: &ComposeCall,
    ) -> Result<Vec<PathBuf>> {
        if !call.files.is_empty() {
            return Ok(call.files.clone());
        }
        let Some(folder) = &call.folder else {
            return Ok(Vec::new());
        };
        let usual = folder.join("docker-compose.yml");
        if self.in_checkout(&usual).is_none() {
            return Ok(vec![usual]);
        }
        let mut files = Vec::new();
        for names in [DEFAULT_FILES, OVERRIDES] {
            for file in names {
                let path = folder.join(file);
                let Some(relative) = self.in_checkout(&path) else {
                    continue;
                };
                if self.inputs.file(&relative)?.is_some() {
                    self.named(name, unit, &path, Role::Compose)?;
                    files.push(path);
                    break;
                }
            }
            if files.is_empty() {
                self.named(name, unit, &usual, Role::Compose)?;
                return Ok(vec![usual]);
            }
        }
        Ok(files)
    }

    /// The `.env` beside a compose file: in git, it belongs to the revision; else it is taken
    /// as it lies on this machine.
    fn environment(&mut self, name: &str, unit: &mut Unit, folder: &Path) -> Result<Environment> {
        let path = folder.join(".env");
        let Some(relative) = self.in_checkout(&path) else {
            return Ok(Environment::new());
        };
        if let Some(file) = self.inputs.probe(&relative)? {
            self.named(name, unit, &path, Role::Environment)?;
            return Ok(interpolate::env_file(&text(&file)));
        }
        // Unreadable without root and absent in CI: the defaults have to do there.
        let lies = self
            .work
            .and_then(|work| work.read(&relative).ok().flatten());
        Ok(match lies {
            Some((content, _)) => {
                unit.watched.insert(path);
                interpolate::env_file(&String::from_utf8_lossy(&content))
            }
            None => Environment::new(),
        })
    }

    /// A compose file of the checkout, parsed; `None` for one that lies elsewhere.
    fn document(
        &mut self,
        name: &str,
        unit: &mut Unit,
        path: &Path,
        environment: &Environment,
    ) -> Result<Option<Document>> {
        let Some(file) = self.named(name, unit, path, Role::Compose)? else {
            return Ok(None);
        };
        let document = Document::parse(&file.source, &text(&file), environment)?;
        let compose = document.compose()?;
        self.out
            .parsed
            .compose
            .insert(file.source.clone(), (document.clone(), compose));
        Ok(Some(document))
    }

    /// The document's value with `extends:` resolved.
    fn extended(
        &mut self,
        name: &str,
        unit: &mut Unit,
        document: &Document,
        path: &Path,
        environment: &Environment,
        depth: usize,
    ) -> Result<Value> {
        let mut value = document.value.clone();
        let Some(services) = value.get_mut("services").and_then(Value::as_mapping_mut) else {
            return Ok(value);
        };
        for (_, service) in services.iter_mut() {
            let Some(extends) = service.get("extends").cloned() else {
                continue;
            };
            let wanted = extends
                .get("service")
                .and_then(types::text)
                .or_else(|| types::text(&extends));
            let file = extends.get("file").and_then(types::text);
            if depth >= MAX_EXTENDS {
                continue;
            }
            let base = match file.and_then(|file| normal(&folder_of(path).join(file))) {
                Some(other) => match self.document(name, unit, &other, environment)? {
                    Some(found) => {
                        self.extended(name, unit, &found, &other, environment, depth + 1)?
                    }
                    None => continue,
                },
                None => document.value.clone(),
            };
            let base =
                wanted.and_then(|wanted| base.get("services")?.get(wanted.as_str()).cloned());
            if let Some(mut base) = base {
                let over = std::mem::replace(service, Value::Null);
                compose::overlay(&mut base, over);
                *service = base;
            }
        }
        Ok(value)
    }

    /// Remembers services that are on networks which others make.
    fn collect_members(&mut self, project: &str, compose: &Compose, stack: &Stack) {
        let external: BTreeMap<&str, String> = compose
            .networks
            .iter()
            .filter_map(|(key, network)| {
                Some((key.as_str(), network.as_ref()?.external_name(key)?))
            })
            .collect();
        for (service, definition) in &compose.services {
            // Those start only when somebody asks for the profile.
            if !definition.profiles.is_empty() {
                continue;
            }
            for (key, attachment) in definition.networks.entries() {
                let Some(network) = external.get(key) else {
                    continue;
                };
                let aliases: BTreeSet<String> = attachment
                    .into_iter()
                    .flat_map(|attachment| attachment.aliases.iter().cloned())
                    .chain([service.clone()])
                    .collect();
                let address = attachment.and_then(|attachment| {
                    attachment
                        .ipv4_address
                        .clone()
                        .or_else(|| attachment.ipv6_address.clone())
                });
                self.out.candidates.push(super::networks::Candidate {
                    network: network.clone(),
                    project: project.into(),
                    service: service.clone(),
                    container: definition.container_name.clone(),
                    aliases,
                    address,
                    files: stack.files.clone(),
                });
            }
        }
    }
}

/// Files that were each read without complaint can only disagree in ways that do not matter.
fn read_whole(whole: Value) -> Compose {
    match whole {
        Value::Null => Compose::default(),
        whole => serde_yaml::from_value(whole).unwrap_or_default(),
    }
}
