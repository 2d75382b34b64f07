//! Units from their files, drop-ins, templates and watchme.toml.

mod pieces;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::Units;
use crate::kinds::secret::read::named_in;
use crate::model::{File, Install, OnChange, Pull, Unit, UnitType, layout};
use crate::source::error::{Result, SourceError, suggest};
use crate::source::load::stack_units::{UPSTREAMS, upstreams};
use crate::source::load::{Loader, Missing, Reads, inputs, is_generated, outside};
use crate::source::policy::Folders;
use crate::source::tree::Node;
use crate::source::unit::commands::{self, Mentions, Role};
use crate::source::unit::settings::Source;
use crate::source::unit::{Name, install, pulls_all_the_same};
use pieces::{Piece, Pieces, files_of, settings};

impl Reads for Units {
    fn input<'f>(&self, folders: &'f Folders) -> Option<&'f str> {
        Some(&folders.units)
    }

    fn read(&self, loader: &mut Loader<'_, '_>) -> Result<()> {
        loader.read_units()
    }
}

impl Loader<'_, '_> {
    fn read_units(&mut self) -> Result<()> {
        let folder = self.input(&self.policy().folders.units.clone())?;
        let mut pieces = self.pieces(&folder)?;
        let mut names = BTreeMap::new();
        for name in pieces.files.keys().chain(pieces.dropins.keys()) {
            names.insert(name.clone(), name_of(&folder, name)?);
        }
        let added = self.add_stacks(&mut pieces, &mut names);
        let mut mentions = self.pass(added)?.unwrap_or_default();
        let added = self.add_instances(&pieces, &mut names);
        self.pass(added)?;
        // Who bears a name: a unit of its own, or one that has it as an alias.
        let of_units = names.keys().map(|name| (name.clone(), None));
        let mut owners: BTreeMap<String, Option<String>> = of_units.collect();
        let mut also = Vec::new();
        for name in names.values() {
            let known = mentions.remove(name.as_str());
            let unit = self.unit(name, &pieces, known);
            let Some(wanted) = self.pass(unit)? else {
                continue;
            };
            for (alias, complaint) in wanted.aliases {
                // Of a unit that is not enabled no link is made.
                if wanted.install.links.contains(Path::new(&alias)) {
                    let taken = self.alias(name, alias, complaint, &mut owners);
                    self.pass(taken)?;
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
            if !owners.contains_key(&other) {
                let warning = format!(
                    "{name} has Also={other}, which is not in the desired state: not enabled"
                );
                self.out.warnings.push(warning);
            }
        }
        self.refuse_projects_of_units()
    }

    /// Adds the units of stacks. Returns what the written units mention.
    fn add_stacks(
        &mut self,
        pieces: &mut Pieces,
        names: &mut BTreeMap<String, Name>,
    ) -> Result<BTreeMap<String, Mentions>> {
        let mut mentions = BTreeMap::new();
        for (full, name) in names.iter() {
            // What is wrong with it is reported where the unit is read.
            if let Ok(found) = commands::mentions(name, &settings(name, pieces)) {
                mentions.insert(full.clone(), found);
            }
        }
        for stack in self.stack_units(mentions.values())? {
            let full = stack.unit.to_string();
            if pieces.files.contains_key(&full) {
                return Err(SourceError::Name {
                    path: self.input(&self.policy().folders.units)?.join(&full),
                    why: format!(
                        "compose/{} is a stack, whose unit has this name",
                        stack.stack
                    ),
                });
            }
            let source = Arc::new(Source::new(&stack.source, stack.text.as_str()));
            let file = File::new(&stack.source, stack.text.into_bytes(), false);
            let piece = Piece {
                file,
                source,
                stack: Some((stack.stack, stack.copy)),
                laid_over: stack.laid_over,
            };
            pieces.files.insert(full.clone(), piece);
            // What its drop-ins mention is not all that it mentions.
            mentions.remove(&full);
            names.insert(full, stack.unit);
        }
        for made in self.backup_units()? {
            let full = made.unit.to_string();
            if pieces.files.contains_key(&full) {
                return Err(SourceError::Name {
                    path: made.source,
                    why: "a backup in watchme.toml has a unit of this name".to_owned(),
                });
            }
            let source = Arc::new(Source::new(&made.source, made.text.as_str()));
            let piece = Piece {
                file: File::new(&made.source, made.text.into_bytes(), false),
                source,
                stack: None,
                laid_over: None,
            };
            pieces.files.insert(full.clone(), piece);
            names.insert(full, made.unit);
        }
        self.add_upstreams(pieces)?;
        Ok(mentions)
    }

    /// Tells nginx which copies serve, of stacks that update start-first.
    fn add_upstreams(&mut self, pieces: &Pieces) -> Result<()> {
        let stacks = pieces.files.values().filter_map(|piece| {
            let (name, copy) = piece.stack.as_ref()?;
            Some((name.as_str(), copy.as_ref()?.port))
        });
        if let Some(file) = upstreams(stacks) {
            let path = Path::new(UPSTREAMS);
            let entry = self.etc_file(file, path);
            self.out.desired.etc.insert(path.to_owned(), entry);
        }
        Ok(())
    }

    /// Instances that watchme.toml names and those that templates have by default.
    fn add_instances(&self, pieces: &Pieces, names: &mut BTreeMap<String, Name>) -> Result<()> {
        let mut instances = Vec::new();
        for (file, name) in names.iter().filter(|(_, name)| name.is_template()) {
            if pieces.files.contains_key(file) {
                instances.extend(install::default_instance(name, &settings(name, pieces))?);
            }
        }
        for text in self.policy().units.keys() {
            let name = Name::parse(text).ok();
            let template = name.as_ref().and_then(Name::template);
            let ours = template.is_some_and(|template| pieces.files.contains_key(&template));
            match name {
                Some(name) if ours => instances.push(name),
                _ if names.contains_key(text.as_str()) => {}
                // Podman makes it of a Quadlet.
                _ if self.out.desired.units.contains_key(text.as_str()) => {}
                _ => {
                    let made = self.out.desired.units.keys().map(String::as_str);
                    let known = names.keys().map(String::as_str).chain(made);
                    return Err(self.policy().unknown("unit", text, known).into());
                }
            }
        }
        names.extend(instances.into_iter().map(|name| (name.to_string(), name)));
        Ok(())
    }

    fn unit(
        &mut self,
        name: &Name,
        pieces: &Pieces,
        mentions: Option<Mentions>,
    ) -> Result<install::Wanted> {
        if let Some(made) = self.out.desired.units.get(name.as_str()) {
            let quadlet = made.quadlet.as_deref().unwrap_or_default();
            let instead = match pieces.files.contains_key(name.as_str()) {
                true => "keep one of the two",
                false => "put its drop-ins beside that",
            };
            return Err(SourceError::Name {
                path: name.as_str().into(),
                why: format!("Podman makes this unit of containers/{quadlet}: {instead}"),
            });
        }
        let piece = pieces.files.get(name.as_str());
        let (stack, copy) = piece.and_then(|piece| piece.stack.clone()).unzip();
        let file = piece.map(|piece| piece.file.clone());
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
        let policy = self.policy().units.get(name.as_str());
        let policy = policy.cloned().unwrap_or_default();
        let alone = (stack.as_ref())
            .and_then(|stack| self.policy().stacks.get(stack.as_str()))
            .is_some_and(|stack| !*stack.unit);
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
            start: start.unwrap_or(wanted.pulled_in || alone),
            alone,
            on_change: policy.on_change.unwrap_or(match stack.is_some() {
                true => OnChange::Reload,
                false => OnChange::default(),
            }),
            stack,
            copy: copy.flatten(),
            may_fail: !policy.required,
            start_timeout: *policy.start_timeout,
            settle: *policy.settle,
            service_type: if oneshot {
                UnitType::Oneshot
            } else {
                UnitType::Lasting
            },
            remain_after_exit: settings.yes("Service", "RemainAfterExit"),
            environment_files: commands::environment_files(name, &settings),
            ..Unit::default()
        };
        let mentions = match mentions {
            Some(known) => known,
            None => {
                let found = commands::mentions(name, &settings).map_err(SourceError::from);
                self.pass(found)?.unwrap_or_default()
            }
        };
        for named in &mentions.paths {
            self.named(name.as_str(), &mut unit, &named.path, named.role)?;
        }
        if let Some(file) = piece.and_then(|piece| piece.laid_over.clone()) {
            let path = layout::live(Path::new(layout::store::FILES).join(&file.source));
            unit.names.insert(path.clone());
            self.out.desired.files.insert(path, file);
        }
        let sources = settings.sources().iter();
        let named = sources.flat_map(|source| named_in(source.text()));
        // There the specifiers are resolved, `%i` of an instance too.
        let files = unit.environment_files.iter();
        let files = files.map(|file| Path::new(file.trim_start_matches('-')));
        let files = files.filter_map(|file| layout::secret_name(file).map(str::to_owned));
        unit.secrets = named.chain(files).collect();
        unit.runs = mentions.docker.runs.clone();
        unit.pull = mentions.docker.pull.map(|pull| Pull {
            lasting: pulls_all_the_same(name, &settings),
            ..pull
        });
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
        let Some((section, policy)) = self.policy().units.get_key_value(name.as_str()) else {
            return Ok(None);
        };
        let start = policy.start;
        let why = match start {
            Some(true) if name.is_template() => "a template cannot run, only its instances can",
            Some(_) if !ours => "this unit is not in the desired state, only drop-ins for it are",
            _ => return Ok(start),
        };
        let known = self.policy().units.keys().map(|name| name.as_str());
        let help = match pulled_in {
            true => None,
            false => suggest(name.as_str(), known.filter(|other| *other != name.as_str())),
        };
        let file = &self.policy().file;
        Err(file
            .complain(section.span(), why, "expected no start here", help)
            .into())
    }

    /// Takes a file that a unit names into the desired state, when it is in the checkout.
    pub(crate) fn named(
        &mut self,
        name: &str,
        unit: &mut Unit,
        path: &Path,
        role: Role,
    ) -> Result<Option<File>> {
        let Some(relative) = self.in_checkout(path) else {
            if !is_generated(path) && matches!(role, Role::Environment | Role::Compose) {
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
                let files = &mut self.out.desired.files;
                files.entry(path.into()).or_insert_with(|| file.clone());
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

/// Whether a word is the name of something that a service runs, not of something it writes.
fn is_script(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| ["sh", "py", "yml", "yaml", "js", "rb", "pl"].contains(&extension))
}

fn name_of(folder: &Path, name: &str) -> Result<Name> {
    if layout::OWN_UNITS.contains(&name) {
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
