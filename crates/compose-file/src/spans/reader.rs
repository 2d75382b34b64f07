//! Reads the events of a YAML parser into nodes with their bytes.

use std::collections::BTreeMap;
use std::ops::Range;

use rustc_hash::FxHashSet;
use saphyr_parser::{Event, Parser, ScalarStyle};

use super::{MANY, Node, NodeKind, Positions};

/// Reads a file, as far as it is YAML.
pub(super) fn read(source: &str) -> Positions {
    let mut reader = Reader {
        source,
        bytes: source.char_indices().map(|(at, _)| at).collect(),
        open: Vec::new(),
        anchors: BTreeMap::new(),
        found: Positions::default(),
    };
    for event in Parser::new_from_str(source) {
        let Ok((event, span)) = event else { break };
        reader.take(event, span);
    }
    reader.found.index();
    reader.found
}

struct Reader<'a> {
    source: &'a str,
    /// Where each character begins: the parser counts characters.
    bytes: Vec<usize>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, usize>,
    found: Positions,
}

/// A collection whose end was not seen yet.
struct Open {
    node: usize,
    /// The key whose value is still to come.
    key: Option<usize>,
    /// The keys of a map that were seen, once they are many.
    keys: FxHashSet<String>,
}

impl Open {
    fn at(node: usize) -> Self {
        Self {
            node,
            key: None,
            keys: FxHashSet::default(),
        }
    }
}

impl Reader<'_> {
    fn take(&mut self, event: Event, span: saphyr_parser::Span) {
        let span = self.byte(span.start.index())..self.byte(span.end.index());
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let span = self.bare(span, style);
                self.node(span, NodeKind::Scalar(text.into_owned()), anchor);
            }
            Event::Alias(anchor) => {
                if let Some(node) = self.anchors.get(&anchor).copied() {
                    self.attach(node);
                }
            }
            Event::SequenceStart(anchor, _) => {
                let node = self.node(span, NodeKind::Sequence(Vec::new()), anchor);
                self.open.push(Open::at(node));
            }
            Event::MappingStart(anchor, _) => {
                let node = self.node(span, NodeKind::Mapping(Vec::new()), anchor);
                self.open.push(Open::at(node));
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

    fn node(&mut self, span: Range<usize>, kind: NodeKind, anchor: usize) -> usize {
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
            self.found.roots.push(node);
            return;
        };
        let into = self.found.nodes.get_mut(open.node);
        match into.map(|into| &mut into.kind) {
            Some(NodeKind::Sequence(items)) => items.push(node),
            Some(NodeKind::Mapping(entries)) => match open.key.take() {
                Some(key) => entries.push((key, node)),
                None => {
                    open.key = Some(node);
                    self.key(node);
                }
            },
            _ => {}
        }
    }

    /// Notes a key of the innermost open map, and whether it is there for the second time.
    fn key(&mut self, node: usize) {
        let (nodes, Some(open)) = (&self.found.nodes, self.open.last_mut()) else {
            return;
        };
        let text = |at: usize| match nodes.get(at).map(|node| &node.kind) {
            Some(NodeKind::Scalar(text)) => Some(text),
            _ => None,
        };
        let (Some(name), Some(map)) = (text(node), nodes.get(open.node)) else {
            return;
        };
        let NodeKind::Mapping(entries) = &map.kind else {
            return;
        };
        let mut before = entries.iter().filter_map(|(key, _)| text(*key));
        // Most maps have few keys, which take no memory of their own.
        let is_second = match entries.len() < MANY {
            true => before.any(|before| before == name),
            false => {
                if open.keys.is_empty() {
                    open.keys.extend(before.cloned());
                }
                !open.keys.insert(name.clone())
            }
        };
        if is_second && let Some(node) = nodes.get(node) {
            self.found.twice.push((name.clone(), node.span.clone()));
        }
    }

    /// Without the quotes, and without the blanks and the comment after it, which the parser's span may have.
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

/// Where the quote is that ends a text which begins with one.
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

/// A plain scalar without the comment after it, which begins with a `#` after a blank.
fn uncommented(text: &str) -> &str {
    let mut signs = text.match_indices('#').map(|(at, _)| at);
    let comment = signs.find_map(|at| {
        let before = text.get(..at)?;
        before.ends_with(char::is_whitespace).then_some(before)
    });
    comment.unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn the_second_of_a_key_is_found() {
        let positions = Positions::of("a:\n  x: 1\nb:\n  x: 2\n  x: 3\n");
        assert_eq!(positions.second("x"), Some(22..23));
        assert_eq!(positions.second("a"), None);
    }

    #[test]
    fn a_file_of_many_services_is_read_in_time_with_its_length() {
        let services: String = (0..20_000).map(|at| format!("  s{at}: {{}}\n")).collect();
        let begun = std::time::Instant::now();
        let positions = read(&format!("services:\n{services}  s7: {{}}\n"));
        assert_eq!(positions.twice.len(), 1);
        assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    }
}
