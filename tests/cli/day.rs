//! From the first plan to a server that changed hands a few times: the story of the README.

use std::fs;

use crate::support::{Place, STATE, shows};

/// A fresh host: Debian's default site is there.
fn fresh() -> Place {
    let place = Place::git(STATE);
    place.write_host("etc/nginx/sites-available/default", "server {}\n");
    place.link_host(
        "etc/nginx/sites-enabled/default",
        "/etc/nginx/sites-available/default",
    );
    place
}

#[test]
fn the_first_day() {
    let place = fresh();
    let empty = place.host();
    let plan = place.run(&["plan"]).expect(0);
    assert_eq!(place.host(), empty, "a plan writes nothing");
    let apply = place.run(&["apply"]).expect(0);
    let applied = place.host();
    let again = place.run(&["apply"]).expect(0);
    assert_eq!(place.host(), applied, "nothing to do means no write");
    let status = place.run(&["status"]).expect(0);
    let drift = place.run(&["drift"]).expect(0);
    assert_eq!(place.host(), applied, "looking writes nothing");
    shows!(
        "the_first_day",
        [&plan, &apply, &again, &status, &drift]
            .map(|run| run.shown())
            .join("\n")
    );

    for (path, file) in [
        ("/etc/nginx/sites-available/api.example.com", 1),
        ("/etc/systemd/system/hello.service", 2),
        ("/etc/systemd/system/hello.service.d/limits.conf", 3),
        ("/etc/logrotate.d/hello", 4),
    ] {
        assert_eq!(place.read_host(path), STATE[file].1, "{path}");
    }
    assert!(
        place
            .on_host("etc/nginx/sites-enabled/default")
            .symlink_metadata()
            .is_err()
    );
    assert!(
        place.on_host("etc/nginx/sites-available/default").exists(),
        "only the link was to be absent"
    );
}

#[test]
fn a_pull_changes_nothing_before_it_is_applied() {
    let place = fresh();
    place.run(&["apply"]).expect(0);
    let site = STATE[1].1.replace("8001", "8002");
    place.write(&[("sites-available/api.example.com", &site)]);
    place.remove(&["etc/logrotate.d/hello"]);
    place.commit("Move the API to 8002");
    assert!(
        place
            .read_host("/etc/nginx/sites-enabled/api.example.com")
            .contains("8001")
    );

    let drift = place.run(&["drift"]).expect(2);
    let plan = place.run(&["plan", "--detailed-exitcode"]).expect(2);
    let apply = place.run(&["apply"]).expect(0);
    let status = place.run(&["status"]).expect(0);
    shows!(
        "a_pull",
        [&drift, &plan, &apply, &status]
            .map(|run| run.shown())
            .join("\n")
    );
    assert_eq!(
        place.read_host("/etc/nginx/sites-enabled/api.example.com"),
        site
    );
    assert!(
        place
            .on_host("etc/logrotate.d/hello")
            .symlink_metadata()
            .is_err()
    );
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn hand_edits_are_found_and_fixed() {
    let place = fresh();
    place.run(&["apply"]).expect(0);
    // An editor writes through the link; the link of `systemctl enable` goes; a site is edited into a file.
    let live = place.target("etc/systemd/system/hello.service").unwrap();
    place.write_host(&live, &STATE[2].1.replace("infinity", "60"));
    fs::remove_file(place.on_host("etc/systemd/system/multi-user.target.wants/hello.service"))
        .unwrap();
    let site = place.on_host("etc/nginx/sites-enabled/api.example.com");
    fs::remove_file(&site).unwrap();
    fs::write(&site, STATE[1].1.replace("/hello/", "/hullo/")).unwrap();
    fs::write(place.on_host("etc/logrotate.d/hello"), "# mine\n").unwrap();
    let edited = place.host();

    let drift = place.run(&["drift"]).expect(2);
    let status = place.run(&["status"]).expect(0);
    assert_eq!(place.host(), edited, "drift only looks");
    let fix = place.run(&["drift", "--fix"]).expect(0);
    let after = place.run(&["drift"]).expect(0);
    shows!(
        "hand_edits",
        [&drift, &status, &fix, &after]
            .map(|run| run.shown())
            .join("\n")
    );
    assert_eq!(
        place.read_host("/etc/systemd/system/multi-user.target.wants/hello.service"),
        STATE[2].1
    );
    assert_eq!(
        place.read_host("/etc/nginx/sites-enabled/api.example.com"),
        STATE[1].1
    );
    assert_eq!(place.read_host("/etc/logrotate.d/hello"), STATE[4].1);
    assert!(
        is_backed_up(&place, "etc/logrotate.d/hello", "# mine\n"),
        "what stood there is kept"
    );
}

#[test]
fn fixing_never_brings_in_what_nobody_applied() {
    let place = fresh();
    place.run(&["apply"]).expect(0);
    place.write(&[(
        "systemd/hello.service",
        &STATE[2].1.replace("infinity", "1"),
    )]);
    place.commit("Sleep less");
    fs::remove_file(place.on_host("etc/systemd/system/hello.service")).unwrap();
    let fix = place.run(&["drift", "--fix"]).expect(2);
    shows!("fix_with_pending", fix.shown());
    assert_eq!(
        place.read_host("/etc/systemd/system/hello.service"),
        STATE[2].1
    );
}

#[test]
fn fixing_needs_no_checkout() {
    let place = fresh();
    place.run(&["apply"]).expect(0);
    fs::rename(place.checkout(), place.beside("moved")).unwrap();
    fs::create_dir(place.checkout()).unwrap();
    fs::remove_file(place.on_host("etc/systemd/system/hello.service")).unwrap();
    let drift = place.run(&["drift"]).expect(2);
    let fix = place.run(&["drift", "--fix"]).expect(0);
    shows!(
        "fix_without_checkout",
        [&drift, &fix].map(|run| run.shown()).join("\n")
    );
    assert_eq!(
        place.read_host("/etc/systemd/system/hello.service"),
        STATE[2].1
    );
}

#[test]
fn a_renamed_unit_leaves_no_link_behind() {
    let place = fresh();
    place.run(&["apply"]).expect(0);
    let checkout = place.checkout().join("systemd");
    fs::rename(
        checkout.join("hello.service"),
        checkout.join("greeter.service"),
    )
    .unwrap();
    place.remove(&["systemd/hello.service.d/limits.conf"]);
    place.commit("Rename hello to greeter");
    let apply = place.run(&["apply"]).expect(0);
    shows!("a_renamed_unit", apply.shown());
    let left: Vec<_> = place
        .host()
        .into_keys()
        .filter(|path| is_hello(path))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(
        place.read_host("/etc/systemd/system/multi-user.target.wants/greeter.service"),
        STATE[2].1
    );
}

/// Whether a path outside records and generations names the old unit.
fn is_hello(path: &std::path::Path) -> bool {
    let text = path.to_str().unwrap();
    text.contains("hello.service") && !text.contains("/generations/") && !text.contains("/backups/")
}

#[test]
fn one_kind_at_a_time() {
    let place = fresh();
    let units = place.run(&["apply", "--only", "unit"]).expect(0);
    assert_eq!(
        place.target("etc/nginx/sites-enabled/api.example.com"),
        None
    );
    assert_eq!(
        place.read_host("/etc/systemd/system/hello.service"),
        STATE[2].1
    );
    let rest = place.run(&["plan"]).expect(0);
    shows!(
        "one_kind_at_a_time",
        [&units, &rest].map(|run| run.shown()).join("\n")
    );
    place.run(&["apply"]).expect(0);
    assert_eq!(
        place.read_host("/etc/nginx/sites-enabled/api.example.com"),
        STATE[1].1
    );
    place.run(&["apply"]).expect(0);
    assert!(place.run(&["apply"]).stdout.starts_with("in sync"));
}

#[test]
fn another_revision_is_planned_and_applied_without_a_checkout() {
    let place = fresh();
    let first = place.commit("First again").to_string();
    place.write(&[(
        "sites-available/api.example.com",
        &STATE[1].1.replace("8001", "8002"),
    )]);
    place.commit("Move the API to 8002");
    place.run(&["apply"]).expect(0);
    let plan = place.run(&["plan", "--rev", "HEAD~1"]).expect(0);
    shows!("another_revision", plan.shown());
    place.run(&["apply", "--rev", &first]).expect(0);
    assert_eq!(
        place.read_host("/etc/nginx/sites-enabled/api.example.com"),
        STATE[1].1
    );
    assert!(
        place
            .checkout()
            .join("sites-available/api.example.com")
            .exists()
    );
}

#[test]
fn a_commit_that_changes_no_input_is_in_sync() {
    let place = fresh();
    place.run(&["apply"]).expect(0);
    let applied = place.host();
    place.write(&[("README.md", "Hello\n")]);
    place.commit("Explain");
    let again = place.run(&["apply"]).expect(0);
    assert!(again.stdout.starts_with("in sync"), "{}", again.shown());
    assert_eq!(place.host(), applied);
    place.run(&["drift"]).expect(0);
}

#[test]
fn a_pause_is_shown_and_ends() {
    let place = fresh();
    place.run(&["apply"]).expect(0);
    let pause = place
        .run(&["pause", "hello", "--for", "2h", "--reason", "memory"])
        .expect(0);
    let status = place.run(&["status"]).expect(0);
    place.run(&["apply"]).expect(0);
    let wrong = place
        .run(&["pause", "helo", "--reason", "memory"])
        .expect(1);
    let resume = place.run(&["resume", "hello"]).expect(0);
    let again = place.run(&["resume", "hello"]).expect(1);
    let after = place.run(&["status"]).expect(0);
    shows!(
        "a_pause",
        [&pause, &status, &wrong, &resume, &again, &after]
            .map(|run| run.shown())
            .join("\n")
    );
}

/// Whether some backup holds `content` of `path`.
fn is_backed_up(place: &Place, path: &str, content: &str) -> bool {
    let backups = place.on_host("var/lib/watchme-apply/backups");
    fs::read_dir(backups).unwrap().any(|run| {
        fs::read_to_string(run.unwrap().path().join(path)).is_ok_and(|text| text == content)
    })
}
