//! Findings as compilers write them, a line each, for the problem matchers of editors:
//! <https://www.gnu.org/prep/standards/html_node/Errors.html>

use std::iter;

use source_text::Location;

use super::level;
use crate::check::Grouped;
use crate::cli::masks::{hidden, mask};
use crate::cli::output::clean;
use crate::model::{Diagnostic, Finding};

/// `FILE:LINE:COLUMN: error: MESSAGE [RULE]`, a line for each place, so that an editor marks all of them. One that is
/// about no place begins with the name of the program.
pub(super) fn lines(found: &Grouped) -> Vec<String> {
    let finding = &found.finding;
    let first = line(finding, finding.place(), hidden(finding.message()));
    let others = found.others.iter();
    let others = others.map(|place| line(finding, Some(place), hidden(&place.message)));
    iter::once(first).chain(others).collect()
}

fn line(finding: &Finding, place: Option<&Diagnostic>, mut message: String) -> String {
    let level = level(finding.severity);
    let at = match place {
        Some(place) => {
            let Location { line, column } = place.position();
            format!("{}:{line}:{column}", place.path().display())
        }
        None => env!("CARGO_PKG_NAME").to_owned(),
    };
    let expected = place.map(|place| &place.expected);
    if let Some(expected) = expected.filter(|expected| !expected.is_empty()) {
        message = format!("{message}: {}", mask(expected));
    }
    let help = match place {
        Some(place) => place.help.as_deref(),
        None => finding.help(),
    };
    if let Some(help) = help {
        message = format!("{message}; help: {}", mask(help));
    }
    // `clean` makes a line break visible, and a message stays one line.
    let rule = finding.rule.name;
    clean(&format!("{at}: {level}: {message} [{rule}]")).into_owned()
}
