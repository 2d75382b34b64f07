//! The commands. Each is a file or a folder here, with its arguments, its text and its JSON, and two lines below: docs/adding-a-command.md.

mod apply;
mod backup;
mod capture;
mod check;
mod confirm;
mod docs;
mod doctor;
mod drift;
mod history;
mod import;
mod init;
mod logs;
mod metrics;
mod new;
mod notify;
mod pause;
mod plan;
mod ports;
mod prune;
mod recover;
mod restore;
mod resume;
mod rollback;
mod routes;
mod secret;
mod show;
mod status;
#[cfg(test)]
mod tests;
mod uninstall;

use clap::error::ErrorKind;
use jiff::Timestamp;

pub(super) use docs::DocsFailure;
pub(super) use metrics::TextfileError;
pub(super) use new::NewFailure;
pub(super) use secret::SecretFailure;

use super::Failure;
use super::ended::{Ended, Ran};
use super::json::{Document, NoJson};
use super::output::Output;
use super::session::Session;
use super::tell;

/// What is said where a signal ends at once what runs: see [`Command::interrupted`].
const ENDED_AT_ONCE: [&str; 2] = [
    "interrupted: the running command is ended, and what was stopped is started again",
    "already interrupted: what was stopped is started again",
];

/// What each command has to answer. Its help is the comment of its arguments.
pub(super) trait Command: clap::Args {
    /// What its help ends with: an example or two.
    const EXAMPLES: &'static str;

    /// The object that it prints with `--json`; `NoJson` where there is no such option.
    type Json: Document;

    /// Whether it changes the host, at least with some arguments: then it needs root, and a signal undoes it.
    const CHANGES_THE_HOST: bool;

    /// Whether it does so with these arguments.
    fn changes_the_host(&self) -> bool {
        Self::CHANGES_THE_HOST
    }

    /// What the first signal does, and what is said at others.
    fn interrupted(&self) -> [&'static str; 2] {
        [
            "interrupted: the current step is finished, then the run is undone",
            "already interrupted: the run is being undone",
        ]
    }

    /// Whether whom the desired state names is told how it ended.
    fn tells(&self) -> bool {
        false
    }

    /// Rejects arguments that clap accepts; `_offline` is whether there is a `--root`.
    fn validate(&self, _offline: bool) -> Result<(), clap::Error> {
        Ok(())
    }

    /// Runs it, and prints its text.
    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<Self::Json>;
}

macro_rules! commands {
    ($($name:ident($module:ident)),+ $(,)?) => {
        // No doc comment: clap would take it for the help of the program.
        #[derive(Debug, clap::Subcommand)]
        pub(super) enum Commands {
            $(
                #[command(after_help = <$module::Args as Command>::EXAMPLES)]
                $name($module::Args),
            )+
        }

        impl Commands {
            pub(super) fn changes_the_host(&self) -> bool {
                match self { $(Self::$name(command) => command.changes_the_host(),)+ }
            }

            pub(super) fn interrupted(&self) -> [&'static str; 2] {
                match self { $(Self::$name(command) => command.interrupted(),)+ }
            }

            pub(super) fn validate(&self, offline: bool) -> Result<(), clap::Error> {
                match self { $(Self::$name(command) => command.validate(offline),)+ }
            }

            /// Runs the command, and returns its exit status.
            pub(super) async fn run(
                &self,
                session: &Session<'_>,
                output: &mut Output,
            ) -> Result<u8, Failure> {
                match self { $(Self::$name(command) => print(command, session, output).await,)+ }
            }

            /// The schemas of what commands print as JSON.
            #[cfg(test)]
            fn schemas() -> Vec<super::json::Schema> {
                let mut schemas = Vec::new();
                $(schemas.extend(<<$module::Args as Command>::Json as Document>::schemas());)+
                schemas
            }
        }
    };
}

/// Refuses arguments that do not go together.
fn refuse_if(are_wrong: bool, text: &'static str) -> Result<(), clap::Error> {
    match are_wrong {
        true => Err(clap::Error::raw(ErrorKind::ArgumentConflict, text)),
        false => Ok(()),
    }
}

async fn print<C: Command>(
    command: &C,
    session: &Session<'_>,
    output: &mut Output,
) -> Result<u8, Failure> {
    let began = Timestamp::now();
    let ran = command.run(session, output).await;
    if command.tells() {
        tell::run(session, began, &ran).await;
    }
    let Ended { status, json, .. } = ran?;
    if let Some(json) = json {
        output.json(&json);
    }
    Ok(status)
}

// In the order of the help.
commands! {
    Init(init),
    Import(import),
    New(new),
    Plan(plan),
    Apply(apply),
    Confirm(confirm),
    Check(check),
    Ports(ports),
    Routes(routes),
    Drift(drift),
    Capture(capture),
    Rollback(rollback),
    History(history),
    Show(show),
    Status(status),
    Doctor(doctor),
    Logs(logs),
    Docs(docs),
    Metrics(metrics),
    Prune(prune),
    Uninstall(uninstall),
    Secret(secret),
    Backup(backup),
    Restore(restore),
    Notify(notify),
    Pause(pause),
    Resume(resume),
    Recover(recover),
}
