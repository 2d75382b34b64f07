//! `capture` on an offline root: what it shows, writes and leaves, in words.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::support::{Place, STATE, keeps_to};

const UNIT: &str = "/etc/systemd/system/hello.service";

fn applied() -> Place {
    let place = Place::git(STATE);
    place.run(&["apply"]).expect(0);
    place
}

/// Puts a file in the place of our link, as editors do.
fn replace(place: &Place, path: &str, content: &str) {
    fs::remove_file(place.on_host(path)).unwrap();
    place.write_host(path, content);
}

fn in_checkout(place: &Place, path: &str) -> String {
    fs::read_to_string(place.checkout().join(path)).unwrap()
}

#[test]
fn an_edit_is_shown_and_written_on_request() {
    let place = applied();
    let nothing = place.run(&["capture"]).expect(0).stdout;
    assert!(nothing.starts_with("nothing to capture:"), "{nothing}");

    let unit = STATE[2].1.replace("Hello", "Good day");
    replace(&place, UNIT, &unit);
    let dropin = "/etc/systemd/system/hello.service.d/override.conf";
    place.write_host(dropin, "[Service]\nNice=5\n");
    let shown = place.run(&["capture"]).expect(2).stdout;
    for part in [
        "unit/hello.service  (/etc/systemd/system/hello.service)",
        "-Description=Hello",
        "+Description=Good day",
        "unit/hello.service  (new: /etc/systemd/system/hello.service.d/override.conf)",
        "+Nice=5",
        "nothing was written: sudo watchme-apply capture --yes writes 2 files in ",
    ] {
        assert!(shown.contains(part), "no {part}\n{shown}");
    }
    assert_eq!(in_checkout(&place, "systemd/hello.service"), STATE[2].1);

    let json = keeps_to("capture", place.run(&["capture", "--json"]).expect(2));
    assert_eq!(json["written"], false);
    assert_eq!(json["files"][0]["path"], "systemd/hello.service");
    assert!(
        json["files"][0]["diff"]
            .as_str()
            .unwrap()
            .contains("+Description=Good day")
    );

    // One by its name.
    place.run(&["capture", "--yes", dropin]).expect(0);
    assert_eq!(
        in_checkout(&place, "systemd/hello.service.d/override.conf"),
        "[Service]\nNice=5\n"
    );
    assert_eq!(in_checkout(&place, "systemd/hello.service"), STATE[2].1);
    let written = place.run(&["capture", "hello", "--write"]).expect(0).stdout;
    assert!(written.contains("wrote 1 file in "), "{written}");
    assert_eq!(in_checkout(&place, "systemd/hello.service"), unit);
    place.commit("by hand");
    place.run(&["apply"]).expect(0);
    place.run(&["plan"]).expect(0);
    assert_eq!(place.read_host(UNIT), unit);
}

#[test]
fn a_new_file_of_etc_is_added_by_its_path() {
    let place = applied();
    place.write_host("/etc/cron.d/nightly", "0 3 * * * root /usr/bin/true\n");
    place.run(&["capture"]).expect(0);
    place
        .run(&["capture", "--yes", "/etc/cron.d/nightly"])
        .expect(0);
    assert_eq!(
        in_checkout(&place, "etc/cron.d/nightly"),
        "0 3 * * * root /usr/bin/true\n"
    );

    for (path, content, why, help) in [
        (
            "/etc/app/db.env",
            "A=1\n",
            "its name suggests that it contains secrets",
            "docs/secrets.md",
        ),
        (
            "/etc/app/app.conf",
            "db_password = hunter2\n",
            "line 1 looks like a password",
            "docs/secrets.md",
        ),
        (
            "/etc/shadow",
            "root:x\n",
            "it belongs to this host alone",
            "docs/capture.md",
        ),
        (
            "/etc/nginx/sites-available/new",
            "server {}\n",
            "is added whole",
            "sites-available/new",
        ),
        ("/srv/x", "x\n", "only files below /etc", "docs/capture.md"),
    ] {
        place.write_host(path, content);
        let left = place.run(&["capture", "--yes", path]).expect(2).stdout;
        assert!(left.contains(why) && left.contains(help), "{path}: {left}");
        assert!(left.ends_with("nothing was written\n"), "{left}");
        assert!(!left.contains("hunter2"), "{left}");
    }
}

#[test]
fn what_cannot_be_captured_says_why() {
    let place = applied();
    for (name, words, hint) in [
        (
            "nobody",
            "nothing that differs from what was applied is named nobody",
            "watchme-apply drift lists what differs",
        ),
        (
            "/etc/../etc/x",
            "is named /etc/../etc/x",
            "watchme-apply drift",
        ),
        (
            "/etc/none",
            "there is no regular file at /etc/none",
            "ls -la /etc/none",
        ),
    ] {
        let error = place.run(&["capture", name]).expect(1).stderr;
        assert!(error.contains(words) && error.contains(hint), "{error}");
    }

    // Another change of the same line in git.
    replace(&place, UNIT, &STATE[2].1.replace("Hello", "Good day"));
    place.write(&[(
        "systemd/hello.service",
        &STATE[2].1.replace("Hello", "Good night"),
    )]);
    let left = place.run(&["capture", "--yes"]).expect(2).stdout;
    for part in [
        "the same lines changed on the host and, since generation 1, in systemd/hello.service of the checkout",
        "sudo diff /etc/systemd/system/hello.service ",
    ] {
        assert!(left.contains(part), "{left}");
    }
    // Another line, which merges.
    let in_git = STATE[2].1.replace("multi-user", "default");
    place.write(&[("systemd/hello.service", &in_git)]);
    let merged = place.run(&["capture", "--yes"]).expect(0).stdout;
    assert!(
        merged.contains("merged with what changed in the checkout"),
        "{merged}"
    );
    assert_eq!(
        in_checkout(&place, "systemd/hello.service"),
        in_git.replace("Hello", "Good day")
    );

    // A link in the checkout is not written through.
    place.write(&[("systemd/hello.service", STATE[2].1)]);
    let outside = place.beside("outside");
    fs::write(&outside, STATE[2].1).unwrap();
    let file = place.checkout().join("systemd/hello.service");
    fs::remove_file(&file).unwrap();
    symlink(&outside, &file).unwrap();
    let out = place.run(&["capture", "--yes"]);
    assert_ne!(out.status, 0, "{}", out.stdout);
    assert_eq!(fs::read_to_string(&outside).unwrap(), STATE[2].1);
    fs::remove_file(&file).unwrap();
    place.write(&[("systemd/hello.service", STATE[2].1)]);

    // A password that is new in a file of git's.
    let secret = format!("{}Environment=DB_PASSWORD=hunter2\n", STATE[3].1);
    replace(
        &place,
        "/etc/systemd/system/hello.service.d/limits.conf",
        &secret,
    );
    let left = place
        .run(&["capture", "--yes", "limits.conf"])
        .expect(2)
        .stdout;
    assert!(
        left.contains("line 3 looks like a password or a key"),
        "{left}"
    );
    assert!(!in_checkout(&place, "systemd/hello.service.d/limits.conf").contains("hunter2"));

    // What git does not have any more.
    place.remove(&["systemd/hello.service.d/limits.conf"]);
    replace(
        &place,
        "/etc/systemd/system/hello.service.d/limits.conf",
        "[Service]\nMemoryMax=65M\n",
    );
    let left = place.run(&["capture", "limits.conf"]).expect(2).stdout;
    assert!(
        left.contains("is gone from the checkout since generation 1"),
        "{left}"
    );

    // What is no edit.
    fs::remove_file(place.on_host("/etc/nginx/sites-enabled/api.example.com")).unwrap();
    let left = place.run(&["capture", "api.example.com"]).expect(2).stdout;
    assert!(
        left.contains("no edit of a file")
            && left.contains("drift --fix --only site/api.example.com"),
        "{left}"
    );
}

#[test]
fn what_only_root_may_read_on_the_host_stays_there() {
    let sudoers = "ubuntu ALL=(root) NOPASSWD: /usr/bin/true\n";
    let files = [
        STATE,
        &[
            ("etc/app/app.conf", "a = 1\n"),
            ("etc/app/site.htpasswd", "# users\n"),
            ("etc/sudoers.d/app", sudoers),
            ("watchme.toml", "[etc.\"sudoers.d/app\"]\nmode = \"0440\"\n"),
        ],
    ];
    let place = Place::git(&files.concat());
    place.run(&["apply"]).expect(0);
    let edit = |path: &str, content: &str, mode: u32| {
        replace(&place, path, content);
        fs::set_permissions(place.on_host(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    edit("/etc/app/app.conf", "a = 2\npin 2718\n", 0o600);
    edit("/etc/app/site.htpasswd", "# users\nann:$2y$05$x\n", 0o644);
    let sudoers = sudoers.replace("true", "false");
    edit("/etc/sudoers.d/app", &sudoers, 0o440);
    let left = place.run(&["capture", "--yes"]).expect(2).stdout;
    for part in [
        "/etc/app/app.conf: it stays out of git: others may not read it (mode 0600)",
        "if it has no secrets: sudo cat /etc/app/app.conf > ",
        "/etc/app/site.htpasswd: it stays out of git: its name suggests that it contains secrets",
        "wrote 1 file in ",
    ] {
        assert!(left.contains(part), "no {part}\n{left}");
    }
    assert!(!left.contains("2718") && !left.contains("ann:"), "{left}");
    assert_eq!(in_checkout(&place, "etc/app/app.conf"), "a = 1\n");
    assert_eq!(in_checkout(&place, "etc/app/site.htpasswd"), "# users\n");
    assert_eq!(in_checkout(&place, "etc/sudoers.d/app"), sudoers);
}

#[test]
fn no_link_is_a_way_around_what_is_left_out() {
    let place = applied();
    place.write_host("/etc/passwd", "root:x:0:0::/root:/bin/sh\n");
    place.write_host("/root/notes.conf", "a = 1\n");
    place.write_host("/etc/.git/config", "[core]\n");
    place.link_host("/etc/dot", ".");
    place.link_host("/etc/rootlink", "/root");
    for (path, why, help) in [
        (
            "/etc/dot/passwd",
            "/etc/dot is a link",
            "name the file by its own path: /etc/passwd",
        ),
        (
            "/etc/dot/dot/passwd",
            "/etc/dot is a link",
            "name the file by its own path: /etc/passwd",
        ),
        (
            "/etc/rootlink/notes.conf",
            "/etc/rootlink is a link",
            "name the file by its own path: /root/notes.conf",
        ),
        (
            "/etc/.git/config",
            "no repository can have files in a folder .git",
            "docs/capture.md",
        ),
    ] {
        let left = place.run(&["capture", "--yes", path]).expect(2).stdout;
        assert!(left.contains(why) && left.contains(help), "{path}: {left}");
        assert!(left.ends_with("nothing was written\n"), "{left}");
        assert!(!place.checkout().join(&path[1..]).exists(), "{path}");
    }
}

#[test]
fn nothing_is_written_through_a_link_among_the_folders_of_the_checkout() {
    let place = applied();
    fs::create_dir_all(place.checkout().join("etc")).unwrap();
    fs::create_dir(place.checkout().join("other")).unwrap();
    symlink("../other", place.checkout().join("etc/lnk")).unwrap();
    place.write_host("/etc/lnk/app.conf", "a = 1\n");
    for arguments in [&["capture"][..], &["capture", "--yes"]] {
        let refused = place.run(&[arguments, &["/etc/lnk/app.conf"]].concat());
        let refused = refused.expect(1);
        for part in [
            "etc/lnk is a link to ../other, and nothing is written through a link",
            "put a folder in its place",
        ] {
            assert!(refused.stderr.contains(part), "{part}: {}", refused.shown());
        }
        assert!(!refused.stdout.contains("a = 1"), "{}", refused.shown());
    }
    assert!(!place.checkout().join("other/app.conf").exists());
}

#[test]
fn nothing_applied_is_nothing_to_compare_with() {
    let place = Place::git(STATE);
    let error = place.run(&["capture"]).expect(1).stderr;
    assert!(error.contains("nothing was applied"), "{error}");
}
