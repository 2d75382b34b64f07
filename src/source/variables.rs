//! Variables that something asks for, and that the files of a host do not have.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::compose::{Positions, interpolate};
use super::load::is_env_file;
use super::{ParsedStack, Revision};
use crate::model::Unit;

/// What a look at a file of a host brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// Its text.
    There(Vec<u8>),
    /// Nothing is there.
    Missing,
    /// This user may not read it.
    Hidden,
}

/// Variables that an environment file does not have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lacking {
    pub file: PathBuf,
    pub exists: bool,
    /// What asks for them: a compose file, or an example.
    pub asked_by: PathBuf,
    pub example: bool,
    pub names: BTreeSet<String>,
    /// Those of them without which compose refuses the file, `${NAME:?}`.
    pub required: BTreeSet<String>,
}

impl Revision {
    /// The variables that compose files of units use without a default, or that examples have, and that the environment
    /// files of a host do not have, for the units that `of` picks. `look` reads a file of the host.
    pub fn lacking(&self, of: &dyn Fn(&str) -> bool, look: &dyn Fn(&Path) -> Look) -> Vec<Lacking> {
        let mut found = BTreeSet::new();
        let stacks = || {
            let stacks = self.parsed.stacks.iter();
            stacks.filter(|stack| stack.unit.as_deref().is_some_and(of))
        };
        for stack in stacks().filter(|stack| stack.up) {
            let unit = stack.unit.as_ref();
            let unit = unit.and_then(|name| self.desired.units.get(name));
            if let Some(unit) = unit {
                let refused = |file: &Path, name: &str| {
                    let document = self.parsed.compose.get(file);
                    let positions = document.map(|document| Positions::of(document.source()));
                    let place = positions.and_then(|positions| used(&positions, name));
                    place.is_some_and(|(_, required)| required)
                };
                found.extend(of_compose(stack, unit, look, &refused));
            }
        }
        let units = self.desired.units.iter().filter(|(name, _)| of(name));
        let units = units.map(|(_, unit)| unit);
        let files = units.flat_map(|unit| unit.watched.iter().chain(&unit.outside));
        let files = files.filter(|path| is_env_file(path));
        let files = files.chain(stacks().filter_map(|stack| stack.env.as_ref()));
        let files: BTreeSet<&PathBuf> = files.collect();
        for file in files {
            found.extend(
                examples(file)
                    .iter()
                    .filter_map(|path| of_example(file, path, look)),
            );
        }
        found.into_iter().collect()
    }
}

/// `refused` says whether compose refuses a file without a variable.
fn of_compose(
    stack: &ParsedStack,
    unit: &Unit,
    look: &dyn Fn(&Path) -> Look,
    refused: &dyn Fn(&Path, &str) -> bool,
) -> Vec<Lacking> {
    let Some(file) = &stack.env else {
        return Vec::new();
    };
    let mut known = BTreeSet::new();
    let exists = match look(file) {
        Look::There(text) => {
            known.extend(names(&text));
            true
        }
        Look::Missing => false,
        Look::Hidden => return Vec::new(),
    };
    for named in &unit.environment_files {
        let path = named.trim_start_matches('-');
        match look(Path::new(path)) {
            Look::There(text) => known.extend(names(&text)),
            Look::Missing if !path.contains(['*', '?', '[', '%']) => {}
            Look::Missing | Look::Hidden => return Vec::new(),
        }
    }
    let files = stack.files.iter().zip(&stack.paths);
    files
        .filter_map(|(relative, path)| {
            let unset = stack.unset.get(relative)?;
            let names: BTreeSet<String> = unset.difference(&known).cloned().collect();
            (!names.is_empty()).then(|| Lacking {
                file: file.clone(),
                exists,
                asked_by: path.clone(),
                example: false,
                required: (names.iter())
                    .filter(|name| refused(relative, name))
                    .cloned()
                    .collect(),
                names,
            })
        })
        .collect()
}

fn of_example(file: &Path, example: &Path, look: &dyn Fn(&Path) -> Look) -> Option<Lacking> {
    let Look::There(asked) = look(example) else {
        return None;
    };
    let (known, exists) = match look(file) {
        Look::There(text) => (names(&text), true),
        Look::Missing => (BTreeSet::new(), false),
        Look::Hidden => return None,
    };
    let names: BTreeSet<String> = names(&asked).difference(&known).cloned().collect();
    (!names.is_empty()).then(|| Lacking {
        file: file.to_owned(),
        exists,
        asked_by: example.to_owned(),
        example: true,
        names,
        required: BTreeSet::new(),
    })
}

/// Where a variable is used first, and whether compose refuses to start without it.
pub(crate) fn used(positions: &Positions, name: &str) -> Option<(Range<usize>, bool)> {
    let mut found = None;
    for (_, span, text) in positions.texts() {
        let mut at = 0;
        while let Some(next) = text.get(at..).and_then(|rest| rest.find('$')) {
            let behind = text.get(at + next + 1..).unwrap_or_default();
            at += next + 1;
            if behind.starts_with('$') {
                at += 1;
                continue;
            }
            let inside = behind.strip_prefix('{');
            let rest = inside.unwrap_or(behind).strip_prefix(name);
            let Some(rest) = rest
                .filter(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
            else {
                continue;
            };
            let required = inside.is_some() && (rest.starts_with(":?") || rest.starts_with('?'));
            let default = inside.is_some() && rest.starts_with([':', '-', '+']) && !required;
            if !default && (required || found.is_none()) {
                found = Some((span.clone(), required));
            }
        }
    }
    found
}

/// Where the example of an environment file may lie.
fn examples(file: &Path) -> Vec<PathBuf> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let beside = |suffix: &str| file.with_file_name(format!("{name}.{suffix}"));
    vec![beside("example"), beside("sample"), beside("template")]
}

/// The names in an environment file; a line that is a comment asks for nothing.
fn names(text: &[u8]) -> BTreeSet<String> {
    let values = interpolate::env_file(&String::from_utf8_lossy(text));
    let is_name = |name: &String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        !name.is_empty() && name.chars().all(plain)
    };
    values.into_keys().filter(is_name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(example: Option<&str>, env: Look) -> Option<String> {
        let look = |path: &Path| match (path.ends_with(".env"), example) {
            (true, _) => env.clone(),
            (false, Some(text)) => Look::There(text.into()),
            (false, None) => Look::Missing,
        };
        let file = Path::new("/srv/.env");
        let found = of_example(file, Path::new("/srv/.env.example"), &look)?;
        let names: Vec<String> = found.names.into_iter().collect();
        Some(format!("{} {}", found.exists, names.join(" ")))
    }

    #[test]
    fn what_an_example_has_and_the_file_has_not() {
        let there = |text: &str| Look::There(text.into());
        let asked = Some("A=\nexport B=x\n# C=\nD E=1\n");
        assert_eq!(
            example(asked, there("A=secret\n")).as_deref(),
            Some("true B")
        );
        assert_eq!(example(asked, there("A=\nB=\n")), None);
        assert_eq!(example(asked, Look::Missing).as_deref(), Some("false A B"));
        assert_eq!(example(asked, Look::Hidden), None);
        assert_eq!(example(None, there("")), None);
    }

    #[test]
    fn what_a_compose_file_uses_and_nobody_sets() {
        let stack = ParsedStack {
            env: Some("/srv/.env".into()),
            files: vec!["srv/a.yml".into()],
            paths: vec!["/srv/a.yml".into()],
            unset: [("srv/a.yml".into(), ["A", "B"].map(str::to_owned).into())].into(),
            ..ParsedStack::default()
        };
        let of = |env: Look, unit: &Unit, more: Look| {
            let look = |path: &Path| match path.ends_with(".env") {
                true => env.clone(),
                false => more.clone(),
            };
            let found = of_compose(&stack, unit, &look, &|_, _| false);
            let names = |one: Lacking| (one.exists, one.names.into_iter().collect::<Vec<_>>());
            found.into_iter().map(names).next()
        };
        let there = |text: &str| Look::There(text.into());
        let unit = Unit::default();
        let both = vec!["A".to_owned(), "B".to_owned()];
        assert_eq!(of(Look::Missing, &unit, Look::Missing), Some((false, both)));
        assert_eq!(of(there("A=1\nB=2"), &unit, Look::Missing), None);
        assert_eq!(of(Look::Hidden, &unit, Look::Missing), None);
        let more = Unit {
            environment_files: vec!["-/etc/more".into()],
            ..Unit::default()
        };
        assert_eq!(of(there("A=1"), &more, there("B=2")), None);
        assert_eq!(of(there("A=1"), &more, Look::Hidden), None);
        let one = Some((true, vec!["B".to_owned()]));
        assert_eq!(of(there("A=1"), &more, Look::Missing), one);
    }
}
