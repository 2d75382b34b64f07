//! `rollback`: goes back to an older generation.

use super::{Command, Output, Ran, Session};
use crate::cli::ask;
use crate::cli::change::{Applied, change};
use crate::cli::options::{Input, Show, seconds};
use crate::reconcile;

/// Go back to an older generation; `plan --to-generation N` shows what it would do
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Number of the generation, as shown by `history` [default: the one before the current one]
    #[arg(value_name = "N")]
    generation: Option<u64>,
    /// Seconds to wait for another run to finish [default: 10]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    lock_timeout: Option<u64>,
    /// Do not ask before something is removed or stopped
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    show: Show,
}

impl Command for Args {
    const EXAMPLES: &'static str = "\
Examples:
  sudo watchme-apply plan --to-generation 4           # what `rollback 4` would do
  watchme-apply rollback                              # to the previous generation
  watchme-apply rollback 4";

    type Json = Applied;
    const CHANGES_THE_HOST: bool = true;

    fn tells(&self) -> bool {
        true
    }

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<Applied> {
        let input = Input::waiting(self.lock_timeout);
        let request = session.request(session.known_folder()?, &input);
        let asks = !self.yes && ask::somebody_is_there();
        let host = session.host()?;
        change(session, self.show, asks, output, async |lines, present| {
            reconcile::rollback(host, &request, self.generation, lines, present).await
        })
        .await
    }
}
