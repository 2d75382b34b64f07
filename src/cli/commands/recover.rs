//! `recover`: undoes an interrupted run.

use std::path::PathBuf;

use super::{Command, Ended, NoJson, Output, Ran, Session};
use crate::cli::options::{Input, seconds};
use crate::reconcile;

/// Undo an interrupted run, and do nothing else; a unit runs this at boot
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Seconds to wait for another run to finish [default: 10]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    lock_timeout: Option<u64>,
}

impl Command for Args {
    const EXAMPLES: &'static str = "\
Example:
  watchme-apply recover                               # after a run that was killed";

    type Json = NoJson;
    const CHANGES_THE_HOST: bool = true;

    fn tells(&self) -> bool {
        true
    }

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<NoJson> {
        let request = session.request(PathBuf::new(), &Input::waiting(self.lock_timeout));
        let mut lines = session.lines(false);
        let undone = reconcile::recover(session.host()?, &request, &mut lines).await?;
        lines.end();
        output.line(match undone {
            true => "the interrupted run is undone",
            false => "no run was interrupted: nothing to undo",
        });
        Ok(Ended::with_text(0))
    }
}
