//! Findings as a log of static analysis, for code scanning: SARIF 2.1.0,
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use serde_json::{Value, json};

use super::level;
use crate::check::{self, Grouped, Rule};
use crate::cli::masks::mask;
use crate::model::{Diagnostic, Finding};

/// The log: one run, with all rules.
pub(super) fn log(findings: &[Grouped]) -> Value {
    let rules = check::rules();
    let index = |finding: &Finding| rules.iter().position(|rule| rule.name == finding.rule.name);
    let results: Vec<Value> = findings
        .iter()
        .map(|found| {
            let finding = &found.finding;
            let mut result = json!({
                "ruleId": finding.rule.name,
                "ruleIndex": index(finding),
                "level": level(finding.severity),
                "message": { "text": text(finding) },
            });
            if let (Some(place), Some(object)) = (finding.place(), result.as_object_mut()) {
                object.insert("locations".to_owned(), json!([location(place)]));
                if !found.others.is_empty() {
                    let others: Vec<Value> = found.others.iter().map(location).collect();
                    object.insert("relatedLocations".to_owned(), json!(others));
                }
            }
            result
        })
        .collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": env!("CARGO_PKG_NAME"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|rule| described(rule)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn described(rule: &Rule) -> Value {
    json!({
        "id": rule.name,
        "shortDescription": { "text": rule.why() },
        "help": { "text": rule.page, "markdown": rule.page },
        "defaultConfiguration": { "level": level(rule.severity) },
    })
}

fn text(finding: &Finding) -> String {
    let message = mask(finding.message());
    match finding.help() {
        Some(help) => format!("{message}. {}", mask(help)),
        None => message.into_owned(),
    }
}

fn location(place: &Diagnostic) -> Value {
    let (start, end) = (place.position(), place.end());
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(&place.path().to_string_lossy()) },
        "region": {
            "startLine": start.line,
            "startColumn": start.column,
            "endLine": end.line,
            "endColumn": end.column,
        },
    }})
}

/// A relative path as a URI, RFC 3986.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}
