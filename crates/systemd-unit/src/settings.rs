//! A unit's settings after its drop-ins.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use source_text::{Diagnostic, SourceFile};

use super::parse::{Parsed, parse};

/// A parsed unit file or drop-in.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its path and its text.
    pub file: Arc<SourceFile>,
    /// What it says.
    pub parsed: Parsed,
}

impl Source {
    /// Parses the text of a file.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        let file = SourceFile::new(path, text);
        let parsed = parse(file.text());
        Self { file, parsed }
    }

    /// Its text.
    pub fn text(&self) -> &str {
        self.file.text()
    }

    /// A complaint about some of its bytes.
    pub fn complain(
        &self,
        span: Range<usize>,
        message: impl Into<String>,
        expected: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::at(&self.file, span, message, expected)
    }
}

/// An assigned value and where it is.
#[derive(Clone, Debug)]
pub struct Value {
    /// The value.
    pub text: String,
    /// The key it was assigned to.
    pub key: String,
    span: Range<usize>,
    source: Arc<Source>,
    /// Whether the file has the text as it is, and not over several lines.
    is_verbatim: bool,
}

impl Value {
    /// A complaint about this value.
    pub fn complain(&self, message: impl Into<String>, expected: impl Into<String>) -> Diagnostic {
        self.source.complain(self.span.clone(), message, expected)
    }

    /// A complaint about a part of it, as bytes of its text.
    pub fn complain_about(
        &self,
        part: Range<usize>,
        message: impl Into<String>,
        expected: impl Into<String>,
    ) -> Diagnostic {
        self.source.complain(self.place(part), message, expected)
    }

    /// Where a part of the text is in the file. Continuation lines were joined: there the first place
    /// is taken that looks the same.
    fn place(&self, part: Range<usize>) -> Range<usize> {
        let at = match self.is_verbatim {
            true => Some(part.start),
            false => self.text.get(part.clone()).and_then(|text| {
                let written = self.source.file.get(self.span.clone());
                written.find(text)
            }),
        };
        match at {
            Some(at) => self.span.start + at..self.span.start + at + part.len(),
            None => self.span.clone(),
        }
    }
}

/// A unit file and its drop-ins, the one that counts least first.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    sources: Vec<Arc<Source>>,
}

impl Settings {
    /// In the order in which systemd reads them.
    pub fn new(sources: Vec<Arc<Source>>) -> Self {
        Self { sources }
    }

    /// In the order in which systemd reads them.
    pub fn sources(&self) -> &[Arc<Source>] {
        &self.sources
    }

    /// All values of a key that an empty assignment does not reset, as that of dependencies, systemd.unit(5).
    pub fn added(&self, section: &str, key: &str) -> Vec<Value> {
        let values = self.values(section, move |name| name == key);
        values.filter(|value| !value.text.is_empty()).collect()
    }

    /// All values of a key; an empty assignment drops those before it.
    pub fn list(&self, section: &str, key: &str) -> Vec<Value> {
        self.matching(section, |name| name == key)
    }

    /// All values of keys that `wanted` accepts, each key reset on its own.
    pub fn matching(&self, section: &str, wanted: impl Fn(&str) -> bool) -> Vec<Value> {
        let mut values: Vec<Value> = Vec::new();
        for value in self.values(section, wanted) {
            match value.text.is_empty() {
                true => values.retain(|before| before.key != value.key),
                false => values.push(value),
            }
        }
        values
    }

    /// Each assignment of keys that `wanted` accepts.
    fn values<'a>(
        &'a self,
        section: &'a str,
        wanted: impl Fn(&str) -> bool + 'a,
    ) -> impl Iterator<Item = Value> + 'a {
        let entries = self.sources.iter().flat_map(move |source| {
            let sections = source.parsed.sections.iter();
            let sections = sections.filter(move |found| found.name == section);
            sections
                .flat_map(|section| &section.entries)
                .map(move |entry| (source, entry))
        });
        entries
            .filter(move |(_, entry)| wanted(&entry.key))
            .map(|(source, entry)| Value {
                text: entry.value.clone(),
                key: entry.key.clone(),
                span: entry.value_span.clone(),
                source: source.clone(),
                is_verbatim: source.file.get(entry.value_span.clone()) == entry.value,
            })
    }

    /// The value that counts of a key that takes one.
    pub fn last(&self, section: &str, key: &str) -> Option<Value> {
        self.list(section, key).pop()
    }

    /// Whether a key that takes a boolean says yes, systemd.syntax(7).
    pub fn yes(&self, section: &str, key: &str) -> bool {
        self.last(section, key).is_some_and(|value| {
            matches!(
                value.text.to_lowercase().as_str(),
                "1" | "yes" | "y" | "true" | "t" | "on"
            )
        })
    }
}

#[cfg(test)]
pub(crate) fn of(texts: &[&str]) -> Settings {
    let source = |text: &&str| Arc::new(Source::new("u.service", *text));
    Settings::new(texts.iter().map(source).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(values: Vec<Value>) -> Vec<String> {
        values.into_iter().map(|value| value.text).collect()
    }

    #[test]
    fn drop_ins_add_and_reset() {
        let settings = of(&[
            "[Service]\nExecStart=/a\nExecStop=/s\nRemainAfterExit=no\n[Unit]\nExecStart=/no",
            "[Service]\nExecStart=\nExecStart=/b\nRemainAfterExit=Yes",
        ]);
        assert_eq!(texts(settings.list("Service", "ExecStart")), ["/b"]);
        assert_eq!(
            texts(settings.matching("Service", |key| key.starts_with("Exec"))),
            ["/s", "/b"]
        );
        assert!(settings.yes("Service", "RemainAfterExit"));
        assert!(settings.last("Service", "Type").is_none());
    }
}
