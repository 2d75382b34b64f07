//! The command line as a whole.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use super::commands::Commands;
use super::options::Common;
use super::render::legend;

const AFTER_HELP: &str = concat!(
    "\
Exit status:
  0   in sync, or applied and verified
  1   error, nothing was changed; plan: an apply would be refused
  2   drift, plan --detailed-exitcode: differences; check: findings; apply --unattended: skipped
  3   failed and rolled back
  4   failed, and the rollback is incomplete
  5   applied, but a unit with `required = false` does not run
  64  wrong usage

",
    legend!(),
    "
Examples:
  watchme-apply check                   # check the files; changes nothing
  sudo watchme-apply plan               # show what an apply would do; changes nothing
  git pull && watchme-apply             # apply what was pulled
  sudo watchme-apply status             # show what runs"
);

/// The version; `scripts/build-release` adds the commit and its date.
pub(super) const VERSION: &str = match option_env!("WATCHME_APPLY_VERSION") {
    Some(version) => version,
    None => concat!(env!("CARGO_PKG_VERSION"), " (development)"),
};

/// Make this host match a git checkout, and verify that it does.
///
/// Without a command, `apply` is run.
#[derive(Debug, Parser)]
#[command(
    name = "watchme-apply",
    version = VERSION,
    subcommand_required = true,
    override_usage = "watchme-apply [OPTIONS] [COMMAND]",
    after_help = AFTER_HELP
)]
pub(super) struct Args {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Commands,
    /// Whether JSON was asked for: then an error is printed as JSON, too.
    #[arg(skip)]
    pub wants_json: bool,
}

/// Parses the command line. One without a command is an `apply`.
pub(super) fn parse(arguments: &[OsString]) -> Result<Args, clap::Error> {
    let matches = Args::command()
        .try_get_matches_from(arguments)
        .or_else(|error| {
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
            Args::command().try_get_matches_from(with_apply)
        })?;
    let mut args = Args::from_arg_matches(&matches)?;
    args.wants_json = wants_json(&matches);
    args.command.validate(args.common.root.is_some())?;
    Ok(args)
}

/// Whether the command, or the one within it, has `--json` or `--format json`.
fn wants_json(matches: &ArgMatches) -> bool {
    if let Some((_, inner)) = matches.subcommand() {
        return wants_json(inner);
    }
    let format = matches.try_get_raw("format").ok().flatten();
    let json = matches.try_get_one("json").ok().flatten();
    json == Some(&true) || format.is_some_and(|mut format| format.any(|one| one == "json"))
}

fn names_a_command(arguments: &[OsString]) -> bool {
    let mut words = arguments.iter().skip(1).filter_map(|word| word.to_str());
    words.any(|word| word == "help" || Commands::has_subcommand(word))
}

#[cfg(test)]
mod tests {
    use super::*;

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
                matches!(parsed(line).unwrap().command, Commands::Apply(_)),
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
    fn json_is_asked_for_by_an_option() {
        for (line, json) in [
            ("plan", false),
            ("plan --json", true),
            ("plan --format json", true),
            ("plan --format markdown", false),
            ("check", false),
            ("check --format json", true),
            ("routes --json explain http://example.com/", true),
            ("routes explain http://example.com/ --json", true),
            ("--json", true),
            ("pause x --reason json", false),
        ] {
            let args = parsed(&format!("watchme-apply {line}")).unwrap();
            assert_eq!(args.wants_json, json, "{line}");
        }
    }

    #[test]
    fn arguments_are_validated_with_and_without_a_command() {
        for line in ["watchme-apply apply", "watchme-apply"] {
            assert!(parsed(&format!("{line} --verify-all")).is_ok(), "{line}");
            assert!(
                parsed(&format!("{line} --verify-all --root /x")).is_err(),
                "{line}"
            );
        }
    }
}
