//! `docs`: tables in the checkout's own Markdown files that follow the desired state.

mod diagram;
mod error;
mod marked;
mod pages;
mod tables;

use super::new::files::{self, Edit};
use super::ports::Table;
use super::{Command, Ended, NoJson, Output, Ran, Session};
use crate::cli::output::clean;
use crate::cli::render::{count, diff};
use crate::cli::{DIFFERENCES, Failure};
pub(in crate::cli) use error::DocsFailure;
use marked::renewed;

/// Regenerate the marked tables in the checkout's Markdown files from the desired state
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Write nothing; show the differences, and exit with 2 if there are any
    #[arg(long)]
    check: bool,
}

impl Command for Args {
    const EXAMPLES: &'static str = "\
A table is between two comment lines of a Markdown file:
<!-- watchme-apply:endpoints --> and <!-- /watchme-apply -->. The tables are endpoints, ports, containers, start-order and
network (a Mermaid diagram). The rest of the file is not changed.

Examples:
  watchme-apply docs
  watchme-apply docs --check       # for CI: exit status 2 if a table is stale";

    type Json = NoJson;
    const CHANGES_THE_HOST: bool = false;

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<NoJson> {
        let (revision, table) = Table::look(session, None, output).await?;
        let pages = pages::pages(&session.checkout()?).map_err(DocsFailure::from)?;
        let mut edits = Vec::new();
        let mut marked = 0;
        let warnings = pages.warnings();
        for (path, text) in pages.found {
            let render = |name: marked::Name| tables::render(name, &revision, &table);
            let new = renewed(&path, &text, render)?;
            let Some(new) = new else {
                continue;
            };
            marked += 1;
            if new != text {
                let old = Some(text);
                edits.push(Edit { path, old, new });
            }
        }
        for warning in &warnings {
            output.aside(&format!("warning: {}", clean(warning)));
        }
        self.show(session, output, (&edits, marked), !warnings.is_empty())
    }
}

impl Args {
    fn show(
        &self,
        session: &Session<'_>,
        output: &mut Output,
        (edits, marked): (&[Edit], usize),
        is_cut_off: bool,
    ) -> Result<Ended<NoJson>, Failure> {
        if !self.check {
            files::write(session, edits)?;
        }
        for edit in edits {
            match self.check {
                true => diff::print(output, &edit.diff(), false),
                false => output.line(&format!("  ~ {}", clean(&edit.path.to_string_lossy()))),
            }
        }
        output.line(&match (marked, edits.len()) {
            (0, _) => {
                "no Markdown file has a marker such as <!-- watchme-apply:endpoints -->".to_owned()
            }
            (_, 0) if is_cut_off => {
                format!(
                    "{} up to date, of those that were looked at",
                    count(marked, "file")
                )
            }
            (_, 0) => format!("{} up to date", count(marked, "file")),
            (_, stale) if self.check => {
                format!(
                    "{} stale: watchme-apply docs writes these changes",
                    count(stale, "file")
                )
            }
            (_, stale) => format!("{} written", count(stale, "file")),
        });
        // Where not all were looked at, nobody knows that none is stale.
        let may_be_stale = self.check && (!edits.is_empty() || is_cut_off);
        Ok(Ended::with_text(if may_be_stale { DIFFERENCES } else { 0 }))
    }
}
