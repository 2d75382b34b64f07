//! Stacks that can be read and cannot run, each with the rule of `check` that reports it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sealed_file::Form;
use source_text::{SourceFile, suggest};

use super::Found;
use crate::model::{ComposeCommand, Diagnostic, StackCopy, Unit, layout};
use crate::source::compose::{self, Document, spans};
use crate::source::error::{Result, SourceError};
use crate::source::load::Loader;
use crate::source::tree::Node;

/// What two copies cannot both have.
pub(crate) const COPIES: &str = "compose-start-first";
/// Two stacks, or a stack and a unit, that are one project for compose.
pub(crate) const PROJECT: &str = "compose-project-twice";
/// A compose file below `compose/` that is no part of a stack.
pub(crate) const NOT_RUN: &str = "compose-not-run";
/// A stack of which compose starts nothing.
pub(crate) const NOTHING: &str = "compose-nothing-starts";

impl Loader<'_, '_> {
    /// What is wrong with stacks as they are.
    pub(super) fn refuse_what_cannot_run(&mut self, stacks: &[Found]) -> Result<()> {
        let mut known: BTreeMap<String, &Found> = BTreeMap::new();
        for stack in stacks {
            let nothing = self.refuse_nothing(stack);
            self.pass(nothing)?;
            for project in stack.projects() {
                let Some(other) = known.get(&project) else {
                    known.insert(project, stack);
                    continue;
                };
                // The one that took the name of the other's folder.
                let (stack, other) = match (stack.is_called(&project), other.is_called(&project)) {
                    (true, false) => (*other, stack),
                    _ => (stack, *other),
                };
                let clash = self.same_project(stack, &project, &format!("stack {}", other.name));
                self.pass(Err::<(), _>(clash))?;
                break;
            }
        }
        Ok(())
    }

    /// A unit that a person wrote and that runs the project of a stack.
    pub(crate) fn refuse_projects_of_units(&mut self) -> Result<()> {
        let units = &self.out.desired.units;
        let written = units.iter().filter(|(_, unit)| unit.stack.is_none());
        let mut projects: BTreeMap<&str, &str> = BTreeMap::new();
        for (name, unit) in written {
            for stack in &unit.stacks {
                projects.insert(&stack.project, name);
            }
        }
        let of_stacks = units
            .values()
            .filter_map(|unit| Some((unit.stack.as_deref()?, unit)));
        let clashes: Vec<SourceError> = of_stacks
            .filter_map(|(name, unit)| {
                let mut own = projects_of(name, unit).into_iter();
                let project = own.find(|project| projects.contains_key(project.as_str()))?;
                let other = format!("unit {}", projects[project.as_str()]);
                let stacks = &self.out.parsed.stacks;
                let parsed = stacks.iter().find(|stack| {
                    stack.own && unit.stacks.iter().any(|own| own.project == stack.project)
                })?;
                let mut files = parsed.files.iter();
                let document = files.find_map(|path| self.out.parsed.compose.get(path));
                let path = parsed.files.first()?;
                Some(refused(
                    PROJECT,
                    document,
                    path,
                    &["name"],
                    project_twice(name, &project, &other),
                ))
            })
            .collect();
        for clash in clashes {
            self.pass(Err::<(), _>(clash))?;
        }
        Ok(())
    }

    fn same_project(&self, stack: &Found, project: &str, other: &str) -> SourceError {
        let (message, expected, help) = project_twice(&stack.name, project, other);
        self.refused((PROJECT, stack), &["name"], (message, expected), &help)
    }

    /// Compose 2 ends with an error where it has no service to start, version 1 does nothing: both were asked.
    fn refuse_nothing(&mut self, stack: &Found) -> Result<()> {
        let compose = &stack.parsed.compose;
        let starts = |name: &String| {
            let service = compose.services.get(name);
            stack.parsed.started.contains(name)
                || service
                    .is_some_and(|service| service.has_no_replica() && service.profiles.is_empty())
        };
        if compose.services.keys().any(starts) {
            return Ok(());
        }
        let services = compose.services.values();
        let profiles = services.flat_map(|service| &service.profiles);
        let profiles: BTreeSet<&str> = profiles.filter_map(|profile| profile.as_str()).collect();
        let name = &stack.name;
        let (message, help) = match profiles.first() {
            Some(first) => (
                format!(
                    "all services of {name} need a profile, and none is enabled: nothing starts"
                ),
                format!(
                    "enable one: profiles = [{first:?}] in [stack.{name}] of watchme.toml; or write start = false there"
                ),
            ),
            None => (
                format!("{name} has no service"),
                format!("write one, or start = false in [stack.{name}] of watchme.toml"),
            ),
        };
        // Its stack has been up so far, with nothing in it.
        if self.calls().compose == ComposeCommand::Own && !profiles.is_empty() {
            self.out.warnings.push(format!("{message}: {help}"));
            return Ok(());
        }
        let expected = "compose ends with an error: no service selected".to_owned();
        Err(self.refused((NOTHING, stack), &["services"], (message, expected), &help))
    }

    /// Its variables are in files of `secrets/`.
    pub(super) fn refuse_unknown_variables(&mut self, stack: &Found) -> Result<()> {
        let variables = &stack.policy.variables;
        let folder = self.input(layout::store::SECRETS)?;
        let files = match variables.is_empty() {
            true => return Ok(()),
            false => match self.inputs.node(&folder)? {
                Some((_, Node::Folder)) => self.names(&folder)?,
                _ => Vec::new(),
            },
        };
        let known = files.iter().filter_map(|file| Some(Form::of(file)?.1));
        let known: Vec<String> = known.collect();
        for name in variables {
            if known.iter().any(|known| known == name.as_str()) {
                continue;
            }
            let message = format!(
                "{:?} is not a secret in {}",
                name.as_str(),
                folder.display()
            );
            let help = suggest(name.as_str(), known.iter().map(String::as_str));
            let help =
                help.unwrap_or_else(|| "`watchme-apply secret edit NAME` creates one".to_owned());
            let expected = "expected the name of a secret, such as \"app.env\"";
            let wrong = (self.policy().file).complain(name.span(), message, expected, Some(help));
            return Err(wrong.into());
        }
        Ok(())
    }

    /// An error about a key of a stack's first file that has it.
    pub(super) fn refused(
        &self,
        (rule, stack): (&'static str, &Found),
        keys: &[&str],
        (message, expected): (String, String),
        help: &str,
    ) -> SourceError {
        let files = &stack.parsed.files;
        let documents = files.iter().rev();
        let mut documents = documents.filter_map(|path| self.out.parsed.compose.get(path));
        let has = |document: &&Arc<Document>| {
            let mut value = Some(&document.value);
            for key in keys {
                value = value.and_then(|value| value.get(*key));
            }
            value.is_some()
        };
        let path = stack.files.first().cloned().unwrap_or_default();
        let words = (message, expected, help.to_owned());
        refused(rule, documents.find(has), &path, keys, words)
    }
}

/// An error about a key of a file; about the file where it has no such key.
fn refused(
    rule: &'static str,
    document: Option<&Arc<Document>>,
    path: &std::path::Path,
    keys: &[&str],
    (message, expected, help): (String, String, String),
) -> SourceError {
    let has = document.filter(|document| {
        keys.first()
            .is_some_and(|key| document.value.get(*key).is_some())
    });
    let place = match has {
        Some(document) => {
            let span = spans(document.source(), keys, None);
            document.complain(span, message, expected)
        }
        None => Diagnostic::at(&SourceFile::new(path, ""), 0..0, message, expected),
    };
    SourceError::Refused {
        rule,
        place: Box::new(Diagnostic {
            help: Some(help),
            ..place
        }),
    }
}

fn project_twice(stack: &str, project: &str, other: &str) -> (String, String, String) {
    (
        format!("the stack {stack} and the {other} are one compose project, {project}"),
        "compose would take the containers of one for those of the other".to_owned(),
        format!(
            "give one of them another name: project = \"…\" in [stack.{stack}] of watchme.toml, `name:` in its file, or COMPOSE_PROJECT_NAME in its .env"
        ),
    )
}

/// The projects that a stack's unit may have: both, of one with copies.
fn projects_of(name: &str, unit: &Unit) -> Vec<String> {
    let projects = unit.stacks.iter().map(|stack| stack.project.clone());
    let Some(copy) = &unit.copy else {
        return projects.collect();
    };
    let end = format!("-{}", copy.letter);
    let mut bases = projects.filter_map(|project| Some(project.strip_suffix(&end)?.to_owned()));
    let base = bases.next().unwrap_or_else(|| name.to_owned());
    StackCopy::projects(&base).into()
}

impl Found {
    /// Whether a project, or the one of its copies, has the name of its folder.
    fn is_called(&self, project: &str) -> bool {
        let own = compose::project_name(&self.name);
        project == own || StackCopy::projects(&own).iter().any(|copy| copy == project)
    }

    /// The compose projects that it may be.
    fn projects(&self) -> Vec<String> {
        match self.policy.copies() {
            Some(_) => StackCopy::projects(&self.parsed.project).into(),
            None => vec![self.parsed.project.clone()],
        }
    }
}
