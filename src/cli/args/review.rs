//! Arguments of the commands that need no host: `check`, `routes`, `ports`.

use clap::{Subcommand, ValueEnum};

use crate::model::Url;
use crate::source::Which;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct CheckArgs {
    /// Judge this revision instead of the files as they lie: a branch, a tag, a commit
    #[arg(long, value_name = "REV")]
    pub rev: Option<String>,
    /// How findings are told
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// From which findings on the exit status is 2
    #[arg(long, value_enum, default_value_t = Deny::Errors)]
    pub deny: Deny,
    /// Tell what a rule is about, with a bad and a good example; without a name, which rules there are
    #[arg(long, value_name = "RULE", num_args = 0..=1, conflicts_with_all = ["rev", "format", "deny"])]
    pub explain: Option<Option<String>>,
}

impl CheckArgs {
    pub fn which(&self) -> Which {
        as_it_lies(&self.rev)
    }
}

/// A revision, or else the files as they lie.
pub(in crate::cli) fn as_it_lies(rev: &Option<String>) -> Which {
    match rev {
        Some(rev) => Which::Rev(rev.clone()),
        None => Which::Worktree,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Format {
    /// For a person
    Text,
    /// One JSON object; see schema/check.json
    Json,
    /// A log for code scanning, SARIF 2.1.0
    Sarif,
    /// Annotations of a pull request, by a workflow of GitHub Actions
    Github,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct PortsArgs {
    /// Show which ports of a range nobody has, such as 8001-8099
    #[arg(long, value_name = "FROM-TO", value_parser = port_range)]
    pub free: Option<(u16, u16)>,
    /// Read this revision instead of the files as they lie: a branch, a tag, a commit
    #[arg(long, value_name = "REV")]
    pub rev: Option<String>,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

fn port_range(text: &str) -> Result<(u16, u16), String> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let range = from.trim().parse().ok().zip(to.trim().parse().ok());
    range
        .filter(|(from, to)| from <= to && *from > 0)
        .ok_or_else(|| "expected a range such as 8001-8099".to_owned())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Deny {
    Errors,
    Warnings,
    Nothing,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RoutesArgs {
    /// Read this revision instead of the files as they lie: a branch, a tag, a commit
    #[arg(long, value_name = "REV", global = true)]
    pub rev: Option<String>,
    /// Print one JSON object instead of text
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Option<RoutesCommand>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RoutesCommand {
    /// Tell step by step which server and location get a URL and why others do not, how it is rewritten, and what the
    /// upstream receives
    Explain {
        /// The URL, as a client outside would ask for it
        #[arg(value_name = "URL")]
        url: Url,
    },
}

impl RoutesArgs {
    pub fn which(&self) -> Which {
        match &self.rev {
            Some(rev) => Which::Rev(rev.clone()),
            None => Which::Worktree,
        }
    }
}
