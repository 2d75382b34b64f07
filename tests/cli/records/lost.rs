//! Generations that are gone or damaged.

use super::*;

/// Without the last generation nobody knows what was applied: an older one must not be taken for it.
#[test]
fn the_last_generation_is_gone() {
    let place = applied();
    place.write(&[("systemd/new.service", STATE[2].1)]);
    place.remove(&["etc/logrotate.d/hello"]);
    place.commit("Second");
    place.run(&["apply"]).expect(0);
    let generations = "etc/watchme-apply/generations";
    let last = place.on_host(&format!("{generations}/2"));
    fs::remove_dir_all(&last).unwrap();
    // Of a generation whose record was moved away, the folder may be left.
    fs::create_dir(&last).unwrap();
    let said = place.run(&["drift"]).expect(1).stderr;
    assert!(said.trim_end().ends_with("kept are: 1"), "{said}");
    fs::remove_dir(&last).unwrap();
    let before = place.host();
    let runs = [
        &["drift"][..],
        &["drift", "--fix"],
        &["status"],
        &["pause", "hello", "--reason", "x"],
        &["apply", "--only", "etc"],
    ]
    .map(|arguments| place.run(arguments).expect(1));
    assert_eq!(place.host(), before);
    for run in &runs {
        for part in ["generation 2", generations, "hint:"] {
            assert!(run.stderr.contains(part), "{}", run.shown());
        }
    }
    let plan = place.run(&["plan"]).expect(0);
    assert!(plan.stdout.contains("generation 2"), "{}", plan.shown());
    shows!(
        "the_last_generation_is_gone",
        [&runs[0], &runs[2]].map(Output::shown).join("\n")
    );

    // Both ways out; what only the lost one had is still known to be managed.
    let back = place.run(&["rollback"]).expect(0);
    assert!(back.stdout.contains("as generation 3"), "{}", back.shown());
    assert_eq!(place.target("etc/systemd/system/new.service"), None);
    assert_eq!(place.read_host("/etc/logrotate.d/hello"), STATE[4].1);
    place.run(&["drift"]).expect(2);
    fs::remove_dir_all(place.on_host(generations)).unwrap();
    place.run(&["drift"]).expect(1);
    let apply = place.run(&["apply"]).expect(0);
    assert!(
        apply.stdout.contains("as generation 4"),
        "{}",
        apply.shown()
    );
    assert!(!place.on_host("etc/logrotate.d/hello").exists());
    place.run(&["drift"]).expect(0);
}

#[test]
fn the_live_tree_is_gone() {
    for way_out in [&["drift", "--fix"][..], &["apply"]] {
        let place = applied();
        let live = place.on_host("etc/watchme-apply/live");
        fs::remove_dir_all(&live).unwrap();
        let status = place.run(&["status"]).expect(0);
        assert!(
            status.stdout.contains("hello.service"),
            "{}",
            status.shown()
        );
        let drift = place.run(&["drift"]).expect(2);
        assert!(drift.stdout.contains("drift --fix"), "{}", drift.shown());
        place.run(way_out).expect(0);
        assert_eq!(
            place.read_host("/etc/systemd/system/hello.service"),
            STATE[2].1
        );
        place.run(&["drift"]).expect(0);
    }
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
