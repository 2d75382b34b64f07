//! Sites, and which revision of them is read.

use super::{NOBODY, UNITS, applied_host, change, restarted};
use crate::support::{CHECKOUT, Host, site, sleeper};

#[test]
fn a_change_of_a_site_reloads_nginx_and_touches_no_unit() {
    let host = applied_host();
    assert_eq!(
        (host.page("a"), host.page("b")),
        ("a first".into(), "b first".into())
    );

    let (workers, reloads) = (host.nginx_workers(), host.reloads());
    assert_eq!(
        change(&host, "sites-available/a", Some(&site("a", "a second"))),
        NOBODY
    );
    assert_eq!(
        (host.page("a"), host.page("b")),
        ("a second".into(), "b first".into())
    );
    assert_eq!(
        host.reloads(),
        reloads + 1,
        "nginx once, systemd not at all"
    );
    assert!(
        host.nginx_workers()
            .iter()
            .all(|worker| !workers.contains(worker))
    );
    host.assert_linked(
        "/etc/nginx/sites-enabled/a",
        "desired-state/sites-available/a",
    );

    assert_eq!(
        change(&host, "sites-available/c", Some(&site("c", "c first"))),
        NOBODY
    );
    assert_eq!(host.page("c"), "c first");
    host.assert_linked(
        "/etc/nginx/sites-available/c",
        "desired-state/sites-available/c",
    );

    host.sh_as(
        "ubuntu",
        &format!("cd {CHECKOUT}/desired-state/sites-available; git mv c renamed"),
    );
    host.commit(&[], "renamed");
    host.apply(&[]).expect(0);
    assert_eq!(host.page("c"), "c first", "served under its other name");
    for folder in ["sites-available", "sites-enabled"] {
        assert!(!host.stands(&format!("/etc/nginx/{folder}/c")), "{folder}");
        host.assert_linked(
            &format!("/etc/nginx/{folder}/renamed"),
            "desired-state/sites-available/renamed",
        );
    }

    assert_eq!(change(&host, "sites-available/renamed", None), NOBODY);
    assert_ne!(host.page("c"), "c first");
    for path in [
        "/etc/nginx/sites-enabled/renamed",
        "/etc/nginx/sites-available/renamed",
    ] {
        assert!(!host.stands(path), "{path}");
    }
    assert!(!host.stands("/etc/watchme-apply/live/sites-available/renamed"));
    host.assert_does_nothing(&["apply"]).expect(0);
}

#[test]
fn what_is_read_is_what_was_asked_for() {
    let host = applied_host();
    a_readme_is_in_sync(&host);
    a_branch_is_planned_and_applied(&host);
    dirty_inputs_are_refused_with_their_list(&host);
    only_a_site_leaves_the_rest(&host);
    a_site_that_nginx_refuses_changes_nothing(&host);
}

fn a_readme_is_in_sync(host: &Host) {
    host.commit(&[("README.md", Some("second\n"))], "only a readme");
    let said = host.assert_does_nothing(&["apply"]).expect(0).stdout;
    assert!(said.contains("in sync"), "{said}");
}

fn a_branch_is_planned_and_applied(host: &Host) {
    let in_checkout = |script: &str| host.sh_as("ubuntu", &format!("cd {CHECKOUT}; {script}"));
    in_checkout("git checkout -q -b proposed");
    host.commit(
        &[(
            "desired-state/sites-available/a",
            Some(&site("a", "a proposed")),
        )],
        "proposed",
    );
    in_checkout("git checkout -q main");
    let plan = host
        .assert_does_nothing(&["plan", "--rev", "proposed", "--detailed-exitcode"])
        .expect(2)
        .stdout;
    assert!(
        plan.contains("+        return 200 \"a proposed\";"),
        "{plan}"
    );
    assert_eq!(host.page("a"), "a first");
    host.apply(&["--rev", "proposed"]).expect(0);
    assert_eq!(host.page("a"), "a proposed");
    host.assert_does_nothing(&["apply", "--rev", "proposed"])
        .expect(0);
    host.apply(&[]).expect(0);
    assert_eq!(host.page("a"), "a first", "HEAD again");
    let unknown = host
        .assert_untouched(|host| host.apply(&["--rev", "no-such-branch"]))
        .expect(1);
    assert!(
        unknown.stderr.contains("no-such-branch"),
        "{}",
        unknown.stderr
    );
}

fn dirty_inputs_are_refused_with_their_list(host: &Host) {
    host.sh_as("ubuntu", &format!("cd {CHECKOUT}/desired-state; sed -i 's/a first/a dirty/' sites-available/a
        printf '[Service]\\nExecStart=/bin/sleep 1004\\n' >systemd/four.service; echo note >>../README.md"));
    let refused = host
        .assert_untouched(|host| host.apply(&[]))
        .expect(1)
        .stderr;
    for path in [
        "desired-state/sites-available/a",
        "desired-state/systemd/four.service",
        "--worktree",
    ] {
        assert!(refused.contains(path), "{path} is not in\n{refused}");
    }
    assert!(!refused.contains("README"), "no input:\n{refused}");
    let plan = host.assert_does_nothing(&["plan"]).expect(0).stdout;
    assert!(
        plan.contains("a dirty") && plan.contains("differs from the commit"),
        "{plan}"
    );
    let folder = format!("{CHECKOUT}/desired-state/sites-available");
    host.sh(&format!("chmod o+w {folder}"));
    let open = host.assert_untouched(|host| host.apply(&["--worktree"]));
    let open = open.expect(1).stderr;
    assert!(
        open.contains(&format!("{folder} is writable by every user"))
            && open.contains("hint: chmod o-w"),
        "{open}"
    );
    host.sh(&format!("chmod o-w {folder}"));
    host.apply(&["--worktree"]).expect(0);
    assert_eq!(host.page("a"), "a dirty");
    assert_eq!(host.property("four.service", "LoadState"), "loaded");
    assert!(
        !host.is_active("four.service"),
        "without [Install] it is only linked"
    );

    host.sh_as(
        "ubuntu",
        &format!("cd {CHECKOUT}; git checkout -q .; rm desired-state/systemd/four.service"),
    );
    host.apply(&[]).expect(0);
    assert_eq!(host.page("a"), "a first");
    assert_eq!(host.property("four.service", "LoadState"), "not-found");
}

fn only_a_site_leaves_the_rest(host: &Host) {
    host.commit(
        &[
            (
                "desired-state/sites-available/a",
                Some(&site("a", "a third")),
            ),
            (
                "desired-state/sites-available/b",
                Some(&site("b", "b third")),
            ),
            ("desired-state/systemd/one.service", Some(&sleeper(2001))),
        ],
        "three things",
    );
    let before = host.runs(&UNITS);
    host.apply(&["--only", "site/b"]).expect(0);
    assert_eq!(
        (host.page("a"), host.page("b")),
        ("a first".into(), "b third".into())
    );
    assert_eq!(restarted(host, &before), NOBODY);
    assert!(
        host.property("one.service", "ExecStart")
            .contains("sleep 1001")
    );
    assert!(
        host.read("/etc/systemd/system/one.service")
            .contains("sleep 1001")
    );
    let pending = host.tool(&["drift"]).expect(2).stdout;
    let lines: Vec<&str> = pending
        .lines()
        .filter(|line| line.starts_with("pending"))
        .collect();
    assert_eq!(lines.len(), 2, "site/a and one.service: {pending}");
    host.assert_does_nothing(&["apply", "--only", "site/b"])
        .expect(0);

    host.apply(&[]).expect(0);
    assert_eq!(host.page("a"), "a third");
    assert_eq!(restarted(host, &before), ["one.service"]);
}

fn a_site_that_nginx_refuses_changes_nothing(host: &Host) {
    let (picture, workers) = (host.picture(), host.nginx_workers());
    let bad = site("b", "b broken").replace("return 200", "rewrite_all");
    host.commit(
        &[("desired-state/sites-available/b", Some(&bad))],
        "broken site",
    );
    let failed = host.apply(&[]).expect(1);
    for part in [
        "unknown directive",
        "rewrite_all",
        "desired-state/sites-available/b:5",
    ] {
        assert!(
            failed.stderr.contains(part),
            "{part} is not in\n{}",
            failed.stderr
        );
    }
    host.assert_unchanged(&picture, "a bad site");
    assert_eq!(host.nginx_workers(), workers, "not reloaded at all");
    assert_eq!(host.page("b"), "b third");
    host.sh("nginx -t; systemctl reload nginx");
    assert_eq!(host.page("b"), "b third", "also after a reload by hand");
    let status = host.tool(&["status"]).expect(0).stdout;
    assert!(
        status.contains("three things"),
        "what is applied is still the revision before:\n{status}"
    );
}
