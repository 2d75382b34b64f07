//! `notify`: sends a test message to whom watchme.toml names.

use super::{Command, Ended, NoJson, Output, Ran, Session, refuse_if};
use crate::cli::masks::safe;
use crate::cli::output::{clean, styled};
use crate::cli::render::{BAD, GOOD};
use crate::reconcile;

/// Send a test message to the receivers in watchme.toml, and print each server's answer
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Send a test message, and print each server's answer; exits with 1 if a server did not accept it
    #[command(after_help = "\
Example:
  watchme-apply notify test ops")]
    Test {
        /// Name of the receiver in watchme.toml [default: all]
        name: Option<String>,
    },
}

impl Command for Args {
    const EXAMPLES: &'static str = "\
Example:
  sudo watchme-apply notify test";

    type Json = NoJson;
    const CHANGES_THE_HOST: bool = false;

    fn validate(&self, offline: bool) -> Result<(), clap::Error> {
        refuse_if(offline, "an offline root (--root) notifies nobody\n")
    }

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<NoJson> {
        let Action::Test { name } = &self.action;
        let answers = reconcile::test_notifiers(session.host()?, name.as_deref()).await?;
        let mut status = 0;
        for (name, answer) in answers {
            let (style, word, text) = match answer {
                Ok(answer) => (GOOD, "sent", answer),
                Err(error) => (BAD, "failed", error),
            };
            if word == "failed" {
                status = super::super::STOPPED;
            }
            let (word, name, text) = (styled(style, word), clean(&name), safe(&text));
            output.line(&format!("{word} {name}: {text}"));
        }
        Ok(Ended::with_text(status))
    }
}
