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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_has_a_man_page() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        man(dir).unwrap();
        let mut pages = vec!["watchme-apply.1".to_owned()];
        for command in watchme_apply::cli::command().get_subcommands() {
            pages.push(format!("watchme-apply-{}.1", command.get_name()));
        }
        for page in pages {
            let text = fs::read_to_string(dir.join(&page)).unwrap();
            assert!(text.contains(".SH NAME"), "{page}: {text}");
            assert!(text.contains("Example"), "{page}: {text}");
        }
    }

    /// What bash offers for a line that ends with the word that is being typed.
    fn bash(dir: &Path, words: &[&str]) -> Vec<String> {
        let script = r#"
            source "$1" || exit 1; shift
            registered=$(complete -p "$1") || exit 1
            function=${registered#* -F }; function=${function%% *}
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
            "$function" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
            printf '%s\n' "${COMPREPLY[@]}""#;
        let output = std::process::Command::new("bash")
            .args(["-c", script, "bash"])
            .arg(dir.join(COMPLETIONS[0].1))
            .args(words)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn bash_completes_commands_and_options() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        completions(dir).unwrap();
        assert_eq!(bash(dir, &["watchme-apply", "unins"]), ["uninstall"]);
        assert_eq!(
            bash(dir, &["watchme-apply", "plan", "--detailed"]),
            ["--detailed-exitcode"]
        );
        assert_eq!(bash(dir, &["watchme-apply", "--color", "al"]), ["always"]);
        for (_, path) in COMPLETIONS {
            assert!(
                fs::read_to_string(dir.join(path))
                    .unwrap()
                    .contains("uninstall")
            );
        }
    }
}
