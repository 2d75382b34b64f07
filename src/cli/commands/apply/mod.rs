//! `apply`: makes the host match the desired state.

mod wait;

use jiff::SignedDuration;

use super::{Command, Output, Ran, Session, refuse_if};
use crate::cli::ask;
use crate::cli::change::{Applied, change};
use crate::cli::options::{Input, Show};
use crate::cli::render::legend;
use crate::plan::Gates;
use crate::reconcile::{self, Confirm, Planned, Request};

/// Make the host match the desired state, verify it, and roll back if that fails
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    show: Show,
    /// For timers: skip a revision that failed or was rolled back, and wait after other failures (1, 2, 4 … 60 minutes); exits with 2 when it skips or waits
    #[arg(long, conflicts_with = "take_over")]
    unattended: bool,
    /// Do not ask before something is removed, stopped or taken over
    #[arg(long)]
    yes: bool,
    /// With --unattended: retry what failed, without waiting
    #[arg(long)]
    retry: bool,
    /// Check all health gates, even if nothing changes
    #[arg(long)]
    verify_all: bool,
    /// Roll back after this time unless `watchme-apply confirm` is run in another session: 2m, 90s. Without it, 2m if a person applies over SSH on a terminal and the firewall, sshd, sudo or the network change; 0 does not wait
    #[arg(long, value_name = "TIME", value_parser = wait::time, conflicts_with_all = ["unattended", "json"])]
    confirm: Option<SignedDuration>,
    /// Do not wait for confirmation: the same as --confirm 0
    #[arg(long, conflicts_with = "confirm")]
    no_confirm: bool,
}

impl Command for Args {
    const EXAMPLES: &'static str = concat!(
        legend!(),
        "
Examples:
  git pull && watchme-apply                           # apply what was pulled
  watchme-apply apply --only site/api.example.com     # apply one site
  watchme-apply apply --confirm 5m                    # rolls back unless confirmed within 5 minutes
  watchme-apply apply --root \"$(mktemp -d)\"           # try it on an empty folder"
    );

    type Json = Applied;
    const CHANGES_THE_HOST: bool = true;

    fn tells(&self) -> bool {
        true
    }

    fn validate(&self, offline: bool) -> Result<(), clap::Error> {
        refuse_if(
            offline && self.verify_all,
            "--verify-all checks health gates, but on an offline root (--root) nothing runs\n",
        )?;
        refuse_if(
            offline && self.confirm.is_some_and(|time| !time.is_zero()),
            "--confirm waits for a session on the host, but on an offline root (--root) nothing runs\n",
        )
    }

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<Applied> {
        let asked = match self.no_confirm {
            true => Some(SignedDuration::ZERO),
            false => self.confirm,
        };
        let is_person = !self.unattended && !self.show.json && ask::somebody_is_there();
        let request = Request {
            confirm: wait::wanted(asked, is_person && session.is_live()),
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
        let mut waits = false;
        let ended = change(
            session,
            self.show,
            request.asks,
            output,
            async |lines, present| {
                let applied = reconcile::apply(host, &request, lines, present).await?;
                waits = matches!(applied, reconcile::Applied::Done(_))
                    && request.confirm != Confirm::Never;
                Ok(applied)
            },
        )
        .await?;
        if waits {
            wait::wait(session, &request, output).await?;
        }
        Ok(ended)
    }
}

/// Says in a plan that an apply of it by this person will wait for confirmation.
pub(in crate::cli::commands) fn announce(session: &Session<'_>, planned: &mut Planned) {
    let confirm = wait::wanted(None, ask::somebody_is_there() && session.is_live());
    let Confirm::WhereRisky(time) = confirm else {
        return;
    };
    let risky = reconcile::will_wait_for(planned);
    let risky: Vec<String> = risky.iter().map(ToString::to_string).collect();
    if !risky.is_empty() {
        planned.warnings.push(format!(
            "over SSH, an apply waits {} min for `watchme-apply confirm` in another session, as it changes {}; otherwise it rolls back; --no-confirm does not wait",
            time.as_mins(),
            risky.join(", ")
        ));
    }
}
