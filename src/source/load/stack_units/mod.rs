//! Stacks: compose projects in `compose/NAME/` that no unit runs. Each gets a unit that is generated and otherwise an
//! ordinary one, so that it is ordered, stopped, validated and rolled back as any other.

mod claims;
mod copies;
mod fixed;
mod not_run;
mod order;
mod refused;
mod text;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::stacks::{Reader, usual_files};
use super::{DEFAULT_FILES, Loader, ParsedStack, STACKS, inputs, mounts};
use crate::model::{File, StackCopy};
use crate::source::error::{Result, SourceError};
use crate::source::policy::StackPolicy;
use crate::source::tree::Node;
use crate::source::unit::Name;
use crate::source::unit::commands::{ComposeCall, Mentions};
use claims::Claims;
pub(crate) use copies::{UPSTREAMS, upstreams};
use order::makers;
use text::{Calls, text};

/// The unit of a stack.
pub(crate) struct StackUnit {
    /// `NAME` of `compose/NAME/`.
    pub stack: String,
    /// `stack-NAME.service`, or that of its copy.
    pub unit: Name,
    /// The copy, of one that updates start-first.
    pub copy: Option<StackCopy>,
    /// What its file says.
    pub text: String,
    /// Where it would be if it were written: in the folder of the stack.
    pub source: PathBuf,
    /// What is laid over the stack's compose files.
    pub laid_over: Option<File>,
}

/// A folder that is a stack.
struct Found {
    name: String,
    unit: Name,
    policy: StackPolicy,
    /// The folder on the server.
    folder: PathBuf,
    /// The compose files in the checkout.
    files: Vec<PathBuf>,
    parsed: ParsedStack,
    /// What it is as its second copy, of one that updates start-first.
    second: Option<ParsedStack>,
    /// What is laid over its compose files.
    laid_over: Option<File>,
}

impl Loader<'_, '_> {
    /// The units of all stacks: the folders of `compose/` that no written unit is about.
    pub(crate) fn stack_units<'m>(
        &mut self,
        written: impl Iterator<Item = &'m Mentions> + Clone,
    ) -> Result<Vec<StackUnit>> {
        if self.places.alone.is_some() {
            return Ok(Vec::new());
        }
        let parent = self.input(STACKS)?;
        let names = match self.inputs.node(&parent)? {
            Some((_, Node::Folder)) => self.names(&parent)?,
            _ => Vec::new(),
        };
        self.refuse_unknown_stacks(&names)?;
        let claims = Claims::new(self, written);
        let mut found = Vec::new();
        for name in names {
            let folder = parent.join(&name);
            if claims.has(&folder) || name.starts_with('.') {
                continue;
            }
            let is_kept = self.is_not_to_run(&name);
            let stack = self.stack(name, &folder);
            let stack = self.pass(stack)?.flatten();
            if !is_kept {
                let files = stack.as_ref().map_or(&[][..], |stack| &stack.files);
                self.note_not_run(&folder, files);
            }
            found.extend(stack);
        }
        let clash = refuse_names_of_copies(&found);
        self.pass(clash)?;
        let taken = self.refuse_ports_of_others(&found);
        self.pass(taken)?;
        self.refuse_what_cannot_run(&found)?;
        let makers = makers(&found);
        let mut units = Vec::new();
        for stack in &found {
            let after = self.before_stack(stack, &makers);
            let Some(after) = self.pass(after)? else {
                continue;
            };
            let known = self.refuse_unknown_variables(stack);
            self.pass(known)?;
            let Some(source) = stack.files.first() else {
                continue;
            };
            let calls = self.calls();
            let copy = self.copy(stack, || text(stack, &calls, &after, None));
            let Some(copy) = self.pass(copy)? else {
                continue;
            };
            let unit = match &copy {
                Some(copy) => copy.unit(&stack.name),
                None => stack.unit.to_string(),
            };
            units.push(StackUnit {
                stack: stack.name.clone(),
                text: text(stack, &calls, &after, copy.as_ref()),
                source: source.with_file_name(&unit),
                unit: Name::parse(&unit).map_err(|why| SourceError::NotAUnit {
                    path: source.with_file_name(&unit),
                    why,
                })?,
                copy,
                laid_over: stack.laid_over.clone(),
            });
        }
        Ok(units)
    }

    /// How compose is called on the server.
    fn calls(&self) -> Calls {
        let policy = self.policy();
        let stated = policy.host.compose.map(|compose| compose.command());
        Calls {
            compose: stated.unwrap_or(self.places.compose),
            socket: policy.engine.socket.as_deref().cloned(),
        }
    }

    fn refuse_unknown_stacks(&mut self, names: &[String]) -> Result<()> {
        let unknown = |name: &str| !names.iter().any(|known| known == name);
        let policy = self.policy();
        let wrong: Vec<_> = (policy.stacks.keys())
            .filter(|name| unknown(name))
            .map(|name| policy.unknown("stack", name, names.iter().map(String::as_str)))
            .collect();
        for wrong in wrong {
            self.pass(Err::<(), _>(SourceError::from(wrong)))?;
        }
        Ok(())
    }

    /// Whether watchme.toml says that a stack is only checked.
    fn is_not_to_run(&self, name: &str) -> bool {
        let policy = self.policy().stacks.get(name);
        policy.is_some_and(|policy| !policy.start)
    }

    /// A folder as a stack; `None` where it has no compose file, or is not to run.
    fn stack(&mut self, name: String, folder: &Path) -> Result<Option<Found>> {
        let infra = self.input(&self.policy().folders.infra.clone())?;
        let policy = self.policy().stacks.get(name.as_str()).cloned();
        let is_written = policy.is_some();
        let policy = policy.unwrap_or_default();
        if !policy.start || !is_written && infra.starts_with(folder) {
            return Ok(None);
        }
        let files = self.files_of(folder, &policy)?;
        if files.is_empty() {
            return match is_written {
                true => Err(SourceError::Name {
                    path: folder.into(),
                    why: format!(
                        "a stack needs a compose file: none of {} is there, and [stack.{name}] names no files",
                        DEFAULT_FILES.join(", ")
                    ),
                }),
                false => Ok(None),
            };
        }
        let full = format!("stack-{name}.service");
        let Some(unit) = Name::parse(&full).ok().filter(|_| !name.contains('@')) else {
            return Err(SourceError::Name {
                path: folder.into(),
                why: format!(
                    "its unit cannot be named {full}: rename the folder, its name may contain letters, digits and :-_."
                ),
            });
        };
        let on_server = self.checkout.join(folder);
        let paths: Vec<PathBuf> = files.iter().map(|file| self.checkout.join(file)).collect();
        let call = ComposeCall {
            folder: Some(on_server.clone()),
            project: policy.project.as_deref().cloned(),
            profiles: (policy.profiles.iter())
                .map(|name| name.to_string())
                .collect(),
            up: true,
            environment: policy.copies().map_or_else(BTreeMap::new, copies::first),
            ..ComposeCall::default()
        };
        let parsed = self.parse_stack(&mut Reader::Nobody, &call, &paths)?;
        let mounts = self.mounts(&parsed);
        let laid_over = files
            .first()
            .and_then(|first| mounts::laid_over(first, &mounts));
        let second = policy.copies().map(|ports| {
            let environment = copies::second(ports);
            let call = ComposeCall {
                environment,
                ..call
            };
            self.parse_stack(&mut Reader::Nobody, &call, &paths)
        });
        Ok(Some(Found {
            name,
            unit,
            policy,
            folder: on_server,
            files,
            parsed,
            second: second.transpose()?,
            laid_over,
        }))
    }

    /// The compose files of a folder: those that watchme.toml lists, or those that compose finds.
    fn files_of(&self, folder: &Path, policy: &StackPolicy) -> Result<Vec<PathBuf>> {
        let is_there = |path: &Path| -> Result<bool> {
            Ok(matches!(
                self.inputs.node(path)?,
                Some((_, Node::File { .. }))
            ))
        };
        let mut files = Vec::new();
        for file in &policy.files {
            match inputs::join(folder, file) {
                Some(path) if is_there(&path)? => files.push(path),
                _ => {
                    let message =
                        format!("there is no file {} in {}", file.as_str(), folder.display());
                    let expected = "expected a compose file below the stack's folder";
                    let wrong = (self.policy().file).complain(file.span(), message, expected, None);
                    return Err(wrong.into());
                }
            }
        }
        if !files.is_empty() {
            return Ok(files);
        }
        usual_files(folder, is_there)
    }
}

impl Found {
    /// The units that it may have: both copies, if it updates start-first.
    fn units(&self) -> Vec<String> {
        match self.policy.copies() {
            Some(_) => StackCopy::units(&self.name).into(),
            None => vec![self.unit.to_string()],
        }
    }
}

/// A copy of one stack and another stack would be one unit, and one compose project.
fn refuse_names_of_copies(stacks: &[Found]) -> Result<()> {
    for copied in stacks
        .iter()
        .filter(|stack| stack.policy.copies().is_some())
    {
        let units = copied.units();
        let mut others = stacks
            .iter()
            .filter(|other| other.policy.copies().is_none());
        let Some(other) =
            others.find(|other| units.iter().any(|unit| *unit == other.unit.as_str()))
        else {
            continue;
        };
        return Err(SourceError::Name {
            path: other.files.first().cloned().unwrap_or_default(),
            why: format!(
                "the stack {} would have the name of a copy of the stack {}, which updates start-first: rename the folder of one of them",
                other.name, copied.name
            ),
        });
    }
    Ok(())
}
