//! A checkout that holds what no desired state may: strange names, links, sizes, owners, revisions. Each gets a
//! clear error and changes nothing.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::bad_input::untouched;
use crate::support::{Place, STATE, commit_tree, raw_tree, shows};

#[test]
fn names_and_sizes() {
    let large = format!("# {}\n", "x".repeat(1 << 20));
    let place = Place::git(&[("sites-available/a", &large)]);
    let size = untouched(&place, &["sites-available/a", "1048579", "1048576"]);

    let place = Place::git(STATE);
    symlink(
        "hello.service",
        place.checkout().join("systemd/bye.service"),
    )
    .unwrap();
    place.commit("Two names");
    let unit = untouched(
        &place,
        &["systemd/bye.service", "systemd/hello.service", "twice"],
    );

    let place = Place::git(STATE);
    symlink(
        "api.example.com",
        place.checkout().join("sites-available/www.example.com"),
    )
    .unwrap();
    place.commit("Two names");
    let site = untouched(
        &place,
        &[
            "sites-available/api.example.com",
            "www.example.com",
            "twice",
        ],
    );

    let place = Place::git(STATE);
    place.write(&[(
        "systemd/a.service",
        "[Service]\nExecStart=/bin/true\n[Install]\nAlias=hello.service\n",
    )]);
    place.commit("An alias that is taken");
    let alias = untouched(&place, &["systemd/a.service:4:", "hello.service", "twice"]);
    shows!("names_and_sizes", [size, unit, site, alias].join("\n"));
}

/// Names that no work tree can have, or that git refuses to make there: objects can hold them.
#[test]
fn names_that_only_git_objects_can_have() {
    let mut said = String::new();
    for (folder, name, told) in [
        ("sites-available", &b"../../../etc/passwd"[..], "slash"),
        ("sites-available", b"a/b", "slash"),
        ("sites-available", b"a\nb", "control character"),
        ("sites-available", b"a\x1b[2Jb", "control character"),
        ("sites-available", b"..", "not a file name"),
        ("sites-available", b"\xff\xfe", "UTF-8"),
        ("sites-available", b"-t", "dash"),
        ("systemd", b"a/../b.service", "slash"),
        ("systemd", b"a\tb.service", "control character"),
        ("etc", b"cron.d/x", "slash"),
    ] {
        let place = Place::git(STATE);
        let repo = git2::Repository::open(place.checkout()).unwrap();
        let blob = repo.blob(b"# empty\n").unwrap();
        let inner = raw_tree(&repo, &[(0o100644, name, blob)]);
        let root = raw_tree(&repo, &[(0o40000, folder.as_bytes(), inner)]);
        commit_tree(&repo, root, "A strange name");
        said.push_str(&untouched(&place, &[folder, told]));
    }
    assert!(
        !said.contains(|c: char| c.is_control() && c != '\n'),
        "{said:?}"
    );
    shows!("names_that_only_git_objects_can_have", said);
}

#[test]
fn links_that_leave_the_checkout() {
    let mut said = String::new();
    for (link, target) in [
        ("sites-available/a", "../../outside"),
        ("sites-available/a", "/etc/hostname"),
        ("sites-available/a", "b"),
        ("sites-available/a", "nowhere"),
        ("sites-available/a", "a"),
        ("systemd/a.service", "../../outside"),
        ("systemd/hello.service.d/b.conf", "/proc/self/environ"),
        ("etc/secret", "../../outside"),
        ("watchme.toml", "../outside"),
    ] {
        let place = Place::git(&STATE[1..]);
        fs::write(place.beside("outside"), "outside-secret").unwrap();
        // A chain: `a` leads to `b`, and that one leaves.
        if target == "b" {
            symlink("../../outside", place.checkout().join("sites-available/b")).unwrap();
        }
        symlink(target, place.checkout().join(link)).unwrap();
        place.commit("A link");
        let text = untouched(&place, &[link.rsplit('/').next().unwrap(), "link"]);
        assert!(!text.contains("outside-secret"));
        let worktree = place.run(&["apply", "--worktree"]).expect(1);
        assert_eq!(worktree.stderr, text, "the same in the work tree");
        said.push_str(&format!("== {link} -> {target}\n{text}"));
    }
    shows!("links_that_leave_the_checkout", said);
}

#[test]
fn links_within_the_checkout_are_fine() {
    let place = Place::git(&[("shared/a.conf", STATE[1].1)]);
    fs::create_dir(place.checkout().join("sites-available")).unwrap();
    symlink(
        "../shared/a.conf",
        place.checkout().join("sites-available/a.example.com"),
    )
    .unwrap();
    place.commit("A link");
    place.run(&["apply"]).expect(0);
    assert_eq!(
        place.read_host("/etc/nginx/sites-enabled/a.example.com"),
        STATE[1].1
    );
}

#[test]
fn revisions() {
    let place = Place::git(STATE);
    let before = place.host();
    let unknown = place.run(&["apply", "--rev", "no-such-branch"]).expect(1);
    let plain = Place::plain(STATE);
    let not_git = plain.run(&["plan", "--rev", "main"]).expect(1);
    let unborn = Place::plain(STATE);
    git2::Repository::init(unborn.checkout()).unwrap();
    let no_commit = unborn.run(&["apply"]).expect(1);
    assert_eq!(place.host(), before);
    shows!(
        "revisions",
        [&unknown, &not_git, &no_commit]
            .map(|run| run.shown())
            .join("\n")
    );
    for (run, words) in [
        (&unknown, "no-such-branch"),
        (&not_git, "main"),
        (&no_commit, "no commit"),
    ] {
        assert!(
            run.stderr.contains(words) && run.stderr.contains("hint:"),
            "{}",
            run.shown()
        );
    }
}

#[test]
fn inputs_that_differ_from_the_commit() {
    let place = Place::git(STATE);
    place.write(&[
        ("sites-available/api.example.com", "server { listen 81; }\n"),
        ("systemd/new.service", "[Service]\nExecStart=/bin/true\n"),
        ("notes.txt", "not an input\n"),
    ]);
    place.remove(&["etc/logrotate.d/hello"]);
    let before = place.host();
    let apply = place.run(&["apply"]).expect(1);
    assert_eq!(place.host(), before);
    for path in [
        "sites-available/api.example.com",
        "systemd/new.service",
        "etc/logrotate.d/hello",
        "--worktree",
    ] {
        assert!(apply.stderr.contains(path), "{}", apply.shown());
    }
    assert!(!apply.stderr.contains("notes.txt"));
    let plan = place.run(&["plan"]).expect(0);
    assert!(
        plan.stdout.contains("listen 81"),
        "the work tree is planned, and it is said"
    );
    let worktree = place.run(&["apply", "--worktree"]).expect(0);
    assert_eq!(
        place.read_host("/etc/nginx/sites-enabled/api.example.com"),
        "server { listen 81; }\n"
    );
    shows!(
        "dirty_inputs",
        [&apply, &plan, &worktree].map(|run| run.shown()).join("\n")
    );
}

#[test]
fn a_checkout_that_everybody_may_write() {
    if !nix::unistd::geteuid().is_root() {
        return eprintln!("skipped: only root refuses what others could have written");
    }
    for (part, git) in [("", false), ("", true), (".git", true)] {
        let place = if git {
            Place::git(STATE)
        } else {
            Place::plain(STATE)
        };
        let path = place.checkout().join(part);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        let text = untouched(
            &place,
            &["[CHECKOUT]", "0777", "hint: chmod o-w [CHECKOUT]"],
        );
        if part.is_empty() {
            shows!("a_checkout_that_everybody_may_write", text);
        }
    }
    let place = Place::git(STATE);
    nix::unistd::chown(&place.checkout().join(".git"), Some(65534.into()), None).unwrap();
    shows!(
        "a_checkout_of_somebody_else",
        untouched(&place, &[".git", "65534", "hint: "])
    );
}

#[test]
fn what_is_no_file() {
    let place = Place::plain(STATE);
    nix::unistd::mkfifo(
        &place.checkout().join("sites-available/pipe"),
        nix::sys::stat::Mode::S_IRWXU,
    )
    .unwrap();
    let pipe = untouched(&place, &["sites-available/pipe", "pipe"]);

    let place = Place::git(STATE);
    let repo = git2::Repository::open(place.checkout()).unwrap();
    let commit = repo.head().unwrap().peel_to_commit().unwrap().id();
    let inner = raw_tree(&repo, &[(0o160000, b"api", commit)]);
    let root = raw_tree(&repo, &[(0o40000, b"sites-available", inner)]);
    commit_tree(&repo, root, "A submodule");
    let submodule = untouched(&place, &["sites-available/api", "submodule"]);

    let place = Place::plain(&[("sites-available", "a file\n"), ("watchme.toml", "")]);
    let file = untouched(
        &place,
        &["sites-available is a file, where a folder belongs\n"],
    );
    shows!("what_is_no_file", [pipe, submodule, file].join("\n"));
}

#[test]
fn files_for_folders_of_other_kinds() {
    let mut said = String::new();
    for path in [
        "etc/nginx/sites-enabled/x",
        "etc/systemd/system/x.service",
        "etc/watchme-apply/live/x",
    ] {
        // Beside folders of their own.
        let place = Place::git(&[(path, "x\n"), STATE[1], STATE[2]]);
        said.push_str(&untouched(&place, &[path]));
    }
    shows!("files_for_folders_of_other_kinds", said);
}
