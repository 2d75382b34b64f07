//! The locations of one block, found by their paths without a look at each of them.

use std::collections::HashMap;

use super::config::{Location, MatchKind};

/// The locations that stand side by side in a block.
#[derive(Debug, Default)]
pub(super) struct Level<'a> {
    all: Vec<Location<'a>>,
    exact: HashMap<&'a str, usize>,
    named: HashMap<&'a str, usize>,
    /// Prefixes, in the order of their bytes.
    prefixes: Vec<Prefix<'a>>,
    regexes: Vec<usize>,
}

#[derive(Debug)]
struct Prefix<'a> {
    name: &'a [u8],
    at: usize,
    /// The longest of the others that this one begins with.
    within: Option<usize>,
}

impl<'a> From<Vec<Location<'a>>> for Level<'a> {
    fn from(all: Vec<Location<'a>>) -> Self {
        let mut level = Self::default();
        for (at, location) in all.iter().enumerate() {
            match location.kind {
                MatchKind::Exact => {
                    level.exact.entry(location.name).or_insert(at);
                }
                MatchKind::Named => {
                    level.named.entry(location.name).or_insert(at);
                }
                MatchKind::Prefix | MatchKind::Final => level.prefixes.push(Prefix {
                    name: location.name.as_bytes(),
                    at,
                    within: None,
                }),
                MatchKind::Regex | MatchKind::RegexCaseless => level.regexes.push(at),
            }
        }
        // Equal ones stay in the order of the files.
        level.prefixes.sort_by_key(|prefix| prefix.name);
        let mut open: Vec<(usize, &[u8])> = Vec::new();
        for (index, prefix) in level.prefixes.iter_mut().enumerate() {
            while open
                .pop_if(|(_, name)| !prefix.name.starts_with(name))
                .is_some()
            {}
            prefix.within = open.last().map(|(index, _)| *index);
            open.push((index, prefix.name));
        }
        level.all = all;
        level
    }
}

impl<'a> Level<'a> {
    /// Every location, in the order of the files.
    pub(super) fn all(&self) -> &[Location<'a>] {
        &self.all
    }

    /// The regular expressions, in the order in which they are tried.
    pub(super) fn regexes(&self) -> impl Iterator<Item = &Location<'a>> {
        self.regexes.iter().filter_map(|at| self.all.get(*at))
    }

    /// The one with a name: `@name`.
    pub(super) fn named(&self, name: &str) -> Option<&Location<'a>> {
        self.all.get(*self.named.get(name)?)
    }

    /// The exact one of a path.
    pub(super) fn exact(&self, path: &[u8]) -> Option<&Location<'a>> {
        let name = str::from_utf8(path).ok()?;
        self.all.get(*self.exact.get(name)?)
    }

    /// The prefix that is the path itself.
    pub(super) fn whole(&self, path: &[u8]) -> Option<&Location<'a>> {
        let at = self.prefixes.partition_point(|prefix| prefix.name < path);
        let prefix = self.prefixes.get(at)?;
        self.all.get(prefix.at).filter(|_| prefix.name == path)
    }

    /// The longest prefix that the path begins with. The last one that is not behind the path in the order of bytes
    /// begins with all those that the path begins with.
    pub(super) fn longest(&self, path: &[u8]) -> Option<&Location<'a>> {
        let behind = self.prefixes.partition_point(|prefix| prefix.name <= path);
        let mut prefix = self.prefixes.get(behind.checked_sub(1)?)?;
        let same = prefix.name.iter().zip(path);
        let common = same.take_while(|(one, other)| one == other).count();
        while prefix.name.len() > common {
            prefix = self.prefixes.get(prefix.within?)?;
        }
        self.all.get(prefix.at)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::files::Located;
    use crate::parse;

    /// What each location of a level would say: the rule itself, without an index.
    fn one_by_one<'r>(all: &'r [Location<'_>], path: &[u8]) -> [Option<&'r Location<'r>>; 3] {
        let prefix =
            |location: &&Location| matches!(location.kind, MatchKind::Prefix | MatchKind::Final);
        let prefixes = || all.iter().filter(prefix);
        let is = |location: &&Location| location.name.as_bytes() == path;
        [
            all.iter()
                .find(|location| location.kind == MatchKind::Exact && is(location)),
            prefixes().find(is),
            prefixes()
                .filter(|location| path.starts_with(location.name.as_bytes()))
                .max_by_key(|location| location.name.len()),
        ]
    }

    #[test]
    fn an_index_finds_what_a_look_at_each_location_finds() {
        // All paths of up to six of these letters, and of each third one a location.
        let mut paths = vec![String::new()];
        for length in 0..6 {
            let longer: Vec<String> = paths
                .iter()
                .filter(|path| path.len() == length)
                .flat_map(|path| ["/", "a", "b"].map(|letter| format!("{path}{letter}")))
                .collect();
            paths.extend(longer);
        }
        let kinds = [MatchKind::Prefix, MatchKind::Exact, MatchKind::Final];
        for step in [2, 3, 5, 7, 50, 500] {
            let chosen = paths.iter().rev().step_by(step);
            let twice = paths.iter().step_by(step * 3);
            let parsed = parse(Path::new("a"), "location / { }").unwrap();
            let place = Located {
                path: Path::new("a"),
                directive: &parsed[0],
            };
            let locations = chosen.chain(twice).enumerate();
            let locations = locations.map(|(at, name)| Location::at(place, kinds[at % 3], name));
            let level = Level::from(locations.collect::<Vec<_>>());
            for path in &paths {
                let path = path.as_bytes();
                let found = [level.exact(path), level.whole(path), level.longest(path)];
                let expected = one_by_one(level.all(), path);
                for (found, expected) in found.into_iter().zip(expected) {
                    let (found, expected) = (
                        found.map(std::ptr::from_ref),
                        expected.map(std::ptr::from_ref),
                    );
                    assert_eq!(found, expected, "{path:?}, every {step}th path");
                }
            }
        }
        assert!(Level::default().longest(b"/").is_none());
    }
}
