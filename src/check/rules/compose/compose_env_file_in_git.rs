//! Env files that are in git.

use std::path::Path;

use source_text::SourceFile;

use crate::check::compose::secrets::{is_secret, overwritten, password_in_url};
use crate::check::rules::compose::prelude::*;
use crate::model::File;
use crate::source::is_env_file;

pub(crate) static RULE: Rule = rule!(compose_env_file_in_git, Warning, run);

fn run(context: &Context, findings: &mut Findings) {
    let revision = context.revision();
    let files = revision.inputs.iter().chain(&revision.parsed.beside);
    let tracked = files.filter(|(path, _)| is_env_file(path));
    findings.extend(tracked.filter_map(|(path, file)| env_file(path, file)));
}

/// An env file that is in git and says something.
fn env_file(path: &Path, file: &File) -> Option<Finding> {
    let text = String::from_utf8_lossy(&file.content).into_owned();
    let mut first = None;
    let mut secret = None;
    let mut hidden = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        if let Some((key, value)) = trimmed
            .split_once('=')
            .filter(|_| !trimmed.starts_with('#'))
        {
            let key = key.trim().trim_start_matches("export ").trim();
            let start = at + line.find(key).unwrap_or(0);
            let span = start..start + key.len();
            if !value.trim().trim_matches(['"', '\'']).is_empty() {
                let end = at + line.trim_end().len();
                hidden.push(end - value.len()..end);
                first.get_or_insert((key.to_owned(), span.clone()));
                if is_secret(key, value) || password_in_url(value).is_some() {
                    secret.get_or_insert((key.to_owned(), span));
                }
            }
        }
        at += line.len();
    }
    let is_secret = secret.is_some();
    let (key, span) = secret.or(first)?;
    let what = if is_secret { "a secret" } else { "a value" };
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let message = format!("{name} is in git, with {what} for {key}");
    let help = format!(
        "git rm --cached {name}, add it to .gitignore, and commit {name}.example without values{}",
        if is_secret {
            "; then change what was in it"
        } else {
            ""
        }
    );
    let place = Diagnostic {
        file: SourceFile::new(path, overwritten(&text, &hidden)),
        span,
        message,
        expected: String::new(),
        help: Some(help),
    };
    let finding = RULE.at(place);
    Some(finding.weighing_where(is_secret, Severity::Error))
}
