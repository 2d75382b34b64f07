//! `routes`: which upstream each public URL reaches, and why.

mod around;
mod elsewhere;
mod explained;
mod json;
mod text;

use clap::Subcommand;

use super::{Command, Ended, Output, Ran, Session};
use crate::cli::output::clean;
use crate::model::Url;
use crate::source::routes::Routes;
use around::Around;
use elsewhere::Part;

/// Show which upstream, container and unit each public URL reaches; needs no host
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Read this revision instead of the work tree: a branch, tag or commit
    #[arg(long, value_name = "REV", global = true)]
    rev: Option<String>,
    /// Print one JSON object instead of text
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Option<Inner>,
}

#[derive(Debug, Subcommand)]
enum Inner {
    /// Explain step by step which server and location handle a URL, how it is rewritten, and what the upstream receives
    #[command(after_help = EXPLAIN)]
    Explain {
        /// The URL, as a client outside would request it
        #[arg(value_name = "URL")]
        url: Url,
    },
}

const EXPLAIN: &str = "\
Example:
  watchme-apply routes explain https://api.example.com/status";

impl Command for Args {
    const EXAMPLES: &'static str = "\
Examples:
  watchme-apply routes
  watchme-apply routes explain https://api.example.com/status";

    type Json = json::Json;
    const CHANGES_THE_HOST: bool = false;

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<json::Json> {
        let (revision, wrong) = session.survey_the_rest(self.rev.as_deref(), output)?;
        if !self.json {
            for warning in &revision.warnings {
                output.aside(&format!("warning: {}", clean(warning)));
            }
        }
        let routes = Routes::of(&revision);
        let elsewhere = session.survey_elsewhere(self.rev.as_deref(), &revision, output)?;
        let parts = Part::of(&elsewhere, &revision);
        let around = Around::of(session, &revision, &wrong);
        if self.json {
            let json = match &self.command {
                None => json::Json::Routes(json::Routes::new(&routes, &parts)),
                Some(Inner::Explain { url }) => json::Json::Explained(Box::new(
                    json::Explained::new(&routes, &parts, url, &around),
                )),
            };
            return Ok(Ended::with_json(0, json));
        }
        match &self.command {
            None => text::routes(output, &routes, &parts),
            Some(Inner::Explain { url }) => {
                explained::explained(output, &routes, &parts, url, &around);
            }
        }
        Ok(Ended::with_text(0))
    }
}
