//! `apply`: makes the host match the desired state.

use super::Command;
use crate::cli::ask;
use crate::cli::change::{Applied, change};
use crate::cli::ended::Ran;
use crate::cli::options::{Input, Show};
use crate::cli::output::Output;
use crate::cli::render::legend;
use crate::cli::session::Session;
use crate::plan::Gates;
use crate::reconcile::{self, Request};

/// Make the host match the desired state, verify it, and roll back if that fails
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    show: Show,
    /// For timers: skip a revision that failed or was rolled back, wait after other failures
    /// (1, 2, 4 … 60 minutes), and exit with 2 then
    #[arg(long, conflicts_with = "take_over")]
    unattended: bool,
    /// Do not ask before something is removed, stopped or taken over
    #[arg(long)]
    yes: bool,
    /// With --unattended: try again what failed, without waiting
    #[arg(long)]
    retry: bool,
    /// Check all health gates, even if nothing changes
    #[arg(long)]
    verify_all: bool,
}

impl Command for Args {
    const EXAMPLES: &'static str = concat!(
        legend!(),
        "
Examples:
  git pull && watchme-apply                           # apply what was pulled
  watchme-apply apply --only site/api.example.com     # apply one site
  watchme-apply apply --root \"$(mktemp -d)\"           # try it on an empty folder"
    );

    type Json = Applied;

    fn changes_the_host(&self) -> bool {
        true
    }

    fn tells(&self) -> bool {
        true
    }

    fn validate(&self, offline: bool) -> Result<(), clap::Error> {
        match self.verify_all && offline {
            true => Err(clap::Error::raw(
                clap::error::ErrorKind::ArgumentConflict,
                "--verify-all checks health gates, but on an offline root (--root) nothing runs\n",
            )),
            false => Ok(()),
        }
    }

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<Applied> {
        let request = Request {
            unattended: self.unattended,
            retry: self.retry,
            asks: !self.yes && !self.unattended && ask::somebody_is_there(),
            gates: match self.verify_all {
                true => Gates::All,
                false => Gates::Touched,
            },
            ..session.request(session.desired_state()?, &self.input)
        };
        let host = session.host()?;
        change(
            session,
            self.show,
            request.asks,
            output,
            async |lines, present| reconcile::apply(host, &request, lines, present).await,
        )
        .await
    }
}
