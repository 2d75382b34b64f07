//! What the rules look at: each project once, and where in its files a thing is.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::OsStr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde_yaml::Value;

use source_text::SourceFile;

use super::super::Subject;
use super::secrets;
use crate::model::{Diagnostic, Unit};
use crate::source::ParsedStack;
use crate::source::compose::{Document, PathMatch, Positions, Service};

/// A subject's compose projects.
pub struct View<'a> {
    /// What is validated.
    pub subject: &'a Subject<'a>,
    /// Its projects, each once: not the `pull` of a project beside its `up`.
    pub stacks: Vec<&'a ParsedStack>,
    texts: Mutex<HashMap<&'a OsStr, Arc<Text>>>,
    /// Services for whose end others wait, by the address of their stack.
    awaited: HashSet<(usize, &'a str)>,
}

/// A file's text and the places in it.
struct Text {
    positions: Positions,
    /// The text without what nobody may see.
    shown: Arc<SourceFile>,
}

impl<'a> View<'a> {
    /// Of a subject.
    pub fn new(subject: &'a Subject<'a>) -> Self {
        let mut seen = BTreeSet::new();
        let mut stacks: Vec<&ParsedStack> = subject.revision.parsed.stacks.iter().collect();
        stacks.retain(|stack| {
            let key = (&stack.unit, &stack.project, &stack.files);
            !stack.files.is_empty() && seen.insert(key)
        });
        let services = stacks.iter().flat_map(|stack| {
            let services = stack.compose.services.values();
            services.map(|service| (address(stack), service))
        });
        let awaited = services.flat_map(|(stack, service)| {
            let dependencies = service.rest.get("depends_on").and_then(Value::as_mapping);
            let dependencies = dependencies.into_iter().flatten();
            dependencies.filter_map(move |(name, how)| {
                let condition = how.get("condition")?.as_str()?;
                let awaits_end = condition == "service_completed_successfully";
                awaits_end.then_some((stack, name.as_str()?))
            })
        });
        Self {
            subject,
            awaited: awaited.collect(),
            stacks,
            texts: Mutex::default(),
        }
    }

    /// Whether a service waits for the end of this one.
    pub fn is_awaited(&self, stack: &ParsedStack, service: &str) -> bool {
        self.awaited.contains(&(address(stack), service))
    }

    /// The unit that runs a project, if it could be read.
    pub fn unit_of(&self, stack: &ParsedStack) -> Option<&'a Unit> {
        let name = stack.unit.as_ref()?;
        self.subject.revision.desired.units.get(name)
    }

    /// The services that start, of all projects.
    pub fn started(&self) -> impl Iterator<Item = (&'a ParsedStack, &'a str, &'a Service)> {
        let services = self.services();
        services.filter(|(stack, name, _)| stack.started.contains(*name))
    }

    /// All services of all projects, those that wait for a profile included.
    pub fn services(&self) -> impl Iterator<Item = (&'a ParsedStack, &'a str, &'a Service)> {
        self.stacks.iter().flat_map(|stack| {
            let services = stack.compose.services.iter();
            services.map(|(name, service)| (*stack, name.as_str(), service))
        })
    }

    /// Whether a project's files are those that define the host's networks.
    pub fn is_infra(&self, stack: &ParsedStack) -> bool {
        let name = &self.subject.revision.parsed.policy.folders.infra;
        stack.files.iter().any(|file| file.ends_with(name.as_str()))
    }

    /// Whether two services are meant to run at the same time on one host.
    pub fn run_together(
        &self,
        (a, one): (&ParsedStack, &str),
        (b, other): (&ParsedStack, &str),
    ) -> bool {
        if a.project == b.project && one == other {
            return false;
        }
        if std::ptr::eq(a, b) {
            return true;
        }
        // What a unit pulls and what it brings up may be other sets of files of one project.
        let apart = a.project != b.project;
        match (&a.unit, &b.unit) {
            (Some(a), Some(b)) => {
                let units = &self.subject.revision.desired.units;
                let starts = |name| units.get(name).is_some_and(|unit| unit.start);
                (a != b || apart)
                    && starts(a)
                    && starts(b)
                    && !self.excludes(a, b)
                    && !self.excludes(b, a)
            }
            // Files that no unit runs are alternatives to those beside them.
            (None, None) => false,
            _ => {
                let folder = |stack: &ParsedStack| {
                    let first = stack.files.first()?;
                    first.parent().map(Path::to_owned)
                };
                folder(a) != folder(b)
            }
        }
    }

    /// Whether a unit has `Conflicts=` with another.
    fn excludes(&self, unit: &str, other: &str) -> bool {
        let settings = self.subject.revision.parsed.units.get(unit);
        settings.is_some_and(|settings| {
            let conflicts = settings.list("Unit", "Conflicts");
            let mut names = conflicts
                .iter()
                .flat_map(|value| value.text.split_whitespace());
            names.any(|name| name == other)
        })
    }

    /// A complaint about a part of a service, in the file where it is written: in the one that counts most of
    /// those that have the longest part of the path.
    pub fn at(&self, stack: &ParsedStack, service: &str, path: &[&str]) -> Diagnostic {
        let origins = stack.origins.get(service).map(Vec::as_slice);
        let places = origins.unwrap_or_default().iter().map(|(file, name)| {
            let mut whole = vec!["services", name.as_str()];
            whole.extend(path);
            (file.as_path(), whole)
        });
        self.deepest(places)
    }

    /// A complaint about an item of a service's list.
    pub fn at_item(
        &self,
        stack: &ParsedStack,
        service: &str,
        key: &str,
        item: &Value,
    ) -> Diagnostic {
        let origins = stack.origins.get(service).map(Vec::as_slice);
        for (file, name) in origins.unwrap_or_default() {
            let list = self.document(file).and_then(|document| {
                document
                    .value
                    .get("services")?
                    .get(name.as_str())?
                    .get(key)?
                    .as_sequence()
            });
            let index = list.and_then(|list| list.iter().position(|other| other == item));
            if let Some(index) = index {
                let path = ["services", name, key, &index.to_string()];
                return self.deepest(std::iter::once((file.as_path(), path.to_vec())));
            }
        }
        self.at(stack, service, &[key])
    }

    /// A complaint about something beside the services.
    pub fn top(&self, stack: &ParsedStack, path: &[&str]) -> Diagnostic {
        let files = stack.files.iter().rev();
        self.deepest(files.map(|file| (file.as_path(), path.to_vec())))
    }

    /// A complaint about some bytes of a file.
    pub fn bytes(&self, file: &Path, span: std::ops::Range<usize>) -> Diagnostic {
        let text = self.text(file);
        complaint(file, text.as_deref(), span)
    }

    /// The text that is meant by a place of one of the files, secrets included.
    pub fn raw(&self, place: &Diagnostic) -> &'a str {
        let document = self.document(place.path());
        let text = document.and_then(|document| document.source().get(place.span.clone()));
        text.unwrap_or_default()
    }

    /// A compose file.
    pub fn document(&self, file: &Path) -> Option<&'a Document> {
        let compose = &self.subject.revision.parsed.compose;
        compose.get(file).map(AsRef::as_ref)
    }

    /// All compose files of the projects, each once, those that others extend included.
    pub fn documents(&self) -> impl Iterator<Item = &'a Document> {
        let files = self.stacks.iter().flat_map(|stack| {
            let origins = stack.origins.values().flatten().map(|(file, _)| file);
            stack.files.iter().chain(origins)
        });
        let files: BTreeSet<&Path> = files.map(|file| file.as_path()).collect();
        files.into_iter().filter_map(|file| self.document(file))
    }

    /// Where things stand in a compose file.
    pub fn positions<T>(&self, file: &Path, of: impl FnOnce(&Positions) -> T) -> Option<T> {
        self.text(file).map(|text| of(&text.positions))
    }

    fn deepest<'p>(&self, places: impl Iterator<Item = (&'p Path, Vec<&'p str>)>) -> Diagnostic {
        let found = places.map(|(file, path)| {
            let text = self.text(file);
            let place = text.as_ref().map(|text| text.positions.find(&path));
            (file, text, place.unwrap_or_default())
        });
        // Of those that lead as far, the first.
        let best = found.reduce(|best, other| match other.2.depth > best.2.depth {
            true => other,
            false => best,
        });
        let (file, text, place) = best.unwrap_or((Path::new(""), None, PathMatch::default()));
        complaint(file, text.as_deref(), place.value)
    }

    fn text(&self, file: &Path) -> Option<Arc<Text>> {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        // By its bytes: that is asked for each finding, and takes long by the components of a path.
        if let Some(text) = texts.get(file.as_os_str()) {
            return Some(text.clone());
        }
        let compose = &self.subject.revision.parsed.compose;
        let (file, document) = compose.get_key_value(file)?;
        let text = texts.entry(file.as_os_str()).or_insert_with(|| {
            let positions = Positions::of(document.source());
            let shown = secrets::masked(document.source(), &positions);
            let shown = SourceFile::new(file, shown);
            Arc::new(Text { positions, shown })
        });
        Some(text.clone())
    }
}

/// What tells a stack from the others.
fn address(stack: &ParsedStack) -> usize {
    std::ptr::from_ref(stack).addr()
}

fn complaint(file: &Path, text: Option<&Text>, span: std::ops::Range<usize>) -> Diagnostic {
    match text {
        Some(text) => Diagnostic::at(&text.shown, span, "", ""),
        None => Diagnostic::at(&SourceFile::new(file, ""), span, "", ""),
    }
}

/// The same complaint with words.
pub(crate) fn say(
    place: Diagnostic,
    message: impl Into<String>,
    expected: impl Into<String>,
    help: impl Into<String>,
) -> Diagnostic {
    Diagnostic {
        message: message.into(),
        expected: expected.into(),
        help: Some(help.into()),
        ..place
    }
}
