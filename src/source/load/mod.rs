//! Combines the inputs of one revision into a [`Desired`].

mod compose_files;
mod etc;
mod external;
mod gates;
pub mod inputs;
mod installed;
mod networks;
mod secrets;
mod sites;
mod stacks;
mod units;
mod unreferenced;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use external::External;
pub use inputs::{Inputs, is_env_file};
pub use installed::installed;
pub use stacks::{DEFAULT_FILES, ParsedStack};

use source_text::SourceFile;

use super::compose::Document;
use super::error::{Result, SourceError};
use super::nginx::Directive;
use super::owner::{self, Asker, Part};
use super::policy::{self, Policy};
use super::tree::{FolderTree, Node, Tree};
use super::unit::Settings;
use crate::model::{Desired, Diagnostic, File};

/// What the inputs of a revision say, and how they say it.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The combination of all.
    pub desired: Desired,
    /// The inputs, parsed.
    pub parsed: Parsed,
    /// What somebody should know, and nothing fails for.
    pub warnings: Vec<String>,
    /// Files that units name below the checkout and that are not in this revision.
    pub missing: Vec<Missing>,
    /// Places that are wrong, if they are collected: what stands there is left out.
    pub wrong: Vec<Diagnostic>,
    /// Where the files beside those of git were read, if not here.
    pub beside: Option<PathBuf>,
    /// Compose services on networks that their own files do not make.
    candidates: Vec<networks::Candidate>,
}

/// Parsed inputs, for the checks that look closer.
#[derive(Debug, Default)]
pub struct Parsed {
    /// watchme.toml, or its defaults.
    pub policy: Policy,
    /// The folder of the desired state, in the checkout.
    pub folder: PathBuf,
    /// The names in it.
    pub entries: Vec<String>,
    /// Sites by name.
    pub sites: BTreeMap<String, Vec<Directive>>,
    /// nginx's files below /etc, by their path there, as far as they can be parsed.
    pub etc: BTreeMap<PathBuf, Vec<Directive>>,
    /// Units by name, drop-ins included.
    pub units: BTreeMap<String, Settings>,
    /// Compose files by their path in the checkout.
    pub compose: BTreeMap<PathBuf, Arc<Document>>,
    /// Compose projects: those that units run, and in a survey those of files that no unit names.
    pub stacks: Vec<ParsedStack>,
    /// Files that a survey reads beside the inputs, by their path in the checkout.
    pub beside: BTreeMap<PathBuf, File>,
    /// Files that units cannot run without and that lie nowhere; not those that git would ignore.
    pub missing: Vec<Missing>,
}

/// A file that a unit names below the checkout and that is not in the revision.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// The unit.
    pub unit: String,
    /// The path as the unit names it.
    pub path: PathBuf,
    /// The path in the checkout.
    pub relative: PathBuf,
    /// Whether the unit cannot run without it, as far as its name tells.
    pub needed: bool,
}

/// What is done about a place that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The first one is an error.
    Fails,
    /// All are collected, and the rest is read.
    IsCollected,
}

/// Where things lie.
#[derive(Default)]
pub struct Places {
    /// The desired state's folder, relative to the checkout.
    pub folder: PathBuf,
    /// The checkout as it lies here.
    pub root: PathBuf,
    /// Where the host has it, if watchme.toml does not say so.
    pub known_at: Option<PathBuf>,
    /// Who asks for what lies beside the files of git on this host; `None`: nothing is read but what lies here.
    pub read_there: Option<Asker>,
}

impl Places {
    /// Whether what lies beside the files of git is read at `checkout`, which is not here: a folder of somebody who may
    /// own a checkout.
    fn is_read_at(&self, checkout: &Path) -> bool {
        let Some(asker) = self.read_there.as_ref().filter(|_| checkout != self.root) else {
            return false;
        };
        checkout.is_dir()
            && Part::look(checkout).is_ok_and(|part| owner::check(asker, &[part]).is_ok())
    }
}

/// The loader's state.
struct Loader<'a, 't> {
    inputs: &'a Inputs<'t>,
    /// The files beside the checkout's that git does not have, such as `.env`.
    work: Option<&'a Tree<'t>>,
    places: &'a Places,
    wrong: Wrong,
    /// The checkout on the server.
    checkout: PathBuf,
    out: Loaded,
}

/// Loads the inputs of one revision.
pub fn load<'t>(
    inputs: &Inputs<'t>,
    work: Option<&Tree<'t>>,
    places: &Places,
    wrong: Wrong,
) -> Result<Loaded> {
    let path = places.folder.join(policy::FILE_NAME);
    let file = inputs.file(&path)?;
    let there;
    let mut loader = Loader {
        inputs,
        work,
        places,
        wrong,
        checkout: PathBuf::new(),
        out: Loaded::default(),
    };
    if let Some((_, Node::Folder)) = inputs.tree.resolve(&path)? {
        let folder = SourceError::Special {
            path: path.clone(),
            what: "a folder, and has to be a file",
        };
        loader.pass(Err::<(), _>(folder))?;
    }
    if let Some(file) = &file {
        let policy =
            utf8(file).and_then(|text| policy::parse(&path, text).map_err(SourceError::from));
        loader.out.parsed.policy = loader.pass(policy)?.unwrap_or_default();
    }
    let checkout = loader.policy().checkout.clone();
    loader.checkout = checkout
        .or_else(|| places.known_at.clone())
        .unwrap_or_else(|| places.root.clone());
    if places.is_read_at(&loader.checkout) {
        there = Tree::Folder(FolderTree::new(&loader.checkout));
        loader.work = Some(&there);
        loader.out.beside = Some(loader.checkout.clone());
    }
    loader.require_something(file.is_some())?;
    loader.out.parsed.folder = places.folder.clone();
    loader.out.parsed.entries = inputs.tree.list(&places.folder)?;
    loader.take_policy();
    let files = loader.site_files()?;
    let (rest, sites) = sites::beside(&files, || loader.etc().and_then(|()| loader.units()));
    loader.sites(sites)?;
    rest?;
    let networks = loader.networks();
    loader.pass(networks)?;
    let references = loader.check_references();
    loader.pass(references)?;
    loader.gates();
    loader.nobodys_files()?;
    loader.out.missing.sort();
    loader.out.missing.dedup();
    Ok(loader.out)
}

/// The text of a file that has to be UTF-8: TOML and YAML are, nothing else is read.
fn utf8(file: &File) -> Result<&str> {
    std::str::from_utf8(&file.content).map_err(|error| {
        let shown = String::from_utf8_lossy(&file.content);
        let at = error.valid_up_to();
        let after = shown.get(at..).and_then(|rest| rest.chars().next());
        let span = at..at + after.map_or(0, char::len_utf8);
        let message = "this byte is no part of a letter in UTF-8";
        let expected = "the whole file has to be UTF-8";
        Diagnostic::at(
            &SourceFile::new(&file.source, shown),
            span,
            message,
            expected,
        )
        .into()
    })
}

/// A file's text. nginx and systemd take any bytes in comments, so that those that are not
/// UTF-8 must not fail here.
fn text(file: &File) -> Cow<'_, str> {
    match std::str::from_utf8(&file.content) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(&file.content),
    }
}

impl Loader<'_, '_> {
    fn policy(&self) -> &Policy {
        &self.out.parsed.policy
    }

    /// What was read, or `None` where it is wrong and that is collected.
    fn pass<T>(&mut self, read: Result<T>) -> Result<Option<T>> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(error) if self.wrong == Wrong::Fails => Err(error),
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
    fn names(&mut self, folder: &Path) -> Result<Vec<String>> {
        let names = self.inputs.names(folder);
        Ok(self.pass(names)?.unwrap_or_default())
    }

    /// An input folder's or file's path in the checkout.
    fn input(&self, name: &str) -> Result<PathBuf> {
        inputs::join(&self.places.folder, name).ok_or_else(|| SourceError::Name {
            path: PathBuf::from(name),
            why: "this leaves the checkout".into(),
        })
    }

    fn require_something(&self, policy: bool) -> Result<()> {
        let folders = &self.policy().folders;
        let names = [&folders.sites, &folders.units, &folders.etc, &folders.infra];
        let mut any = policy;
        for name in names {
            any |= self.inputs.node(&self.input(name)?)?.is_some();
        }
        if any {
            return Ok(());
        }
        let mut looked_for = vec![policy::FILE_NAME.to_owned()];
        looked_for.extend(names.into_iter().cloned());
        let folder = match self.places.folder.as_os_str().is_empty() {
            true => self.places.root.clone(),
            false => self.places.root.join(&self.places.folder),
        };
        Err(SourceError::NoDesiredState { folder, looked_for })
    }

    fn take_policy(&mut self) {
        let policy = self.policy().clone();
        let desired = &mut self.out.desired;
        desired.absent = policy.absent;
        desired.bootstrap_certificates = policy.bootstrap_certificates;
        desired.drain_timeout = policy.drain_timeout;
        desired.soak = policy.soak;
        desired.gates = policy.gates;
        desired.budget = policy.budget;
    }

    /// Whether a path is a file, and not one that already stands for another resource.
    fn is_file(
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

    /// Sections of watchme.toml have to name what is there.
    fn check_references(&self) -> Result<()> {
        let (policy, desired) = (self.policy(), &self.out.desired);
        let names: Vec<&str> = desired.sites.keys().map(String::as_str).collect();
        let unknown = |kind, name: &str, span: &Range<usize>, known: &[&str]| -> Result<()> {
            if known.contains(&name) {
                return Ok(());
            }
            Err(policy
                .unknown(kind, name, span, known.iter().copied())
                .into())
        };
        for (name, section) in &policy.sites {
            unknown("site", name, &section.span, &names)?;
        }
        let paths: Vec<_> = desired
            .etc
            .keys()
            .map(|path| path.to_string_lossy())
            .collect();
        let paths: Vec<&str> = paths.iter().map(AsRef::as_ref).collect();
        for (name, section) in &policy.etc {
            unknown("etc file", name, &section.span, &paths)?;
        }
        let units: Vec<&str> = desired.units.keys().map(String::as_str).collect();
        for section in policy.networks.values() {
            if let Some(owner) = &section.value.owner {
                let span = owner.span();
                unknown("unit", owner.get_ref(), &span, &units)?;
            }
        }
        Ok(())
    }

    /// Where a path that lies below the checkout on the server is in the checkout.
    fn in_checkout(&self, path: &Path) -> Option<PathBuf> {
        let relative = path.strip_prefix(&self.checkout).ok()?;
        (!relative.as_os_str().is_empty()).then(|| relative.to_owned())
    }
}

/// A complaint that a unit's value deserves, with advice.
fn with_help(diagnostic: Diagnostic, help: Option<String>) -> SourceError {
    Diagnostic { help, ..diagnostic }.into()
}
