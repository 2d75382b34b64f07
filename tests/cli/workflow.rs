//! The workflow of examples/ci: its steps are run as a runner would, with a stand-in for `gh`.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use crate::support::{CLEAN, PROGRAM, Place};

/// The script of a step.
fn script(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci/watchme-apply.yml");
    let workflow: serde_yaml::Value =
        serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let steps = workflow["jobs"]["review"]["steps"].as_sequence().unwrap();
    let step = steps
        .iter()
        .find(|step| step["name"].as_str() == Some(name))
        .unwrap();
    step["run"].as_str().unwrap().to_owned()
}

/// Runs a step as GitHub's runners do, and returns its exit status and output.
fn step(place: &Place, name: &str) -> (i32, String) {
    let bin = place.beside("bin");
    fs::create_dir_all(&bin).unwrap();
    if !bin.join("gh").exists() {
        symlink(PROGRAM, bin.join("watchme-apply")).unwrap();
        let gh = "#!/bin/sh\ncase \" $* \" in *--paginate*) cat ../comments 2>/dev/null; exit 0 ;; esac\necho \"gh $*\"\ngrep -c . plan.md\n";
        fs::write(bin.join("gh"), gh).unwrap();
        fs::set_permissions(bin.join("gh"), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let output = Command::new("bash")
        .args(["-e", "-o", "pipefail", "-c", &script(name)])
        .current_dir(place.checkout())
        .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
        .env("NUMBER", "7")
        .env("GITHUB_REPOSITORY", "o/r")
        .env("GITHUB_STEP_SUMMARY", place.beside("summary.md"))
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8(text).unwrap(),
    )
}

#[test]
fn a_pull_request_is_checked_planned_and_commented() {
    let place = Place::git(CLEAN);
    place.write(&[("etc/logrotate.d/hello", "changed\n")]);
    place.commit("Second");
    assert_eq!(step(&place, "Check"), (0, String::new()));
    let (status, said) = step(&place, "Plan");
    assert_eq!(status, 0, "{said}");
    let summary = fs::read_to_string(place.beside("summary.md")).unwrap();
    assert!(summary.contains("### plan: 2 changes"), "{summary}");
    let (status, said) = step(&place, "Comment");
    assert_eq!(status, 0, "{said}");
    assert!(
        said.contains("gh pr comment 7 --body-file plan.md"),
        "{said}"
    );
    // The one of before is written anew.
    fs::write(place.checkout().join("../comments"), "11\n12\n").unwrap();
    let (status, said) = step(&place, "Comment");
    assert_eq!(status, 0, "{said}");
    let patch = "gh api --method PATCH repos/o/r/issues/comments/12 --field body=@plan.md";
    assert!(said.contains(patch), "{said}");
}

#[test]
fn errors_fail_the_run() {
    let place = Place::git(CLEAN);
    place.write(&[(
        "systemd/hello.service",
        "[Service]\nExecStart=/bin/true\n[Install\n",
    )]);
    place.commit("Second");
    let (status, said) = step(&place, "Check");
    assert_eq!(status, 2, "{said}");
    assert!(said.starts_with("::error title="), "{said}");
    let (status, said) = step(&place, "Plan");
    assert_eq!(status, 1, "{said}");
    let comment = fs::read_to_string(place.checkout().join("plan.md")).unwrap();
    let start =
        "<!-- watchme-apply plan -->\n### no plan\n```\nerror: the section header is not closed";
    assert!(comment.starts_with(start), "{comment}");
}
