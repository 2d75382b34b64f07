//! What earlier runs left on record: damaged, lost, or in the way of an empty desired state.

mod lost;

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
        "var/lib/watchme-apply/pauses.json",
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
        // No pause is what no record of pauses says.
        let may_lack = ["loaded.json", "pauses.json"];
        let is_there =
            place.on_host(anew).exists() || may_lack.iter().any(|name| path.ends_with(name));
        assert!(is_there, "{anew} was to be written anew");
    }
}

/// Records that no plan needs: runs go on, tell that they are damaged, and leave them as they are.
#[test]
fn damaged_records_that_nothing_depends_on() {
    let place = applied();
    for name in ["history.json", "attempts.json"] {
        put(
            &place.on_host(&format!("var/lib/watchme-apply/{name}")),
            "[]",
        );
    }
    place.run(&["drift"]).expect(0);
    let status = place.run(&["status"]).expect(0);
    let history = place.run(&["history"]).expect(1);
    place.write(&[(STATE[4].0, "weekly\n")]);
    place.commit("Second");
    let before = place.host();
    let unattended = place.run(&["apply", "--unattended"]).expect(1);
    assert_eq!(place.host(), before);
    let apply = place.run(&["apply"]).expect(0);
    let warned = apply.stdout.lines().filter(|line| line.contains("warning"));
    let warned: Vec<&str> = warned.collect();
    assert!(warned[0].contains("history.json"), "{}", apply.shown());
    assert!(warned[1].contains("attempts.json"), "{}", apply.shown());
    assert_eq!(place.read_host("/var/lib/watchme-apply/history.json"), "[]");
    shows!(
        "damaged_records_that_nothing_depends_on",
        [&status, &history, &unattended]
            .map(Output::shown)
            .join("\n")
    );

    // The way out, and what is known after it.
    for name in ["history.json", "attempts.json"] {
        let path = place.on_host(&format!("var/lib/watchme-apply/{name}"));
        fs::rename(&path, path.with_extension("json.damaged")).unwrap();
    }
    let history = place.run(&["history"]).expect(0);
    for part in ["First", "Second", "current"] {
        assert!(history.stdout.contains(part), "{}", history.shown());
    }
    place.run(&["apply", "--unattended"]).expect(0);
}

/// A journal that cannot be read: what is applied is told, nothing is changed, and both ways out lead to a host
/// as it is to be.
#[test]
fn a_damaged_journal() {
    for way_out in [&["drift", "--fix"][..], &["apply"]] {
        let place = applied();
        // A run that had replaced a file was killed, and its journal was damaged.
        put(&place.on_host("etc/logrotate.d/hello"), "half done\n");
        put(
            &place.on_host("var/lib/watchme-apply/journal"),
            "{\"restore\":{\"path\"\u{0}\u{0}\n{\"exchange\":{\"run\":\"x\"}}\n",
        );
        let before = place.host();
        let status = place.run(&["status"]).expect(0);
        let drift = place.run(&["drift"]).expect(2);
        let runs = [&["apply"][..], &["drift", "--fix"], &["rollback"]]
            .map(|arguments| place.run(arguments).expect(1));
        assert!(place.host() == before, "something was written");
        if way_out[0] == "apply" {
            let all = [&status, &drift, &runs[0]];
            shows!("a_damaged_journal", all.map(Output::shown).join("\n"));
        }
        follow_advice(&place);
        place.run(way_out).expect(0);
        assert_eq!(place.read_host("/etc/logrotate.d/hello"), STATE[4].1);
        place.run(&["drift"]).expect(0);
        assert!(
            place
                .on_host("var/lib/watchme-apply/journal.damaged")
                .exists()
        );
    }
}

/// What was managed still is after a record was lost and the advice was followed.
#[test]
fn a_lost_inventory_loses_nothing_that_is_managed() {
    let place = applied();
    fs::remove_file(place.on_host("var/lib/watchme-apply/inventory.json")).unwrap();
    place.remove(&[
        "systemd/hello.service",
        "systemd/hello.service.d/limits.conf",
    ]);
    place.commit("No units");
    place.run(&["apply"]).expect(0);
    assert!(
        place
            .on_host("var/lib/watchme-apply/inventory.json")
            .exists()
    );
    assert_eq!(
        place.target("etc/systemd/system/multi-user.target.wants/hello.service"),
        None
    );
    assert_eq!(place.target("etc/systemd/system/hello.service"), None);
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
    let plan = place.run(&["plan"]).expect(1);
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
    let plan = place.run(&["plan"]).expect(1);
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
    let before = place.host();
    for arguments in [&["apply", "--allow-empty"][..], &["apply"]] {
        let again = place.run(arguments).expect(0);
        assert!(again.stdout.starts_with("in sync"), "{}", again.shown());
        assert_eq!(place.host(), before, "a second one writes nothing");
    }
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
    let plan = place.run(&["plan"]).expect(0);
    assert!(
        plan.stdout.contains("a run was interrupted"),
        "{}",
        plan.shown()
    );
    assert_eq!(place.host(), before);
    let apply = place.run(&["apply"]).expect(0);
    assert_eq!(place.read_host("/etc/logrotate.d/hello"), STATE[4].1);
    assert!(!place.on_host("var/lib/watchme-apply/journal").exists());
    shows!(
        "an_interrupted_run",
        [&status, &drift, &apply].map(Output::shown).join("\n")
    );
}

/// A run that was killed while it wrote a record leaves a file that nobody reads.
#[test]
fn what_a_killed_run_was_writing_goes_with_the_next_change() {
    let place = applied();
    let left = "var/lib/watchme-apply/.watchme-apply-x1Y2z3";
    put(&place.on_host(left), "{\"half\":");
    place.run(&["apply"]).expect(0);
    assert!(
        place.on_host(left).exists(),
        "nothing to do, nothing written"
    );
    place.write(&[("etc/logrotate.d/hello", "changed\n")]);
    place.commit("Second");
    place.run(&["apply"]).expect(0);
    assert!(!place.on_host(left).exists());
}
