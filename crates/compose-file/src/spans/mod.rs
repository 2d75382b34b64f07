//! Where in a YAML file a key or a value is. Parsed values have no positions, so a second parser is asked for
//! its events, and only about files that somebody complains about.

mod depth;
mod reader;

use std::ops::Range;

use rustc_hash::FxHashMap;

pub(crate) use depth::too_deep;

/// The nodes of a YAML file with their bytes. What an alias or a merge key brings in is where it is written.
#[derive(Clone, Debug, Default)]
pub struct Positions {
    nodes: Vec<Node>,
    /// The node of each document.
    roots: Vec<usize>,
    /// Keys that stand in their map for the second time.
    twice: Vec<(String, Range<usize>)>,
    /// Entries by key, of the maps that have many.
    names: FxHashMap<usize, FxHashMap<String, (usize, usize)>>,
}

/// From how many entries on a map is searched by an index.
const MANY: usize = 16;

#[derive(Clone, Debug)]
struct Node {
    span: Range<usize>,
    kind: NodeKind,
}

#[derive(Clone, Debug)]
enum NodeKind {
    Scalar(String),
    Sequence(Vec<usize>),
    Mapping(Vec<(usize, usize)>),
}

/// Where a path leads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathMatch {
    /// How many steps of the path are there.
    pub depth: usize,
    /// Bytes of the last key or item, as far as there was one.
    pub key: Range<usize>,
    /// Bytes of a scalar that is there; else those of its key.
    pub value: Range<usize>,
}

impl Positions {
    /// Reads a file, as far as it is YAML.
    pub fn of(source: &str) -> Self {
        reader::read(source)
    }

    /// Bytes of the second document, as far as it has any.
    pub fn second_document(&self) -> Option<Range<usize>> {
        let root = self.roots.get(1)?;
        self.first_line(*root)
    }

    /// Where a document is that has nothing in it.
    pub(crate) fn empty_document(&self) -> Option<Range<usize>> {
        let nodes = self.roots.iter().filter_map(|root| self.nodes.get(*root));
        let empty = |node: &&Node| match &node.kind {
            NodeKind::Scalar(text) => matches!(text.as_str(), "" | "~" | "null"),
            _ => false,
        };
        nodes
            .filter(empty)
            .map(|node| node.span.clone())
            .next_back()
    }

    /// Where a path of keys, and of positions in lists, leads. An item of a list is also found by what it
    /// says, or by what is in it before `=`. Of several documents, the one counts in which it leads furthest, and the last of those.
    pub fn find<S: AsRef<str>>(&self, path: &[S]) -> PathMatch {
        let roots = self.roots.iter();
        let found = roots.map(|root| self.below(*root, path).0);
        found.max_by_key(|place| place.depth).unwrap_or_default()
    }

    /// Where a path leads below a node, and the node there.
    fn below<S: AsRef<str>>(&self, root: usize, path: &[S]) -> (PathMatch, usize) {
        let mut place = PathMatch::default();
        let mut at = root;
        for step in path {
            let Some((key, next)) = self.step(at, step.as_ref()) else {
                break;
            };
            place.depth += 1;
            place.key = key;
            place.value = self.underlined(next).unwrap_or_else(|| place.key.clone());
            at = next;
        }
        (place, at)
    }

    /// Bytes of the first scalar below a path that is `text`, or else has it inside.
    pub fn scalar<S: AsRef<str>>(&self, path: &[S], text: &str) -> Option<Range<usize>> {
        let mut seen = vec![false; self.nodes.len()];
        let mut scalars = Vec::new();
        let ends = self.roots.iter().map(|root| self.below(*root, path));
        let mut ends: Vec<(PathMatch, usize)> = ends.collect();
        ends.sort_by_key(|(place, _)| std::cmp::Reverse(place.depth));
        for (_, at) in ends {
            self.scalars(at, &mut seen, &mut scalars);
        }
        let is = |(span, said): &(Range<usize>, &str)| (*said == text).then(|| span.clone());
        let has = |(span, said): &(Range<usize>, &str)| said.contains(text).then(|| span.clone());
        scalars
            .iter()
            .find_map(is)
            .or_else(|| scalars.iter().find_map(has))
    }

    /// All scalars that are no keys, each once: the key that it is the value of, its bytes, and what it says.
    pub fn texts(&self) -> Vec<(Option<&str>, Range<usize>, &str)> {
        let mut found = Vec::new();
        let mut seen = vec![false; self.nodes.len()];
        for node in &self.nodes {
            let values: Vec<(Option<&str>, usize)> = match &node.kind {
                NodeKind::Scalar(_) => continue,
                NodeKind::Sequence(items) => items.iter().map(|item| (None, *item)).collect(),
                NodeKind::Mapping(entries) => entries
                    .iter()
                    .map(|(key, value)| (self.text(*key), *value))
                    .collect(),
            };
            for (key, value) in values {
                let (Some(text), Some(seen)) = (self.text(value), seen.get_mut(value)) else {
                    continue;
                };
                if let Some(node) = self.nodes.get(value)
                    && !std::mem::replace(seen, true)
                {
                    found.push((key, node.span.clone(), text));
                }
            }
        }
        found
    }

    /// Bytes of a key that is in a map for the second time.
    pub fn second(&self, key: &str) -> Option<Range<usize>> {
        let mut twice = self.twice.iter();
        twice
            .find(|(name, _)| name == key)
            .map(|(_, span)| span.clone())
    }

    /// The key or item that a step leads to, and the node behind it.
    fn step(&self, at: usize, step: &str) -> Option<(Range<usize>, usize)> {
        match &self.nodes.get(at)?.kind {
            NodeKind::Scalar(_) => None,
            NodeKind::Sequence(items) => {
                let by_position = step
                    .parse()
                    .ok()
                    .and_then(|at: usize| items.get(at).copied());
                let item = by_position.or_else(|| {
                    items.iter().copied().find(|item| {
                        let text = self.text(*item).unwrap_or_default();
                        text == step
                            || text
                                .strip_prefix(step)
                                .is_some_and(|rest| rest.starts_with('='))
                    })
                });
                if let Some(item) = item {
                    return Some((self.first_line(item)?, item));
                }
                // A key of one of the maps in the list.
                items
                    .iter()
                    .find_map(|item| match self.nodes.get(*item)?.kind {
                        NodeKind::Mapping(_) => self.entry(*item, step, 0),
                        _ => None,
                    })
            }
            NodeKind::Mapping(_) => self.entry(at, step, 0),
        }
    }

    /// An entry of a map, its own before those that it merges in.
    fn entry(&self, at: usize, key: &str, depth: usize) -> Option<(Range<usize>, usize)> {
        let NodeKind::Mapping(entries) = &self.nodes.get(at)?.kind else {
            return None;
        };
        let names = self.names.get(&at);
        let own = match names {
            Some(names) => names.get(key),
            None => entries
                .iter()
                .find(|(name, _)| self.text(*name) == Some(key)),
        };
        if let Some((name, value)) = own {
            return Some((self.nodes.get(*name)?.span.clone(), *value));
        }
        let merges = names.is_none_or(|names| names.contains_key("<<"));
        if depth > 16 || !merges {
            return None;
        }
        let mut merged = entries
            .iter()
            .filter(|(name, _)| self.text(*name) == Some("<<"));
        merged.find_map(|(_, value)| match &self.nodes.get(*value)?.kind {
            NodeKind::Sequence(items) => items
                .iter()
                .find_map(|item| self.entry(*item, key, depth + 1)),
            _ => self.entry(*value, key, depth + 1),
        })
    }

    /// Makes the index of the maps that have many entries.
    fn index(&mut self) {
        let mut index = FxHashMap::default();
        for (at, node) in self.nodes.iter().enumerate() {
            let NodeKind::Mapping(entries) = &node.kind else {
                continue;
            };
            if entries.len() < MANY {
                continue;
            }
            let mut names = FxHashMap::default();
            names.reserve(entries.len());
            for entry in entries {
                if let Some(name) = self.text(entry.0) {
                    // The first of two of one name is the one that is found.
                    names.entry(name.to_owned()).or_insert(*entry);
                }
            }
            index.insert(at, names);
        }
        self.names = index;
    }

    fn text(&self, node: usize) -> Option<&str> {
        match &self.nodes.get(node)?.kind {
            NodeKind::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// What to underline of a value: nothing of a map, whose keys say more.
    fn underlined(&self, node: usize) -> Option<Range<usize>> {
        let node = self.nodes.get(node)?;
        match node.kind {
            NodeKind::Scalar(_) if !node.span.is_empty() => Some(node.span.clone()),
            _ => None,
        }
    }

    /// The first key or item of a collection; a scalar itself.
    fn first_line(&self, node: usize) -> Option<Range<usize>> {
        let mut at = node;
        for _ in 0..16 {
            match &self.nodes.get(at)?.kind {
                NodeKind::Scalar(_) => break,
                NodeKind::Sequence(items) => at = *items.first()?,
                NodeKind::Mapping(entries) => at = entries.first()?.0,
            }
        }
        self.nodes.get(at).map(|node| node.span.clone())
    }

    fn scalars<'a>(
        &'a self,
        at: usize,
        seen: &mut [bool],
        found: &mut Vec<(Range<usize>, &'a str)>,
    ) {
        // Not by recursion: how deep a file is, its author decides.
        let mut todo = vec![at];
        while let Some(at) = todo.pop() {
            let Some(node) = self.nodes.get(at) else {
                continue;
            };
            match seen.get_mut(at) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            match &node.kind {
                NodeKind::Scalar(text) => found.push((node.span.clone(), text)),
                NodeKind::Sequence(items) => todo.extend(items.iter().rev()),
                NodeKind::Mapping(entries) => {
                    todo.extend(entries.iter().rev().map(|entry| entry.1))
                }
            }
        }
    }
}

/// Bytes of the scalar below the keys of `path`, or of the last key that is found.
pub fn spans(source: &str, path: &[&str], scalar: Option<&str>) -> Range<usize> {
    let positions = Positions::of(source);
    let text = scalar.filter(|text| !text.is_empty());
    let found = text.and_then(|text| positions.scalar(path, text));
    found.unwrap_or_else(|| positions.find(path).key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "services:\n  a:\n    networks:\n      net:\n        ipv4_address: 10.0.0.9\n\
        networks:\n  other:\n    ipam:\n      config:\n        - subnet: 10.0.0.0/8\n  net:\n    ipam:\n      config:\n        # 10.0.0.1\n        - subnet: 10.0.0.0/8\n          gateway: \"10.0.0.1\"\n";

    #[test]
    fn values_are_found_below_their_keys() {
        for (path, scalar, line, text) in [
            (
                vec!["networks", "net", "ipam", "config", "subnet"],
                Some("10.0.0.0/8"),
                15,
                "10.0.0.0/8",
            ),
            (
                vec!["networks", "net", "ipam", "config", "gateway"],
                Some("10.0.0.1"),
                16,
                "10.0.0.1",
            ),
            (
                vec!["services", "a", "networks", "net", "ipv4_address"],
                Some("10.0.0.9"),
                5,
                "10.0.0.9",
            ),
            (vec!["networks", "net"], None, 11, "net"),
            (vec!["networks", "net", "nothing"], None, 11, "net"),
            (vec!["nothing"], None, 1, ""),
            (vec![], Some("10.0.0.9"), 5, "10.0.0.9"),
        ] {
            let span = spans(SOURCE, &path, scalar);
            let found = SOURCE[..span.start].matches('\n').count() + 1;
            assert_eq!((found, &SOURCE[span]), (line, text), "{path:?} {scalar:?}");
        }
    }

    #[test]
    fn all_forms_have_their_place() {
        let source = "# 日本語\nx-base: &base\n  restart: always  # why\n  environment: {A: \"1\", B: 'ü'}\n\
            services:\n  a:\n    <<: *base\n    ports:\n      - \"80:80\"\n      - {published: 81, target: 1}\n      - published: 82\n        target: 2\n\
            \x20 b: {<<: [*base], environment: [C=3, D], image: *image, command: >-\n      x y}\n";
        let positions = Positions::of(source);
        let value = |path: &[&str]| {
            let place = positions.find(path);
            (place.depth == path.len()).then(|| &source[place.value])
        };
        for (path, expected) in [
            (&["services", "a", "restart"][..], Some("always")),
            (&["services", "b", "restart"], Some("always")),
            (&["services", "a", "environment", "B"], Some("ü")),
            (&["services", "a", "ports", "0"], Some("80:80")),
            (&["services", "a", "ports", "1"], Some("published")),
            (&["services", "a", "ports", "2", "target"], Some("2")),
            (&["services", "b", "environment", "C"], Some("C=3")),
            (&["services", "b", "environment", "D"], Some("D")),
            (&["services", "c"], None),
            (&["services", "a"], Some("a")),
        ] {
            assert_eq!(value(path), expected, "{path:?}");
        }
    }

    #[test]
    fn documents_are_one_file() {
        let source = "services:\n  a: {image: one}\n---\nservices:\n  a: {image: two}\n  b: {image: three}\n";
        let positions = Positions::of(source);
        let value = |path: &[&str]| source.get(positions.find(path).value);
        assert_eq!(value(&["services", "a", "image"]), Some("two"));
        assert_eq!(value(&["services", "b", "image"]), Some("three"));
        let one = positions.scalar(&["services", "a"], "one");
        assert_eq!(one.and_then(|span| source.get(span)), Some("one"));
        let second = positions.second_document();
        assert_eq!(second.map(|span| span.start), source.rfind("services"));
        assert_eq!(Positions::of("a: 1\n").second_document(), None);
    }

    proptest::proptest! {
        #[test]
        fn never_panics(source in "[ab:\\- \n\"é#&*<{}\\[\\],>|']{0,60}", scalar in "[ab:é]{0,3}") {
            let span = spans(&source, &["a", "b"], Some(&scalar));
            proptest::prop_assert!(source.get(span).is_some());
            let _ = Positions::of(&source).second("a");
        }
    }
}
