//! How deeply a YAML file is nested.

use std::ops::Range;

use saphyr_parser::{Event, Parser};

/// Lists and maps in each other that a file may have: compose files need ten.
const DEEPEST: usize = 200;

/// Where a file is nested too deeply. The YAML parser takes time for brackets with the square of their depth, so
/// this is asked before it is.
pub(crate) fn too_deep(source: &str) -> Option<Range<usize>> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
