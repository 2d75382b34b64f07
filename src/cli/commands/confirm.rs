//! `confirm`: keeps an apply that is rolled back without it.

use std::path::PathBuf;

use jiff::Timestamp;

use super::{Command, Ended, NoJson, Output, Ran, Session};
use crate::cli::options::{Input, seconds};
use crate::cli::output::styled;
use crate::cli::render::GOOD;
use crate::cli::tell;
use crate::reconcile::{self, Expiry, ReconcileError};

/// Confirm an apply that waits for confirmation; run it in another session (see apply --confirm)
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Roll back what was not confirmed in time: a timer runs this
    #[arg(long, hide = true)]
    expire: bool,
    /// How often that has failed
    #[arg(long, hide = true, requires = "expire", default_value_t = 0)]
    failures: u32,
    /// Seconds to wait for another run to finish [default: 10]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    lock_timeout: Option<u64>,
}

impl Command for Args {
    const EXAMPLES: &'static str = "\
Run it in a new login session: that proves that you are not locked out.

Example:
  watchme-apply confirm                               # while an apply --confirm waits";

    type Json = NoJson;
    const CHANGES_THE_HOST: bool = true;

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<NoJson> {
        let request = session.request(PathBuf::new(), &Input::waiting(self.lock_timeout));
        let host = session.host()?;
        let began = Timestamp::now();
        if self.expire {
            let mut lines = session.lines(false);
            let failures = self.failures;
            let expired =
                reconcile::expire(host, &request, Expiry::Timer { failures }, &mut lines).await;
            lines.end();
            let ran = match expired {
                Ok(None) => {
                    output.line("nothing to roll back");
                    return Ok(Ended::with_text(0));
                }
                // The program that waited is gone, and could not tell it.
                Ok(Some(waiting)) => Err(ReconcileError::taken_back(&waiting).into()),
                Err(failure) => Err(failure.into()),
            };
            tell::run(session, began, &ran).await;
            return ran;
        }
        let kept = reconcile::confirm(host, &request).await?;
        let generation = kept.generation.unwrap_or_default();
        output.line(&format!(
            "{}: generation {generation} stays",
            styled(GOOD, "confirmed")
        ));
        Ok(Ended::with_text(0))
    }
}
