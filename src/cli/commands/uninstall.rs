//! `uninstall`: ends the management of a host.

use super::{Command, Ended, NoJson, Output, Ran, Session};
use crate::cli::ask;
use crate::cli::change::change;
use crate::cli::options::{Input, Show, seconds};
use crate::cli::output::{clean, styled};
use crate::cli::render::{GOOD, count};
use crate::reconcile::{self, Independence, Instead, Left, ReconcileError};

/// Stop managing this host: what was applied stays as plain files, or is removed
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    how: How,
    /// Seconds to wait for another run to finish [default: 10]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    lock_timeout: Option<u64>,
    /// Do not ask; required with --remove without a terminal
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct How {
    /// Keep everything that runs: links into the store become plain files, and nothing is restarted
    #[arg(long)]
    keep: bool,
    /// Remove everything that was applied, including adopted files: sites, units, Quadlets, stacks, the firewall, secrets. Files
    /// under /etc, networks and volumes stay
    #[arg(long)]
    remove: bool,
}

impl Command for Args {
    const EXAMPLES: &'static str = "\
Examples:
  watchme-apply uninstall --keep                      # services keep running, from plain files
  watchme-apply uninstall --remove                    # also removes sites, units and stacks";

    type Json = NoJson;
    const CHANGES_THE_HOST: bool = true;

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<NoJson> {
        // What the host was applied from may be gone.
        let folder = session.known_folder().unwrap_or_default();
        let request = session.request(folder, &Input::waiting(self.lock_timeout));
        let asks = !self.yes && ask::somebody_is_there();
        let host = session.host()?;
        if self.how.keep {
            let mut lines = session.lines(false);
            let mut present = |found: &Independence| {
                let mut output = session.output();
                show(&mut output, found);
                !asks || ask::may(&mut output, "this ends the management of this host")
            };
            let left = reconcile::leave_running(host, &request, &mut lines, &mut present).await?;
            lines.end();
            let done = styled(GOOD, "done");
            output.line(&format!("{done}: services keep running from plain files"));
            say(output, &left);
            return Ok(Ended::with_text(0));
        }
        if !self.yes && !asks {
            return Err(ReconcileError::Declined.into());
        }
        let mut after = None;
        let show = Show {
            json: false,
            show_secrets: false,
        };
        let ended = change(session, show, asks, output, async |lines, present| {
            let (applied, left) = reconcile::remove_all(host, &request, lines, present).await?;
            after = Some(left);
            Ok(applied)
        })
        .await?;
        if let Some(left) = after {
            say(output, &left);
        }
        Ok(Ended::with_text(ended.status))
    }
}

/// Shows what becomes of the host's files.
fn show(output: &mut Output, found: &Independence) {
    let mut files = 0;
    for (path, instead) in &found.links {
        let path = path.display().to_string();
        let path = clean(&path);
        match instead {
            Instead::File => {
                files += 1;
                output.line(&format!("~ {path}: becomes a file"));
            }
            Instead::Link(target) => {
                output.line(&format!("~ {path}: leads to {}", target.display()));
            }
            Instead::Nothing => output.line(&format!("- {path}")),
        }
    }
    for path in &found.own {
        output.line(&format!("- {}", path.display()));
    }
    for unit in &found.callers {
        let unit = clean(unit);
        output.line(&format!(
            "! {unit}: starts watchme-apply; it will no longer start"
        ));
    }
    for (path, readers) in &found.kept {
        let readers: Vec<_> = readers.iter().map(|reader| clean(reader)).collect();
        let (path, readers) = (path.display(), readers.join(", "));
        output.line(&format!(". {path}: stays, since it is read by {readers}"));
    }
    output.line(&format!(
        "{} become plain, and the records in /etc/watchme-apply and /var/lib/watchme-apply are removed",
        count(files, "file")
    ));
}

/// Says what is left for a person to remove.
fn say(output: &mut Output, left: &Left) {
    for folder in &left.folders {
        output.line(&format!("kept {}: sudo rm -r {0}", folder.display()));
    }
    for network in &left.networks {
        let network = clean(network);
        output.line(&format!(
            "kept the network {network}: docker network rm {network}"
        ));
    }
    for volume in &left.volumes {
        let volume = clean(volume);
        output.line(&format!(
            "kept the volume {volume} with its data: docker volume rm {volume}"
        ));
    }
    output.line("the program itself: sudo apt-get purge watchme-apply, or sudo rm /usr/local/bin/watchme-apply");
}
