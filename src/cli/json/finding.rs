//! Findings as JSON.

use serde::Serialize;
use source_text::Location;

use crate::check;
use crate::cli::masks::mask;
use crate::model;

/// What a rule found; what looks like a secret is masked.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Finding {
    /// A stable name: `watchme-apply check --explain RULE` explains it.
    rule: &'static str,
    /// Why it matters.
    why: &'static str,
    /// Errors stop an apply.
    severity: model::Severity,
    message: String,
    help: Option<String>,
    /// Where in the checkout; `null` if it is not about a place there.
    place: Option<Place>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Place {
    /// Relative to the checkout.
    path: String,
    /// From 1.
    line: usize,
    /// From 1, in characters.
    column: usize,
    /// The line itself; empty if it has more than 4,096 bytes.
    text: String,
}

/// Nobody reads a longer line, and a file of one line would be repeated for each finding.
fn shown(line: &str) -> &str {
    match line.len() > 4096 {
        true => "",
        false => line,
    }
}

impl From<&model::Finding> for Finding {
    fn from(finding: &model::Finding) -> Self {
        let place = |place: &model::Diagnostic| {
            let Location { line, column } = place.position();
            Place {
                path: place.path().to_string_lossy().into_owned(),
                line,
                column,
                text: mask(shown(place.line_text())).into_owned(),
            }
        };
        Self {
            rule: finding.rule.name,
            why: check::why(finding),
            severity: finding.severity,
            message: mask(finding.message()).into_owned(),
            help: finding.help().map(|help| mask(help).into_owned()),
            place: finding.place().map(place),
        }
    }
}
