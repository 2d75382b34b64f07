//! `status`: what is applied, and how each part of the host is.

mod backups;
mod images;
mod json;
mod migration;
mod runs;
mod secrets;
mod text;

use super::{Command, Ended, Output, Ran, Session};
use crate::cli::options::Input;
use crate::reconcile;

/// Show what is applied and the state of every unit, container, network and certificate
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Show only the progress of moving services to the networks of the desired state, and the networks that are not in it
    #[arg(long)]
    migration: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

impl Command for Args {
    const EXAMPLES: &'static str = "\
Examples:
  sudo watchme-apply status
  sudo watchme-apply status --json
  sudo watchme-apply status --migration               # per service: network external, connected, started after its owner";

    type Json = migration::Printed;
    const CHANGES_THE_HOST: bool = false;

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<migration::Printed> {
        let request = session.request(session.known_folder()?, &Input::default());
        if self.migration {
            let found = reconcile::migration(session.host()?, &request).await?;
            if self.json {
                let json = migration::Migration::new(found);
                return Ok(Ended::with_json(0, migration::Printed::Migration(json)));
            }
            migration::print(output, &found);
            return Ok(Ended::with_text(0));
        }
        let mut status = reconcile::status(session.host()?, &request).await;
        if !self.json {
            text::print(output, &status);
        }
        match status.problem.take() {
            // With --json, the error is the only object.
            Some(problem) => Err(problem.into()),
            None if self.json => {
                let json = Box::new(json::Status::new(status));
                Ok(Ended::with_json(0, migration::Printed::Status(json)))
            }
            None => Ok(Ended::with_text(0)),
        }
    }
}
