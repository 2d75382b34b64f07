//! Findings as compilers write them, a line each, for the problem matchers of editors:
//! <https://www.gnu.org/prep/standards/html_node/Errors.html>

use source_text::Location;

use crate::check::Grouped;
use crate::cli::masks::mask;
use crate::cli::output::clean;
use crate::model::Severity;

/// A line for each finding: `FILE:LINE:COLUMN: error: MESSAGE [RULE]`. One that is about no place begins with the name of
/// the program.
pub(super) fn lines(findings: &[Grouped]) -> Vec<String> {
    findings.iter().map(line).collect()
}

fn line(found: &Grouped) -> String {
    let finding = &found.finding;
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let place = match finding.place() {
        Some(place) => {
            let Location { line, column } = place.position();
            format!("{}:{line}:{column}", place.path().display())
        }
        None => env!("CARGO_PKG_NAME").to_owned(),
    };
    let mut message = mask(finding.message()).into_owned();
    if let Some(also) = found.also() {
        message = format!("{message}, {also}");
    }
    let expected = finding.place().map(|place| &place.expected);
    if let Some(expected) = expected.filter(|expected| !expected.is_empty()) {
        message = format!("{message}: {}", mask(expected));
    }
    if let Some(help) = finding.help() {
        message = format!("{message}; help: {}", mask(help));
    }
    // `clean` makes a line break visible, and a message stays one line.
    clean(&format!(
        "{place}: {level}: {message} [{}]",
        finding.rule.name
    ))
    .into_owned()
}
