//! Writes what the packages have beside the program: `cargo xtask man DIR`, `cargo xtask completions DIR`.
//!
//! Both come from the definition of the command line, and are made when a package is built, so that the program itself does
//! not carry them.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Command, Parser};
use clap_complete::Shell;

/// Write the man pages or the completions of watchme-apply
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
enum Task {
    /// Write the man pages: one of the program, one for each command
    Man {
        /// The folder; it is created where it is missing
        dir: PathBuf,
    },
    /// Write the completions, each in the place that its shell looks in below /usr
    Completions {
        /// The folder that stands for /usr
        dir: PathBuf,
    },
}

fn main() -> ExitCode {
    let done = match Task::parse() {
        Task::Man { dir } => man(&dir),
        Task::Completions { dir } => completions(&dir),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `watchme-apply.1` and, for each command, `watchme-apply-COMMAND.1`.
fn man(dir: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(dir)?;
    clap_mangen::generate_to(watchme_apply::cli::command(), dir)?;
    Ok(())
}

/// Where bash-completion, zsh and fish look for completions that a package brings: bash-completion's README, zshcompsys(1),
/// fish-completions(7).
const COMPLETIONS: [(Shell, &str); 3] = [
    (
        Shell::Bash,
        "share/bash-completion/completions/watchme-apply",
    ),
    (Shell::Zsh, "share/zsh/vendor-completions/_watchme-apply"),
    (
        Shell::Fish,
        "share/fish/vendor_completions.d/watchme-apply.fish",
    ),
];

fn completions(dir: &Path) -> Result<(), Box<dyn Error>> {
    let mut command: Command = watchme_apply::cli::command();
    let name = command.get_name().to_owned();
    for (shell, path) in COMPLETIONS {
        let path = dir.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut command, &name, &mut text);
        let mut text = String::from_utf8(text)?;
        if shell == Shell::Bash {
            // clap_complete 4.6.12 takes the hyphen of the program's name for the start of a subcommand in half of the places.
            text = text.replace("watchme__subcmd__apply", "watchme__apply");
        }
        fs::write(path, text)?;
    }
    Ok(())
}
