//! `backup`: makes one now, and lists them.

use serde::Serialize;

use super::{Command, ENDED_AT_ONCE, Ended, Output, Ran, Session, refuse_if};
use crate::cli::json::{self, FORMAT_VERSION};
use crate::cli::masks::safe;
use crate::cli::options::{Input, seconds};
use crate::cli::output::{clean, styled};
use crate::cli::render::{BAD, columns, when};
use crate::reconcile::{self, BackupStatus};

/// Make a backup that is defined in watchme.toml, or list the backups
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make a backup now; its timer runs this command
    #[command(after_help = "\
Example:
  watchme-apply backup run db")]
    Run {
        /// Name of the backup in watchme.toml
        name: String,
        /// Seconds to wait for another run to finish [default: 10]
        #[arg(long, value_name = "SECONDS", value_parser = seconds)]
        lock_timeout: Option<u64>,
    },
    /// List the kept backups, and the results of the last backups and rehearsals
    #[command(after_help = "\
Example:
  watchme-apply backup list --json")]
    List {
        /// Print one JSON object instead of text
        #[arg(long)]
        json: bool,
    },
}

impl Command for Args {
    const EXAMPLES: &'static str = "\
Examples:
  watchme-apply backup run db
  watchme-apply backup list";

    type Json = Listed;
    const CHANGES_THE_HOST: bool = true;

    fn changes_the_host(&self) -> bool {
        matches!(self.action, Action::Run { .. })
    }

    fn interrupted(&self) -> [&'static str; 2] {
        ENDED_AT_ONCE
    }

    fn validate(&self, offline: bool) -> Result<(), clap::Error> {
        refuse_if(
            offline && self.changes_the_host(),
            "backups need running services, and on an offline root (--root) nothing runs\n",
        )
    }

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<Listed> {
        match &self.action {
            Action::Run { name, lock_timeout } => {
                let request = session.request(Default::default(), &Input::waiting(*lock_timeout));
                let mut lines = session.lines(false);
                let made = reconcile::back_up(session.host()?, &request, name, &mut lines).await?;
                lines.end();
                let (size, seconds) = (size(made.bytes), made.seconds);
                output.line(&clean(&format!("{}: {size} in {seconds} s", made.name)));
            }
            Action::List { json } => {
                let backups = reconcile::backups_of(session.host()?)?;
                if *json {
                    let listed = Listed {
                        format_version: FORMAT_VERSION,
                        backups,
                    };
                    return Ok(Ended::with_json(0, listed));
                }
                print(output, &backups);
            }
        }
        Ok(Ended::with_text(0))
    }
}

fn print(output: &mut Output, backups: &[BackupStatus]) {
    if backups.is_empty() {
        output.line("no backups in what was applied");
    }
    for backup in backups {
        output.line(&clean(&format!("{}: {}", backup.name, backup.of)));
        let kept = backup.record.kept.iter().rev();
        let rows: Vec<[String; 3]> = kept
            .map(|made| {
                [
                    format!("  {}", made.name),
                    when(made.time),
                    size(made.bytes),
                ]
            })
            .collect();
        for line in columns(&rows) {
            output.line(&line);
        }
        if rows.is_empty() {
            output.line("  none was made here yet");
        }
        for wrong in &backup.wrong {
            output.line(&styled(BAD, &format!("  {}", safe(wrong))));
        }
    }
}

/// Bytes in the largest unit of which there is one.
pub(in crate::cli) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut size = bytes as f64;
    let mut unit = "bytes";
    for larger in UNITS {
        if size < 1024.0 {
            break;
        }
        size /= 1024.0;
        unit = larger;
    }
    match unit {
        "bytes" => format!("{bytes} bytes"),
        unit => format!("{size:.1} {unit}"),
    }
}

/// `backup list --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Listed {
    format_version: u32,
    /// By name.
    backups: Vec<BackupStatus>,
}

json::document!(Listed = "backups");
