//! `prune`: removes one network or volume that nobody needs any more.

use super::{Command, Ended, NoJson, Output, Ran, Session};
use crate::cli::ask;
use crate::cli::options::{Input, seconds};
use crate::cli::output::{clean, styled};
use crate::cli::render::{DIM, GOOD};
use crate::reconcile::{self, Going, Surplus};

/// Remove one network or volume that is not in the desired state and that no container uses
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    what: What,
    /// Do not ask; required without a terminal
    #[arg(long)]
    yes: bool,
    /// Seconds to wait for another run to finish [default: 10]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    lock_timeout: Option<u64>,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct What {
    /// Remove this network
    #[arg(long, value_name = "NAME")]
    network: Option<String>,
    /// Remove this volume and its data
    #[arg(long, value_name = "NAME")]
    volume: Option<String>,
}

impl What {
    fn surplus(&self) -> Surplus {
        match (&self.network, &self.volume) {
            (Some(name), _) => Surplus::Network(name.clone()),
            (None, volume) => Surplus::Volume(volume.clone().unwrap_or_default()),
        }
    }
}

impl Command for Args {
    const EXAMPLES: &'static str = "\
Examples:
  sudo watchme-apply status --migration               # networks that are not in the desired state, and who uses them
  watchme-apply prune --network app_default           # shows what is known about it, and asks
  watchme-apply prune --volume app_db                 # with its size and its last use";

    type Json = NoJson;
    const CHANGES_THE_HOST: bool = true;

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<NoJson> {
        let folder = session.known_folder()?;
        let request = session.request(folder, &Input::waiting(self.lock_timeout));
        let mut lines = session.lines(false);
        let mut agree = |going: &Going| {
            let mut output = session.output();
            for line in &going.known {
                output.line(&format!("  {}", clean(line)));
            }
            if let Some(keep) = &going.keep {
                output.line(&format!("  {}", styled(DIM, &clean(keep))));
            }
            let text = match &going.what {
                Surplus::Network(_) => format!("this removes {}", going.what),
                Surplus::Volume(_) => format!("this deletes {} and all data in it", going.what),
            };
            self.yes || ask::somebody_is_there() && ask::may(&mut output, &text)
        };
        let what = self.what.surplus();
        let host = session.host()?;
        let removed = reconcile::prune(host, &request, &what, &mut agree, &mut lines).await?;
        lines.end();
        output.line(&format!("{} {}", styled(GOOD, "done:"), clean(&removed)));
        Ok(Ended::with_text(0))
    }
}
