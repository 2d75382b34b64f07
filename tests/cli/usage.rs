//! Wrong usage, and where the desired state is looked for.

use std::fs;

use crate::support::{Output, Place, STATE, put, shows};

#[test]
fn wrong_usage_exits_with_64() {
    let place = Place::git(STATE);
    let before = place.host();
    let mut said = String::new();
    for arguments in [
        &["plann"][..],
        &["--nonsense"],
        &["plan", "--onyl", "site"],
        &["plan", "--only", "websites"],
        &["plan", "--only", "site/"],
        &["plan", "--rev", "HEAD", "--worktree"],
        &["pause", "hello"],
        &["pause", "hello", "--reason", "x", "--for", "a while"],
        &["pause", "hello", "--reason", "x", "--for", "-2h"],
        &["apply", "--lock-timeout", "soon"],
        &["status", "extra"],
        &["apply", "--color", "sometimes"],
        &["apply", "--verify-all"],
    ] {
        let run = place.run(arguments).expect(64);
        assert_eq!(run.stdout, "");
        said.push_str(&run.shown());
    }
    assert_eq!(place.host(), before);
    shows!("wrong_usage", said);
}

/// A pause that is over before it begins stops a unit for nothing; one of a million years is a slip, too.
#[test]
fn times_that_cannot_be_meant() {
    let place = Place::git(STATE);
    place.run(&["apply"]).expect(0);
    let before = place.host();
    for time in ["--for=-2h", "--for=0s", "--for=9999999999h"] {
        place
            .run(&["pause", "hello", "--reason", "x", time])
            .expect(64);
    }
    assert_eq!(place.host(), before);
}

#[test]
fn only_with_a_name_that_nothing_has() {
    let place = Place::git(STATE);
    let mut said = String::new();
    place.run(&["apply"]).expect(0);
    let before = place.host();
    for arguments in [
        &["plan", "--only", "unit/helo.service"][..],
        &["apply", "--only", "unit/helo.service"],
        &["apply", "--only", "site", "--only", "site/api.example.org"],
        &["drift", "--only", "etc/logrotate.d/hullo"],
        &["drift", "--fix", "--only", "network/shop"],
    ] {
        let run = place.run(arguments).expect(1);
        let name = arguments.last().unwrap().split_once('/').unwrap().1;
        assert!(run.stderr.contains(name), "{}", run.shown());
        said.push_str(&run.shown());
    }
    assert_eq!(place.host(), before);
    // A kind of which there is none is fine: a timer asks for networks wherever it runs.
    place
        .run(&["drift", "--fix", "--only", "network"])
        .expect(0);
    shows!("only_with_a_name_that_nothing_has", said);
}

#[test]
fn help_and_version_are_no_errors() {
    let place = Place::plain(&[]);
    for arguments in [
        &["--help"][..],
        &["help"],
        &["help", "plan"],
        &["apply", "--help"],
        &["--version"],
    ] {
        let output = place.command().args(arguments).output().unwrap();
        assert_eq!(
            (output.status.code(), output.stderr.len()),
            (Some(0), 0),
            "{arguments:?}"
        );
        assert!(!output.stdout.is_empty(), "{arguments:?}");
    }
    shows!("help", place.run(&["--help"]).stdout);
}

#[test]
fn without_a_command_it_is_apply() {
    let place = Place::git(STATE);
    let apply = place.run(&[]).expect(0);
    assert!(apply.stdout.contains("\napplied"), "{}", apply.shown());
    assert!(
        place
            .run(&["--only", "site"])
            .expect(0)
            .stdout
            .starts_with("in sync")
    );
    assert!(place.run(&["--json"]).expect(0).json()["outcome"] == "in-sync");
}

#[test]
fn the_desired_state_is_found() {
    let other = Place::git(&[("systemd/other.service", STATE[2].1)]);
    let place = Place::plain(&[]);
    put(
        &place
            .checkout()
            .join("server/desired-state/systemd/usual.service"),
        STATE[2].1,
    );
    put(&place.checkout().join("systemd/here.service"), STATE[2].1);
    let planned = |run: Output| -> String {
        let plan = run.expect(0).json();
        // The first one is the exchange of the store.
        plan["changes"][1]["resource"].as_str().unwrap().to_owned()
    };
    // The present folder is one; then one that has ./desired-state; both lose to the variable, and that to the option.
    assert_eq!(planned(place.run(&["plan", "--json"])), "unit/here.service");
    let server = place.checkout().join("server");
    let in_server = |command: &mut assert_cmd::Command| {
        command.current_dir(&server);
    };
    assert_eq!(
        planned(place.run_with(&["plan", "--json"], in_server)),
        "unit/usual.service"
    );
    let with_variable = |command: &mut assert_cmd::Command| {
        in_server(command);
        command.env("WATCHME_DESIRED_STATE", other.checkout());
    };
    assert_eq!(
        planned(place.run_with(&["plan", "--json"], with_variable)),
        "unit/other.service"
    );
    let arguments = ["plan", "--json", "--desired-state", ".."];
    assert_eq!(
        planned(place.run_with(&arguments, with_variable)),
        "unit/here.service"
    );
}

#[test]
fn no_desired_state_here() {
    let place = Place::plain(&[("README.md", "Nothing to see\n")]);
    let before = place.host();
    let nowhere = place.run(&["plan"]).expect(1);
    let apply = place.run(&["apply"]).expect(1);
    let named = place.run(&["plan", "--desired-state", "."]).expect(1);
    let missing = place
        .run(&["plan", "--desired-state", "elsewhere"])
        .expect(1);
    let file = place
        .run(&["plan", "--desired-state", "README.md"])
        .expect(1);
    assert_eq!(place.host(), before);
    for word in [
        "./desired-state",
        "watchme.toml",
        "sites-available",
        "systemd",
        "--desired-state DIR",
        "WATCHME_DESIRED_STATE",
    ] {
        assert!(nowhere.stderr.contains(word), "{}", nowhere.shown());
    }
    let git = Place::git(&[("README.md", "Nothing to see\n"), ("deep/README.md", "\n")]);
    let in_git = git.run(&["plan", "--desired-state", "deep"]).expect(1);
    shows!(
        "no_desired_state",
        [&nowhere, &apply, &named, &missing, &file, &in_git]
            .map(Output::shown)
            .join("\n")
    );
}

#[test]
fn a_root_that_is_no_directory() {
    let place = Place::git(STATE);
    let run = |root: &str| {
        let mut command = place.command();
        let output = command.args(["apply", "--root", root]).output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
        String::from_utf8(output.stderr).unwrap()
    };
    let missing = run("no/such/folder");
    assert!(
        missing.contains("no/such/folder") && missing.contains("mkdir -p 'no/such/folder'"),
        "{missing}"
    );
    fs::write(place.checkout().join("a file"), "").unwrap();
    let file = run("a file");
    assert!(!place.checkout().join("no").exists());
    // A folder cannot be made where a file stands: that advice would help nobody.
    assert!(file.contains("a file") && !file.contains("mkdir"), "{file}");
    shows!("a_root_that_is_no_directory", [missing, file].join("\n"));
}

/// A plan on a terminal says what its symbols mean, until something was applied.
#[test]
fn the_first_plan_on_a_terminal_shows_what_its_symbols_mean() {
    let place = Place::git(STATE);
    let on_terminal = || {
        let line = format!(
            "{} plan --color never --root {} --desired-state {}",
            crate::support::PROGRAM,
            place.root().display(),
            place.checkout().display()
        );
        let run = std::process::Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        String::from_utf8(run.stdout).unwrap().replace('\r', "")
    };
    let first = on_terminal();
    let help = place.run(&["plan", "--help"]).expect(0).stdout;
    let (_, legend) = help.split_once("Symbols:\n").unwrap();
    let (legend, _) = legend.split_once("\n\n").unwrap();
    assert!(first.contains(legend), "{first}");
    let piped = place.run(&["plan"]).expect(0).stdout;
    assert!(!piped.contains("Symbols:"), "{piped}");

    place.run(&["apply"]).expect(0);
    place.write(&[("etc/logrotate.d/hello", "# nothing\n")]);
    place.commit("Second");
    let later = on_terminal();
    assert!(later.contains("plan: 2 changes"), "{later}");
    assert!(!later.contains("Symbols:"), "{later}");
}
