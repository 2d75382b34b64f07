//! `restore`: brings a backup back, or rehearses that.

use super::{Command, ENDED_AT_ONCE, Ended, NoJson, Output, Ran, Session, refuse_if};
use crate::cli::ask;
use crate::cli::options::{Input, seconds};
use crate::cli::output::clean;
use crate::reconcile::{self, Restoring};

/// Restore a backup over the current data, or rehearse the restore in a temporary container
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Name of the backup in watchme.toml
    name: String,
    /// The backup to restore, such as db-20260102T031500Z [default: the last one]
    #[arg(long, value_name = "NAME-TIME")]
    backup: Option<String>,
    /// Restore into a temporary container, run the gate, and remove the container; what runs is not touched
    #[arg(long)]
    into_scratch: bool,
    /// Do not ask before something is replaced
    #[arg(long, conflicts_with = "into_scratch")]
    yes: bool,
    /// Seconds to wait for another run to finish [default: 10]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    lock_timeout: Option<u64>,
}

impl Command for Args {
    const EXAMPLES: &'static str = "\
Examples:
  watchme-apply restore db --into-scratch             # rehearse it
  watchme-apply restore db                            # replace the current data with the last backup
  watchme-apply restore db --backup db-20260102T031500Z";

    type Json = NoJson;
    const CHANGES_THE_HOST: bool = true;

    fn interrupted(&self) -> [&'static str; 2] {
        ENDED_AT_ONCE
    }

    fn validate(&self, offline: bool) -> Result<(), clap::Error> {
        refuse_if(
            offline,
            "a restore needs running services, and on an offline root (--root) nothing runs\n",
        )
    }

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<NoJson> {
        let request = session.request(Default::default(), &Input::waiting(self.lock_timeout));
        let host = session.host()?;
        let which = (self.name.as_str(), self.backup.as_deref());
        if self.into_scratch {
            let rehearsed = reconcile::rehearse(host, &request, which).await?;
            output.line(&clean(&format!(
                "{rehearsed}: restored into scratch, and the gate passed"
            )));
            return Ok(Ended::with_text(0));
        }
        let mut lines = session.lines(false);
        let mut consent = |restoring: &Restoring| {
            let stops = match restoring.stops {
                true => ", and stops what uses it meanwhile",
                false => "",
            };
            let stays = match restoring.stays.as_slice() {
                [] => String::new(),
                stays => format!("; it does not contain {}, which stays", stays.join(", ")),
            };
            let (old, new) = (&restoring.replaces, &restoring.name);
            let text = format!("this replaces {old} by {new}{stops}{stays}");
            if self.yes {
                output.line(&clean(&text));
            }
            self.yes || ask::somebody_is_there() && ask::may(output, &text)
        };
        let restored = reconcile::restore(host, &request, which, &mut consent, &mut lines).await?;
        lines.end();
        output.line(&clean(&format!("{restored} is restored")));
        Ok(Ended::with_text(0))
    }
}
