//! `init`: the smallest desired state.

use std::path::PathBuf;

use super::{Command, Ended, NoJson, Output, Ran, Session};
use crate::cli::output::clean;
use crate::import;

/// Write a minimal desired state with comments, in a new or an existing repository
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The checkout, in which a folder desired-state is created
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
}

impl Command for Args {
    const EXAMPLES: &'static str = "\
Overwrites nothing and contacts no host. To start from an existing server, use import.

Examples:
  watchme-apply init server-config
  watchme-apply init                  # in the repository of the current folder";

    type Json = NoJson;
    const CHANGES_THE_HOST: bool = false;

    async fn run(&self, _: &Session<'_>, output: &mut Output) -> Ran<NoJson> {
        let begun = import::init(&self.folder)?;
        for file in &begun.files {
            output.line(&format!("  + {}", clean(&file.to_string_lossy())));
        }
        let checkout = begun.checkout.to_string_lossy();
        output.line(&clean(&match begun.committed {
            true => format!("a new repository in {checkout}, with a first commit"),
            false => format!("written to the repository in {checkout}; not committed yet"),
        }));
        output.line("next: put a site, a unit or a compose project beside watchme.toml, and run");
        let checkout = clean(&checkout);
        output.line(&format!("    cd {checkout} && watchme-apply check"));
        Ok(Ended::with_text(0))
    }
}
