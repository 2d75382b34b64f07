//! Compose projects that units run, and those whose files lie beside them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use source_text::normal_path;

use super::include::Parts;
use super::laid_over::laid_over;
use super::{Loader, folder_of, is_generated, outside};
use crate::kinds::secret::read::named_by;
use crate::model::{Idle, Image, Stack, Unit};
use crate::source::compose::{self, Compose, Definition, Service, Variables};
use crate::source::error::Result;
use crate::source::unit::commands::{ComposeCall, Role};

/// Names that compose looks for without `-f`.
pub(crate) const DEFAULT_FILES: [&str; 4] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
];
/// Names of files that it lays over those.
pub(super) const OVERRIDES: [&str; 4] = [
    "compose.override.yaml",
    "compose.override.yml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
];

/// A compose project as a unit's call runs it, or as its files lie in the checkout.
#[derive(Clone, Debug, Default)]
pub struct ParsedStack {
    /// The unit; `None` for files that no unit names.
    pub unit: Option<String>,
    /// The project's name.
    pub project: String,
    /// Its files as the unit names them on the server.
    pub paths: Vec<PathBuf>,
    /// Its files in the checkout, the one that counts least first.
    pub files: Vec<PathBuf>,
    /// The files laid over each other, `extends:` and variables resolved.
    pub compose: Arc<Compose>,
    /// Where the parts of each service are written, file and service, the one that counts most first.
    pub origins: BTreeMap<String, Vec<Origin>>,
    /// The services that its `up` starts.
    pub started: BTreeSet<String>,
    /// Whether the unit stays with its containers: `up` without `-d`.
    pub attached: bool,
    /// Whether the unit brings it up: not one that it only pulls or takes down.
    pub up: bool,
    /// What its containers are made from, by service; only of a stack.
    pub definitions: BTreeMap<String, Definition>,
    /// What its services share, as bytes that are the same for the same.
    pub shared: Vec<u8>,
    /// What is said of each of its networks, by key, as such bytes.
    pub networks: BTreeMap<String, Vec<u8>>,
    /// What its services share beside networks, as such bytes.
    pub kept: Vec<u8>,
    /// Where the values of its variables come from.
    pub variables: Variables,
    /// The `.env` of its folder, or the file that `--env-file` names: on the server, whether it is there or not.
    pub env: Option<PathBuf>,
    /// Variables that have neither a value nor a default, by file.
    pub unset: BTreeMap<PathBuf, BTreeSet<String>>,
    /// Whether its unit is generated for it.
    pub own: bool,
    /// Whether all of its files lie in the checkout.
    pub whole: bool,
    /// What services are built from and the checkout does not have, folders and Dockerfiles: in the checkout, and on the server.
    pub unbuildable: BTreeMap<String, (PathBuf, PathBuf)>,
}

impl ParsedStack {
    /// The folder of its first file on the server, from which relative paths are taken.
    pub(super) fn folder(&self) -> PathBuf {
        let first = self.paths.first();
        first.map(|path| folder_of(path)).unwrap_or_default()
    }

    /// The services that its `up` starts, by name.
    pub(crate) fn started_services(&self) -> impl Iterator<Item = (&String, &Service)> {
        let services = self.compose.services.iter();
        services.filter(|(name, _)| self.started.contains(*name))
    }
}

/// The files in a folder that compose finds there: the first of its usual names, and one that is laid over it.
pub(super) fn usual_files(
    folder: &Path,
    mut is_there: impl FnMut(&Path) -> Result<bool>,
) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for names in [DEFAULT_FILES, OVERRIDES] {
        for path in names.map(|name| folder.join(name)) {
            if is_there(&path)? {
                files.push(path);
                break;
            }
        }
        if files.is_empty() {
            break;
        }
    }
    Ok(files)
}

/// A file, and a service in it.
pub(super) type Origin = (PathBuf, String);

/// Who reads a compose file.
pub(super) enum Reader<'u> {
    /// A unit runs it.
    Unit(&'u str, &'u mut Unit),
    /// It is there, and nobody names it.
    Nobody,
}

impl Loader<'_, '_> {
    /// Reads what the compose calls of a unit run.
    pub(crate) fn stacks(
        &mut self,
        name: &str,
        unit: &mut Unit,
        calls: &[ComposeCall],
    ) -> Result<()> {
        let mut found = BTreeSet::new();
        let mut known = HashMap::new();
        for call in calls {
            let files = self.stack_files(name, unit, call)?;
            let mut parsed = self.parse_stack(&mut Reader::Unit(name, unit), call, &files)?;
            self.note_unbuildable(&mut parsed);
            let mut stack = stack_of(&parsed, files);
            self.bind_included(&mut stack, &parsed);
            let mounts = self.mounts(&parsed);
            self.note_mounts(unit, &mut stack, &mounts);
            if unit.stack.is_some() {
                self.define(&mut stack, &parsed);
            }
            self.collect_members(&parsed.project, &parsed.compose, &stack);
            self.out.parsed.stacks.push(parsed);
            if call.files.is_empty() {
                found.insert(stack.files.clone());
            }
            // `up` and `down` name the same project; so does a `pull` that names fewer files.
            let key = (stack.project.clone(), stack.files.clone());
            let same: &mut Vec<usize> = known.entry(key).or_default();
            if !same.iter().any(|at| unit.stacks.get(*at) == Some(&stack)) {
                same.push(unit.stacks.len());
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

    /// Reads files, absolute ones, as one project.
    pub(super) fn parse_stack(
        &mut self,
        reader: &mut Reader,
        call: &ComposeCall,
        files: &[PathBuf],
    ) -> Result<ParsedStack> {
        let first = files.first().map(|file| folder_of(file));
        let folder = match call.files.is_empty() {
            true => call.folder.clone().or_else(|| first.clone()),
            false => first.clone(),
        };
        let (environment, variables) = self.environment(reader, call, folder.as_deref())?;
        let mut parsed = ParsedStack {
            variables,
            env: env_path(call, folder.as_deref()),
            attached: call.attached,
            up: call.up,
            paths: files.to_vec(),
            whole: true,
            ..ParsedStack::default()
        };
        let mut parts = Parts::default();
        for file in files {
            self.part(reader, file, &environment, &mut parts, &[])?;
        }
        parsed.whole = !parts.misses;
        let mut layers = Vec::new();
        let mut included = Vec::new();
        for part in parts.all {
            let document = part.document;
            let path = document.path().to_owned();
            match files.contains(&part.path) {
                true => parsed.files.push(path.clone()),
                false => included.push(path.clone()),
            }
            parsed.unset.insert(path, document.unset.clone());
            let (origins, value) =
                self.extended(reader, &document, &part.path, &part.environment)?;
            for (service, found) in origins {
                let known = parsed.origins.entry(service).or_default();
                known.splice(0..0, found);
            }
            layers.push((document, value));
        }
        // What compose is told to read comes first.
        parsed.files.extend(included);
        let whole = laid_over(layers);
        let named = match matches!(reader, Reader::Unit(..)) {
            true => named_by(whole.value()),
            false => BTreeSet::new(),
        };
        if let Reader::Unit(_, unit) = reader
            && unit.stack.is_some()
        {
            parsed.definitions = compose::definitions(whole.value());
            parsed.shared = compose::shared(whole.value());
            parsed.networks = compose::networks(whole.value());
            parsed.kept = compose::kept(whole.value());
        }
        parsed.compose = whole.compose();
        let base = first.unwrap_or_default();
        if let Reader::Unit(name, unit) = reader {
            parsed.unit = Some((*name).to_owned());
            parsed.own = unit.stack.is_some();
            unit.secrets.extend(named);
            for service in parsed.compose.services.values() {
                for env_file in service.env_files() {
                    if let Some(path) = normal_path(&base.join(env_file)) {
                        self.named(name, unit, &path, Role::Environment)?;
                    }
                }
            }
        }
        let basename = folder.as_deref().and_then(Path::file_name);
        let basename = basename.map(|name| name.to_string_lossy().into_owned());
        let project = call
            .project
            .clone()
            .or_else(|| environment.get("COMPOSE_PROJECT_NAME").cloned())
            .or_else(|| parsed.compose.name.clone())
            .or(basename)
            .unwrap_or_default();
        parsed.project = compose::project_name(&project);
        parsed.started = parsed.compose.started(&call.services, &call.profiles);
        Ok(parsed)
    }

    /// The compose files of a call: those it names, or those compose would find.
    fn stack_files(
        &mut self,
        name: &str,
        unit: &mut Unit,
        call: &ComposeCall,
    ) -> Result<Vec<PathBuf>> {
        if !call.files.is_empty() {
            let files = call.files.iter().filter(|file| !is_generated(file));
            return Ok(files.cloned().collect());
        }
        let Some(folder) = &call.folder else {
            return Ok(Vec::new());
        };
        let usual = folder.join("docker-compose.yml");
        if self.in_checkout(&usual).is_none() {
            for file in DEFAULT_FILES.iter().chain(&OVERRIDES) {
                outside(unit, &folder.join(file));
            }
            return Ok(vec![usual]);
        }
        let mut files = usual_files(folder, |path| {
            let relative = self.in_checkout(path);
            let file = relative.map(|relative| self.inputs.file(&relative));
            Ok(file.transpose()?.flatten().is_some())
        })?;
        if files.is_empty() {
            files.push(usual);
        }
        for path in &files {
            self.named(name, unit, path, Role::Compose)?;
        }
        Ok(files)
    }
}

/// Where compose looks for the values of variables.
pub(super) fn env_path(call: &ComposeCall, folder: Option<&Path>) -> Option<PathBuf> {
    let named = call.env_file.clone();
    named.or_else(|| Some(folder?.join(".env")))
}

pub(super) fn stack_of(parsed: &ParsedStack, files: Vec<PathBuf>) -> Stack {
    let folder = files.first().map(|file| folder_of(file));
    let folder = folder.unwrap_or_default();
    let mut stack = Stack {
        services: parsed.started.clone(),
        project: parsed.project.clone(),
        files,
        ..Stack::default()
    };
    for (name, service) in &parsed.compose.services {
        stack.containers.extend(service.container_name.clone());
        stack.ports.extend(service.host_ports());
        let published = service.published();
        stack
            .published
            .extend(published.iter().flat_map(|port| port.on_host()));
        let name = name.clone();
        if !parsed.started.contains(&name) {
            stack.idle.insert(name, idle(service));
            continue;
        }
        stack.memory = stack.memory.saturating_add(service.memory());
        if service.is_built() {
            stack.built.insert(name.clone());
        } else if let Some(image) = image(service) {
            stack.images.insert(name.clone(), image);
        }
        if matches!(
            service.restart().as_deref(),
            Some("always" | "unless-stopped")
        ) {
            stack.lasting.insert(name.clone());
        }
        if service.replicas() != 1 {
            stack.replicas.insert(name.clone(), service.replicas());
        }
        let binds = service.binds(&folder);
        if !binds.is_empty() {
            stack.binds.insert(name.clone(), binds);
        }
        let volumes = parsed.compose.volumes_of(service, &parsed.project);
        if !volumes.is_empty() {
            stack.volumes.insert(name, volumes);
        }
    }
    stack
}

/// Why a service does not start.
fn idle(service: &Service) -> Idle {
    match (service.has_no_replica(), service.profiles.is_empty()) {
        (true, _) => Idle::NoReplica,
        (false, false) => Idle::Profile,
        (false, true) => Idle::NotNamed,
    }
}

/// The image of a service; `None` where it has none, or a variable in it has no value.
fn image(service: &Service) -> Option<Image> {
    let name = service.image().filter(|name| !name.contains('$'))?;
    let policy = service.rest.get("pull_policy");
    Some(Image {
        name: name.to_owned(),
        platform: service.platform().map(str::to_owned),
        never: policy.and_then(|policy| policy.as_str()) == Some("never"),
    })
}
