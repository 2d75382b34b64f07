//! `check`: what is wrong with the files, before a merge.

mod checked;
mod explained;
mod gcc;
mod github;
mod json;
mod sarif;
mod text;

use std::path::PathBuf;

use clap::ValueEnum;

use super::{Command, Ended, Output, Ran, Session};
use crate::check::{self, Grouped};
use crate::cli::masks::hidden;
use crate::cli::{DIFFERENCES, render};
use crate::model::Severity;
pub(super) use checked::Checked;

/// Check the files of the desired state; needs no host, root or Docker
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Report only findings about these files or folders; a file outside the desired state is checked alone, a folder as a desired state
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Check this revision instead of the work tree: a branch, tag or commit
    #[arg(long, value_name = "REV")]
    rev: Option<String>,
    /// Format of the findings
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Lowest severity that makes `check` exit with 2
    #[arg(long, value_enum, default_value_t = Deny::Errors)]
    deny: Deny,
    /// Explain a rule, with a bad and a good example; without a name, list all rules
    #[arg(long, value_name = "RULE", num_args = 0..=1, conflicts_with_all = ["rev", "format", "deny", "paths"])]
    explain: Option<Option<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text for people
    Text,
    /// One JSON object; see schema/check.json
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations for GitHub Actions
    Github,
    /// A line each, as compilers write them, for editors
    Gcc,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Deny {
    Errors,
    Warnings,
    Nothing,
}

impl Command for Args {
    const EXAMPLES: &'static str = "\
Examples:
  watchme-apply check
  watchme-apply check sites-available/example.com
  watchme-apply check --rev BRANCH --deny warnings
  watchme-apply check --explain route-elsewhere";

    type Json = json::Json;
    const CHANGES_THE_HOST: bool = false;

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<json::Json> {
        if let Some(name) = &self.explain {
            let lines = match name {
                Some(name) => explained::explained(name, session)?,
                None => list(),
            };
            lines.iter().for_each(|line| output.line(line));
            return Ok(Ended::with_text(0));
        }
        let mut checked = match self.paths.is_empty() {
            true => Checked::all(session, self.rev.as_deref()).await?,
            false => Checked::some(session, self.rev.as_deref(), &self.paths).await?,
        };
        let mut findings = check::grouped(std::mem::take(&mut checked.findings));
        // Who names a file wants to see all of it.
        if self.paths.is_empty() {
            let (summed, off) = checked.advice.summed(findings);
            findings = summed;
            checked.off += off;
        }
        let denied = |found: &Grouped| match self.deny {
            Deny::Errors => found.finding.severity == Severity::Error,
            Deny::Warnings => true,
            Deny::Nothing => false,
        };
        let is_denied = findings.iter().any(denied);
        let status = if is_denied { DIFFERENCES } else { 0 };
        match self.format {
            Format::Json => {
                let json = json::Check::new(&findings, checked.off, &checked.warnings);
                return Ok(Ended::with_json(status, json::Json::Check(json)));
            }
            Format::Sarif => {
                let json = json::Json::Sarif(sarif::log(&findings));
                return Ok(Ended::with_json(status, json));
            }
            // Who names a file wants to see its lines.
            Format::Text if self.paths.is_empty() => {
                text::show(output, &check::folded(findings), &checked);
            }
            Format::Text => text::show(output, &findings, &checked),
            Format::Github => (findings.iter()).for_each(|one| output.line(&github::command(one))),
            Format::Gcc => {
                let lines = findings.iter().flat_map(gcc::lines);
                lines.for_each(|line| output.line(&line));
            }
        }
        Ok(Ended::with_text(status))
    }
}

/// A severity as all formats have it.
fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// What is wrong, and where else in the file.
fn message(found: &Grouped) -> String {
    let message = hidden(found.finding.message());
    match found.also() {
        Some(also) => format!("{message}, {also}"),
        None => message,
    }
}

/// All rules, each with the sentence that says why it matters.
fn list() -> Vec<String> {
    let rules = check::rules().into_iter();
    let rows = rules.map(|rule| [rule.name.to_owned(), rule.why().replace('\n', " ")]);
    render::columns(&rows.collect::<Vec<_>>())
}
