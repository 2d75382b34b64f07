//! Files that compose files include, <https://docs.docker.com/reference/compose-file/include/>: each belongs to the
//! project as if it was named before the one that includes it, with the variables of its own folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_yaml::Value;
use source_text::normal_path;

use super::stacks::Reader;
use super::{Loader, folder_of, with_help};
use crate::source::compose::{Document, Environment, spans, types};
use crate::source::error::Result;
use crate::source::unit::commands::ComposeCall;

/// Files that a project may include: bounds files that include each other many times.
const MAX_FILES: usize = 200;

pub(super) struct Part {
    /// Its path on the server.
    pub path: PathBuf,
    pub document: Arc<Document>,
    pub environment: Environment,
}

/// The files of a project so far.
#[derive(Default)]
pub(super) struct Parts {
    /// Those that count least first.
    pub all: Vec<Part>,
    /// Whether one is not in the checkout.
    pub misses: bool,
}

struct Entry {
    paths: Vec<String>,
    folder: Option<String>,
    env_files: Vec<String>,
}

impl Loader<'_, '_> {
    /// Adds a file of a project, and before it those that it includes. `way` leads to it: files that include each other.
    pub(super) fn part(
        &mut self,
        reader: &mut Reader,
        path: &Path,
        environment: &Environment,
        parts: &mut Parts,
        way: &[PathBuf],
    ) -> Result<()> {
        let Some(document) = self.document(reader, path, environment)? else {
            parts.misses = true;
            return Ok(());
        };
        let way = [way, &[path.to_owned()]].concat();
        for entry in entries(&document) {
            for file in &entry.paths {
                self.included(
                    reader,
                    (&document, environment),
                    (&entry, file),
                    parts,
                    &way,
                )?;
            }
        }
        parts.all.push(Part {
            path: path.to_owned(),
            document,
            environment: environment.clone(),
        });
        Ok(())
    }

    fn included(
        &mut self,
        reader: &mut Reader,
        (document, outer): (&Document, &Environment),
        (entry, file): (&Entry, &str),
        parts: &mut Parts,
        way: &[PathBuf],
    ) -> Result<()> {
        let base = way.last().map(|path| folder_of(path)).unwrap_or_default();
        let absolute = |text: &str| normal_path(&base.join(text));
        // One with a variable that has no value, or in a registry.
        let Some(path) = absolute(file).filter(|_| !file.contains("$") && !file.contains("://"))
        else {
            parts.misses = true;
            return Ok(());
        };
        if let Some(from) = way.iter().position(|known| *known == path) {
            let circle = way.get(from..).unwrap_or_default();
            return Err(refused(document, file, circle, &path));
        }
        let is_known = parts.all.iter().any(|part| part.path == path);
        if is_known || parts.all.len() >= MAX_FILES {
            return Ok(());
        }
        let folder = entry.folder.as_deref().and_then(absolute);
        let call = ComposeCall {
            files: vec![path.clone()],
            env_file: entry.env_files.first().and_then(|file| absolute(file)),
            ..ComposeCall::default()
        };
        let folder = folder.unwrap_or_else(|| folder_of(&path));
        let (mut environment, _) = self.environment(reader, &call, Some(&folder))?;
        environment.extend(outer.clone());
        self.part(reader, &path, &environment, parts, way)?;
        let what = "this file includes";
        self.refuse_nowhere((document, &["include"]), Some(file), &path, what)
    }
}

/// The circle in which files include each other, which compose refuses.
fn refused(
    document: &Document,
    file: &str,
    circle: &[PathBuf],
    path: &Path,
) -> crate::source::error::SourceError {
    let names = circle.iter().map(PathBuf::as_path).chain([path]);
    let names: Vec<String> = names
        .map(|path| {
            path.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let span = spans(document.source(), &["include"], Some(file));
    let message = format!("these files include each other: {}", names.join(" → "));
    let complaint = document.complain(span, message, "compose refuses a circle");
    let help = "remove one of the includes; what both files need can be in a third one";
    with_help(complaint, Some(help.to_owned()))
}

/// What a file includes: a path, or a table of paths with their folder and variables.
fn entries(document: &Document) -> Vec<Entry> {
    let texts = |value: &Value| match value {
        Value::Sequence(list) => list.iter().filter_map(types::text).collect(),
        other => types::text(other).into_iter().collect(),
    };
    let of = |table: &Value, key: &str| table.get(key).map(texts).unwrap_or_default();
    let list = document.value.get("include").and_then(Value::as_sequence);
    let entries = list.into_iter().flatten();
    entries
        .map(|entry| match entry {
            Value::Mapping(_) => Entry {
                paths: of(entry, "path"),
                folder: of(entry, "project_directory").pop(),
                env_files: of(entry, "env_file"),
            },
            other => Entry {
                paths: texts(other),
                folder: None,
                env_files: Vec::new(),
            },
        })
        .collect()
}
