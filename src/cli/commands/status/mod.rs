//! `status`: what is applied, and how each part of the host is.

mod backups;
mod images;
mod json;
mod secrets;
mod text;

use super::Command;
use crate::cli::ended::{Ended, Ran};
use crate::cli::options::Input;
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::reconcile;

/// Show what is applied and the state of every unit, container, network and certificate
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

impl Command for Args {
    const EXAMPLES: &'static str = "\
Examples:
  sudo watchme-apply status
  sudo watchme-apply status --json";

    type Json = json::Status;

    fn changes_the_host(&self) -> bool {
        false
    }

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<json::Status> {
        let request = session.request(session.known_folder()?, &Input::default());
        let mut status = reconcile::status(session.host()?, &request).await;
        if !self.json {
            text::print(output, &status);
        }
        match status.problem.take() {
            // With --json, the error is the only object.
            Some(problem) => Err(problem.into()),
            None if self.json => Ok(Ended::with_json(0, json::Status::new(status))),
            None => Ok(Ended::with_text(0)),
        }
    }
}
