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
use crate::cli::{DIFFERENCES, render};
use crate::model::Severity;
pub(super) use checked::Checked;

/// Check the files of the desired state; needs no host, root or Docker
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Report only what concerns these files or folders; a file outside the desired state is checked alone, a folder as a desired state
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
        let status = match findings.iter().any(denied) {
            true => DIFFERENCES,
            false => 0,
        };
        let json = match self.format {
            Format::Text => {
                // Who names a file wants to see its lines.
                let findings = match self.paths.is_empty() {
                    true => check::folded(findings),
                    false => findings,
                };
                text::show(output, &findings, &checked);
                return Ok(Ended::with_text(status));
            }
            Format::Github => {
                let commands = github::commands(&findings);
                commands.iter().for_each(|line| output.line(line));
                return Ok(Ended::with_text(status));
            }
            Format::Gcc => {
                let lines = gcc::lines(&findings);
                lines.iter().for_each(|line| output.line(line));
                return Ok(Ended::with_text(status));
            }
            Format::Json => json::Check::new(&findings, checked.off, &checked.warnings).into(),
            Format::Sarif => json::Json::Sarif(sarif::log(&findings)),
        };
        Ok(Ended::with_json(status, json))
    }
}

/// All rules, each with the sentence that says why it matters.
fn list() -> Vec<String> {
    let rules = check::rules().into_iter();
    let rows = rules.map(|rule| [rule.name.to_owned(), rule.why().replace('\n', " ")]);
    render::columns(&rows.collect::<Vec<_>>())
}
