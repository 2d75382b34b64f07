//! `resume`: ends a pause.

use super::{Command, Ended, NoJson, Output, Ran, Session};
use crate::cli::options::Input;
use crate::reconcile;

/// End a pause and start the unit
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The unit, with or without `.service`, or its stack, its compose project or its container
    unit: String,
}

impl Command for Args {
    const EXAMPLES: &'static str = "\
Example:
  watchme-apply resume blog";

    type Json = NoJson;
    const CHANGES_THE_HOST: bool = true;

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<NoJson> {
        let request = session.request(session.known_folder()?, &Input::default());
        let mut lines = session.lines(false);
        let unit = reconcile::resume(session.host()?, &request, &self.unit, &mut lines).await?;
        lines.end();
        output.line(&format!("resumed {unit}"));
        Ok(Ended::with_text(0))
    }
}
