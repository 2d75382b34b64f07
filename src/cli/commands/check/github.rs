//! Findings as annotations of a pull request: workflow commands of GitHub Actions,
//! <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>

use source_text::Location;

use super::{level, message};
use crate::check::{self, Grouped};
use crate::cli::masks::mask;
use crate::cli::output::clean;

pub(super) fn command(found: &Grouped) -> String {
    let finding = &found.finding;
    let level = level(finding.severity);
    let mut properties = vec![format!("title={}", property(finding.rule.name))];
    if let Some(place) = finding.place() {
        let Location { line, column } = place.position();
        let path = property(&place.path().to_string_lossy());
        properties.push(format!("file={path}"));
        properties.push(format!("line={line}"));
        properties.push(format!("col={column}"));
    }
    let mut message = format!("{}\n{}", message(found), check::why(finding));
    if let Some(help) = finding.help() {
        message = format!("{message}\nhelp: {}", mask(help));
    }
    format!("::{level} {}::{}", properties.join(","), data(&message))
}

fn data(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(clean).collect();
    lines
        .join("\n")
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
