//! A unit's settings after its drop-ins.

use std::ops::Range;
use std::rc::Rc;

use super::parse::Section;
use crate::model::Diagnostic;

/// A parsed unit file or drop-in.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its path in the checkout.
    pub path: std::path::PathBuf,
    /// Its text.
    pub text: String,
    /// What it says.
    pub sections: Vec<Section>,
}

/// An assigned value and where it stands.
#[derive(Clone, Debug)]
pub struct Value {
    /// The value.
    pub text: String,
    /// The key it was assigned to.
    pub key: String,
    span: Range<usize>,
    source: Rc<Source>,
}

impl Value {
    /// A complaint about this value.
    pub fn complain(&self, message: impl Into<String>, expected: impl Into<String>) -> Diagnostic {
        Diagnostic {
            path: self.source.path.clone(),
            source: self.source.text.clone(),
            span: self.span.clone(),
            message: message.into(),
            expected: expected.into(),
            help: None,
        }
    }
}

/// A unit file and its drop-ins, the one that counts least first.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    sources: Vec<Rc<Source>>,
}

impl Settings {
    /// In the order in which systemd reads them.
    pub fn new(sources: Vec<Rc<Source>>) -> Self {
        Self { sources }
    }

    /// All values of a key; an empty assignment drops those before it.
    pub fn list(&self, section: &str, key: &str) -> Vec<Value> {
        self.matching(section, |name| name == key)
    }

    /// All values of keys that `wanted` accepts, each key reset on its own.
    pub fn matching(&self, section: &str, wanted: impl Fn(&str) -> bool) -> Vec<Value> {
        let mut values: Vec<Value> = Vec::new();
        for source in &self.sources {
            let sections = source.sections.iter().filter(|found| found.name == section);
            for entry in sections.flat_map(|section| &section.entries) {
                if !wanted(&entry.key) {
                    continue;
                }
                if entry.value.is_empty() {
                    values.retain(|value| value.key != entry.key);
                    continue;
                }
                values.push(Value {
                    text: entry.value.clone(),
                    key: entry.key.clone(),
                    span: entry.value_span.clone(),
                    source: source.clone(),
                });
            }
        }
        values
    }

    /// The value that counts of a key that takes one.
    pub fn last(&self, section: &str, key: &str) -> Option<Value> {
        self.list(section, key).pop()
    }

    /// Whether a key that takes a truth value says yes, systemd.syntax(7).
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
    let source = |text: &&str| {
        Rc::new(Source {
            path: "u.service".into(),
            text: (*text).into(),
            sections: super::parse(std::path::Path::new("u.service"), text).unwrap(),
        })
    };
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
