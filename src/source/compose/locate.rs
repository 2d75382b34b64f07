//! Where in a YAML file a key or a value stands. Parsed values have no positions, so a second parser is asked for
//! its events, and only about files that somebody complains about.

use std::collections::BTreeMap;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle};

/// The nodes of a YAML file with their bytes. What an alias or a merge key brings in stands where it is written.
#[derive(Clone, Debug, Default)]
pub struct Positions {
    nodes: Vec<Node>,
    /// Keys that stand in their map for the second time.
    twice: Vec<(String, Range<usize>)>,
}

#[derive(Clone, Debug)]
struct Node {
    span: Range<usize>,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Scalar(String),
    Sequence(Vec<usize>),
    Mapping(Vec<(usize, usize)>),
}

/// Where a path leads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// How many steps of the path are there.
    pub depth: usize,
    /// Bytes of the last key or item, as far as there was one.
    pub key: Range<usize>,
    /// Bytes of a scalar that stands there; else those of its key.
    pub value: Range<usize>,
}

/// A collection whose end was not seen yet.
struct Open {
    node: usize,
    /// The key whose value is still to come.
    key: Option<usize>,
}

impl Positions {
    /// Reads a file, as far as it is YAML.
    pub fn of(source: &str) -> Self {
        let mut reader = Reader {
            source,
            bytes: source.char_indices().map(|(at, _)| at).collect(),
            open: Vec::new(),
            anchors: BTreeMap::new(),
            found: Self::default(),
        };
        for event in Parser::new_from_str(source) {
            let Ok((event, span)) = event else { break };
            // Compose reads the first document.
            if matches!(event, Event::DocumentEnd) {
                break;
            }
            reader.take(event, span);
        }
        reader.found
    }

    /// Where a path of keys, and of positions in lists, leads. An item of a list is also found by what it
    /// says, or by what stands in it before `=`.
    pub fn find<S: AsRef<str>>(&self, path: &[S]) -> Place {
        let mut place = Place::default();
        let mut at = 0;
        for step in path {
            let Some((key, next)) = self.step(at, step.as_ref()) else {
                break;
            };
            place.depth += 1;
            place.key = key;
            place.value = self.underlined(next).unwrap_or_else(|| place.key.clone());
            at = next;
        }
        place
    }

    /// Bytes of the first scalar below a path that is `text`, or else has it inside.
    pub fn scalar<S: AsRef<str>>(&self, path: &[S], text: &str) -> Option<Range<usize>> {
        let mut at = 0;
        for step in path {
            match self.step(at, step.as_ref()) {
                Some((_, next)) => at = next,
                None => break,
            }
        }
        let mut scalars = Vec::new();
        self.scalars(at, &mut vec![false; self.nodes.len()], &mut scalars);
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
                Kind::Scalar(_) => continue,
                Kind::Sequence(items) => items.iter().map(|item| (None, *item)).collect(),
                Kind::Mapping(entries) => entries
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

    /// Bytes of a key that stands in a map for the second time.
    pub fn second(&self, key: &str) -> Option<Range<usize>> {
        let mut twice = self.twice.iter();
        twice
            .find(|(name, _)| name == key)
            .map(|(_, span)| span.clone())
    }

    /// The key or item that a step leads to, and the node behind it.
    fn step(&self, at: usize, step: &str) -> Option<(Range<usize>, usize)> {
        match &self.nodes.get(at)?.kind {
            Kind::Scalar(_) => None,
            Kind::Sequence(items) => {
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
                        Kind::Mapping(_) => self.entry(*item, step, 0),
                        _ => None,
                    })
            }
            Kind::Mapping(_) => self.entry(at, step, 0),
        }
    }

    /// An entry of a map, its own before those that it merges in.
    fn entry(&self, at: usize, key: &str, depth: usize) -> Option<(Range<usize>, usize)> {
        let Kind::Mapping(entries) = &self.nodes.get(at)?.kind else {
            return None;
        };
        let own = entries
            .iter()
            .find(|(name, _)| self.text(*name) == Some(key));
        if let Some((name, value)) = own {
            return Some((self.nodes.get(*name)?.span.clone(), *value));
        }
        if depth > 16 {
            return None;
        }
        let mut merged = entries
            .iter()
            .filter(|(name, _)| self.text(*name) == Some("<<"));
        merged.find_map(|(_, value)| match &self.nodes.get(*value)?.kind {
            Kind::Sequence(items) => items
                .iter()
                .find_map(|item| self.entry(*item, key, depth + 1)),
            _ => self.entry(*value, key, depth + 1),
        })
    }

    fn text(&self, node: usize) -> Option<&str> {
        match &self.nodes.get(node)?.kind {
            Kind::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// What to underline of a value: nothing of a map, whose keys say more.
    fn underlined(&self, node: usize) -> Option<Range<usize>> {
        let node = self.nodes.get(node)?;
        match node.kind {
            Kind::Scalar(_) if !node.span.is_empty() => Some(node.span.clone()),
            _ => None,
        }
    }

    /// The first key or item of a collection; a scalar itself.
    fn first_line(&self, node: usize) -> Option<Range<usize>> {
        let mut at = node;
        for _ in 0..16 {
            match &self.nodes.get(at)?.kind {
                Kind::Scalar(_) => break,
                Kind::Sequence(items) => at = *items.first()?,
                Kind::Mapping(entries) => at = entries.first()?.0,
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
                Kind::Scalar(text) => found.push((node.span.clone(), text)),
                Kind::Sequence(items) => todo.extend(items.iter().rev()),
                Kind::Mapping(entries) => todo.extend(entries.iter().rev().map(|entry| entry.1)),
            }
        }
    }
}

struct Reader<'a> {
    source: &'a str,
    /// Where each character begins: the parser counts characters.
    bytes: Vec<usize>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, usize>,
    found: Positions,
}

impl Reader<'_> {
    fn take(&mut self, event: Event, span: saphyr_parser::Span) {
        let span = self.byte(span.start.index())..self.byte(span.end.index());
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let span = self.bare(span, style);
                self.node(span, Kind::Scalar(text.into_owned()), anchor);
            }
            Event::Alias(anchor) => {
                if let Some(node) = self.anchors.get(&anchor).copied() {
                    self.attach(node);
                }
            }
            Event::SequenceStart(anchor, _) => {
                let node = self.node(span, Kind::Sequence(Vec::new()), anchor);
                self.open.push(Open { node, key: None });
            }
            Event::MappingStart(anchor, _) => {
                let node = self.node(span, Kind::Mapping(Vec::new()), anchor);
                self.open.push(Open { node, key: None });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.open.pop();
            }
            _ => {}
        }
    }

    fn byte(&self, character: usize) -> usize {
        self.bytes
            .get(character)
            .copied()
            .unwrap_or(self.source.len())
    }

    fn node(&mut self, span: Range<usize>, kind: Kind, anchor: usize) -> usize {
        let node = self.found.nodes.len();
        self.found.nodes.push(Node { span, kind });
        if anchor != 0 {
            self.anchors.insert(anchor, node);
        }
        self.attach(node);
        node
    }

    /// Puts a node where the innermost open collection expects one.
    fn attach(&mut self, node: usize) {
        let Some(open) = self.open.last_mut() else {
            return;
        };
        let twice = match self
            .found
            .nodes
            .get_mut(open.node)
            .map(|node| &mut node.kind)
        {
            Some(Kind::Sequence(items)) => {
                items.push(node);
                None
            }
            Some(Kind::Mapping(entries)) => match open.key.take() {
                Some(key) => {
                    entries.push((key, node));
                    None
                }
                None => {
                    open.key = Some(node);
                    Some(entries.iter().map(|entry| entry.0).collect::<Vec<_>>())
                }
            },
            _ => None,
        };
        let Some(name) = self.found.text(node).filter(|_| twice.is_some()) else {
            return;
        };
        let known = twice.unwrap_or_default();
        if known.iter().any(|key| self.found.text(*key) == Some(name))
            && let Some(found) = self.found.nodes.get(node)
        {
            let entry = (name.to_owned(), found.span.clone());
            self.found.twice.push(entry);
        }
    }

    /// Without the quotes, and without the blanks and the comment behind it, which the parser's span may have.
    fn bare(&self, span: Range<usize>, style: ScalarStyle) -> Range<usize> {
        let text = self.source.get(span.clone()).unwrap_or_default();
        let inner = match style {
            ScalarStyle::SingleQuoted => closing(text, '\''),
            ScalarStyle::DoubleQuoted => closing(text, '"'),
            _ => None,
        };
        match inner {
            // Of an empty one the quotes are all that can be underlined.
            Some(1) => span.start..span.start + 2,
            Some(end) => span.start + 1..span.start + end,
            None => {
                let text = match style {
                    ScalarStyle::Plain => uncommented(text),
                    _ => text,
                };
                span.start..span.start + text.trim_end().len()
            }
        }
    }
}

/// Where the quote stands that ends a text which begins with one.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut characters = text.char_indices().peekable();
    characters.next_if(|(_, first)| *first == quote)?;
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' if quote == '"' => {
                characters.next();
            }
            // Two of them stand for one.
            '\'' if quote == '\'' && characters.next_if(|(_, next)| *next == quote).is_some() => {}
            _ if character == quote => return Some(at),
            _ => {}
        }
    }
    None
}

/// A plain scalar without the comment behind it, which begins with a `#` behind a blank.
fn uncommented(text: &str) -> &str {
    let mut signs = text.match_indices('#').map(|(at, _)| at);
    let comment = signs.find_map(|at| {
        let before = text.get(..at)?;
        before.ends_with(char::is_whitespace).then_some(before)
    });
    comment.unwrap_or(text)
}

/// Lists and maps in each other that a file may have: compose files need ten.
const DEEPEST: usize = 200;

/// Where a file is nested too deeply. The YAML parser takes time for brackets with the square of their depth, so
/// this is asked before it is.
pub fn too_deep(source: &str) -> Option<Range<usize>> {
    let mut open = 0_usize;
    let may_be = source.bytes().any(|byte| {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        open > DEEPEST
    });
    // Brackets in texts and comments nest nothing.
    let mut depth = 0_usize;
    for event in Parser::new_from_str(source).take_while(|_| may_be) {
        let at = match event {
            Ok((event, span)) => {
                match event {
                    Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
                    Event::SequenceEnd | Event::MappingEnd => depth = depth.saturating_sub(1),
                    _ => {}
                }
                (depth > DEEPEST).then(|| span.start.index())
            }
            // It looks ahead, and counts brackets to 255 itself.
            Err(error) if error.info().contains("recursion limit") => Some(error.marker().index()),
            Err(_) => return None,
        };
        if let Some(at) = at {
            let (at, found) = source.char_indices().nth(at)?;
            return Some(at..at + found.len_utf8());
        }
    }
    None
}

/// Bytes of the scalar below the keys of `path`, or of the last key that is found.
pub fn locate(source: &str, path: &[&str], scalar: Option<&str>) -> Range<usize> {
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
            let span = locate(SOURCE, &path, scalar);
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
    fn comments_behind_values_are_no_part_of_them() {
        let source = "services:\n  a:\n    ports:\n      - \"8000:8000\"  # 公開ポート\n      - '81:81' # \"見て\"\n      - 82:82  # it's\n\
            \x20   x: \"a \\\" #b\"   # 日本語\n    y: 'it''s #1' # 'no'\n    z: a#b # c#d\n    e: \"\" # 空\n    f: 値 # 値\n    g: |  # why\n      a # b\n";
        let positions = Positions::of(source);
        for (path, expected) in [
            (&["ports", "0"][..], "8000:8000"),
            (&["ports", "1"], "81:81"),
            (&["ports", "2"], "82:82"),
            (&["x"], "a \\\" #b"),
            (&["y"], "it''s #1"),
            (&["z"], "a#b"),
            (&["e"], "\"\""),
            (&["f"], "値"),
        ] {
            let whole: Vec<&str> = ["services", "a"].iter().chain(path).copied().collect();
            assert_eq!(&source[positions.find(&whole).value], expected, "{path:?}");
        }
        let block = positions.find(&["services", "a", "g"]).value;
        assert!(source[block].ends_with("a # b"));
        assert_eq!(
            source.find("8000"),
            Some(positions.find(&["services", "a", "ports", "0"]).value.start)
        );
    }

    #[test]
    fn what_is_nested_too_deeply_is_told_at_once() {
        let begun = std::time::Instant::now();
        for (open, close) in [("[", ""), ("{a: ", ""), ("[", "]"), ("[\n", "")] {
            let source = format!(
                "# 日本語\n{}{}",
                open.repeat(100_000),
                close.repeat(100_000)
            );
            let span = too_deep(&source).unwrap();
            assert!(["[", "{"].contains(&&source[span]), "{open}");
        }
        assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
        let brackets = "[".repeat(300);
        for fine in [
            format!("a: \"{brackets}\"\n"),
            format!("# {brackets}\na: 1\n"),
            format!("a: {}{}\n", "[".repeat(150), "]".repeat(150)),
            "a: [1]\n".repeat(300),
        ] {
            assert_eq!(too_deep(&fine), None, "{fine}");
        }
    }

    #[test]
    fn the_second_of_a_key_is_found() {
        let positions = Positions::of("a:\n  x: 1\nb:\n  x: 2\n  x: 3\n");
        assert_eq!(positions.second("x"), Some(22..23));
        assert_eq!(positions.second("a"), None);
    }

    proptest::proptest! {
        #[test]
        fn never_panics(source in "[ab:\\- \n\"é#&*<{}\\[\\],>|']{0,60}", scalar in "[ab:é]{0,3}") {
            let span = locate(&source, &["a", "b"], Some(&scalar));
            proptest::prop_assert!(source.get(span).is_some());
            let _ = Positions::of(&source).second("a");
        }
    }
}
