//! Variables in compose files, as compose resolves them after parsing:
//! <https://docs.docker.com/reference/compose-file/interpolation/>

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_yaml::Value;

/// Names and values.
pub type Environment = BTreeMap<String, String>;

/// Where the values of a project's variables come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Variables {
    /// The real file, by its path in the checkout.
    File(PathBuf),
    /// The example beside which the real file would lie.
    Example(PathBuf),
    /// Nothing: only the defaults in the files.
    #[default]
    Defaults,
    /// Files that are outside the checkout.
    Unknown,
}

/// Deeper than any real default value.
const MAX_DEPTH: usize = 16;

/// Resolves the variables of a compose file: in its services, networks and the like, not in its version and extensions. Those
/// without value and default become empty, as in compose, and are added to `unset`. The error is the text that is no variable.
pub fn file(
    value: &mut Value,
    environment: &Environment,
    unset: &mut BTreeSet<String>,
) -> Result<(), String> {
    let mut resolver = Resolver { environment, unset };
    let sections = value.as_mapping_mut().into_iter().flatten();
    for (_, section) in sections.filter(|(key, _)| has_variables(key)) {
        resolver.value(section)?;
    }
    Ok(())
}

/// Whether variables are resolved in a section of a file.
fn has_variables(key: &Value) -> bool {
    let key = key.as_str().unwrap_or_default();
    key != "version" && !key.starts_with("x-")
}

/// Resolves the variables in one string; `None` when one cannot be read.
pub fn text(text: &str, environment: &Environment, unset: &mut BTreeSet<String>) -> Option<String> {
    Resolver { environment, unset }.text(text, 0)
}

struct Resolver<'e> {
    environment: &'e Environment,
    unset: &'e mut BTreeSet<String>,
}

impl Resolver<'_> {
    /// Resolves the variables in every string below `value`.
    fn value(&mut self, value: &mut Value) -> Result<(), String> {
        match value {
            Value::String(text) if text.contains('$') => {
                *text = self.text(text, 0).ok_or_else(|| text.clone())?;
                Ok(())
            }
            Value::Sequence(list) => list.iter_mut().try_for_each(|item| self.value(item)),
            Value::Mapping(map) => map.iter_mut().try_for_each(|(_, item)| self.value(item)),
            _ => Ok(()),
        }
    }

    fn text(&mut self, text: &str, depth: usize) -> Option<String> {
        if depth > MAX_DEPTH {
            return None;
        }
        let mut resolved = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('$') {
            resolved.push_str(before);
            if let Some(tail) = behind.strip_prefix('$') {
                resolved.push('$');
                rest = tail;
            } else if let Some(inside) = behind.strip_prefix('{') {
                let end = closing(inside)?;
                resolved.push_str(&self.braced(inside.get(..end)?, depth)?);
                rest = inside.get(end + 1..)?;
            } else {
                // Compose 2 leaves a dollar sign that begins nothing, such as that of `$(id -u)`.
                let name = name(behind).unwrap_or_default();
                match name {
                    "" => resolved.push('$'),
                    name => resolved.push_str(&self.plain(name)),
                }
                rest = behind.get(name.len()..)?;
            }
        }
        resolved.push_str(rest);
        Some(resolved)
    }

    fn plain(&mut self, name: &str) -> String {
        self.environment.get(name).cloned().unwrap_or_else(|| {
            self.unset.insert(name.into());
            String::new()
        })
    }

    /// What is between `${` and `}`.
    fn braced(&mut self, expression: &str, depth: usize) -> Option<String> {
        let name = name(expression)?;
        let rest = expression.get(name.len()..)?;
        if rest.is_empty() {
            return Some(self.plain(name));
        }
        let operation = rest.strip_prefix(':').unwrap_or(rest);
        let (operator, operand) = (operation.chars().next()?, operation.get(1..)?);
        let value = self.environment.get(name);
        let value = value.filter(|value| !rest.starts_with(':') || !value.is_empty());
        match (operator, value) {
            ('-' | '?', Some(value)) => Some(value.clone()),
            ('-', None) | ('+', Some(_)) => self.text(operand, depth + 1),
            ('?', None) => {
                self.unset.insert(name.into());
                Some(String::new())
            }
            ('+', None) => Some(String::new()),
            _ => None,
        }
    }
}

/// A text of a compose file with a dollar sign that begins no variable: compose 2 leaves it, and docker-compose 1 refuses
/// the file. Not in what [`file`] leaves alone.
pub(crate) fn bare_dollar(value: &Value) -> Option<&str> {
    let sections = value.as_mapping()?.iter();
    let mut resolved = sections.filter(|(key, _)| has_variables(key));
    resolved.find_map(|(_, section)| bare_below(section))
}

fn bare_below(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => is_bare(text).then_some(text),
        Value::Sequence(list) => list.iter().find_map(bare_below),
        Value::Mapping(map) => map.values().find_map(bare_below),
        Value::Tagged(tagged) => bare_below(&tagged.value),
        _ => None,
    }
}

fn is_bare(text: &str) -> bool {
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once('$') {
        let skipped = match behind.chars().next() {
            Some('$') => Some(1),
            Some('{') => closing(behind.get(1..).unwrap_or_default()).map(|end| end + 1),
            _ => name(behind).map(str::len),
        };
        let Some(next) = skipped.and_then(|skipped| behind.get(skipped..)) else {
            return true;
        };
        rest = next;
    }
    false
}

/// Where the brace that was opened before `text` closes.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut last = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '{' if last == '$' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
        last = c;
    }
    None
}

/// A name at the beginning of `text`.
fn name(text: &str) -> Option<&str> {
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    let name = text.get(..end)?;
    let first = name.chars().next()?;
    (!first.is_ascii_digit()).then_some(name)
}

/// Reads a `.env` file: `NAME=value` lines, comments, `export`, quotes around the value.
pub fn env_file(text: &str) -> Environment {
    let mut environment = Environment::new();
    for line in text.trim_start_matches('\u{feff}').lines() {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        if line.starts_with('#') {
            continue;
        }
        if let Some((key, value)) = line.split_once('=') {
            environment.insert(key.trim().into(), unquoted(value.trim()).into());
        }
    }
    environment
}

fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        let inside = value
            .strip_prefix(quote)
            .and_then(|rest| rest.split_once(quote));
        if let Some((inside, _)) = inside {
            return inside;
        }
    }
    value.split(" #").next().unwrap_or(value).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolves_as_compose_does() {
        let environment = env_file("A=a\nEMPTY=\n# C=c\nexport Q=\"q r\" # x\nH=x#y # z\n");
        for (source, expected, missing) in [
            ("$A ${A} $$A", Some("a a $A"), ""),
            (
                "${A:-d} ${N:-d} ${N-d} ${EMPTY:-d} ${EMPTY-d}",
                Some("a d d d "),
                "",
            ),
            ("${A:+x}${N:+x}${A+y}", Some("xy"), ""),
            ("${N:-${A}b}", Some("ab"), ""),
            ("${N:?needed} $N", Some(" "), "N"),
            ("$Q $H", Some("q r x#y"), ""),
            ("$A-b", Some("a-b"), ""),
            ("${", None, ""),
            ("${A", None, ""),
            ("${A!x}", None, ""),
            ("$", Some("$"), ""),
            ("$1", Some("$1"), ""),
            ("$(id -g) $.", Some("$(id -g) $."), ""),
            ("${N-$(x)}", Some("$(x)"), ""),
        ] {
            let mut unset = BTreeSet::new();
            assert_eq!(
                text(source, &environment, &mut unset).as_deref(),
                expected,
                "{source}"
            );
            assert_eq!(
                unset.into_iter().collect::<Vec<_>>().join(" "),
                missing,
                "{source}"
            );
        }
    }

    #[test]
    fn a_dollar_sign_that_begins_no_variable() {
        for (text, expected) in [
            ("$(x)", true),
            ("a$ b", true),
            ("$1", true),
            ("${A:-}$(x)", true),
            ("$$(x)", false),
            ("${A-$(x)} $B", false),
        ] {
            let service: Value =
                serde_yaml::from_str(&format!("{{services: {{a: ['{text}']}}}}")).unwrap();
            assert_eq!(bare_dollar(&service).is_some(), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(source in "[$a{}:\\-?+é]{0,30}", env in ".*") {
            let _ = text(&source, &env_file(&env), &mut BTreeSet::new());
        }
    }
}
