//! `plan`: what an apply would do.

mod markdown;

use clap::ValueEnum;

use super::{Command, Ended, Output, Ran, Session};
use crate::cli::json;
use crate::cli::options::{Input, Show};
use crate::cli::render::{self, legend};
use crate::cli::{DIFFERENCES, Failure, STOPPED};
use crate::reconcile::{self, Planned};
use crate::source::Which;

/// Show what `apply` would do, and why, in order; changes nothing
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    show: Show,
    /// Also list findings about files that the plan does not change
    #[arg(long)]
    all_findings: bool,
    /// Exit with 2 if there are differences
    #[arg(long)]
    detailed_exitcode: bool,
    /// Plan for a host that matches this revision, without contacting any host: what a merge would do
    #[arg(long, value_name = "REV", conflicts_with_all = ["rev", "worktree", "only", "root"])]
    from: Option<String>,
    /// With --from: the revision to plan [default: HEAD]
    #[arg(long, value_name = "REV", requires = "from")]
    to: Option<String>,
    /// Format of the plan
    #[arg(long, value_enum, conflicts_with = "json")]
    format: Option<Format>,
    /// Show what `rollback N` would do
    #[arg(
        long,
        value_name = "N",
        conflicts_with_all = ["rev", "worktree", "only", "allow_empty", "from"]
    )]
    to_generation: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text for people
    Text,
    /// One JSON object; see schema/plan.json
    Json,
    /// A comment for a pull request
    Markdown,
}

impl Command for Args {
    const EXAMPLES: &'static str = concat!(
        legend!(),
        "
Examples:
  sudo watchme-apply plan                             # what an apply of HEAD would do
  sudo watchme-apply plan --rev BRANCH                # the same for a branch, without checking it out
  watchme-apply plan --from origin/main --to HEAD     # what a merge would do, without a host"
    );

    type Json = json::Plan;
    const CHANGES_THE_HOST: bool = false;

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<json::Plan> {
        let planned = self.planned(session).await?;
        let status = match planned.plan.is_empty() {
            _ if planned.is_stopped() => STOPPED,
            false if self.detailed_exitcode => DIFFERENCES,
            true if self.detailed_exitcode && planned.only_writes_down() => DIFFERENCES,
            _ => 0,
        };
        let show_secrets = self.show.show_secrets;
        match self.format() {
            Format::Text => render::plan(output, &planned, show_secrets, self.all_findings),
            Format::Markdown => output.line(&markdown::comment(&planned, show_secrets)),
            Format::Json => {
                let json = json::Plan::new(&planned, show_secrets);
                return Ok(Ended::with_json(status, json));
            }
        }
        Ok(Ended::with_text(status))
    }
}

impl Args {
    fn format(&self) -> Format {
        match self.show.json {
            true => Format::Json,
            false => self.format.unwrap_or(Format::Text),
        }
    }

    async fn planned(&self, session: &Session<'_>) -> Result<Planned, Failure> {
        if let Some(from) = &self.from {
            let from = Which::Rev(from.clone());
            let to = self.to.clone().map_or(Which::Head, Which::Rev);
            let allow_empty = self.input.allow_empty;
            let checkout = session.checkout()?.for_host(session.named_host());
            let planned = reconcile::plan_between(&checkout, &from, &to, allow_empty);
            return Ok(planned?);
        }
        if let Some(number) = self.to_generation {
            let request = session.request(session.known_folder()?, &self.input);
            return Ok(reconcile::plan_back(session.host()?, &request, number).await?);
        }
        let request = session.request(session.desired_state()?, &self.input);
        let mut planned = reconcile::plan(session.host()?, &request).await?;
        super::apply::announce(session, &mut planned);
        Ok(planned)
    }
}
