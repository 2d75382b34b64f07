//! `cargo xtask man` and `cargo xtask completions`, as `scripts/package` calls them.

use std::fs;
use std::path::Path;
use std::process::Command;

fn xtask(what: &str, dir: &Path) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let done = command.arg(what).arg(dir).output().unwrap();
    assert!(done.status.success(), "{done:?}");
}

#[test]
fn each_command_has_a_man_page() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    xtask("man", dir);
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
fn bash(completions: &Path, words: &[&str]) -> Vec<String> {
    let script = r#"
        source "$1" || exit 1; shift
        registered=$(complete -p "$1") || exit 1
        function=${registered#* -F }; function=${function%% *}
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        "$function" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}""#;
    let output = Command::new("bash")
        .args(["-c", script, "bash"])
        .arg(completions)
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
    xtask("completions", dir);
    let ours = dir.join("share/bash-completion/completions/watchme-apply");
    assert_eq!(bash(&ours, &["watchme-apply", "unins"]), ["uninstall"]);
    assert_eq!(
        bash(&ours, &["watchme-apply", "plan", "--detailed"]),
        ["--detailed-exitcode"]
    );
    assert_eq!(bash(&ours, &["watchme-apply", "--color", "al"]), ["always"]);
    for path in [
        "share/zsh/vendor-completions/_watchme-apply",
        "share/fish/vendor_completions.d/watchme-apply.fish",
    ] {
        let text = fs::read_to_string(dir.join(path)).unwrap();
        assert!(text.contains("uninstall"), "{path}");
    }
}
