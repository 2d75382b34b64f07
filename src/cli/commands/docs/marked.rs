//! The marked parts of a Markdown file.

use std::path::Path;

use source_text::nearest;

use super::error::DocsFailure;

/// Which table it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Name {
    Endpoints,
    Ports,
    Containers,
    StartOrder,
    Network,
}

/// All of them, each as a marker has it.
pub(super) const NAMES: [(&str, Name); 5] = [
    ("endpoints", Name::Endpoints),
    ("ports", Name::Ports),
    ("containers", Name::Containers),
    ("start-order", Name::StartOrder),
    ("network", Name::Network),
];

const BEGIN: &str = "<!-- watchme-apply:";
const END: &str = "<!-- /watchme-apply -->";

/// The file with each marked part written anew; `None` where it has no marker. Markers in blocks of code are examples.
///
/// # Errors
/// At the first marker that is wrong.
pub(super) fn renewed(
    path: &Path,
    text: &str,
    render: impl Fn(Name) -> String,
) -> Result<Option<String>, DocsFailure> {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut new = String::with_capacity(text.len());
    let mut open: Option<usize> = None;
    let mut fence: Option<String> = None;
    let mut found = false;
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let word = line.trim();
        let unclosed = |line| DocsFailure::Unclosed {
            path: path.to_owned(),
            line,
        };
        if let Some(begun) = open {
            match word {
                END => {
                    open = None;
                    new.push_str(line);
                }
                _ if word.starts_with(BEGIN) => return Err(unclosed(begun)),
                _ => {}
            }
            continue;
        }
        new.push_str(line);
        match &fence {
            Some(mark) => {
                let is_end = word.starts_with(mark.as_str())
                    && word
                        .trim_start_matches(mark.chars().next().unwrap_or('`'))
                        .is_empty();
                if is_end {
                    fence = None;
                }
                continue;
            }
            None => fence = fence_of(word),
        }
        if word == END {
            return Err(DocsFailure::Unopened {
                path: path.to_owned(),
                line: number,
            });
        }
        let name = word
            .strip_prefix(BEGIN)
            .and_then(|rest| rest.strip_suffix("-->"));
        let Some(name) = name.map(str::trim) else {
            continue;
        };
        let known = NAMES.iter().find(|(word, _)| *word == name);
        let (_, table) = known.ok_or_else(|| DocsFailure::Unknown {
            path: path.to_owned(),
            line: number,
            name: name.to_owned(),
            near: nearest(name, NAMES.map(|(word, _)| word)),
        })?;
        found = true;
        open = Some(number);
        if !line.ends_with('\n') {
            return Err(unclosed(number));
        }
        for line in render(*table).lines() {
            new.push_str(line);
            new.push_str(newline);
        }
    }
    match open {
        Some(line) => Err(DocsFailure::Unclosed {
            path: path.to_owned(),
            line,
        }),
        None => Ok(found.then_some(new)),
    }
}

/// What a block of code that begins here ends with, spec.commonmark.org "Fenced code blocks".
fn fence_of(line: &str) -> Option<String> {
    let mark = ['`', '~']
        .into_iter()
        .find(|mark| line.starts_with(*mark))?;
    let count = line.chars().take_while(|c| *c == mark).count();
    (count >= 3).then(|| mark.to_string().repeat(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(text: &str) -> Result<Option<String>, String> {
        let path = Path::new("a.md");
        renewed(path, text, |name| {
            let (word, _) = NAMES.iter().find(|(_, known)| *known == name).unwrap();
            format!("[{word}]\nx\n")
        })
        .map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_between_markers_is_written_anew_and_nothing_else() {
        for (text, expected) in [
            (
                "# A\n\n<!-- watchme-apply:ports -->\nold\nold\n<!-- /watchme-apply -->\n\nend",
                "# A\n\n<!-- watchme-apply:ports -->\n[ports]\nx\n<!-- /watchme-apply -->\n\nend",
            ),
            (
                "  <!-- watchme-apply:start-order -->\r\n<!-- /watchme-apply -->\r\n",
                "  <!-- watchme-apply:start-order -->\r\n[start-order]\r\nx\r\n<!-- /watchme-apply -->\r\n",
            ),
            // A table may be a block of code itself.
            (
                "<!-- watchme-apply:network -->\n```mermaid\n```\n<!-- /watchme-apply -->\n```\n<!-- watchme-apply:x -->\n```\n",
                "<!-- watchme-apply:network -->\n[network]\nx\n<!-- /watchme-apply -->\n```\n<!-- watchme-apply:x -->\n```\n",
            ),
        ] {
            let once = new(text).unwrap().unwrap();
            assert_eq!(once, expected);
            assert_eq!(new(&once), Ok(Some(once.clone())));
        }
        for text in [
            "",
            "text <!-- watchme-apply:ports --> in a line\n",
            "````\n```\n<!-- watchme-apply:ports -->\n````\n",
        ] {
            assert_eq!(new(text), Ok(None), "{text}");
        }
    }

    #[test]
    fn a_marker_that_is_wrong_is_named_with_its_line() {
        for (text, expected) in [
            (
                "\n<!-- watchme-apply:port -->\n<!-- /watchme-apply -->\n",
                "a.md:2: there is no table \"port\"",
            ),
            (
                "<!-- watchme-apply:ports -->\ntext\n",
                "a.md:1: the marker has no end: the text below it would be lost",
            ),
            (
                "<!-- watchme-apply:ports -->",
                "a.md:1: the marker has no end: the text below it would be lost",
            ),
            (
                "<!-- watchme-apply:ports -->\n<!-- watchme-apply:ports -->\n<!-- /watchme-apply -->\n",
                "a.md:1: the marker has no end: the text below it would be lost",
            ),
            (
                "a\n<!-- /watchme-apply -->\n",
                "a.md:2: this end marker has no beginning",
            ),
        ] {
            assert_eq!(new(text), Err(expected.to_owned()), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics_and_a_second_time_changes_nothing(text in "(a|\n|\r\n|```|<!-- watchme-apply:ports -->|<!-- /watchme-apply -->| ){0,20}") {
            if let Ok(Some(once)) = new(&text) {
                proptest::prop_assert_eq!(new(&once), Ok(Some(once)));
            }
        }
    }
}
