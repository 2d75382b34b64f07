//! Arguments of the commands that look at the host and change it.

use clap::ValueEnum;
use clap::error::ErrorKind;
use jiff::SignedDuration;

use super::{Input, Show, seconds};
use crate::model::Selector;
use crate::reconcile::Span;
use crate::source::Which;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct PlanArgs {
    #[command(flatten)]
    pub input: Input,
    #[command(flatten)]
    pub show: Show,
    /// Also list findings about files that the plan does not change
    #[arg(long)]
    pub all_findings: bool,
    /// Exit with 2 if there are differences
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Plan for a host that matches this revision, without asking any host: what a merge would do
    #[arg(long, value_name = "REV", conflicts_with_all = ["rev", "worktree", "only", "root"])]
    pub from: Option<String>,
    /// With --from: the revision to plan [default: HEAD]
    #[arg(long, value_name = "REV", requires = "from")]
    pub to: Option<String>,
    /// Format of the plan
    #[arg(long, value_enum, conflicts_with = "json")]
    pub format: Option<PlanFormat>,
    /// Show what `rollback N` would do
    #[arg(
        long,
        value_name = "N",
        conflicts_with_all = ["rev", "worktree", "only", "allow_empty", "from"]
    )]
    pub to_generation: Option<u64>,
}

impl PlanArgs {
    pub fn format(&self) -> PlanFormat {
        match self.show.json {
            true => PlanFormat::Json,
            false => self.format.unwrap_or(PlanFormat::Text),
        }
    }

    pub fn to(&self) -> Which {
        match &self.to {
            Some(rev) => Which::Rev(rev.clone()),
            None => Which::Head,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum PlanFormat {
    /// Text for people
    Text,
    /// One JSON object; see schema/plan.json
    Json,
    /// A comment for a pull request
    Markdown,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ApplyArgs {
    #[command(flatten)]
    pub input: Input,
    #[command(flatten)]
    pub show: Show,
    /// For timers: skip a revision that failed or was rolled back, wait after other failures
    /// (1, 2, 4 … 60 minutes), and exit with 2 then
    #[arg(long, conflicts_with = "take_over")]
    pub unattended: bool,
    /// Do not ask before something is removed, stopped or taken over
    #[arg(long)]
    pub yes: bool,
    /// With --unattended: try again what failed, without waiting
    #[arg(long)]
    pub retry: bool,
    /// Check all health gates, even if nothing changes
    #[arg(long)]
    pub verify_all: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RollbackArgs {
    /// Number of the generation, as shown by `history` [default: the one before the current one]
    #[arg(value_name = "N")]
    pub generation: Option<u64>,
    /// Seconds to wait for another run to finish [default: 10]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub lock_timeout: Option<u64>,
    /// Do not ask before something is removed or stopped
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    pub show: Show,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct HistoryArgs {
    /// Two generations, as N..M or N M: list the commits that M has and N does not have
    #[arg(value_name = "N..M", num_args = 0..=2)]
    pub generations: Vec<String>,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

impl HistoryArgs {
    /// The two generations, if any were named.
    pub fn span(&self) -> Result<Option<Span>, clap::Error> {
        let named: Vec<&str> = match self.generations.as_slice() {
            [one] => one.splitn(2, "..").collect(),
            other => other.iter().map(String::as_str).collect(),
        };
        let numbers: Result<Vec<u64>, _> = named.iter().map(|text| text.parse()).collect();
        match numbers.as_deref() {
            Ok([]) => Ok(None),
            Ok([from, to]) => Ok(Some(Span {
                from: *from,
                to: *to,
            })),
            _ => {
                let text = "expected two numbers of generations, such as 3..5\n";
                Err(clap::Error::raw(ErrorKind::ValueValidation, text))
            }
        }
    }
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct DriftArgs {
    /// Return the host to what was last applied; never applies a new commit
    #[arg(long)]
    pub fix: bool,
    /// Compare only these resources; network includes its members; can be repeated
    #[arg(long, value_name = "KIND[/NAME]")]
    pub only: Vec<Selector>,
    /// Seconds to wait for another run to finish [default: 10]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub lock_timeout: Option<u64>,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
    /// Do not mask values in diffs that look like secrets
    #[arg(long)]
    pub show_secrets: bool,
}

impl DriftArgs {
    pub fn input(&self) -> Input {
        Input {
            only: self.only.clone(),
            lock_timeout: self.lock_timeout,
            ..Input::default()
        }
    }
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct StatusArgs {
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct PauseArgs {
    /// The unit; `.service` may be left out
    pub unit: String,
    /// For how long, such as 2h or 90m; after that, the next apply or `drift --fix` starts the unit [default: until resume]
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub duration: Option<SignedDuration>,
    /// Why; shown by `status`
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ResumeArgs {
    /// The unit; `.service` may be left out
    pub unit: String,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RecoverArgs {
    /// Seconds to wait for another run to finish [default: 10]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub lock_timeout: Option<u64>,
}

/// A pause of years is one without an end.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(24 * 366);

fn duration(text: &str) -> Result<SignedDuration, String> {
    let parsed: Option<SignedDuration> = text.parse().ok();
    parsed
        .filter(|time| time.is_positive() && *time < LONGEST_PAUSE)
        .ok_or_else(|| "expected a time such as 2h or 90m".to_owned())
}
