//! Applied on an offline root, twice: the second time nothing is done.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::{copy, copy_of, policy_of, read, repository, shipped, texts};

fn run(folder: &Path, arguments: &[&str]) -> Output {
    assert_cmd::Command::new(env!("CARGO_BIN_EXE_watchme-apply"))
        .args(arguments)
        .arg("--root")
        .arg(folder.join("root"))
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap()
}

/// Everything below a folder, to the last change of an inode.
fn state(folder: &Path) -> BTreeMap<PathBuf, (u64, i64, i64)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let metadata = path.symlink_metadata().unwrap();
        if metadata.is_dir() {
            found.extend(state(&path));
        }
        found.insert(
            path,
            (metadata.ino(), metadata.ctime(), metadata.ctime_nsec()),
        );
    }
    found
}

/// Plans, applies, applies again on an offline root; returns the folder with `root` in it.
fn applied_twice(relative: &str) -> tempfile::TempDir {
    let folder = copy_of(relative);
    git2::Repository::init(folder.path()).unwrap();
    fs::create_dir(folder.path().join("root")).unwrap();
    let expect = |arguments: &[&str], status| {
        let output = run(folder.path(), arguments);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(
            output.status.code(),
            Some(status),
            "{arguments:?}: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        text
    };
    expect(&["plan", "--worktree", "--detailed-exitcode"], 2);
    assert!(expect(&["apply", "--worktree"], 0).contains("\napplied"));
    let before = state(&folder.path().join("root"));
    assert!(expect(&["apply", "--worktree"], 0).starts_with("in sync"));
    expect(&["plan", "--worktree", "--detailed-exitcode"], 0);
    assert_eq!(
        state(&folder.path().join("root")),
        before,
        "nothing was written"
    );
    folder
}

#[test]
fn the_shipped_state_applies_twice() {
    let folder = applied_twice("desired-state");
    let etc = folder.path().join("root/etc");
    let target = |path: &str| {
        fs::read_link(etc.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let site = "/etc/watchme-apply/live/sites-available/api.hey-watch.me";
    assert_eq!(
        target("nginx/sites-available/api.hey-watch.me"),
        Path::new(site)
    );
    assert!(
        target("nginx/sites-enabled/api.hey-watch.me")
            .to_str()
            .unwrap()
            .contains("sites-available/api.hey-watch.me")
    );
    for (path, content) in texts(&repository().join("desired-state/systemd")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let live = target(&format!("systemd/system/{name}"));
        let stored = folder
            .path()
            .join("root")
            .join(live.strip_prefix("/").unwrap());
        assert_eq!(fs::read_to_string(stored).unwrap(), content, "{name}");
        if let Some(wanted) = content
            .lines()
            .find_map(|line| line.strip_prefix("WantedBy="))
        {
            target(&format!("systemd/system/{wanted}.wants/{name}"));
        }
    }
}

#[test]
fn the_minimal_example_applies_twice() {
    let folder = applied_twice("examples/minimal");
    let root = folder.path().join("root/etc");
    assert!(root.join("nginx/sites-enabled/hello.example").is_symlink());
    assert!(
        root.join("systemd/system/multi-user.target.wants/hello.service")
            .is_symlink()
    );
}

/// The pair is copied into the shipped state, as its README says.
#[test]
fn the_unattended_example_fits_the_shipped_state() {
    let folder = copy_of("desired-state");
    git2::Repository::init(folder.path()).unwrap();
    let state = folder.path().join("desired-state");
    let example = repository().join("examples/unattended/desired-state/systemd");
    copy(&example, &state.join("systemd"));
    let (desired, warnings) = read(&state);
    assert_eq!(warnings, Vec::<String>::new());
    assert!(desired.units["watchme-pull.timer"].start);
    let service = &desired.units["watchme-pull.service"];
    assert!(!service.start && service.names.is_empty(), "{service:?}");
    applied_twice("examples/unattended/desired-state");
}

/// The template is copied into the shipped state, as its README says, its snippet of watchme.toml included.
#[test]
fn the_service_template_fits_the_shipped_state() {
    let folder = copy_of("desired-state");
    git2::Repository::init(folder.path()).unwrap();
    let state = folder.path().join("desired-state");
    copy(
        &repository().join("examples/service-template/desired-state/compose"),
        &state.join("compose"),
    );
    copy(
        &repository().join("examples/service-template/desired-state/systemd"),
        &state.join("systemd"),
    );
    let readme =
        fs::read_to_string(repository().join("examples/service-template/README.md")).unwrap();
    let snippet = readme
        .split("```toml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    let policy = fs::read_to_string(state.join("watchme.toml")).unwrap();
    fs::write(state.join("watchme.toml"), format!("{policy}\n{snippet}")).unwrap();
    let (desired, warnings) = read(&state);
    assert_eq!(warnings, Vec::<String>::new());
    let unit = &desired.units["watchme-example-api.service"];
    assert!(
        unit.start
            && unit
                .names
                .iter()
                .any(|path| path.ends_with("compose/example-api/docker-compose.yml")),
        "{unit:?}"
    );
    let port = *unit.stacks[0].ports.first().unwrap();
    let allowed = policy_of(&state).ports.allowed;
    assert!(allowed.iter().any(|range| range.contains(&port)));
    let (before, _) = shipped();
    assert_eq!(
        desired.networks["watchme-network"].members.len(),
        before.networks["watchme-network"].members.len() + 1
    );
    applied_twice("examples/service-template/desired-state");
}

#[test]
fn the_examples_of_a_whole_server_are_read_without_a_warning() {
    for engine in ["docker", "podman"] {
        let folder = copy_of(&format!("examples/egov/{engine}"));
        let (desired, warnings) = read(&folder.path().join("desired-state"));
        assert_eq!(warnings, Vec::<String>::new(), "{engine}");
        assert_eq!(desired.secrets.len(), 5, "{engine}");
    }
}
