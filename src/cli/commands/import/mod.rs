//! `import`: the repository of a host that has none.

mod json;
mod text;

use std::path::PathBuf;

use super::{Command, Ended, Output, Ran, Session};
use crate::cli::masks::hidden;
use crate::cli::options::Input;
use crate::import::{self, Asked, Category};

/// Create a repository that describes this host; changes nothing else
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The new checkout: a folder that is empty or does not exist
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Import only resources of this kind; can be repeated
    #[arg(long, value_name = "KIND", value_enum)]
    only: Vec<Category>,
    /// Write nothing; show what would be written
    #[arg(long)]
    dry_run: bool,
    /// Also import files that seem to contain passwords or keys; private keys are never imported
    #[arg(long)]
    with_secrets: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

impl Command for Args {
    const EXAMPLES: &'static str = "\
Needs root. What cannot be imported without changing the host is skipped and listed with the reason.

Examples:
  sudo watchme-apply import server-config
  sudo watchme-apply import server-config --dry-run
  sudo watchme-apply import server-config --only sites --only units";

    type Json = json::Imported;
    const CHANGES_THE_HOST: bool = false;

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<json::Imported> {
        let asked = Asked {
            folder: &self.folder,
            only: &self.only,
            dry_run: self.dry_run,
            with_secrets: self.with_secrets,
            mask: &hidden,
        };
        let request = session.request(self.folder.clone(), &Input::default());
        let imported = import::import(session.host()?, request, &asked).await?;
        if self.json {
            return Ok(Ended::with_json(
                0,
                json::Imported::new(&imported, self.dry_run),
            ));
        }
        text::print(output, &imported, self.dry_run);
        Ok(Ended::with_text(0))
    }
}
