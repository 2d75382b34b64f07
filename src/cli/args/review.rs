//! Arguments of the commands that need no host: `check`, `routes`, `ports`.

use clap::{Subcommand, ValueEnum};

use crate::model::Url;
use crate::source::Which;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct CheckArgs {
    /// Check this revision instead of the work tree: a branch, tag or commit
    #[arg(long, value_name = "REV")]
    pub rev: Option<String>,
    /// Format of the findings
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Lowest severity that makes `check` exit with 2
    #[arg(long, value_enum, default_value_t = Deny::Errors)]
    pub deny: Deny,
    /// Explain a rule, with a bad and a good example; without a name, list all rules
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
    /// Text for people
    Text,
    /// One JSON object; see schema/check.json
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations for GitHub Actions
    Github,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct PortsArgs {
    /// List the free ports of a range, such as 8001-8099
    #[arg(long, value_name = "FROM-TO", value_parser = port_range)]
    pub free: Option<(u16, u16)>,
    /// Read this revision instead of the work tree: a branch, tag or commit
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
    /// Read this revision instead of the work tree: a branch, tag or commit
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
    /// Explain step by step which server and location handle a URL, how it is rewritten, and what the upstream receives
    #[command(after_help = super::examples::EXPLAIN)]
    Explain {
        /// The URL, as a client outside would request it
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
