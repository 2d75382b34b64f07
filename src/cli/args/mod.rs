//! Arguments.

mod examples;
mod operate;
#[cfg(test)]
mod page;
mod review;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand, ValueEnum};

pub(super) use examples::LEGEND;
pub(super) use operate::{
    ApplyArgs, DriftArgs, HistoryArgs, PauseArgs, PlanArgs, PlanFormat, RecoverArgs, ResumeArgs,
    RollbackArgs, StatusArgs,
};
pub(super) use review::{
    CheckArgs, Deny, Format, PortsArgs, RoutesArgs, RoutesCommand, as_it_lies,
};

use crate::model::Selector;
use crate::source::Which;

/// Make this host match a git checkout, and verify that it does.
///
/// Without a command, `apply` is run.
#[derive(Debug, Parser)]
#[command(
    name = "watchme-apply",
    version,
    subcommand_required = true,
    override_usage = "watchme-apply [OPTIONS] [COMMAND]",
    after_help = examples::PROGRAM
)]
pub(super) struct Args {
    /// Folder of the desired state [default: ./desired-state, or the current folder if it is one]
    #[arg(long, global = true, value_name = "DIR", env = "WATCHME_DESIRED_STATE")]
    pub desired_state: Option<PathBuf>,
    /// Work on an offline root: read and change only files below DIR, and ask no daemon
    #[arg(long, global = true, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Format of logs on standard error and in the log file
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// Also append logs to FILE
    #[arg(long, global = true, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
    /// Log more: -v for each step, -vv for every detail
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to use colors
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show what `apply` would do, and why, in order; changes nothing
    #[command(after_help = examples::PLAN)]
    Plan(PlanArgs),
    /// Make the host match the desired state, verify it, and roll back if that fails
    #[command(after_help = examples::APPLY)]
    Apply(ApplyArgs),
    /// Check the files of the desired state; needs no host, root or Docker
    #[command(after_help = examples::CHECK)]
    Check(CheckArgs),
    /// Show who declares, proxies and listens on each port
    #[command(after_help = examples::PORTS)]
    Ports(PortsArgs),
    /// Show which upstream, container and unit each public URL reaches; needs no host
    #[command(after_help = examples::ROUTES)]
    Routes(RoutesArgs),
    /// Compare the host with what was last applied, and that with git
    #[command(after_help = examples::DRIFT)]
    Drift(DriftArgs),
    /// Go back to an older generation; `plan --to-generation N` shows what it would do
    #[command(after_help = examples::ROLLBACK)]
    Rollback(RollbackArgs),
    /// Show past runs, how they ended, and the commits that each brought
    #[command(after_help = examples::HISTORY)]
    History(HistoryArgs),
    /// Show what is applied and the state of every unit, container, network and certificate
    #[command(after_help = examples::STATUS)]
    Status(StatusArgs),
    /// Stop a unit and keep it stopped, also after a reboot
    #[command(after_help = examples::PAUSE)]
    Pause(PauseArgs),
    /// End a pause and start the unit
    #[command(after_help = examples::RESUME)]
    Resume(ResumeArgs),
    /// Undo an interrupted run, and do nothing else; a unit runs this at boot
    #[command(after_help = examples::RECOVER)]
    Recover(RecoverArgs),
}

impl Command {
    pub fn changes_the_host(&self) -> bool {
        match self {
            Command::Apply(_)
            | Command::Rollback(_)
            | Command::Pause(_)
            | Command::Resume(_)
            | Command::Recover(_) => true,
            Command::Drift(drift) => drift.fix,
            Command::Plan(_)
            | Command::Check(_)
            | Command::Ports(_)
            | Command::Routes(_)
            | Command::Status(_)
            | Command::History(_) => false,
        }
    }
}

/// Which revision is read, and how much of it.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Input {
    /// Use this revision instead of HEAD: a branch, tag or commit
    #[arg(long, value_name = "REV", conflicts_with = "worktree")]
    pub rev: Option<String>,
    /// Use the files of the work tree, including uncommitted changes
    #[arg(long)]
    pub worktree: bool,
    /// Plan and change only these resources; KIND is site, unit, file, etc, network (with its
    /// members), member or volume; can be repeated
    #[arg(long, value_name = "KIND[/NAME]")]
    pub only: Vec<Selector>,
    /// Allow an empty desired state to remove everything that is managed
    #[arg(long)]
    pub allow_empty: bool,
    /// Let this repository take over a host that belongs to another one
    #[arg(long)]
    pub take_over: bool,
    /// Seconds to wait for another run to finish [default: 10]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub lock_timeout: Option<u64>,
}

/// Seconds to wait for another run when nothing is said.
const LOCK_TIMEOUT: u64 = 10;

impl Input {
    pub fn which(&self) -> Which {
        match (&self.rev, self.worktree) {
            (Some(rev), _) => Which::Rev(rev.clone()),
            (None, true) => Which::Worktree,
            (None, false) => Which::Head,
        }
    }

    pub fn lock_timeout(&self) -> Duration {
        Duration::from_secs(self.lock_timeout.unwrap_or(LOCK_TIMEOUT))
    }
}

#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Show {
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
    /// Do not mask values in diffs that look like secrets
    #[arg(long)]
    pub show_secrets: bool,
}

/// A day: who waits longer than that for another run has another problem.
const LONGEST_WAIT: u64 = 24 * 60 * 60;

fn seconds(text: &str) -> Result<u64, String> {
    let parsed: Option<u64> = text.parse().ok();
    parsed
        .filter(|seconds| *seconds <= LONGEST_WAIT)
        .ok_or_else(|| format!("expected a number of seconds up to {LONGEST_WAIT}"))
}

impl Args {
    pub fn wants_json(&self) -> bool {
        match &self.command {
            Command::Plan(args) => args.format() == PlanFormat::Json,
            Command::Apply(args) => args.show.json,
            Command::Check(args) => args.format == Format::Json,
            Command::Ports(args) => args.json,
            Command::Routes(args) => args.json,
            Command::Drift(args) => args.json,
            Command::Status(args) => args.json,
            Command::Rollback(args) => args.show.json,
            Command::History(args) => args.json,
            Command::Pause(_) | Command::Resume(_) | Command::Recover(_) => false,
        }
    }
}

/// Parses the command line. One without a command is an `apply`.
pub(super) fn parse(arguments: &[OsString]) -> Result<Args, clap::Error> {
    let error = match Args::try_parse_from(arguments) {
        Ok(args) => return checked(args),
        Err(error) => error,
    };
    let no_command = matches!(
        error.kind(),
        ErrorKind::MissingSubcommand
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            | ErrorKind::UnknownArgument
    );
    if !no_command || names_a_command(arguments) {
        return Err(error);
    }
    let mut with_apply = arguments.to_vec();
    with_apply.insert(1.min(with_apply.len()), "apply".into());
    Args::try_parse_from(with_apply)
}

/// What clap cannot tell by itself.
fn checked(args: Args) -> Result<Args, clap::Error> {
    match &args.command {
        Command::History(history) => history.span().map(|_| args),
        Command::Apply(apply) if apply.verify_all && args.root.is_some() => Err(clap::Error::raw(
            ErrorKind::ArgumentConflict,
            "--verify-all checks health gates, but on an offline root (--root) nothing runs\n",
        )),
        _ => Ok(args),
    }
}

fn names_a_command(arguments: &[OsString]) -> bool {
    let known = [
        "plan", "apply", "check", "ports", "routes", "drift", "rollback", "history", "status",
        "pause", "resume", "recover", "help",
    ];
    arguments
        .iter()
        .skip(1)
        .any(|argument| known.iter().any(|name| argument == name))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::reconcile::Span;

    fn parsed(line: &str) -> Result<Args, clap::Error> {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        parse(&words)
    }

    #[test]
    fn without_a_command_it_is_apply() {
        for line in [
            "watchme-apply",
            "watchme-apply --worktree",
            "watchme-apply --root /x --only site",
        ] {
            assert!(
                matches!(parsed(line).unwrap().command, Command::Apply(_)),
                "{line}"
            );
        }
    }

    #[test]
    fn options_of_other_commands_stay_errors() {
        assert!(parsed("watchme-apply status --worktree").is_err());
        assert!(parsed("watchme-apply --nonsense").is_err());
        assert!(parsed("watchme-apply plann").is_err());
    }

    #[test]
    fn generations_are_two_numbers() {
        let span = |line: &str| match parsed(line).map(|args| args.command) {
            Ok(Command::History(history)) => history.span().unwrap(),
            other => panic!("{other:?}"),
        };
        assert_eq!(span("watchme-apply history"), None);
        let between = Some(Span { from: 3, to: 5 });
        assert_eq!(span("watchme-apply history 3..5"), between);
        assert_eq!(span("watchme-apply history 3 5"), between);
        for wrong in ["3", "3..", "a..b", "1 2 3", "-1 2"] {
            assert!(
                parsed(&format!("watchme-apply history {wrong}")).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn durations_are_the_usual_ones() {
        let args = parsed("watchme-apply pause x --for 2h --reason memory").unwrap();
        let Command::Pause(pause) = args.command else {
            panic!("not a pause")
        };
        assert_eq!(pause.duration, Some(SignedDuration::from_hours(2)));
    }
}
