//! watchme.toml: what the other inputs cannot say.
//!
//! `schema` and `server` have the keys, `values` the types of their values, `together` what several keys say together.

mod backup;
mod check;
mod combined;
mod firewall;
mod notify;
mod packages;
#[cfg(test)]
mod reference;
mod schema;
mod secrets;
mod server;
mod service;
mod spanned;
mod together;
mod values;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

pub use check::{CheckPolicy, Level};
pub use combined::combined;
pub use firewall::FirewallPolicy;
pub use packages::PackagesPolicy;
pub use schema::{Folders, NetworkPolicy, Policy, RoutePolicy};
pub use server::StackPolicy;
pub use service::SERVICE_FILE;
pub use spanned::Spanned;
pub use values::{Input, PortRange};

use source_text::SourceFile;

use super::error::{nearest, suggest};
use super::unit;
use crate::model::Diagnostic;

/// The file's name in the desired state's folder.
pub const FILE_NAME: &str = "watchme.toml";

/// The file and its text, for errors about it; the files of services come behind it.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    file: Arc<SourceFile>,
    /// Each with the number that its first byte has.
    services: Vec<(usize, Arc<SourceFile>)>,
}

impl Default for ConfigFile {
    fn default() -> Self {
        Self::from(SourceFile::new(FILE_NAME, ""))
    }
}

impl From<Arc<SourceFile>> for ConfigFile {
    fn from(file: Arc<SourceFile>) -> Self {
        let services = Vec::new();
        Self { file, services }
    }
}

impl ConfigFile {
    /// Adds the file of a service; returns by how much its places are moved.
    fn add(&mut self, service: &Self) -> usize {
        let last = self.services.last();
        let (begin, file) = last.map_or((0, &self.file), |(begin, file)| (*begin, file));
        // One more: a place at the end of one file is not at the beginning of the next.
        let by = begin + file.text().len() + 1;
        self.services.push((by, service.file.clone()));
        by
    }

    /// The file in which a place is, and where it begins.
    fn of(&self, span: &Range<usize>) -> (usize, &Arc<SourceFile>) {
        let mut services = self.services.iter().rev();
        let service = services.find(|(begin, _)| *begin <= span.start);
        service.map_or((0, &self.file), |(begin, file)| (*begin, file))
    }

    /// An error about some bytes.
    pub fn complain(
        &self,
        span: Range<usize>,
        message: impl Into<String>,
        expected: impl Into<String>,
        help: Option<String>,
    ) -> Diagnostic {
        let (begin, file) = self.of(&span);
        Diagnostic {
            help,
            ..Diagnostic::at(
                file,
                span.start - begin..span.end - begin,
                message,
                expected,
            )
        }
    }

    /// An error of the toml crate or of a value. What was expected, and which keys there are, is only in its text:
    /// ``unknown field `x`, expected one of `a`, `b` ``.
    fn syntax(&self, error: &toml::de::Error) -> Diagnostic {
        let end = self.file.text().len();
        let span = error.span().unwrap_or(end..end);
        let text = error.message();
        let mut quoted = text.split('`').skip(1).step_by(2);
        if text.starts_with("unknown field") {
            let unknown = quoted.next().unwrap_or_default();
            let known: Vec<&str> = quoted.collect();
            let near = nearest(unknown, known.iter().copied());
            let help = match unit::name::TYPES.contains(&unknown) {
                true => Some(format!(
                    "names with dots need quotes: [unit.\"NAME.{unknown}\"]"
                )),
                false => near.map(|name| format!("did you mean {name}?")),
            };
            let message = format!("unknown key {unknown:?}");
            let expected = format!("the keys here are {}", known.join(", "));
            return self.complain(span, message, expected, help);
        }
        if text.starts_with("missing field") {
            let key = quoted.next().unwrap_or_default();
            return self.complain(span, format!("the key {key} is missing"), "", None);
        }
        let (given, expected) = match text.rsplit_once(", expected ") {
            Some((given, expected)) => (given, format!("expected {}", first_line(expected))),
            None => (first_line(text), String::new()),
        };
        let message = match given.split_once(": ") {
            // Serde says the type, and puts numbers into quotes.
            Some(("invalid value", value)) => {
                let value = value.trim_start_matches(|c: char| c.is_ascii_lowercase() || c == ' ');
                format!("{} cannot be used here", value.trim_matches('`'))
            }
            _ if given.starts_with("unknown variant") => {
                let word = quoted.next().unwrap_or_default();
                format!("{word:?} cannot be used here")
            }
            // The toml crate says no more of a word that is no text.
            _ if given == "wanted string or table" => {
                format!("{} cannot be used here", self.file.get(span.clone()))
            }
            _ => given.to_owned(),
        };
        let expected = match (given, expected.as_str()) {
            ("wanted string or table", _) => "expected text in quotes".to_owned(),
            (_, "expected a sequence") => self.list(given, span.clone()),
            (_, "expected f64") => "expected a number without quotes".to_owned(),
            (_, "expected a boolean") => "expected true or false, without quotes".to_owned(),
            (_, "expected struct CheckPolicy") => "expected { level = …, reason = … }".to_owned(),
            (_, expected) if expected.starts_with("expected struct ") => {
                "expected a table".to_owned()
            }
            (_, expected) => expected.to_owned(),
        };
        self.complain(span, message, expected, None)
    }

    /// What is expected in the place of a value that is no list.
    fn list(&self, given: &str, span: Range<usize>) -> String {
        let text = self.file.get(span);
        let header = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        match (header, given.strip_prefix("invalid type: ")) {
            (Some((name, _)), _) => format!("expected a list of tables: write [[{name}]]"),
            (None, Some("map")) => "expected a list of tables: write [[…]]".to_owned(),
            (None, Some(value)) => {
                let value = value.trim_start_matches(|c: char| c.is_ascii_lowercase() || c == ' ');
                let value = value.trim_matches(['`', '"']);
                format!("expected a list, such as [{value:?}]")
            }
            _ => "expected a list".to_owned(),
        }
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// Parses watchme.toml.
pub fn parse(path: &Path, source: &str) -> Result<Policy, Diagnostic> {
    let file = ConfigFile::from(SourceFile::new(path, source));
    let keys: Policy = toml::from_str(source).map_err(|error| file.syntax(&error))?;
    let policy = Policy { file, ..keys };
    policy.validate()?;
    Ok(policy)
}

impl Policy {
    /// An error about a table whose name is none of `known`.
    pub fn unknown<'a>(
        &self,
        kind: &str,
        name: &Spanned<String>,
        known: impl IntoIterator<Item = &'a str> + Clone,
    ) -> Diagnostic {
        let expected = match kind {
            "etc file" => "expected the path of a file in etc/".to_owned(),
            _ => format!("expected the name of a {kind} that is defined beside this file"),
        };
        let message = match kind {
            // A name behind the word would be masked as a value.
            "secret" => format!("{:?} is not a secret of the desired state", name.as_str()),
            _ => format!("{kind} {:?} is not in the desired state", name.as_str()),
        };
        self.file
            .complain(name.span(), message, expected, suggest(name, known))
    }
}

#[cfg(test)]
mod tests;
