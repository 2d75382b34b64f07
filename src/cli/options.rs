//! Options that all commands have, and those that several share.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

use crate::model::{Kind, Selector};
use crate::source::Which;

/// The options of all commands.
#[derive(Debug, clap::Args)]
pub(super) struct Common {
    /// Folder of the desired state [default: ./desired-state, or the current folder if it is one]
    #[arg(long, global = true, value_name = "DIR", env = "WATCHME_DESIRED_STATE")]
    pub desired_state: Option<PathBuf>,
    /// Use the files of this host in hosts/NAME of the desired state [default: the name of this machine]
    #[arg(long, global = true, value_name = "NAME", env = "WATCHME_HOST", value_parser = host_name)]
    pub host: Option<String>,
    /// Work on an offline root: read and change only files below DIR, and contact no daemon
    #[arg(long, global = true, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Format of logs on standard error and in the log file
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// Also append logs to FILE
    #[arg(long, global = true, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
    /// Log more: -v for each step, -vv for every detail
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to use colors
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

/// The help of `--only`, which lists every kind.
fn only_help() -> String {
    let words: Vec<String> = Kind::ALL
        .iter()
        .map(|kind| match kind {
            Kind::Network => format!("{} (with its members)", kind.as_str()),
            _ => kind.as_str().to_owned(),
        })
        .collect();
    format!(
        "Plan and change only these resources; KIND is one of {}; can be repeated",
        words.join(", ")
    )
}

/// Which revision is read, and how much of it.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Input {
    /// Use this revision instead of HEAD: a branch, tag or commit
    #[arg(long, value_name = "REV", conflicts_with = "worktree")]
    pub rev: Option<String>,
    /// Use the files of the work tree, including uncommitted changes
    #[arg(long)]
    pub worktree: bool,
    /// Plan and change only these resources; can be repeated
    #[arg(long, value_name = "KIND[/NAME]", help = only_help())]
    pub only: Vec<Selector>,
    /// Allow an empty desired state to remove everything that is managed
    #[arg(long)]
    pub allow_empty: bool,
    /// Let this repository take over a host that belongs to another one
    #[arg(long)]
    pub take_over: bool,
    /// Seconds to wait for another run to finish [default: 10]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub lock_timeout: Option<u64>,
}

/// The name of a host, hostname(7).
fn host_name(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match text.chars().all(is_plain) && !text.starts_with(['.', '-']) && !text.is_empty() {
        true => Ok(text.to_owned()),
        false => Err("a name consists of letters, digits, - and .".to_owned()),
    }
}

/// Seconds to wait for another run by default.
const LOCK_TIMEOUT: u64 = 10;

impl Input {
    /// HEAD as a whole, and how long to wait for another run.
    pub(super) fn waiting(lock_timeout: Option<u64>) -> Self {
        Self {
            lock_timeout,
            ..Self::default()
        }
    }

    pub(super) fn which(&self) -> Which {
        match (&self.rev, self.worktree) {
            (Some(rev), _) => Which::Rev(rev.clone()),
            (None, true) => Which::Worktree,
            (None, false) => Which::Head,
        }
    }

    pub(super) fn lock_timeout(&self) -> Duration {
        Duration::from_secs(self.lock_timeout.unwrap_or(LOCK_TIMEOUT))
    }
}

/// How a plan is shown.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Show {
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
    /// Do not mask values in diffs that look like secrets
    #[arg(long)]
    pub show_secrets: bool,
}

/// A day: a run that takes longer is not worth waiting for.
const LONGEST_WAIT: u64 = 24 * 60 * 60;

pub(super) fn seconds(text: &str) -> Result<u64, String> {
    let parsed: Option<u64> = text.parse().ok();
    parsed
        .filter(|seconds| *seconds <= LONGEST_WAIT)
        .ok_or_else(|| format!("expected a number of seconds up to {LONGEST_WAIT}"))
}
