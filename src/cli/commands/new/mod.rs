//! `new`: what somebody would otherwise copy from a template and fill in.

mod error;
pub(super) mod files;
mod looks;
mod port;
mod site;
mod texts;
mod wanted;

use super::{Command, Ended, NoJson, Output, Ran, Session};
use crate::cli::output::clean;
use crate::cli::render::diff;
pub(in crate::cli) use error::NewFailure;
use wanted::{Made, Service};

/// Add something new to the desired state
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Add a service: its compose file, a location in a site, the network, a route and a health gate
    #[command(after_help = "\
Writes only to the work tree of the checkout; overwrites nothing and changes no host. The result is checked first:
all of it is written, or nothing.

Examples:
  watchme-apply new service blog                          # at /blog/ of the one site, on a free port
  watchme-apply new service blog --image registry.example.com/blog:1.0 --dry-run
  watchme-apply new service scheduler --path /scheduler/ --internal-path /api/scheduler/
  watchme-apply new service shop --domain shop.example.com
  watchme-apply new service worker --no-route             # only other containers reach it")]
    Service(Service),
}

impl Command for Args {
    const EXAMPLES: &'static str = "\
Example:
  watchme-apply new service blog --port 8020";

    type Json = NoJson;
    const CHANGES_THE_HOST: bool = false;

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<NoJson> {
        let What::Service(wanted) = &self.what;
        let made = wanted.make(session, output).await?;
        files::demand_plain(session, &made.edits)?;
        let warnings = looks::demand_clean(session, &made).await?;
        if wanted.dry_run {
            for edit in &made.edits {
                diff::print(output, &edit.diff(), false);
            }
            output.line("nothing is written");
        } else {
            files::write(session, &made.edits)?;
            for edit in &made.edits {
                let path = edit.path.to_string_lossy();
                output.line(&format!("  {} {}", edit.sign(), clean(&path)));
            }
        }
        for line in warnings.iter().chain(&made.says) {
            output.line(&clean(line));
        }
        if !wanted.dry_run {
            next(output, &made);
        }
        Ok(Ended::with_text(0))
    }
}

/// What a person does now.
fn next(output: &mut Output, made: &Made) {
    output.line("next:");
    for (command, why) in &made.next {
        output.line(&clean(&format!("    {command:<44}  # {why}")));
    }
}
