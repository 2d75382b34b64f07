//! Compose files, <https://docs.docker.com/reference/compose-file/>: values with their variables resolved, the places where
//! they are written, several files as one, and the types of what decides about networks, volumes, names and ports.
//! Everything else is kept as it is read.

mod binds;
mod definitions;
pub mod interpolate;
pub mod merge;
mod mounts;
mod ports;
mod scalar;
mod service;
mod size;
mod spans;
mod tags;
pub mod types;

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_yaml::Value;
use source_text::{Diagnostic, SourceFile};

pub use binds::{Bind, VolumeMount};
pub use definitions::{Definition, definitions, kept, networks, shared};
pub use interpolate::{Environment, Variables};
pub use merge::overlay;
pub use mounts::{Mount, MountedBy};
pub use ports::{Publish, Published};
pub use service::pairs;
pub use size::size;
pub use spans::{PathMatch, Positions, spans};
pub use tags::{Tag, reset};
pub use types::{Compose, Service};

/// A compose file with its variables resolved.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its path and its text.
    pub file: Arc<SourceFile>,
    /// What it says: anchors and merge keys applied, variables resolved.
    pub value: Value,
    /// The same as compose understands it.
    pub compose: Arc<Compose>,
    /// What its variables were resolved with.
    pub environment: Environment,
    /// Variables that have neither a value nor a default.
    pub unset: BTreeSet<String>,
    /// What it resets and overrides of files that it is laid over.
    pub tags: Vec<Tag>,
    /// How many YAML documents it has.
    pub documents: usize,
    /// A text with a dollar sign that begins no variable.
    pub bare_dollar: Option<String>,
}

impl Document {
    /// Parses a compose file.
    pub fn parse(path: &Path, source: &str, environment: &Environment) -> Result<Self, Diagnostic> {
        let mut document = Self {
            file: SourceFile::new(path, source),
            value: Value::Null,
            compose: Arc::default(),
            environment: environment.clone(),
            unset: BTreeSet::new(),
            tags: Vec::new(),
            documents: 0,
            bare_dollar: None,
        };
        if let Some(span) = spans::too_deep(source) {
            let message = "this is nested more than 200 levels deep";
            return Err(document.complain(span, message, "no compose file needs that"));
        }
        let mut whole = Value::Null;
        let mut is_empty = false;
        for part in serde_yaml::Deserializer::from_str(source) {
            let mut value = Value::deserialize(part).map_err(|error| document.syntax(&error))?;
            value
                .apply_merge()
                .map_err(|error| document.syntax(&error))?;
            is_empty |= value.is_null();
            document.take(value, &mut whole)?;
            document.documents += 1;
        }
        if is_empty && document.documents > 1 {
            let span = spans::Positions::of(source).empty_document();
            let before = span.and_then(|span| source.get(..span.start));
            let mark = before.and_then(|before| before.rfind("---"));
            let message = "this YAML document is empty";
            let expected = "compose refuses the file: remove the line ---";
            return Err(document.complain(mark.map_or(0..0, |at| at..at + 3), message, expected));
        }
        if !whole.is_null() {
            document.compose = Arc::new(document.understand(&whole)?);
            document.value = whole;
        }
        Ok(document)
    }

    /// Lays one of its YAML documents over those before it, as compose 2 does.
    fn take(&mut self, mut value: Value, whole: &mut Value) -> Result<(), Diagnostic> {
        let tags = tags::take(&mut value);
        let bare = interpolate::bare_dollar(&value).map(str::to_owned);
        self.bare_dollar = self.bare_dollar.take().or(bare);
        let unset = &mut self.unset;
        interpolate::file(&mut value, &self.environment, unset).map_err(|wrong| {
            let message = format!("the variable in {wrong:?} cannot be read");
            let expected = "expected $NAME, ${NAME}, ${NAME:-default}, or $$ for a dollar sign";
            self.complain(spans(self.source(), &[], Some(&wrong)), message, expected)
        })?;
        if !matches!(value, Value::Null | Value::Mapping(_)) {
            let expected = "expected keys such as services: and networks:";
            return Err(self.complain(0..0, "this is not a compose file", expected));
        }
        reset(whole, &tags);
        overlay(whole, value);
        self.tags.extend(tags);
        Ok(())
    }

    /// Its path in the checkout.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Its text.
    pub fn source(&self) -> &str {
        self.file.text()
    }

    fn understand(&self, value: &Value) -> Result<Compose, Diagnostic> {
        Compose::of(value).map_err(|error| {
            // Only the text knows positions; merge keys do not change what type is wrong where.
            let parts = serde_yaml::Deserializer::from_str(self.source());
            let mut wrong = parts.filter_map(|part| Compose::deserialize(part).err());
            match wrong.find(|wrong| wrong.location().is_some()) {
                Some(placed) => self.syntax(&placed),
                None => self.syntax(&error),
            }
        })
    }

    /// A complaint about some bytes.
    pub fn complain(
        &self,
        span: Range<usize>,
        message: impl Into<String>,
        expected: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::at(&self.file, span, message, expected)
    }

    fn syntax(&self, error: &serde_yaml::Error) -> Diagnostic {
        let text = error.to_string();
        let text = text.lines().next().unwrap_or_default();
        let message = text.split(" at line ").next().unwrap_or(text);
        // Errors about keys that stand twice have no position of their own.
        let twice = message
            .split_once("duplicate entry with key ")
            .and_then(|(_, key)| Positions::of(self.source()).second(key.trim_matches('"')));
        let span = match (twice, error.location()) {
            (Some(twice), _) => twice,
            (None, Some(location)) => {
                let at = self.source().floor_char_boundary(location.index());
                let next = self.source().get(at..).and_then(|rest| rest.chars().next());
                at..at + next.map_or(0, char::len_utf8)
            }
            (None, None) => 0..0,
        };
        let (message, expected) = message.split_once(", ").unwrap_or((message, ""));
        let expected = match expected {
            "" if message.contains("expected key") => "a key at the indentation of the lines above",
            "" if message.contains("cannot start any token") => {
                "a tab cannot indent YAML: use spaces"
            }
            "" => "this is where the YAML stops making sense",
            // The names of our own types help nobody.
            expected if expected.contains("struct") => "expected a map, such as \"driver: bridge\"",
            expected => expected,
        };
        self.complain(span, message, expected)
    }
}

/// A project name as compose makes it from a folder's name or `-p`: lower case, and nothing
/// but letters, digits, `-` and `_`; version 2 also drops those two in front.
pub fn project_name(text: &str) -> String {
    let name: String = text
        .to_lowercase()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_')
        .collect();
    match name.is_empty() {
        true => "default".into(),
        false => name,
    }
}

#[cfg(test)]
mod tests;
