//! `capture`: edits made on the host become changes of the checkout.

mod json;
mod text;

use super::{Command, Ended, Output, Ran, Session};
use crate::capture::{self, Asked};
use crate::cli::masks::hidden;
use crate::cli::options::Input;
use crate::cli::{DIFFERENCES, ask};

/// Turn edits made on this host into changes of the checkout; shows them first, and changes nothing on the host
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Capture only this: a resource (unit/web.service, web, api.example.com), a container, or a path; a file below /etc that is not
    /// in the desired state is added
    #[arg(value_name = "NAME|PATH")]
    named: Vec<String>,
    /// Write without asking
    #[arg(long, visible_alias = "write")]
    yes: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
    /// Do not mask values in diffs that look like secrets
    #[arg(long)]
    show_secrets: bool,
}

impl Command for Args {
    const EXAMPLES: &'static str = "\
It needs root, and writes into the checkout: commit and apply afterwards. Without --yes it asks; without a terminal it
only shows the changes. It exits with 2 if an edit was not written.

Examples:
  sudo watchme-apply capture                          # all edits by hand
  sudo watchme-apply capture api.example.com --yes    # what certbot wrote into a site
  sudo watchme-apply capture /etc/sysctl.d/90-app.conf";

    type Json = json::Captured;
    const CHANGES_THE_HOST: bool = false;

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<json::Captured> {
        let asked = Asked {
            named: &self.named,
            mask: &hidden,
        };
        let request = session.request(session.desired_state()?, &Input::default());
        let host = session.host()?;
        let mut captured = capture::look(host, &request, &asked).await?;
        if !self.json {
            text::print(output, &captured, self.show_secrets);
        }
        let asks = !self.yes && !self.json && ask::somebody_is_there();
        let writes = !captured.edits.is_empty()
            && (self.yes || asks && ask::may(output, &text::question(&captured)));
        if writes {
            capture::write(host, &request, &captured)?;
            let refused = capture::refused(host, &request, &captured).await;
            if !self.json {
                text::warn(output, &refused);
            }
            captured.warnings.extend(refused);
        }
        let is_left = !captured.left.is_empty() || !captured.edits.is_empty() && !writes;
        let status = if is_left { DIFFERENCES } else { 0 };
        if self.json {
            let json = json::Captured::new(&captured, writes, self.show_secrets);
            return Ok(Ended::with_json(status, json));
        }
        text::end(output, &captured, &self.named, writes);
        Ok(Ended::with_text(status))
    }
}
