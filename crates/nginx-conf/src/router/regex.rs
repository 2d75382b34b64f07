//! Regular expressions as nginx has them: PCRE, on bytes, without UTF mode.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use pcre2::bytes::{Regex, RegexBuilder};

/// Bounds of a match: nginx has PCRE's own (ten million steps), which a hostile pattern would take seconds to reach.
const LIMITS: &str = "(*LIMIT_MATCH=200000)(*LIMIT_DEPTH=20000)(*LIMIT_HEAP=16000)";

/// A compiled regular expression.
#[derive(Debug)]
pub(super) struct Pattern(Regex);

/// What a match has captured, as nginx keeps it: `$1` to `$9`, and names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Captures {
    /// The text of each group, the whole match first; `None` for one that took no part.
    pub groups: Vec<Option<Vec<u8>>>,
    /// Named groups.
    pub named: Vec<(String, Vec<u8>)>,
}

/// Patterns that are kept; of a table of many requests each one tries the same.
const MAX_PATTERNS: usize = 4096;

/// Patterns by their texts, and by whether they tell cases apart. `None` for those that PCRE refuses.
#[derive(Debug, Default)]
pub(super) struct Patterns<'a>(RefCell<HashMap<(&'a str, bool), Compiled>>);

/// A pattern that everybody who asks for it shares.
type Compiled = Rc<Option<Pattern>>;

impl<'a> Patterns<'a> {
    /// The pattern of a text.
    pub(super) fn of(&self, text: &'a str, caseless: bool) -> Compiled {
        let mut known = self.0.borrow_mut();
        if let Some(pattern) = known.get(&(text, caseless)) {
            return pattern.clone();
        }
        let pattern = Rc::new(Pattern::new(text, caseless));
        if known.len() < MAX_PATTERNS {
            known.insert((text, caseless), pattern.clone());
        }
        pattern
    }
}

impl Pattern {
    /// Compiles a pattern; `None` if PCRE refuses it, as nginx would.
    pub(super) fn new(pattern: &str, caseless: bool) -> Option<Self> {
        let limited = format!("{LIMITS}{pattern}");
        let built = RegexBuilder::new().caseless(caseless).build(&limited);
        built.ok().map(Self)
    }

    /// What it captures in `subject`; `Err` where the limits were reached.
    pub(super) fn captures(&self, subject: &[u8]) -> Result<Option<Captures>, ()> {
        let Some(found) = self.0.captures(subject).map_err(|_| ())? else {
            return Ok(None);
        };
        let text = |index: usize| found.get(index).map(|group| group.as_bytes().to_vec());
        let groups = (0..found.len()).map(text).collect();
        let names = self.0.capture_names().iter().enumerate();
        let named = names.filter_map(|(index, name)| {
            let name = name.clone()?;
            Some((name, text(index).unwrap_or_default()))
        });
        let named = named.collect();
        Ok(Some(Captures { groups, named }))
    }
}

impl Captures {
    /// `$1` to `$9`: what took no part is empty.
    pub(super) fn group(&self, number: usize) -> &[u8] {
        self.groups
            .get(number)
            .and_then(Option::as_deref)
            .unwrap_or_default()
    }
}

/// Whether PCRE takes a pattern, as nginx does before it loads a configuration.
pub fn compiles(pattern: &str) -> bool {
    Pattern::new(pattern, false).is_some()
}

/// Names of groups that a pattern may set: `(?<name>…)`, `(?P<name>…)`, `(?'name'…)`.
pub fn names(pattern: &str) -> Vec<&str> {
    let behind = ["(?<", "(?P<", "(?'"]
        .into_iter()
        .flat_map(|opening| pattern.match_indices(opening))
        .filter_map(|(at, opening)| pattern.get(at + opening.len()..));
    let name = |rest: &'_ str| {
        let end = rest.find(['>', '\''])?;
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        (end > 0 && rest.get(..end)?.chars().all(word)).then_some(end)
    };
    behind.filter_map(|rest| rest.get(..name(rest)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_and_names() {
        let pattern = Pattern::new(r"^/(?<user>\w+)/(x)?(.*)$", false).unwrap();
        let found = pattern.captures(b"/ann/rest").unwrap().unwrap();
        assert_eq!(found.group(1), b"ann");
        assert_eq!(found.group(2), b"");
        assert_eq!(found.group(3), b"rest");
        assert_eq!(found.group(9), b"");
        assert_eq!(found.named, [("user".to_owned(), b"ann".to_vec())]);
        assert!(pattern.captures(b"/").unwrap().is_none());
        assert!(Pattern::new("(", false).is_none());
        assert_eq!(
            names(r"(?<a>x)(?P<b_1>y)(?'c'z)(?<!no)(?<=no)"),
            ["a", "b_1", "c"]
        );
    }

    #[test]
    fn bytes_are_no_characters_and_cases_are_ascii() {
        let pattern = Pattern::new("^/.$", false).unwrap();
        assert!(pattern.captures("/é".as_bytes()).unwrap().is_none());
        assert!(pattern.captures(b"/\xff").unwrap().is_some());
        let pattern = Pattern::new(r"\.PHP$", true).unwrap();
        assert!(pattern.captures(b"/a.php").unwrap().is_some());
    }

    #[test]
    fn hostile_patterns_end() {
        let pattern = Pattern::new("^(a+)+$", false).unwrap();
        let subject = [b"a".repeat(5000), b"!".to_vec()].concat();
        assert!(pattern.captures(&subject).is_err());
        let deep = Pattern::new("^(?:(a)|b)*$", false).unwrap();
        let _ = deep.captures(&b"ab".repeat(100_000));
    }
}
