//! Where in a YAML file a value stands. Parsed values have no positions, and a second parser
//! for them would cost more than this: a search by keys and indentation.

use std::ops::Range;

struct Line<'a> {
    start: usize,
    indent: usize,
    text: &'a str,
}

fn lines(source: &str) -> Vec<Line<'_>> {
    let mut at = 0;
    let mut lines = Vec::new();
    for raw in source.split_inclusive('\n') {
        let text = raw.trim_end();
        let mut inside = text.trim_start();
        while let Some(item) = inside.strip_prefix("- ") {
            inside = item.trim_start();
        }
        let indent = text.len() - inside.len();
        lines.push(Line {
            start: at + indent,
            indent,
            text: inside,
        });
        at += raw.len();
    }
    lines
}

/// Whether a line assigns to `key`, and how many bytes the key takes.
fn key_of(line: &Line, key: &str) -> Option<usize> {
    let quoted = [key.to_owned(), format!("\"{key}\""), format!("'{key}'")];
    quoted.iter().find_map(|form| {
        let rest = line.text.strip_prefix(form.as_str())?;
        rest.trim_start().starts_with(':').then_some(form.len())
    })
}

/// Bytes of the scalar below the keys of `path`, or of the last key that is found.
pub fn locate(source: &str, path: &[&str], scalar: Option<&str>) -> Range<usize> {
    let lines = lines(source);
    let mut first = 0;
    let mut from = 0;
    let mut to = lines.len();
    let mut found = 0..0;
    let mut outer: Option<usize> = None;
    for key in path {
        let inside = lines.get(from..to).unwrap_or_default();
        let hit = inside.iter().enumerate().find_map(|(at, line)| {
            let deeper = outer.is_none_or(|outer| line.indent > outer);
            // The first key has to stand at the left: `networks:` is also a key of services.
            let placed = deeper && (outer.is_some() || line.indent == 0);
            key_of(line, key)
                .filter(|_| placed)
                .map(|length| (from + at, line, length))
        });
        let Some((at, line, length)) = hit else {
            break;
        };
        found = line.start..line.start + length;
        outer = Some(line.indent);
        let end = |next: &Line| next.indent <= line.indent && !blank(next);
        to = lines
            .get(at + 1..to)
            .and_then(|rest| rest.iter().position(end))
            .map_or(to, |more| at + 1 + more);
        // In flow style the value stands on the line of its key or of an outer one.
        first = at;
        from = at + 1;
    }
    let Some(scalar) = scalar.filter(|scalar| !scalar.is_empty()) else {
        return found;
    };
    let inside = lines.get(first..to).unwrap_or_default();
    inside
        .iter()
        .filter(|line| !line.text.starts_with('#'))
        .find_map(|line| {
            let key = found.end.saturating_sub(line.start).min(line.text.len());
            let behind = line.text.get(key..)?;
            let start = line.start + key + behind.find(scalar)?;
            Some(start..start + scalar.len())
        })
        .unwrap_or(found)
}

/// Bytes of the second line that assigns to `key` in the same indentation as an earlier one.
pub(super) fn second(source: &str, key: &str) -> Option<Range<usize>> {
    let mut indents = Vec::new();
    for line in lines(source) {
        let Some(length) = key_of(&line, key) else {
            // A line further left ends all blocks that are deeper.
            if !blank(&line) {
                indents.retain(|indent| *indent <= line.indent);
            }
            continue;
        };
        if indents.contains(&line.indent) {
            return Some(line.start..line.start + length);
        }
        indents.push(line.indent);
    }
    None
}

fn blank(line: &Line) -> bool {
    line.text.is_empty() || line.text.starts_with('#')
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
    fn the_second_of_a_key_is_found() {
        let source = "a:\n  x: 1\nb:\n  x: 2\n  x: 3\n";
        assert_eq!(second(source, "x"), Some(22..23));
        assert_eq!(second(source, "a"), None);
    }

    proptest::proptest! {
        #[test]
        fn never_panics(source in "[ab:\\- \n\"é#]{0,60}", scalar in "[ab:é]{0,3}") {
            let span = locate(&source, &["a", "b"], Some(&scalar));
            let _ = (source.get(span), second(&source, "a"));
        }
    }
}
