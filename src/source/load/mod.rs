//! Combines the inputs of one revision into a [`Desired`].

mod aliases;
mod compose_files;
mod definitions;
mod external;
mod gates;
mod hosts;
mod include;
pub(crate) mod inputs;
mod installed;
mod laid_over;
mod loose;
mod members;
mod mounts;
mod places;
mod require;
pub(crate) mod secrets;
mod services;
pub(crate) mod shape;
pub(crate) mod stack_units;
mod stacks;
mod unread;
mod unreferenced;
mod whole;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use external::External;
pub use hosts::HostName;
pub(crate) use inputs::Inputs;
pub(crate) use inputs::{folder_of, is_env_file, outside, text, utf8};
pub(crate) use installed::installed;
pub(crate) use mounts::is_generated;
pub(crate) use places::Places;
pub(crate) use stacks::{DEFAULT_FILES, ParsedStack};
pub use unread::Unread;

use shape::Shape;

use super::alone::Alone;
use super::compose::Document;
use super::error::{Result, SourceError};
use super::nginx::Directive;
use super::policy::{self, Folders, Policy, Spanned};
use super::tree::{FolderTree, Node, Tree};
use super::unit::Settings;
use crate::kinds::network::read::Candidate;
use crate::kinds::site::read::Parsing;
use crate::kinds::table::with_kinds;
use crate::model::{Desired, Diagnostic, File};

/// Where compose files are, in folders of their own.
pub(crate) const STACKS: &str = "compose";

/// What the inputs of a revision say, and how they say it.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub desired: Desired,
    pub parsed: Parsed,
    /// What somebody should know, and nothing fails for.
    pub warnings: Vec<String>,
    /// Files that units name below the checkout and that are not in this revision.
    pub missing: Vec<Missing>,
    /// Places that are wrong, if they are collected: what is there is left out.
    pub wrong: Vec<Diagnostic>,
    /// Where the files beside those of git were read, if not here.
    pub beside: Option<PathBuf>,
    /// Compose services on networks that their own files do not make.
    pub(crate) candidates: Vec<Candidate>,
}

/// Parsed inputs, for the checks that look closer.
#[derive(Debug, Default)]
pub struct Parsed {
    /// watchme.toml, or its defaults.
    pub policy: Policy,
    /// Whether there is a watchme.toml that cannot be read: what it disables, allows and names is not known.
    pub is_policy_unread: bool,
    /// The folder of the desired state, in the checkout.
    pub folder: PathBuf,
    /// The names in it; none where files are checked alone.
    pub entries: Vec<String>,
    /// The hosts that have files of their own.
    pub hosts: Vec<String>,
    /// The one whose files are over the others.
    pub host: Option<HostName>,
    /// Folders that look like inputs and that nothing reads; only in a survey.
    pub unread: Vec<Unread>,
    /// Configuration elsewhere; only in a survey.
    pub(crate) loose: Vec<Alone>,
    /// Sites by name.
    pub sites: BTreeMap<String, Vec<Directive>>,
    /// nginx's files below /etc, by their path there, as far as they can be parsed.
    pub etc: BTreeMap<PathBuf, Vec<Directive>>,
    /// What is wrong with the others: they may be any files, and only those that nginx includes matter.
    pub broken: BTreeMap<PathBuf, Diagnostic>,
    /// Units by name, drop-ins included.
    pub units: BTreeMap<String, Settings>,
    /// Compose files by their path in the checkout.
    pub compose: BTreeMap<PathBuf, Arc<Document>>,
    /// Compose projects: those that units run, and in a survey those of files that no unit names.
    pub stacks: Vec<ParsedStack>,
    /// Files that a survey reads beside the inputs, by their path in the checkout.
    pub beside: BTreeMap<PathBuf, File>,
    /// What can be read and cannot run, each with the rule that reports it; only in a survey.
    pub(crate) refused: Vec<(&'static str, Diagnostic)>,
    /// Files that units cannot run without and that lie nowhere; not those that git would ignore.
    pub missing: Vec<Missing>,
}

/// A file that a unit names below the checkout and that is not in the revision.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    pub unit: String,
    /// The path as the unit names it.
    pub path: PathBuf,
    /// The path in the checkout.
    pub relative: PathBuf,
    /// Whether the unit cannot run without it, as far as its name tells.
    pub needed: bool,
}

impl Missing {
    /// What to tell about it.
    pub fn warning(&self) -> String {
        let (unit, path) = (&self.unit, self.path.display());
        format!("{unit} names {path}, which is not in the checkout")
    }
}

/// What is done about a place that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// The first one is an error.
    Fails,
    /// All are collected, and the rest is read.
    IsCollected,
}

/// A revision that is being read.
pub(crate) struct Loader<'a, 't> {
    pub(crate) inputs: &'a Inputs<'t>,
    /// The files beside the checkout's that git does not have, such as `.env`.
    pub(crate) work: Option<&'a Tree<'t>>,
    pub(crate) places: &'a Places,
    pub(crate) wrong: Wrong,
    /// The checkout on the server.
    pub(crate) checkout: PathBuf,
    pub(crate) out: Loaded,
    /// Which inputs are where a host has them.
    pub(crate) shape: Shape,
    /// Sites that are being parsed in a thread of their own.
    pub(crate) sites: Option<Parsing>,
}

/// How a kind of resource is read.
pub(crate) trait Reads {
    /// The folder or file of the desired state that has it; `None`: another kind's input has it.
    fn input<'f>(&self, _folders: &'f Folders) -> Option<&'f str> {
        None
    }

    /// Takes what the inputs have of it into the desired state.
    ///
    /// # Errors
    /// When an input is wrong and that is not collected.
    fn read(&self, _loader: &mut Loader<'_, '_>) -> Result<()> {
        Ok(())
    }

    /// Does what needs the other kinds to be read: checks that what it names is there.
    fn complete(&self, _loader: &mut Loader<'_, '_>) -> Result<()> {
        Ok(())
    }
}

macro_rules! readers {
    ($($(#[doc = $doc:literal])+ $kind:ident $word:literal $module:ident::$of:ident $(=> $field:ident: $resource:ident)?,)+) => {
        /// Every kind, in the order of the table.
        fn readers() -> impl Iterator<Item = &'static dyn Reads> {
            let all: [&'static dyn Reads; _] = [$(&crate::kinds::$module::$of),+];
            all.into_iter()
        }
    };
}

with_kinds!(readers);

/// What a desired state has beside watchme.toml.
pub(crate) fn input_names(folders: &Folders) -> Vec<&str> {
    readers().filter_map(|kind| kind.input(folders)).collect()
}

/// Loads the inputs of one revision.
pub(super) fn load<'t>(
    inputs: &Inputs<'t>,
    work: Option<&Tree<'t>>,
    places: &Places,
    wrong: Wrong,
) -> Result<Loaded> {
    let path = places.folder.join(policy::FILE_NAME);
    let file = inputs.file(&path)?;
    let there;
    let mut loader = Loader::new(inputs, work, places, wrong);
    if let Some((_, Node::Folder)) = inputs.tree.resolve(&path)? {
        let folder = SourceError::Special {
            path: path.clone(),
            what: "a folder, and has to be a file",
        };
        loader.pass(Err::<(), _>(folder))?;
    }
    let own = hosts::own_policy(inputs)?;
    if file.is_some() || own.is_some() {
        let policy = hosts::policy(&path, file.as_ref(), own.as_ref());
        let policy = loader.pass(policy)?;
        loader.out.parsed.is_policy_unread = policy.is_none();
        loader.out.parsed.policy = policy.unwrap_or_default();
    }
    hosts::look(&mut loader)?;
    let checkout = loader.policy().checkout.as_deref().cloned();
    loader.checkout = checkout
        .or_else(|| places.known_at.clone())
        .unwrap_or_else(|| places.root.clone());
    if places.is_read_at(&loader.checkout) {
        there = Tree::from(FolderTree::new(&loader.checkout));
        loader.work = Some(&there);
        loader.out.beside = Some(loader.checkout.clone());
    }
    let folders = &mut loader.out.parsed.policy.folders;
    match &places.alone {
        Some(alone) => *folders = alone.folders.clone(),
        None => loader.shape = Shape::of(inputs, &places.folder, folders),
    }
    loader.require_folders()?;
    if loader.wrong == Wrong::IsCollected && places.alone.is_none() {
        let folders = &loader.out.parsed.policy.folders;
        loader.out.parsed.unread = unread::unread(inputs, &places.folder, folders);
        loader.out.parsed.loose = loose::loose(inputs, &places.folder, folders);
    }
    loader.require_something(file.is_some())?;
    loader.out.parsed.folder = places.folder.clone();
    if places.alone.is_none() {
        loader.out.parsed.entries = inputs.tree.list(&places.folder)?;
    }
    loader.services()?;
    loader.take_policy();
    for kind in readers() {
        kind.read(&mut loader)?;
    }
    for kind in readers() {
        let complete = kind.complete(&mut loader);
        loader.pass(complete)?;
    }
    loader.gates();
    loader.unreferenced_files()?;
    if places.alone.is_some() {
        // What is beside the file was not looked for.
        loader.out.missing.clear();
    }
    loader.out.missing.sort();
    loader.out.missing.dedup();
    Ok(loader.out)
}

impl<'a, 't> Loader<'a, 't> {
    fn new(
        inputs: &'a Inputs<'t>,
        work: Option<&'a Tree<'t>>,
        places: &'a Places,
        wrong: Wrong,
    ) -> Self {
        Self {
            inputs,
            work,
            places,
            wrong,
            checkout: PathBuf::new(),
            out: Loaded::default(),
            shape: Shape::default(),
            sites: None,
        }
    }
}

impl Loader<'_, '_> {
    pub(crate) fn policy(&self) -> &Policy {
        &self.out.parsed.policy
    }

    /// What was read, or `None` where it is wrong and that is collected.
    pub(crate) fn pass<T>(&mut self, read: Result<T>) -> Result<Option<T>> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(error) if self.wrong == Wrong::Fails => Err(error),
            Err(SourceError::Refused { rule, place }) => {
                self.out.parsed.refused.push((rule, *place));
                Ok(None)
            }
            Err(error) => {
                let diagnostic = error.into_diagnostic()?;
                if !self.out.wrong.contains(&diagnostic) {
                    self.out.wrong.push(diagnostic);
                }
                Ok(None)
            }
        }
    }

    /// Names in a folder of inputs; none where it cannot be listed, and that is collected.
    pub(crate) fn names(&mut self, folder: &Path) -> Result<Vec<String>> {
        let names = self.inputs.names(folder);
        Ok(self.pass(names)?.unwrap_or_default())
    }

    /// An input folder's or file's path in the checkout.
    pub(crate) fn input(&self, name: &str) -> Result<PathBuf> {
        inputs::join(&self.places.folder, name).ok_or_else(|| SourceError::Name {
            path: PathBuf::from(name),
            why: "this leaves the checkout".into(),
        })
    }

    /// Whether a path is a file, and not one that is another resource already.
    pub(crate) fn is_file(
        &self,
        path: &Path,
        files: &mut BTreeMap<PathBuf, PathBuf>,
        (kind, name): (&'static str, &str),
    ) -> Result<bool> {
        let resolved = match self.inputs.node(path)? {
            Some((resolved, Node::File { .. })) => resolved,
            Some((_, Node::Special(what))) => {
                return Err(SourceError::Special {
                    path: path.into(),
                    what,
                });
            }
            _ => return Ok(false),
        };
        match files.insert(resolved, path.into()) {
            Some(first) => Err(SourceError::Duplicate {
                kind,
                name: name.into(),
                first,
                second: path.into(),
            }),
            None => Ok(true),
        }
    }

    /// Fails where watchme.toml names something of this sort that is not there.
    pub(crate) fn known(
        &self,
        sort: &'static str,
        name: &Spanned<String>,
        known: &[&str],
    ) -> Result<()> {
        match known.contains(&name.as_str()) {
            true => Ok(()),
            false => Err(self
                .policy()
                .unknown(sort, name, known.iter().copied())
                .into()),
        }
    }

    /// Where a path that is below the checkout on the server is in the checkout.
    pub(crate) fn in_checkout(&self, path: &Path) -> Option<PathBuf> {
        let relative = path.strip_prefix(&self.checkout).ok()?;
        (!relative.as_os_str().is_empty()).then(|| relative.to_owned())
    }
}

/// A complaint that a unit's value deserves, with advice.
pub(crate) fn with_help(diagnostic: Diagnostic, help: Option<String>) -> SourceError {
    Diagnostic { help, ..diagnostic }.into()
}
