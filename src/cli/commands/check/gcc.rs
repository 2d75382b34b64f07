//! Findings as compilers write them, a line each, for the problem matchers of editors:
//! <https://www.gnu.org/prep/standards/html_node/Errors.html>

use source_text::Location;

use super::{level, message};
use crate::check::Grouped;
use crate::cli::masks::mask;
use crate::cli::output::clean;

/// `FILE:LINE:COLUMN: error: MESSAGE [RULE]`. One that is about no place begins with the name of
/// the program.
pub(super) fn line(found: &Grouped) -> String {
    let finding = &found.finding;
    let level = level(finding.severity);
    let place = match finding.place() {
        Some(place) => {
            let Location { line, column } = place.position();
            format!("{}:{line}:{column}", place.path().display())
        }
        None => env!("CARGO_PKG_NAME").to_owned(),
    };
    let mut message = message(found);
    let expected = finding.place().map(|place| &place.expected);
    if let Some(expected) = expected.filter(|expected| !expected.is_empty()) {
        message = format!("{message}: {}", mask(expected));
    }
    if let Some(help) = finding.help() {
        message = format!("{message}; help: {}", mask(help));
    }
    // `clean` makes a line break visible, and a message stays one line.
    let rule = finding.rule.name;
    clean(&format!("{place}: {level}: {message} [{rule}]")).into_owned()
}
