//! Findings as annotations of a pull request: workflow commands of GitHub Actions,
//! <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>

use source_text::Location;

use crate::check::{self, Grouped};
use crate::cli::masks::mask;
use crate::cli::output::clean;
use crate::model::Severity;

/// A line for each finding.
pub(super) fn commands(findings: &[Grouped]) -> Vec<String> {
    findings.iter().map(command).collect()
}

fn command(found: &Grouped) -> String {
    let finding = &found.finding;
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut properties = vec![format!("title={}", property(finding.rule.name))];
    if let Some(place) = finding.place() {
        let Location { line, column } = place.position();
        properties.push(format!(
            "file={}",
            property(&place.path().to_string_lossy())
        ));
        properties.push(format!("line={line}"));
        properties.push(format!("col={column}"));
    }
    let mut message = mask(finding.message()).into_owned();
    if let Some(also) = found.also() {
        message = format!("{message}, {also}");
    }
    message = format!("{message}\n{}", check::why(finding));
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
