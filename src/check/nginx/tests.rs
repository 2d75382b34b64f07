//! What each rule finds, and what it leaves alone.

mod headers;
mod servers;
pub(in crate::check) mod stacks;

use crate::check::tests::checked;
use crate::model::Severity;

const HEADERS: &str = "proxy_set_header Host $host; proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;";

/// What a rule says about some files: `E` or `W`, place and message.
pub(in crate::check) fn said(rule: &str, files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<(String, String)> = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    let findings = checked(&files);
    let own = findings.iter().filter(|finding| finding.rule.name == rule);
    let text = own.map(|finding| {
        let letter = if finding.severity == Severity::Error {
            'E'
        } else {
            'W'
        };
        format!("{letter} {finding}")
    });
    text.collect()
}

/// The same about what stands in a server.
fn in_server(rule: &str, inside: &str) -> Vec<String> {
    let text = format!("server {{ listen 80; server_name a.example.com;\n{inside}\n}}");
    said(rule, &[("sites-available/a", &text)])
}

/// Cases of what stands in a server: a rule finds what is named, or nothing.
pub(in crate::check) fn table(rule: &str, cases: &[(&str, &str)]) {
    for (inside, expected) in cases {
        let found = in_server(rule, inside);
        let fits = match *expected {
            "" => found.is_empty(),
            expected => found.len() == 1 && found[0].contains(expected),
        };
        assert!(fits, "{inside}\n{expected}\n{found:?}");
    }
}
