//! What earlier runs left on record: damaged, lost, or in the way of an empty desired state.

use std::fs;

use crate::support::{Output, Place, STATE, put, shows};

fn applied() -> Place {
    let place = Place::git(STATE);
    place.run(&["apply"]).expect(0);
    place
}

/// Each command fails, names the record and a way out, and changes nothing.
#[track_caller]
fn damaged(place: &Place, record: &str) -> String {
    let before = place.host();
    let runs = [
        &["plan"][..],
        &["apply"],
        &["drift"],
        &["drift", "--fix"],
        &["status"],
    ]
    .map(|arguments| place.run(arguments).expect(1));
    assert_eq!(place.host(), before);
    for run in &runs {
        assert!(
            run.stderr.contains(record) && run.stderr.contains("hint:"),
            "{}",
            run.shown()
        );
    }
    runs[1].stderr.clone()
}

#[test]
fn damaged_records_are_named() {
    let mut said = String::new();
    for (path, content) in [
        ("var/lib/watchme-apply/inventory.json", "{\"paths\": {"),
        ("var/lib/watchme-apply/inventory.json", ""),
        ("var/lib/watchme-apply/loaded.json", "\u{0}\u{0}\u{0}"),
        ("var/lib/watchme-apply/pauses.json", "null and void"),
        ("etc/watchme-apply/generations/1/desired.json", ""),
    ] {
        let place = applied();
        put(&place.on_host(path), content);
        said.push_str(&damaged(&place, &format!("/{path}")));
    }
    shows!("damaged_records", said);
}

/// Does what the hint says, `mv FROM TO`. On an offline root the paths have to be below it: taken by its word, the
/// advice would else move a record of the machine itself.
fn follow_advice(place: &Place) {
    let error = place.run(&["apply"]).expect(1).stderr;
    let advice = error
        .lines()
        .find_map(|line| line.split_once("mv "))
        .unwrap_or_else(|| panic!("no way out in\n{error}"))
        .1;
    let mut paths = advice.split(' ').map(|path| {
        let below = path.trim_matches(['`', '\'']).strip_prefix("[ROOT]/");
        place
            .root()
            .join(below.unwrap_or_else(|| panic!("{path} is not below the root:\n{error}")))
    });
    fs::rename(paths.next().unwrap(), paths.next().unwrap()).unwrap();
}

#[test]
fn the_advice_for_a_damaged_record_helps() {
    for path in [
        "var/lib/watchme-apply/inventory.json",
        "var/lib/watchme-apply/loaded.json",
        "etc/watchme-apply/generations/1/desired.json",
    ] {
        let place = applied();
        put(&place.on_host(path), "{");
        follow_advice(&place);
        place.run(&["apply"]).expect(0);
        place.run(&["drift"]).expect(0);
        let anew = match path.contains("generations/1") {
            true => "etc/watchme-apply/generations/2/desired.json",
            false => path,
        };
        // On an offline root nothing is loaded: a missing record of that says the same.
        let is_there = place.on_host(anew).exists() || path.ends_with("loaded.json");
        assert!(is_there, "{anew} was to be written anew");
    }
}

/// What was managed still is after a record was lost and the advice was followed.
#[test]
fn a_lost_inventory_loses_nothing_that_is_managed() {
    let place = applied();
    fs::remove_file(place.on_host("var/lib/watchme-apply/inventory.json")).unwrap();
    place.run(&["apply"]).expect(0);
    place.remove(&[
        "systemd/hello.service",
        "systemd/hello.service.d/limits.conf",
    ]);
    place.commit("No units");
    place.run(&["apply"]).expect(0);
    assert_eq!(
        place.target("etc/systemd/system/multi-user.target.wants/hello.service"),
        None
    );
    assert_eq!(place.target("etc/systemd/system/hello.service"), None);
}

#[test]
fn a_generation_that_lost_a_file() {
    let place = applied();
    let file = "etc/watchme-apply/generations/1/tree/systemd/hello.service";
    fs::remove_file(place.on_host(file)).unwrap();
    let lost = damaged(&place, "hello.service");
    put(&place.on_host(file), "[Service]\nExecStart=/bin/false\n");
    let changed = damaged(&place, "hello.service");
    shows!("a_damaged_generation", [lost, changed].join("\n"));
}

#[test]
fn a_damaged_generation_has_a_way_out() {
    let place = applied();
    fs::remove_file(place.on_host("etc/watchme-apply/generations/1/tree/systemd/hello.service"))
        .unwrap();
    follow_advice(&place);
    place.run(&["apply"]).expect(0);
    place.run(&["drift"]).expect(0);
}

#[test]
fn a_record_where_a_folder_stands() {
    let place = Place::git(STATE);
    put(&place.on_host("var/lib/watchme-apply"), "a file\n");
    let before = place.host();
    let apply = place.run(&["apply"]).expect(1);
    assert_eq!(place.host(), before);
    let place = Place::git(STATE);
    put(&place.on_host("etc/watchme-apply"), "a file\n");
    let store = place.run(&["apply"]);
    assert!([1, 3].contains(&store.status), "{}", store.shown());
    assert_eq!(place.target("etc/systemd/system/hello.service"), None);
    assert_eq!(
        fs::read_to_string(place.on_host("etc/watchme-apply")).unwrap(),
        "a file\n"
    );
    shows!(
        "a_record_where_a_folder_stands",
        [&apply.stderr, &store.stderr]
            .map(String::as_str)
            .join("\n")
    );
}

#[test]
fn a_folder_where_a_link_belongs() {
    let place = Place::git(STATE);
    put(
        &place.on_host("etc/nginx/sites-enabled/api.example.com/keep"),
        "mine\n",
    );
    let before = place.host();
    let plan = place.run(&["plan"]).expect(0);
    assert_eq!(place.host(), before);
    let apply = place.run(&["apply"]).expect(1);
    assert_eq!(place.host(), before, "refused before anything changed");
    shows!(
        "a_folder_where_a_link_belongs",
        [&plan, &apply].map(|run| run.shown()).join("\n")
    );
}

#[test]
fn an_empty_desired_state_is_refused() {
    let place = applied();
    place.write(&[("watchme.toml", "")]);
    place.remove(&STATE[1..].iter().map(|(path, _)| *path).collect::<Vec<_>>());
    place.commit("Remove everything");
    let before = place.host();
    let plan = place.run(&["plan"]).expect(0);
    let refused = place.run(&["apply"]).expect(1);
    assert!(
        refused.stderr.contains("--allow-empty"),
        "{}",
        refused.shown()
    );
    let drift = place.run(&["drift"]).expect(2);
    assert_eq!(place.host(), before);
    let allowed = place.run(&["apply", "--allow-empty"]).expect(0);
    shows!(
        "an_empty_desired_state",
        [&plan, &refused, &drift, &allowed]
            .map(Output::shown)
            .join("\n")
    );
    for path in [
        "etc/nginx/sites-enabled/api.example.com",
        "etc/systemd/system/hello.service",
        "etc/logrotate.d/hello",
    ] {
        assert!(place.on_host(path).symlink_metadata().is_err(), "{path}");
    }
    place.run(&["apply"]).expect(0);
}

#[test]
fn nothing_was_applied_yet() {
    let place = Place::git(STATE);
    let before = place.host();
    let status = place.run(&["status"]).expect(0);
    let drift = place.run(&["drift"]).expect(2);
    let fix = place.run(&["drift", "--fix"]).expect(1);
    let pause = place.run(&["pause", "hello", "--reason", "x"]).expect(1);
    let resume = place.run(&["resume", "hello"]).expect(1);
    assert_eq!(place.host(), before);
    shows!(
        "nothing_was_applied_yet",
        [&status, &drift, &fix, &pause, &resume]
            .map(Output::shown)
            .join("\n")
    );
}

/// A run that was killed left its journal: looking tells, the next apply undoes it and goes on.
#[test]
fn an_interrupted_run_is_told_and_undone() {
    let place = applied();
    let journal =
        "{\"restore\":{\"path\":\"/etc/logrotate.d/hello\",\"saved\":\"missing\"}}\n{\"cut of";
    put(&place.on_host("var/lib/watchme-apply/journal"), journal);
    let before = place.host();
    let status = place.run(&["status"]).expect(0);
    let drift = place.run(&["drift"]);
    assert_eq!(place.host(), before);
    let apply = place.run(&["apply"]).expect(0);
    assert_eq!(place.read_host("/etc/logrotate.d/hello"), STATE[4].1);
    assert!(!place.on_host("var/lib/watchme-apply/journal").exists());
    shows!(
        "an_interrupted_run",
        [&status, &drift, &apply].map(Output::shown).join("\n")
    );
}
