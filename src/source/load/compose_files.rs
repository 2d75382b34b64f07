//! The files of a compose project: what they say with their variables and `extends:` resolved.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_yaml::Value;

use source_text::normal_path;

use super::secrets::withheld;
use super::stacks::{Origin, Reader};
use super::{Loader, Wrong, folder_of, outside, utf8, with_help};
use crate::model::{File, layout};
use crate::source::compose::{Document, Environment, Variables, interpolate, merge, spans, types};
use crate::source::error::{Result, suggest};
use crate::source::unit::commands::{ComposeCall, Role};

/// Services that extend services that extend services: bounds what refers to itself.
const MAX_EXTENDS: usize = 8;
/// What a repository shows in the place of the `.env` that it keeps out.
const EXAMPLE: &str = ".env.example";

/// The parts of each service of a file, the one that counts most first.
type Origins = BTreeMap<String, Vec<Origin>>;

impl Loader<'_, '_> {
    /// The variables of a project, and where they come from: `.env` in its folder, or what `--env-file` names. In
    /// git, it belongs to the revision; else it is taken as it is on this machine. What the unit sets itself counts more.
    pub(super) fn environment(
        &mut self,
        reader: &mut Reader,
        call: &ComposeCall,
        folder: Option<&Path>,
    ) -> Result<(Environment, Variables)> {
        let path = super::stacks::env_path(call, folder);
        let relative = path.as_deref().and_then(|path| self.in_checkout(path));
        let (mut environment, variables) = match (path, relative) {
            // What is in a secret comes into no plan.
            (Some(path), _) if layout::secret_name(&path).is_some() => {
                (Environment::new(), Variables::Unknown)
            }
            (Some(path), Some(relative)) => self.env_file(reader, path, relative)?,
            (Some(path), None) => {
                if let Reader::Unit(_, unit) = reader {
                    outside(unit, &path);
                }
                (Environment::new(), Variables::Unknown)
            }
            (None, _) => (Environment::new(), Variables::Defaults),
        };
        environment.extend(call.environment.clone());
        let more = matches!(reader, Reader::Unit(_, unit) if !unit.environment_files.is_empty());
        let variables = if more { Variables::Unknown } else { variables };
        Ok((environment, variables))
    }

    fn env_file(
        &mut self,
        reader: &mut Reader,
        path: PathBuf,
        relative: PathBuf,
    ) -> Result<(Environment, Variables)> {
        let of = |content: &[u8]| interpolate::env_file(&String::from_utf8_lossy(content));
        let tracked = match reader {
            Reader::Unit(..) => self.inputs.probe(&relative)?,
            Reader::Nobody => self.beside(&relative)?,
        };
        if let Some(file) = tracked {
            if let Reader::Unit(name, unit) = reader {
                self.named(name, unit, &path, Role::Environment)?;
            }
            let values = match reader {
                Reader::Unit(..) => of(&file.content),
                Reader::Nobody => withheld(of(&file.content)),
            };
            return Ok((values, Variables::File(relative)));
        }
        // Unreadable without root and absent in CI: an example or the defaults have to do there.
        let work = self.work;
        let lies = work.map_or(Ok(None), |work| work.read(&relative));
        let is_hidden = lies.is_err();
        if let Ok(Some((content, _))) = lies {
            if let Reader::Unit(_, unit) = reader {
                unit.watched.insert(path);
            }
            return Ok((withheld(of(&content)), Variables::File(relative)));
        }
        let example = relative.with_file_name(EXAMPLE);
        if self.wrong == Wrong::IsCollected
            && let Some((content, _)) = self.inputs.tree.read(&example).ok().flatten()
        {
            return Ok((of(&content), Variables::Example(example)));
        }
        let none = match is_hidden {
            true => Variables::Unknown,
            false => Variables::Defaults,
        };
        Ok((Environment::new(), none))
    }

    /// A file that is read to be checked, and belongs to nothing that is applied.
    pub(super) fn beside(&mut self, relative: &Path) -> Result<Option<File>> {
        let found = &self.out.parsed.beside;
        if let Some(known) = found.get(relative) {
            return Ok(Some(known.clone()));
        }
        if self.inputs.left_out(relative) {
            return Ok(None);
        }
        let Some((content, executable)) = self.inputs.tree.read(relative)? else {
            return Ok(None);
        };
        let file = File::new(relative, content, executable);
        self.out.parsed.beside.insert(relative.into(), file.clone());
        Ok(Some(file))
    }

    /// A compose file of the checkout, parsed; `None` for one that is elsewhere.
    pub(super) fn document(
        &mut self,
        reader: &mut Reader,
        path: &Path,
        environment: &Environment,
    ) -> Result<Option<Arc<Document>>> {
        let file = match reader {
            Reader::Unit(name, unit) => self.named(name, unit, path, Role::Compose)?,
            Reader::Nobody => match self.in_checkout(path) {
                Some(relative) => self.beside(&relative)?,
                None => None,
            },
        };
        let Some(file) = file else {
            return Ok(None);
        };
        let known = self.out.parsed.compose.get(&file.source);
        let same = |known: &&Arc<Document>| {
            *known.source().as_bytes() == *file.content && known.environment == *environment
        };
        // A unit's `pull`, `up` and `down` name the same files.
        if let Some(known) = known.filter(same) {
            return Ok(Some(known.clone()));
        }
        let document = Document::parse(&file.source, utf8(&file)?, environment)?;
        let document = Arc::new(document);
        let parsed = &mut self.out.parsed.compose;
        parsed.insert(file.source, document.clone());
        Ok(Some(document))
    }

    /// Where the parts of a document's services are written, and its value with `extends:` resolved where it has any.
    pub(super) fn extended(
        &mut self,
        reader: &mut Reader,
        document: &Document,
        path: &Path,
        environment: &Environment,
    ) -> Result<(Origins, Option<Value>)> {
        let services = document.value.get("services").and_then(Value::as_mapping);
        let mut services = services.into_iter().flatten();
        if !services.any(|(_, service)| service.get("extends").is_some()) {
            let names = document.compose.services.keys();
            let own = |name: &String| vec![(document.path().to_owned(), name.clone())];
            let origins = names.map(|name| (name.clone(), own(name)));
            return Ok((origins.collect(), None));
        }
        let mut value = document.value.clone();
        let mut origins = Origins::new();
        let services = value.get_mut("services").and_then(Value::as_mapping_mut);
        for (name, service) in services.into_iter().flatten() {
            let Some(name) = types::text(name) else {
                continue;
            };
            let place = (document, path, name.as_str());
            let (resolved, found) = self.service(reader, place, environment, &[])?;
            *service = resolved;
            origins.insert(name, found);
        }
        Ok((origins, Some(value)))
    }

    /// A service of a file, laid over the one that it extends. `way` leads to it: services that extend each other.
    fn service(
        &mut self,
        reader: &mut Reader,
        (document, path, name): (&Document, &Path, &str),
        environment: &Environment,
        way: &[Origin],
    ) -> Result<(Value, Vec<Origin>)> {
        let own = document.value.get("services").and_then(|all| all.get(name));
        let own = own.cloned().unwrap_or_default();
        let mut origins = vec![(document.path().to_owned(), name.to_owned())];
        let extends = own.get("extends").cloned().unwrap_or_default();
        let wanted = extends.get("service").and_then(types::text);
        let Some(wanted) = wanted.or_else(|| types::text(&extends)) else {
            return Ok((own, origins));
        };
        if way.len() >= MAX_EXTENDS {
            return Ok((own, origins));
        }
        let way = [way, &origins].concat();
        let file = extends.get("file").and_then(types::text);
        let other = file
            .as_ref()
            .and_then(|file| normal_path(&folder_of(path).join(file)));
        let (mut base, found) = match other {
            Some(other) => {
                let Some(found) = self.document(reader, &other, environment)? else {
                    let path = ["services", name, "extends"];
                    let what = format!("service {name} extends {wanted} of");
                    self.refuse_nowhere((document, &path), file.as_deref(), &other, &what)?;
                    return Ok((own, origins));
                };
                refuse_circle(document, &way, (found.path(), &wanted))?;
                refuse_nothing((document, name), &found, &wanted)?;
                let place = (&*found, other.as_path(), wanted.as_str());
                let (mut base, origins) = self.service(reader, place, environment, &way)?;
                anchor_env_files(&mut base, &folder_of(&other));
                (base, origins)
            }
            None => {
                refuse_circle(document, &way, (document.path(), &wanted))?;
                refuse_nothing((document, name), document, &wanted)?;
                let place = (document, path, wanted.as_str());
                self.service(reader, place, environment, &way)?
            }
        };
        merge::service(&mut base, own);
        origins.extend(found);
        Ok((base, origins))
    }
}

impl Loader<'_, '_> {
    /// Another compose file that a file names below the checkout and that lies nowhere: compose refuses it.
    pub(super) fn refuse_nowhere(
        &mut self,
        (document, keys): (&Document, &[&str]),
        written: Option<&str>,
        path: &Path,
        what: &str,
    ) -> Result<()> {
        let Some(relative) = self.in_checkout(path) else {
            return Ok(());
        };
        // Of a commit alone it is not known what lies beside it.
        let is_known = !self.inputs.committed || self.work.is_some();
        if !is_known || !self.is_nowhere(&relative) {
            return Ok(());
        }
        // That the unit needs it is said with this.
        self.out.missing.retain(|missing| missing.path != path);
        let span = spans(document.source(), keys, written);
        let relative = relative.display();
        let message = format!("{what} {relative}, and there is no such file");
        let complaint = document.complain(span, message, "compose refuses the file");
        let help = format!("add {relative} to the repository, or correct the path");
        Err(with_help(complaint, Some(help)))
    }
}

/// A service that extends itself, by way of others or not: compose refuses it. The last of `way` is the one of
/// `document` that extends `wanted`.
fn refuse_circle(document: &Document, way: &[Origin], wanted: (&Path, &str)) -> Result<()> {
    let (file, wanted) = wanted;
    let is = |(path, service): &Origin| path == file && service == wanted;
    let Some(((_, name), _)) = way.split_last().filter(|_| way.iter().any(is)) else {
        return Ok(());
    };
    let span = spans(
        document.source(),
        &["services", name, "extends"],
        Some(wanted),
    );
    let message = match name == wanted {
        true => format!("service {name} extends itself"),
        false => format!("service {name} extends {wanted}, which extends {name} in the end"),
    };
    let complaint = document.complain(span, message, "compose refuses a circle");
    let help = "take what both need into a third service that extends none of them";
    Err(with_help(complaint, Some(help.to_owned())))
}

/// A service that extends one that is not there: compose refuses it.
fn refuse_nothing(extends: (&Document, &str), other: &Document, wanted: &str) -> Result<()> {
    let services = &other.compose.services;
    if services.contains_key(wanted) {
        return Ok(());
    }
    let (document, name) = extends;
    let path = ["services", name, "extends"];
    let span = spans(document.source(), &path, Some(wanted));
    let file = other.path().display();
    let message = format!("service {name} extends {wanted}, which is not in {file}");
    let complaint = document.complain(span, message, "compose refuses the file");
    let help = suggest(wanted, services.keys().map(String::as_str));
    Err(with_help(complaint, help))
}

/// Env files of an extended service are relative to the file in which it is written.
fn anchor_env_files(service: &mut Value, folder: &Path) {
    let anchor = |value: &mut Value| {
        if let Value::String(file) = value {
            *file = folder.join(&*file).to_string_lossy().into_owned();
        }
    };
    match service.get_mut("env_file") {
        Some(Value::Sequence(list)) => list.iter_mut().for_each(anchor),
        Some(other) => anchor(other),
        None => {}
    }
}
