//! Units from their files, drop-ins, templates and watchme.toml.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::{Loader, Missing, Wrong, inputs, text};
use crate::model::{Diagnostic, File, Install, Unit, UnitType, layout};
use crate::source::error::{Result, SourceError, suggest};
use crate::source::tree::Node;
use crate::source::unit::commands::{self, Role};
use crate::source::unit::settings::Source;
use crate::source::unit::{Name, Settings, install};

/// Pulling an image takes minutes on the servers this is for.
const START_TIMEOUT: Duration = Duration::from_secs(15 * 60);
/// How long a unit has to stay up when watchme.toml says nothing: a `Type=simple` unit counts as
/// started as soon as it forked, and one whose image is missing dies a second later.
const SETTLE: Duration = Duration::from_secs(3);

/// A unit file or drop-in as it was read.
struct Piece {
    file: File,
    source: Arc<Source>,
}

/// All pieces.
#[derive(Default)]
struct Pieces {
    files: BTreeMap<String, Piece>,
    dropins: BTreeMap<String, BTreeMap<String, Piece>>,
}

impl Loader<'_, '_> {
    pub(super) fn units(&mut self) -> Result<()> {
        let folder = self.input(&self.policy().folders.units.clone())?;
        let pieces = self.pieces(&folder)?;
        let mut names = BTreeMap::new();
        for name in pieces.files.keys().chain(pieces.dropins.keys()) {
            names.insert(name.clone(), name_of(&folder, name)?);
        }
        let added = self.add_instances(&pieces, &mut names);
        self.pass(added)?;
        let mut taken: BTreeSet<String> = names.keys().cloned().collect();
        let mut also = Vec::new();
        for name in names.values() {
            let unit = self.unit(name, &pieces);
            let Some(wanted) = self.pass(unit)? else {
                continue;
            };
            for (alias, complaint) in wanted.aliases {
                if !taken.insert(alias.clone()) {
                    let message =
                        format!("unit {alias} is defined twice: this alias and another unit");
                    let twice = Diagnostic {
                        message,
                        expected: "expected a name that no other unit has".into(),
                        ..complaint
                    };
                    self.pass::<()>(Err(twice.into()))?;
                }
            }
            also.extend(
                wanted
                    .also
                    .into_iter()
                    .map(|other| (name.to_string(), other)),
            );
        }
        for (name, other) in also {
            if !taken.contains(&other) {
                let warning = format!(
                    "{name} has Also={other}, which is not in the desired state: not enabled"
                );
                self.out.warnings.push(warning);
            }
        }
        Ok(())
    }

    /// Reads the folder of units.
    fn pieces(&mut self, folder: &Path) -> Result<Pieces> {
        let mut pieces = Pieces::default();
        let mut seen = BTreeMap::new();
        for name in self.names(folder)? {
            if !name.starts_with('.') {
                let entry = self.unit_entry(folder, name, &mut seen, &mut pieces);
                self.pass(entry)?;
            }
        }
        Ok(pieces)
    }

    fn unit_entry(
        &mut self,
        folder: &Path,
        name: String,
        seen: &mut BTreeMap<PathBuf, PathBuf>,
        pieces: &mut Pieces,
    ) -> Result<()> {
        let path = folder.join(&name);
        if self.is_file(&path, seen, ("unit", &name))? {
            name_of(folder, &name)?;
            if let Some(piece) = self.piece(&path)? {
                pieces.files.insert(name, piece);
            }
            return Ok(());
        }
        match name.strip_suffix(".d") {
            Some(unit) => {
                name_of(folder, unit)?;
                let dropins = self.dropins(&path)?;
                if !dropins.is_empty() {
                    pieces.dropins.insert(unit.into(), dropins);
                }
            }
            None => {
                let warning = format!("{} is a folder, not a unit: left alone", path.display());
                self.out.warnings.push(warning);
            }
        }
        Ok(())
    }

    fn dropins(&mut self, folder: &Path) -> Result<BTreeMap<String, Piece>> {
        let mut dropins = BTreeMap::new();
        for name in self.names(folder)? {
            let path = folder.join(&name);
            if name.starts_with('.') {
                continue;
            }
            if !name.ends_with(".conf") {
                let warning = format!(
                    "{} does not end in .conf: systemd ignores it",
                    path.display()
                );
                self.out.warnings.push(warning);
                continue;
            }
            let piece = self.dropin(path);
            if let Some(piece) = self.pass(piece)?.flatten() {
                dropins.insert(name, piece);
            }
        }
        Ok(dropins)
    }

    fn dropin(&mut self, path: PathBuf) -> Result<Option<Piece>> {
        match self.inputs.node(&path)? {
            Some((_, Node::Special(what))) => Err(SourceError::Special { path, what }),
            _ => self.piece(&path),
        }
    }

    fn piece(&mut self, path: &Path) -> Result<Option<Piece>> {
        let Some(file) = self.inputs.file(path)? else {
            return Ok(None);
        };
        let source = Source::new(path, text(&file));
        // Where what is wrong is collected, `check` has rules about each such line.
        if self.wrong == Wrong::Fails {
            for stray in &source.parsed.strays {
                let place = stray.complain(&source.file);
                if stray.spoils_the_file() {
                    return Err(place.into());
                }
                let warning = format!("{place}: systemd passes over it");
                self.out.warnings.push(warning);
            }
        }
        let source = Arc::new(source);
        Ok(Some(Piece { file, source }))
    }

    /// Instances that watchme.toml names and those that templates have by default.
    fn add_instances(&self, pieces: &Pieces, names: &mut BTreeMap<String, Name>) -> Result<()> {
        let mut instances = Vec::new();
        for (file, name) in names.iter().filter(|(_, name)| name.is_template()) {
            if pieces.files.contains_key(file) {
                instances.extend(install::default_instance(name, &settings(name, pieces))?);
            }
        }
        for (text, section) in &self.policy().units {
            let name = Name::parse(text).ok();
            let template = name.as_ref().and_then(Name::template);
            let ours = template.is_some_and(|template| pieces.files.contains_key(&template));
            match name {
                Some(name) if ours => instances.push(name),
                _ if names.contains_key(text) => {}
                _ => {
                    let known = names.keys().map(String::as_str);
                    return Err(self
                        .policy()
                        .unknown("unit", text, &section.span, known)
                        .into());
                }
            }
        }
        names.extend(instances.into_iter().map(|name| (name.to_string(), name)));
        Ok(())
    }

    fn unit(&mut self, name: &Name, pieces: &Pieces) -> Result<install::Wanted> {
        let file = pieces
            .files
            .get(name.as_str())
            .map(|piece| piece.file.clone());
        let template = name
            .template()
            .filter(|template| file.is_none() && pieces.files.contains_key(template));
        let ours = file.is_some() || template.is_some();
        let settings = settings(name, pieces);
        let mut wanted = match ours && !name.is_template() {
            true => {
                let wanted = install::wanted(name, &settings).map_err(SourceError::from);
                self.pass(wanted)?.unwrap_or_default()
            }
            false => install::Wanted::default(),
        };
        let start = self.start(name, ours, wanted.pulled_in);
        let start = self.pass(start)?.flatten();
        if start == Some(false) {
            wanted.install = Install::default();
        }
        let policy = self
            .policy()
            .units
            .get(name.as_str())
            .map(|section| section.value.clone());
        let oneshot = settings
            .last("Service", "Type")
            .is_some_and(|value| value.text == "oneshot");
        let mut unit = Unit {
            file,
            template,
            dropins: pieces
                .dropins
                .get(name.as_str())
                .map(files_of)
                .unwrap_or_default(),
            install: wanted.install.clone(),
            start: start.unwrap_or(wanted.pulled_in),
            on_change: policy
                .as_ref()
                .map(|policy| policy.on_change)
                .unwrap_or_default(),
            may_fail: policy.as_ref().is_some_and(|policy| !policy.required),
            start_timeout: policy
                .as_ref()
                .and_then(|policy| policy.start_timeout)
                .unwrap_or(START_TIMEOUT),
            settle: policy.and_then(|policy| policy.settle).unwrap_or(SETTLE),
            service_type: if oneshot {
                UnitType::Oneshot
            } else {
                UnitType::Lasting
            },
            remain_after_exit: settings.yes("Service", "RemainAfterExit"),
            environment_files: commands::environment_files(name, &settings),
            ..Unit::default()
        };
        let mentions = commands::mentions(name, &settings).map_err(SourceError::from);
        let mentions = self.pass(mentions)?.unwrap_or_default();
        for named in &mentions.paths {
            self.named(name.as_str(), &mut unit, &named.path, named.role)?;
        }
        unit.runs = mentions.docker.runs.clone();
        unit.pull = mentions.docker.pull;
        unit.docker_config = mentions.docker.config.clone();
        unit.user = settings.last("Service", "User").map(|user| user.text);
        let stacks = self.stacks(name.as_str(), &mut unit, &mentions.compose);
        self.pass(stacks)?;
        self.out.desired.units.insert(name.to_string(), unit);
        self.out.parsed.units.insert(name.to_string(), settings);
        Ok(wanted)
    }

    /// What watchme.toml says about starting a unit, if that can be done.
    fn start(&self, name: &Name, ours: bool, pulled_in: bool) -> Result<Option<bool>> {
        let Some(section) = self.policy().units.get(name.as_str()) else {
            return Ok(None);
        };
        let start = section.value.start;
        let why = match start {
            Some(true) if name.is_template() => "a template cannot run, only its instances can",
            Some(_) if !ours => "this unit is not in the desired state, only drop-ins for it are",
            _ => return Ok(start),
        };
        let known = self.policy().units.keys().map(String::as_str);
        let help = match pulled_in {
            true => None,
            false => suggest(name.as_str(), known.filter(|other| *other != name.as_str())),
        };
        let place = &self.policy().place;
        Err(place
            .complain(section.span.clone(), why, "expected no start here", help)
            .into())
    }

    /// Takes a file that a unit names into the desired state, when it lies in the checkout.
    pub(super) fn named(
        &mut self,
        name: &str,
        unit: &mut Unit,
        path: &Path,
        role: Role,
    ) -> Result<Option<File>> {
        let Some(relative) = self.in_checkout(path) else {
            if matches!(role, Role::Environment | Role::Compose) {
                outside(unit, path);
            }
            return Ok(None);
        };
        let needed = matches!(role, Role::Command | Role::Compose) || is_script(path);
        let file = match needed {
            true if !inputs::is_env_file(path) => self.inputs.file(&relative)?,
            _ => self.inputs.probe(&relative)?,
        };
        if let Some(file) = &file {
            if unit.names.insert(path.into()) {
                self.out.desired.files.insert(path.into(), file.clone());
            }
        } else if inputs::is_env_file(path) || role == Role::Environment {
            unit.watched.insert(path.into());
        } else if self
            .inputs
            .node(&relative)?
            .is_none_or(|(_, node)| node != Node::Folder)
        {
            self.out.missing.push(Missing {
                unit: name.into(),
                path: path.into(),
                relative,
                needed,
            });
        }
        Ok(file)
    }
}

/// Where what lies there comes and goes while the system runs.
const PASSING: [&str; 5] = ["/run", "/var/run", "/tmp", "/proc", "/dev"];

/// Has a file outside the checkout watched, one that is meant as that.
pub(super) fn outside(unit: &mut Unit, path: &Path) {
    let is_plain = !path.to_string_lossy().contains(['*', '?', '[', '$', '%']);
    if is_plain && !PASSING.iter().any(|folder| path.starts_with(folder)) {
        unit.outside.insert(path.into());
    }
}

/// Whether a word is the name of something that a service runs, not of something it writes.
fn is_script(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| ["sh", "py", "yml", "yaml", "js", "rb", "pl"].contains(&extension))
}

fn name_of(folder: &Path, name: &str) -> Result<Name> {
    if name == layout::RECOVERY_UNIT {
        return Err(SourceError::Name {
            path: folder.join(name),
            why: "the unit of this name is written by watchme-apply itself".to_owned(),
        });
    }
    Name::parse(name).map_err(|why| SourceError::NotAUnit {
        path: folder.join(name),
        why,
    })
}

fn files_of(pieces: &BTreeMap<String, Piece>) -> BTreeMap<String, File> {
    let file = |(name, piece): (&String, &Piece)| (name.clone(), piece.file.clone());
    pieces.iter().map(file).collect()
}

/// The pieces of a unit in the order in which systemd reads them: its file or its template's,
/// then drop-ins by file name, where the more specific folder wins. systemd.unit(5)
fn settings(name: &Name, pieces: &Pieces) -> Settings {
    let template = name.template();
    let file = pieces.files.get(name.as_str()).or_else(|| {
        template
            .as_ref()
            .and_then(|template| pieces.files.get(template))
    });
    let mut folders: Vec<String> = name
        .prefix()
        .match_indices('-')
        .filter_map(|(at, _)| name.prefix().get(..=at))
        .map(|prefix| format!("{prefix}.{}", name.suffix()))
        .collect();
    folders.extend(template);
    folders.push(name.to_string());
    let mut dropins: BTreeMap<&str, &Piece> = BTreeMap::new();
    for folder in &folders {
        for (file, piece) in pieces.dropins.get(folder).into_iter().flatten() {
            dropins.insert(file, piece);
        }
    }
    let sources = file.into_iter().chain(dropins.into_values());
    Settings::new(sources.map(|piece| piece.source.clone()).collect())
}

impl Missing {
    /// What to tell about it.
    pub fn warning(&self) -> String {
        format!(
            "{} names {}, which is not in the checkout",
            self.unit,
            self.path.display()
        )
    }
}

/// The folder of a path; `/` has none and stays.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    path.parent().unwrap_or(path).to_owned()
}
