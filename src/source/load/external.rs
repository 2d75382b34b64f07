//! Compose files of a host that units name outside the checkout: read to be validated, and never applied.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use source_text::normal_path;

use super::stacks::{Reader, stack_of, usual_files};
use super::{Inputs, Loader, ParsedStack, Places, Wrong};
use crate::model::{Desired, Diagnostic, File, Stack};
use crate::source::Revision;
use crate::source::compose::{Document, Variables};
use crate::source::error::SourceError;
use crate::source::tree::{FolderTree, Node, Readers, Tree};
use crate::source::unit::Name;
use crate::source::unit::commands::{self, ComposeCall};

/// What units run of files that no revision has, by absolute paths.
#[derive(Debug, Default)]
pub struct External {
    /// The projects, by their units; [`Stack::files`] as the unit's own stack has them.
    pub stacks: Vec<(String, Stack)>,
    /// The files that were read, without env files.
    pub files: BTreeMap<PathBuf, File>,
    /// Places in them that are wrong.
    pub wrong: Vec<Diagnostic>,
    /// Files that could not be read, and why.
    pub notes: Vec<String>,
    parsed: Vec<ParsedStack>,
    compose: BTreeMap<PathBuf, Arc<Document>>,
}

impl Revision {
    /// Reads the compose files that units name and the revision does not have, below the root folder of a host. Their
    /// projects are as they would run there: with their own `.env`, and with the revision's files beside them.
    ///
    /// `known` are the files that units of the host name already. Of others, root reads only what everybody or the owner
    /// of the checkout may read: a revision that nobody has merged must not have /etc/shadow quoted.
    pub fn external(&self, root: &Path, known: &BTreeSet<PathBuf>) -> External {
        let readers = match nix::unistd::Uid::effective().is_root() {
            true => Readers::Everybody {
                or: self.origin.owner,
            },
            false => Readers::Caller,
        };
        let hosts = || FolderTree::of_host(root);
        let (all, some) = (
            Tree::from(hosts()),
            Tree::from(hosts().readable_to(readers)),
        );
        let mut found = External::default();
        let is_known = |files: &[PathBuf]| files.iter().all(|file| known.contains(file));
        self.read_external(&all, &is_known, &mut found);
        self.read_external(&some, &|files| !is_known(files), &mut found);
        found.wrong.dedup();
        found.notes.dedup();
        found
    }

    /// Reads the projects whose files `of` picks from the tree of a host.
    fn read_external(&self, tree: &Tree, of: &dyn Fn(&[PathBuf]) -> bool, found: &mut External) {
        let inputs = Inputs::of_folder(tree, None);
        let places = Places::default();
        let mut loader = of_host(&inputs, tree, &places);
        let ours = &self.desired.files;
        for (path, file) in ours {
            let (source, file) = (path.clone(), file.clone());
            let beside = &mut loader.out.parsed.beside;
            beside.insert(path.clone(), File { source, ..file });
        }
        for (name, settings) in &self.parsed.units {
            let mentions = Name::parse(name)
                .ok()
                .and_then(|name| commands::mentions(&name, settings).ok());
            for call in mentions.into_iter().flat_map(|mentions| mentions.compose) {
                let files = files(tree, &call);
                let is_ours = files.iter().all(|file| ours.contains_key(file));
                if files.is_empty() || is_ours || !of(&files) {
                    continue;
                }
                match loader.parse_stack(&mut Reader::Nobody, &call, &files) {
                    Ok(stack) => found.add(&self.desired, name, &call, stack),
                    Err(SourceError::Syntax(place) | SourceError::Refused { place, .. }) => {
                        found.wrong.push(*place);
                    }
                    Err(error) => found.notes.push(format!(
                        "a compose file of {name} was not checked: {}",
                        said(&error)
                    )),
                }
            }
        }
        let parsed = loader.out.parsed;
        found.compose.extend(parsed.compose);
        let read = parsed.beside.into_iter();
        let read = read.filter(|(path, _)| !ours.contains_key(path));
        found.files.extend(read);
    }

    /// Adds what was read elsewhere to what is parsed, in the place of what was known of it. What is desired stays as
    /// it is.
    pub fn take_in(&mut self, external: &External) {
        fn key(stack: &ParsedStack) -> (&Option<String>, &[PathBuf]) {
            (&stack.unit, &stack.paths)
        }
        let parsed = &mut self.parsed;
        let again: BTreeSet<_> = external.parsed.iter().map(key).collect();
        parsed.stacks.retain(|stack| !again.contains(&key(stack)));
        parsed.stacks.extend(external.parsed.iter().cloned());
        parsed.beside.extend(external.files.clone());
        parsed.compose.extend(external.compose.clone());
    }
}

impl External {
    /// Whether there is nothing that could be validated.
    pub fn is_empty(&self) -> bool {
        self.parsed.is_empty() && self.wrong.is_empty()
    }

    /// The environment files that services of these projects name, `env_file:`, by the unit that runs them.
    pub fn env_files(&self) -> Vec<(String, PathBuf)> {
        let mut found = Vec::new();
        for stack in &self.parsed {
            let (Some(unit), Some(file)) = (&stack.unit, stack.files.first()) else {
                continue;
            };
            let folder = super::folder_of(file);
            for service in stack.compose.services.values() {
                let paths = service.env_files().into_iter();
                let paths = paths.filter_map(|path| normal_path(&folder.join(path)));
                found.extend(paths.map(|path| (unit.clone(), path)));
            }
        }
        found
    }

    fn add(&mut self, desired: &Desired, name: &str, call: &ComposeCall, mut stack: ParsedStack) {
        if stack.files.is_empty() {
            return;
        }
        stack.unit = Some(name.to_owned());
        // As the loader names them, which looks at no host.
        stack.paths = match (&call.files[..], &call.folder) {
            ([], Some(folder)) => vec![folder.join("docker-compose.yml")],
            _ => stack.paths,
        };
        let unit = desired.units.get(name);
        if unit.is_some_and(|unit| !unit.environment_files.is_empty()) {
            stack.variables = Variables::Unknown;
        }
        let runs = (name.to_owned(), stack_of(&stack, stack.paths.clone()));
        if !self.stacks.contains(&runs) {
            self.stacks.push(runs);
        }
        self.parsed.push(stack);
    }
}

/// What reads the files of a host as they lie.
pub(super) fn of_host<'a, 't>(
    inputs: &'a Inputs<'t>,
    tree: &'a Tree<'t>,
    places: &'a Places,
) -> Loader<'a, 't> {
    // Nothing is outside its checkout, which has no path: paths stay as they are, absolute.
    Loader::new(inputs, Some(tree), places, Wrong::IsCollected)
}

/// The files of a call: those that it names, or those that compose finds there.
pub(super) fn files(tree: &Tree, call: &ComposeCall) -> Vec<PathBuf> {
    let Some(folder) = call.folder.as_ref().filter(|_| call.files.is_empty()) else {
        return call.files.clone();
    };
    // One that may not be looked at is reported when it is read.
    let is_there = |path: &Path| match tree.resolve(path) {
        Ok(found) => Ok(matches!(found, Some((_, Node::File { .. })))),
        Err(_) => Ok(true),
    };
    usual_files(folder, is_there).unwrap_or_default()
}

/// An error with its cause.
fn said(error: &SourceError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
