//! What ran before, and the way back to it: `history`, `rollback`, and what they mean for runs
//! that no person watches.

use std::fs;

use crate::support::{Output, Place, STATE, put, shows};

const ATTEMPTS: &str = "var/lib/watchme-apply/attempts.json";
const HELLO: &str = "etc/logrotate.d/hello";
const UNATTENDED: &[&str] = &["apply", "--unattended"];

fn commit(place: &Place, text: &str, subject: &str) {
    place.write(&[(HELLO, text)]);
    place.commit(subject);
}

/// Three generations of one file, the second with two commits.
fn three() -> Place {
    let place = Place::git(STATE);
    place.run(&["apply"]).expect(0);
    commit(&place, "one\n", "One");
    commit(&place, "two\n", "Two");
    place.run(&["apply"]).expect(0);
    commit(&place, "three\n", "Three");
    place.run(&["apply"]).expect(0);
    place
}

#[track_caller]
fn assert_does_nothing(place: &Place, arguments: &[&str], status: i32) -> Output {
    let before = place.host();
    let run = place.run(arguments).expect(status);
    assert!(
        place.host() == before,
        "something was written: {}",
        run.shown()
    );
    run
}

/// What runs said, with the width of columns and the name of whoever runs the tests left out.
fn told(runs: &[&Output]) -> String {
    let user = nix::unistd::User::from_uid(nix::unistd::Uid::effective());
    let user = user.unwrap().unwrap().name;
    let mut told = String::new();
    for line in runs
        .iter()
        .map(|run| run.shown())
        .collect::<Vec<_>>()
        .join("\n")
        .lines()
    {
        let is_row = line.starts_with("NO ") || line.starts_with(|c: char| c.is_ascii_digit());
        let line = match is_row {
            true => line.split_whitespace().collect::<Vec<_>>().join(" "),
            false => line.to_owned(),
        };
        let line = line.replace(&format!(" {user} "), " [USER] ");
        told.push_str(&format!("{line}\n"));
    }
    told
}

#[test]
fn back_and_forth() {
    let place = three();
    let plan = assert_does_nothing(&place, &["plan", "--to-generation", "2"], 0);
    let back = place.run(&["rollback"]).expect(0);
    assert_eq!(place.read_host(HELLO), "two\n");
    let skipped = assert_does_nothing(&place, UNATTENDED, 2);
    let status = assert_does_nothing(&place, &["status"], 0);
    let further = place.run(&["rollback"]).expect(0);
    assert_eq!(place.read_host(HELLO), STATE[4].1, "not what was just left");
    let history = assert_does_nothing(&place, &["history"], 0);
    let between = assert_does_nothing(&place, &["history", "1..3"], 0);
    let backwards = assert_does_nothing(&place, &["history", "3", "1"], 0);
    shows!(
        "back_and_forth",
        told(&[
            &plan, &back, &skipped, &status, &further, &history, &between, &backwards
        ])
    );
    // What is on record is all that it needs.
    fs::remove_dir_all(place.checkout().join(".git")).unwrap();
    place.run(&["rollback", "3"]).expect(0);
    assert_eq!(place.read_host(HELLO), "three\n");
}

#[test]
fn where_there_is_no_way_back() {
    let place = Place::git(STATE);
    let mut said = vec![assert_does_nothing(&place, &["rollback"], 1)];
    place.run(&["apply"]).expect(0);
    for arguments in [
        &["rollback"][..],
        &["rollback", "1"],
        &["rollback", "7"],
        &["plan", "--to-generation", "7"],
        &["history", "1..7"],
    ] {
        said.push(assert_does_nothing(&place, arguments, 1));
    }
    for arguments in [
        &["rollback", "x"][..],
        &["history", "x"],
        &["plan", "--to-generation", "1", "--only", "site"],
    ] {
        said.push(place.run(arguments).expect(64));
    }
    shows!(
        "where_there_is_no_way_back",
        said.iter()
            .map(Output::shown)
            .collect::<Vec<_>>()
            .join("\n")
    );
}

/// A rollback that finds something in its way changes nothing.
#[test]
fn a_roll_back_is_refused_like_an_apply() {
    let place = three();
    let folder = place.on_host("etc/nginx/sites-enabled/api.example.com");
    fs::remove_file(&folder).unwrap();
    put(&folder.join("keep"), "mine\n");
    let refused = place.run(&["rollback"]).expect(1);
    assert!(
        refused.stderr.contains("site/api.example.com"),
        "{}",
        refused.shown()
    );
    assert_eq!(place.read_host(HELLO), "three\n");
    let history = place.run(&["history"]).expect(0);
    assert!(!history.stdout.contains("rollback"), "{}", history.shown());
}

#[test]
fn what_was_left_comes_back_with_new_inputs_or_by_a_person() {
    let place = three();
    place.run(&["rollback", "1"]).expect(0);
    assert_does_nothing(&place, UNATTENDED, 2);
    assert_does_nothing(&place, &["apply", "--unattended", "--retry"], 2);
    place.write(&[("README.md", "words\n")]);
    place.commit("No input");
    assert_does_nothing(&place, UNATTENDED, 2);
    // A part of it is not what was left.
    place.run(&["apply", "--only", "site"]).expect(0);
    assert_does_nothing(&place, UNATTENDED, 2);
    commit(&place, "four\n", "Four");
    place.run(UNATTENDED).expect(0);
    assert_eq!(place.read_host(HELLO), "four\n");

    place.run(&["rollback"]).expect(0);
    assert_does_nothing(&place, UNATTENDED, 2);
    place.run(&["apply"]).expect(0);
    assert_eq!(place.read_host(HELLO), "four\n");
    assert_does_nothing(&place, UNATTENDED, 0);
}

/// git went back as well: there is nothing that could come back.
#[test]
fn a_roll_back_to_what_git_has() {
    let place = three();
    commit(&place, "two\n", "Back to two");
    place.run(&["rollback"]).expect(0);
    assert_does_nothing(&place, UNATTENDED, 0);
    put(&place.on_host(HELLO), "edited\n");
    place.run(UNATTENDED).expect(0);
    assert_eq!(place.read_host(HELLO), "two\n");
}

/// What stands on the host is not the revision's fault.
#[test]
fn circumstances_are_waited_for() {
    let place = Place::git(STATE);
    place.run(&["apply"]).expect(0);
    put(&place.on_host("etc/app"), "a file where a folder belongs\n");
    place.write(&[("etc/app/x.conf", "x\n")]);
    place.commit("Settings");
    place.run(UNATTENDED).expect(3);
    let waits = assert_does_nothing(&place, UNATTENDED, 2);
    let status = place.run(&["status"]).expect(0);
    for run in [&waits, &status] {
        for part in ["/etc/app", "next try"] {
            assert!(run.stdout.contains(part), "{part}: {}", run.shown());
        }
    }
    let failures = |place: &Place| {
        let text = fs::read_to_string(place.on_host(ATTEMPTS)).unwrap();
        let record: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(record["quarantine"], serde_json::Value::Null);
        record["back_off"]["failures"].clone()
    };
    assert_eq!(failures(&place), 1);
    place.run(&["apply", "--unattended", "--retry"]).expect(3);
    assert_eq!(failures(&place), 2);

    fs::remove_file(place.on_host("etc/app")).unwrap();
    assert_does_nothing(&place, UNATTENDED, 2);
    place.run(&["apply"]).expect(0);
    assert_eq!(failures(&place), serde_json::Value::Null);
    assert_does_nothing(&place, UNATTENDED, 0);
}

/// Whatever killed a run may do so again: the run that undoes it does not go on at once.
#[test]
fn a_run_that_was_killed_is_undone_and_waited_for() {
    let place = Place::git(STATE);
    place.run(&["apply"]).expect(0);
    commit(&place, "one\n", "One");
    put(
        &place.on_host("var/lib/watchme-apply/journal"),
        "{\"restore\":{\"path\":\"/etc/nginx/sites-enabled/api.example.com\",\"saved\":{\"link\":\"../sites-available/api.example.com\"}}}\n",
    );
    fs::remove_file(place.on_host("etc/nginx/sites-enabled/api.example.com")).unwrap();
    let skipped = place.run(UNATTENDED).expect(2);
    assert!(
        skipped.stdout.contains("interrupted"),
        "{}",
        skipped.shown()
    );
    assert!(
        place
            .target("etc/nginx/sites-enabled/api.example.com")
            .is_some()
    );
    let history = place.run(&["history"]).expect(0);
    assert!(history.stdout.contains("recover"), "{}", history.shown());
    place.run(&["apply"]).expect(0);
    assert_eq!(place.read_host(HELLO), "one\n");
}

#[test]
fn what_git_cannot_tell() {
    let place = Place::git(STATE);
    place.run(&["apply"]).expect(0);
    for number in 0..23 {
        commit(&place, &format!("{number}\n"), &format!("Number {number}"));
    }
    place.run(&["apply"]).expect(0);
    let many = place.run(&["history"]).expect(0).stdout;
    assert_eq!(many.matches("Hanako: Number").count(), 20, "{many}");
    assert!(
        many.contains("and 3 more") && !many.contains("Number 2\n"),
        "{many}"
    );
    let all = place.run(&["history", "1..2"]).expect(0).stdout;
    assert_eq!(all.matches("Hanako: Number").count(), 23, "{all}");

    // The repository was made anew, then there is none, then not even a folder.
    fs::remove_dir_all(place.checkout().join(".git")).unwrap();
    git2::Repository::init(place.checkout()).unwrap();
    place.commit("Made anew");
    let gone = place.run(&["history"]).expect(0);
    fs::remove_dir_all(place.checkout().join(".git")).unwrap();
    let no_git = place.run(&["history"]).expect(0);
    let beside = place.beside("moved");
    fs::rename(place.checkout(), &beside).unwrap();
    let moved = place.run_with(&["history"], |command| {
        command.current_dir("/");
    });
    shows!("what_git_cannot_tell", told(&[&gone, &no_git, &moved]));
}
