//! `init` writes a desired state that is right as it is, and nothing over what is there.

use std::fs;

use crate::support::Place;

#[test]
fn a_new_desired_state_is_committed_and_clean() {
    let place = Place::plain(&[]);
    let new = place.beside("new/server-config");
    let folder = new.to_str().unwrap();
    let said = place.run(&["init", folder]).expect(0).stdout;
    for part in [
        "+ desired-state/watchme.toml",
        "a new repository in",
        "watchme-apply check",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let state = new.join("desired-state");
    let toml = fs::read_to_string(state.join("watchme.toml")).unwrap();
    assert!(toml.starts_with("#:schema watchme.schema.json\n"), "{toml}");
    assert!(state.join("watchme.schema.json").is_file());
    // Each key of the comments is one that can be used as it is written.
    let mut lines: Vec<&str> = toml.lines().filter(|line| !line.ends_with('.')).collect();
    lines.retain(|line| line.contains('=') || line.contains("# ["));
    let uncommented: String = lines
        .iter()
        .map(|line| format!("{}\n", line.trim_start_matches("# ")))
        .collect();
    assert!(uncommented.parse::<toml::Table>().is_ok(), "{uncommented}");

    let checked = place.run(&["check", "--desired-state", state.to_str().unwrap()]);
    assert_eq!(checked.expect(0).stdout, "nothing found in 1 file\n");
    let repo = git2::Repository::open(&new).unwrap();
    let head = repo.head().unwrap().peel_to_commit().unwrap();
    assert_eq!(head.parent_count(), 0);
    assert!(repo.statuses(None).unwrap().is_empty());
    // Secrets beside it stay out of git.
    fs::create_dir_all(state.join("compose/shop")).unwrap();
    fs::write(state.join("compose/shop/.env"), "PASSWORD=x\n").unwrap();
    let ignored = |entry: git2::StatusEntry<'_>| entry.status().is_ignored();
    assert!(repo.statuses(None).unwrap().iter().all(ignored));
}

#[test]
fn nothing_is_written_over_what_is_there() {
    let place = Place::git(&[("README.md", "Mine\n"), (".gitignore", "*.swp\n")]);
    let folder = place.checkout();
    let said = place
        .run(&["init", folder.to_str().unwrap()])
        .expect(0)
        .stdout;
    assert!(said.contains("not committed yet"), "{said}");
    assert_eq!(
        fs::read_to_string(folder.join("README.md")).unwrap(),
        "Mine\n"
    );
    let watchme = folder.join("desired-state/watchme.toml");
    fs::write(&watchme, "# mine\n").unwrap();
    let failed = place.run(&["init", folder.to_str().unwrap()]).expect(1);
    assert_eq!(
        failed.stderr,
        "error: [CHECKOUT]/desired-state already exists: nothing was written\n\
         hint: watchme-apply check looks at what is there; init writes only where there is no desired state\n"
    );
    assert_eq!(fs::read_to_string(&watchme).unwrap(), "# mine\n");
    // A folder that nobody can write into.
    let failed = place.run(&["init", "/proc/none"]).expect(1);
    assert!(
        failed
            .stderr
            .contains("could not create the folder /proc/none"),
        "{}",
        failed.stderr
    );
}

/// What a server has, only a server that runs can say.
#[test]
fn an_offline_root_is_not_imported() {
    let place = Place::plain(&[]);
    let new = place.beside("new");
    let failed = place.run(&["import", new.to_str().unwrap()]).expect(1);
    assert_eq!(
        failed.stderr,
        "error: an import looks at a host that runs, and --root names one that does not\n"
    );
    assert!(!new.exists());
    place.run(&["import"]).expect(64);
    place
        .run(&["import", "x", "--only", "everything"])
        .expect(64);
}
