//! A host belongs to one repository, wherever its checkout lies.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Output, Place, STATE, put};

/// A repository beside the checkout, with a desired state of its own.
fn another(place: &Place, remote: Option<&str>) -> PathBuf {
    let folder = place.beside("other");
    let repo = git2::Repository::init(&folder).unwrap();
    put(&folder.join("systemd/other.service"), STATE[2].1);
    commit(&folder, "Another");
    if let Some(remote) = remote {
        repo.remote("origin", remote).unwrap();
    }
    folder
}

fn commit(folder: &Path, subject: &str) {
    let repo = git2::Repository::open(folder).unwrap();
    let mut index = repo.index().unwrap();
    index
        .add_all(["*"], git2::IndexAddOption::DEFAULT, None)
        .unwrap();
    index.write().unwrap();
    let tree = index.write_tree().unwrap();
    crate::support::commit_tree(&repo, tree, subject);
}

fn run(place: &Place, folder: &Path, arguments: &[&str]) -> Output {
    let folder = ["--desired-state", folder.to_str().unwrap()];
    place.run(&[arguments, &folder].concat())
}

#[test]
fn another_repository_is_refused_before_anything_happens() {
    let place = Place::git(STATE);
    place.run(&["apply"]).expect(0);
    let other = another(
        &place,
        Some("https://user:open-sesame@example.com/o/other.git"),
    );
    let applied = place.host();
    for command in [
        &["apply"][..],
        &["plan"],
        &["apply", "--unattended"],
        &["apply", "--yes"],
    ] {
        let refused = run(&place, &other, command).expect(1);
        let said = &refused.stderr;
        assert!(
            said.contains("this host has the desired state of [CHECKOUT] (first commit "),
            "{said}"
        );
        assert!(said.contains("[FOLDER]/other (https://example.com/o/other.git) is another repository; nothing was changed"), "{said}");
        assert!(
            said.contains("watchme-apply plan --take-over") && !said.contains("sesame"),
            "{said}"
        );
        assert_eq!(place.host(), applied, "{command:?}");
    }
    // What is on the host is still compared with what was applied, and the other one is not pending there.
    let drift = run(&place, &other, &["drift"]).expect(0);
    assert!(
        drift.stdout.contains("is another repository")
            || drift.stderr.contains("is another repository"),
        "{}",
        drift.shown()
    );
    run(&place, &other, &["apply", "--unattended", "--take-over"]).expect(64);

    let plan = run(&place, &other, &["plan", "--take-over"]).expect(0);
    assert!(
        plan.stdout.contains("takes the host over from [CHECKOUT]"),
        "{}",
        plan.shown()
    );
    assert_eq!(place.host(), applied);
    run(&place, &other, &["apply", "--take-over"]).expect(0);
    assert!(
        !place
            .on_host("etc/nginx/sites-available/api.example.com")
            .exists()
    );
    assert_eq!(
        place.read_host("/etc/systemd/system/other.service"),
        STATE[2].1
    );
    // From now on it is that one's.
    run(&place, &other, &["apply"]).expect(0);
    place.run(&["apply"]).expect(1);
    // Going back goes back to the other one, too.
    place.run(&["rollback"]).expect(0);
    place.run(&["apply"]).expect(0);
    run(&place, &other, &["apply"]).expect(1);
}

#[test]
fn a_folder_outside_git_is_nobodys_repository() {
    let place = Place::git(STATE);
    place.run(&["apply"]).expect(0);
    let plain = place.beside("plain");
    put(&plain.join("systemd/other.service"), STATE[2].1);
    let refused = run(&place, &plain, &["apply"]).expect(1);
    assert!(
        refused
            .stderr
            .contains("[FOLDER]/plain (not in git) is another repository"),
        "{}",
        refused.shown()
    );
    run(&place, &plain, &["apply", "--take-over"]).expect(0);
    run(&place, &plain, &["apply"]).expect(0);
    let refused = place.run(&["apply"]).expect(1);
    assert!(
        refused
            .stderr
            .contains("has the desired state of [FOLDER]/plain (not in git)"),
        "{}",
        refused.shown()
    );
}

/// What an older version wrote down does not tell whose it is, and stands in nobody's way.
#[test]
fn a_record_that_does_not_tell_matches_anything() {
    let place = Place::git(STATE);
    place.run(&["apply"]).expect(0);
    let mut forgot = 0;
    for entry in place.host().into_keys() {
        if let Ok(text) = fs::read_to_string(&entry)
            && let Ok(mut record) = serde_json::from_str::<serde_json::Value>(&text)
            && forget(&mut record)
        {
            fs::write(&entry, serde_json::to_string(&record).unwrap()).unwrap();
            forgot += 1;
        }
    }
    assert!(forgot > 0);
    place.run(&["apply"]).expect(0);
    let other = another(&place, None);
    run(&place, &other, &["plan"]).expect(0);
}

/// Takes `repository` out of every origin.
fn forget(value: &mut serde_json::Value) -> bool {
    match value {
        serde_json::Value::Object(map) => {
            let had = map.remove("repository").is_some();
            map.values_mut()
                .fold(had, |had, value| forget(value) || had)
        }
        serde_json::Value::Array(list) => {
            list.iter_mut().map(forget).filter(|had| *had).count() > 0
        }
        _ => false,
    }
}

/// A unit runs a script of the checkout, with a file that git ignores, and a compose file with a variable of `.env`.
fn named(place: &Place) {
    let checkout = place.checkout();
    let unit = format!(
        "[Service]\nEnvironmentFile={0}/.env\nExecStartPre={0}/run.sh {0}/data.json\nExecStart=/usr/bin/docker-compose -f {0}/compose.yml up\n[Install]\nWantedBy=multi-user.target\n",
        checkout.display()
    );
    let compose = "services:\n  app:\n    image: app:1\n    container_name: ${NAME:-nobody}\n    ports: ['127.0.0.1:${PORT:-8009}:80']\n";
    place.write(&[
        ("systemd/named.service", &unit),
        ("run.sh", "#!/bin/sh\n"),
        ("compose.yml", compose),
        (".gitignore", ".env\ndata.json\n"),
    ]);
    place.commit("Named");
    place.write(&[(".env", "NAME=app\nPORT=8010\n"), ("data.json", "{}\n")]);
}

#[test]
fn every_clone_of_the_repository_gives_the_same_plan() {
    let place = Place::git(STATE);
    named(&place);
    place.run(&["apply"]).expect(0);
    let applied = place.host();
    let clone = place.beside("clone");
    git2::Repository::clone(place.checkout().to_str().unwrap(), &clone).unwrap();
    let plan = run(&place, &clone, &["plan", "--json"]).expect(0).json();
    assert_eq!(plan["in_sync"], true, "{plan:#}");
    run(&place, &clone, &["apply"]).expect(0);
    run(&place, &clone, &["drift"]).expect(0);
    assert_eq!(place.host(), applied);

    // A change that the clone has is the change that the checkout would bring.
    put(&clone.join("run.sh"), "#!/bin/sh\nexit 0\n");
    commit(&clone, "Changed");
    let plan = run(&place, &clone, &["plan"]).expect(0);
    assert!(plan.stdout.contains("plan: 1 change:"), "{}", plan.shown());
    run(&place, &clone, &["apply"]).expect(0);
    let bound = place.read_host("/etc/systemd/system/named.service.d/zz-watchme-apply-files.conf");
    assert!(
        bound.contains(place.checkout().to_str().unwrap()),
        "{bound}"
    );
    assert!(!bound.contains(clone.to_str().unwrap()), "{bound}");
    // The checkout has not pulled yet: it is behind, and not another one.
    place.run(&["plan"]).expect(0);
}

/// The checkout moved, and its units say so.
#[test]
fn a_checkout_may_move() {
    let place = Place::git(STATE);
    named(&place);
    place.run(&["apply"]).expect(0);
    let moved = place.beside("moved");
    fs::rename(place.checkout(), &moved).unwrap();
    let plan = |arguments: &[&str]| {
        let mut command = place.command();
        command
            .current_dir(&moved)
            .args(arguments)
            .arg("--root")
            .arg(place.root());
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    };
    let unit = fs::read_to_string(moved.join("systemd/named.service")).unwrap();
    let here = place.checkout();
    let unit = unit.replace(here.to_str().unwrap(), moved.to_str().unwrap());
    put(&moved.join("systemd/named.service"), &unit);
    commit(&moved, "Moved");
    plan(&["apply"]);
    let bound = place.read_host("/etc/systemd/system/named.service.d/zz-watchme-apply-files.conf");
    assert!(bound.contains(moved.to_str().unwrap()), "{bound}");
    assert!(plan(&["plan"]).contains("nothing to do"));
}

/// A shallow clone knows no first commit: what it was cloned from tells, and nothing where that is not known.
#[test]
fn a_shallow_clone_is_not_refused() {
    let place = Place::git(STATE);
    place.run(&["apply"]).expect(0);
    let clone = place.beside("clone");
    let repo = git2::Repository::clone(place.checkout().to_str().unwrap(), &clone).unwrap();
    put(&clone.join("watchme.toml"), "absent = []\n");
    commit(&clone, "Newer");
    let head = repo.head().unwrap().target().unwrap();
    put(&clone.join(".git/shallow"), &format!("{head}\n"));
    run(&place, &clone, &["plan"]).expect(0);
    // Somebody else's, and shallow, too.
    let other = another(&place, Some("https://example.com/o/other"));
    let head = git2::Repository::open(&other)
        .unwrap()
        .head()
        .unwrap()
        .target()
        .unwrap();
    put(&other.join(".git/shallow"), &format!("{head}\n"));
    git2::Repository::open(place.checkout())
        .unwrap()
        .remote("origin", "git@example.com:o/mine.git")
        .unwrap();
    place.write(&[("watchme.toml", "absent = []\n")]);
    place.commit("Remote");
    place.run(&["apply"]).expect(0);
    let refused = run(&place, &other, &["plan"]).expect(1);
    assert!(
        refused.stderr.contains("git fetch --unshallow"),
        "{}",
        refused.shown()
    );
}

/// A branch that shares no commit with the others is still one of the same repository.
#[test]
fn an_orphan_branch_is_no_other_repository() {
    let place = Place::git(STATE);
    place.run(&["apply"]).expect(0);
    let repo = git2::Repository::open(place.checkout()).unwrap();
    let tree = repo.head().unwrap().peel_to_tree().unwrap();
    let author = git2::Signature::now("Hanako", "hanako@example.com").unwrap();
    repo.commit(
        Some("refs/heads/orphan"),
        &author,
        &author,
        "Orphan",
        &tree,
        &[],
    )
    .unwrap();
    place.run(&["plan", "--rev", "orphan"]).expect(0);
}
