//! `metrics`: the state of the host as numbers, for Prometheus.

mod families;
#[cfg(test)]
mod tests;
mod text;
mod textfile;

use std::path::PathBuf;

use jiff::Timestamp;

use super::{Command, Ended, NoJson, Output, Ran, Session, refuse_if};
use crate::cli::options::Input;
use crate::reconcile;

pub(in crate::cli) use textfile::TextfileError;

/// Print the state of the host as metrics, or write them for the textfile collector of node_exporter
///
/// They are in OpenMetrics text; a file is in the text format of Prometheus, which is what node_exporter reads.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Write the metrics atomically to FILE (must end in .prom) instead of printing them
    #[arg(long, value_name = "FILE")]
    textfile: Option<PathBuf>,
}

impl Command for Args {
    const EXAMPLES: &'static str = "\
Examples:
  sudo watchme-apply metrics
  sudo watchme-apply metrics --textfile /var/lib/prometheus/node-exporter/watchme-apply.prom";

    type Json = NoJson;
    const CHANGES_THE_HOST: bool = false;

    fn validate(&self, _offline: bool) -> Result<(), clap::Error> {
        let is_read = |path: &PathBuf| path.extension().is_some_and(|end| end == "prom");
        let text = "--textfile: node_exporter only reads files whose names end in .prom\n";
        refuse_if(!self.textfile.as_ref().is_none_or(is_read), text)
    }

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<NoJson> {
        let request = session.request(session.known_folder()?, &Input::default());
        let mut status = reconcile::status(session.host()?, &request).await;
        let families = families::families(&status, Timestamp::now());
        match &self.textfile {
            Some(path) => textfile::write(path, &text::prometheus(&families))?,
            None => {
                for line in text::openmetrics(&families).lines() {
                    output.line(line);
                }
            }
        }
        match status.problem.take() {
            Some(problem) => Err(problem.into()),
            None => Ok(Ended::with_text(0)),
        }
    }
}
