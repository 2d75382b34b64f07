//! The units of a revision, each with what the rules ask for again and again.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use source_text::word_list;

use crate::model;
use crate::source::Revision;
use crate::source::unit::exec::{self, Command};
use crate::source::unit::settings::{Source, Value};
use crate::source::unit::{Name, Settings, words};

/// Settings that are command lines, "Command lines" in systemd.service(5).
const EXEC: [&str; 8] = word_list(
    "ExecCondition ExecStartPre ExecStart ExecStartPost ExecReload ExecStop ExecStopPre \
    ExecStopPost",
);

/// A unit.
pub struct Unit<'a> {
    /// Its name.
    pub name: Name,
    /// What its files say.
    pub settings: &'a Settings,
    /// What it is to be.
    pub desired: &'a model::Unit,
    /// Its command lines, those that a drop-in resets left out.
    pub lines: Vec<Line>,
}

/// A command line.
pub struct Line {
    /// Where it is.
    pub value: Value,
    /// Its commands; none where a quote is not closed.
    pub commands: Vec<Command>,
}

impl Line {
    /// What it runs in the end, a word each for programs and arguments.
    pub fn runs(&self) -> impl Iterator<Item = Vec<String>> + '_ {
        self.commands.iter().flat_map(|command| {
            let words: Vec<String> = command.words.iter().map(|word| word.text.clone()).collect();
            exec::runs(&words)
        })
    }
}

impl Unit<'_> {
    /// Whether the unit itself is desired, not only drop-ins for one of somebody else.
    pub fn is_ours(&self) -> bool {
        self.desired.file.is_some() || self.desired.template.is_some()
    }

    /// Whether it is a service.
    pub fn is_service(&self) -> bool {
        self.name.suffix() == "service"
    }

    /// The section and the key by which a timer, path or socket names what it starts.
    pub fn trigger(&self) -> Option<(&'static str, &'static str)> {
        match self.name.suffix() {
            "timer" => Some(("Timer", "Unit")),
            "path" => Some(("Path", "Unit")),
            "socket" => Some(("Socket", "Service")),
            _ => None,
        }
    }

    /// The last value of a setting of `[Service]`, as it is written.
    pub fn service(&self, key: &str) -> Option<Value> {
        self.settings.last("Service", key)
    }

    /// The command lines of one setting.
    pub fn lines_of(&self, key: &str) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(move |line| line.value.key == key)
    }

    /// Units that a setting lists, with where each is; those whose specifiers have no value here, and
    /// what a comment says, are left out.
    pub fn listed(&self, section: &str, key: &str) -> Vec<(String, Mention)> {
        let mut found = Vec::new();
        for value in self.settings.added(section, key) {
            let value = Arc::new(value);
            let text = uncommented(&value.text);
            for word in words(text) {
                let start = word.as_ptr() as usize - value.text.as_ptr() as usize;
                let Some(name) = self.name.expand(word.trim_matches(['"', '\''])) else {
                    continue;
                };
                let part = start..start + word.len();
                let value = value.clone();
                found.push((name, Mention { value, part }));
            }
        }
        found
    }
}

/// Where a unit is named.
#[derive(Clone)]
pub struct Mention {
    /// The setting.
    pub value: Arc<Value>,
    /// Bytes of its text.
    pub part: std::ops::Range<usize>,
}

/// The part of a list before a `#` that is meant to begin a comment.
pub(crate) fn uncommented(text: &str) -> &str {
    let comment = words(text).find(|word| word.starts_with('#'));
    let at = comment.map(|word| word.as_ptr() as usize - text.as_ptr() as usize);
    at.and_then(|at| text.get(..at)).unwrap_or(text)
}

/// All units of a revision.
pub struct Units<'a> {
    /// The revision.
    pub revision: &'a Revision,
    /// By name.
    pub all: Vec<Unit<'a>>,
    by_name: BTreeMap<&'a str, usize>,
    /// Further names of units.
    aliases: BTreeMap<String, usize>,
    /// Units that others pull in.
    pulled_in: BTreeSet<String>,
    /// Units that a timer, socket or path starts.
    triggered: BTreeSet<String>,
}

impl<'a> Units<'a> {
    /// Reads the command lines of all units.
    pub fn new(revision: &'a Revision) -> Self {
        let mut units = Self {
            revision,
            all: Vec::new(),
            by_name: BTreeMap::new(),
            aliases: BTreeMap::new(),
            pulled_in: BTreeSet::new(),
            triggered: BTreeSet::new(),
        };
        for (text, settings) in &revision.parsed.units {
            let (Ok(name), Some(desired)) = (Name::parse(text), revision.desired.units.get(text))
            else {
                continue;
            };
            let at = units.all.len();
            units.by_name.insert(text, at);
            for link in &desired.install.links {
                if let Some(alias) = link.to_str().filter(|alias| !alias.contains('/')) {
                    units.aliases.insert(alias.to_owned(), at);
                }
            }
            let unit = Unit {
                lines: lines(settings),
                name,
                settings,
                desired,
            };
            units.remember(&unit);
            units.all.push(unit);
        }
        units
    }

    fn remember(&mut self, unit: &Unit) {
        let names = |section: &str, keys: &[&str]| -> Vec<String> {
            let listed = keys.iter().flat_map(|key| unit.listed(section, key));
            listed.map(|(name, _)| name).collect()
        };
        let pulls = ["Wants", "Requires", "Requisite", "BindsTo", "Upholds"];
        self.pulled_in.extend(names("Unit", &pulls));
        self.pulled_in.extend(names("Install", &["Also"]));
        let Some((section, key)) = unit.trigger() else {
            return;
        };
        let named = names(section, &[key]);
        if named.is_empty() {
            self.triggered
                .insert(format!("{}.service", unit.name.stem()));
        }
        self.triggered.extend(named);
    }

    /// Whether another unit pulls it in.
    pub fn is_pulled_in(&self, name: &str) -> bool {
        self.pulled_in.contains(name)
    }

    /// Whether a timer, socket or path starts it.
    pub fn is_triggered(&self, name: &str) -> bool {
        self.triggered.contains(name)
    }

    /// The unit of that name or alias, or the template that it would be made of.
    pub fn get(&self, name: &str) -> Option<&Unit<'a>> {
        let direct = self.by_name.get(name).or_else(|| self.aliases.get(name));
        let at = direct.or_else(|| {
            let template = Name::parse(name).ok()?.template()?;
            self.by_name.get(template.as_str())
        });
        self.all.get(*at?)
    }

    /// All services that are desired themselves.
    pub fn services(&self) -> impl Iterator<Item = &Unit<'a>> {
        let units = self.all.iter();
        units.filter(|unit| unit.is_ours() && unit.is_service())
    }

    /// Each file once, with the type of the units that it is for.
    pub fn files(&self) -> Vec<(&'a Source, &str)> {
        let mut seen = HashSet::new();
        let sources = self.all.iter().flat_map(|unit| {
            let sources = unit.settings.sources().iter();
            sources.map(|source| (&**source, unit.name.suffix()))
        });
        // Instances share the files of their template.
        sources
            .filter(|(source, _)| seen.insert(std::ptr::from_ref(*source)))
            .collect()
    }
}

fn lines(settings: &Settings) -> Vec<Line> {
    let values = ["Service", "Socket"]
        .into_iter()
        .flat_map(|section| settings.matching(section, |key| EXEC.contains(&key)));
    let line = |value: Value| Line {
        commands: exec::parse(&value.text).unwrap_or_default(),
        value,
    };
    values.map(line).collect()
}
