//! As much of Markdown as the documents use.

/// What a page consists of.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Level and text of each heading.
    pub headings: Vec<(usize, String)>,
    /// Targets of links, with the lines that they are in.
    pub links: Vec<(usize, String)>,
    /// Rows of each table, with the number of columns.
    pub tables: Vec<Vec<usize>>,
    /// Language and lines of each code block.
    pub blocks: Vec<(String, Vec<String>)>,
}

impl Page {
    pub(crate) fn parse(text: &str) -> Self {
        let mut page = Page::default();
        let mut fence: Option<String> = None;
        let mut in_table = false;
        for (number, line) in text.lines().enumerate() {
            let opening = line.trim_start();
            if let Some(end) = &fence {
                if opening == end {
                    fence = None;
                } else if let Some((_, lines)) = page.blocks.last_mut() {
                    lines.push(line.to_owned());
                }
                continue;
            }
            if opening.starts_with("```") {
                let language = opening.trim_start_matches('`');
                let ticks = opening.len() - language.len();
                fence = Some("`".repeat(ticks));
                page.blocks.push((language.to_owned(), Vec::new()));
                continue;
            }
            if let Some(heading) = heading(line) {
                page.headings.push(heading);
            }
            if line.starts_with('|') {
                if !in_table {
                    page.tables.push(Vec::new());
                }
                page.tables.last_mut().unwrap().push(columns(line));
            }
            in_table = line.starts_with('|');
            for target in targets(line) {
                page.links.push((number + 1, target));
            }
        }
        page
    }

    /// The anchors of the headings, as GitHub makes them.
    pub(crate) fn anchors(&self) -> Vec<String> {
        let mut known: Vec<String> = Vec::new();
        for (_, text) in &self.headings {
            let name = anchor(text);
            let same = known
                .iter()
                .filter(|other| {
                    let end = other.strip_prefix(&name);
                    end.is_some_and(|end| {
                        end.is_empty()
                            || end
                                .strip_prefix('-')
                                .is_some_and(|number| number.parse::<u32>().is_ok())
                    })
                })
                .count();
            known.push(match same {
                0 => name,
                again => format!("{name}-{again}"),
            });
        }
        known
    }
}

fn heading(line: &str) -> Option<(usize, String)> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    (1..=6)
        .contains(&level)
        .then(|| text.strip_prefix(' '))
        .flatten()
        .map(|text| (level, text.trim().to_owned()))
}

/// Columns of a row; `\|` and bars in code belong to a cell.
fn columns(line: &str) -> usize {
    let mut bars = 0;
    let mut code = false;
    let mut escaped = false;
    for c in line.trim_end().chars() {
        match c {
            '\\' => {
                escaped = true;
                continue;
            }
            '`' => code = !code,
            '|' if !escaped && !code => bars += 1,
            _ => {}
        }
        escaped = false;
    }
    bars - 1
}

/// What the links of a line lead to. Code is no link.
fn targets(line: &str) -> Vec<String> {
    let plain: String = line.split('`').step_by(2).collect::<Vec<_>>().join("``");
    let mut rest = plain.as_str();
    let mut found = Vec::new();
    while let Some((_, after)) = rest.split_once("](") {
        let Some((target, after)) = after.split_once(')') else {
            break;
        };
        found.push(target.to_owned());
        rest = after;
    }
    found
}

/// The anchor of a heading: lower case, spaces to dashes, no punctuation.
fn anchor(heading: &str) -> String {
    heading
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .flat_map(char::to_lowercase)
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[test]
fn a_page_is_taken_apart() {
    let page = Page::parse(
        "# The `first` page\n[a](b.md#c) `[no](link)`\n| a | `b|c` |\n|---|---|\n| d \\| e | f |\n\n```sh\n# no heading\n```\n## Page\n## Page\n",
    );
    assert_eq!(page.links, [(2, "b.md#c".to_owned())]);
    assert_eq!(page.tables, [[2, 2, 2]]);
    assert_eq!(
        page.blocks,
        [("sh".to_owned(), vec!["# no heading".to_owned()])]
    );
    assert_eq!(page.anchors(), ["the-first-page", "page", "page-1"]);
}
