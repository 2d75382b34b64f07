//! `plan --from --to`: what a reviewer sees before a merge, without a host.

use crate::check::BROKEN_SITE;
use crate::support::{Place, STATE, shows};

/// Three commits; the last changes a site and a unit's drop-in, and takes a file away.
fn merge() -> Place {
    let place = Place::git(STATE);
    place.write(&[
        (
            "sites-available/api.example.com",
            &STATE[1].1.replace("8001", "8002"),
        ),
        (
            "systemd/hello.service.d/limits.conf",
            "[Service]\nMemoryMax=96M\nEnvironment=API_KEY=hunter2 `@who` <b>|\n",
        ),
    ]);
    place.remove(&["etc/logrotate.d/hello"]);
    place.commit("Merge `x` | <y>");
    place
}

#[test]
fn a_merge_is_planned_without_a_host() {
    let place = merge();
    let before = place.host();
    let planned = place.run_here(&["plan", "--from", "HEAD~1"]).expect(0);
    shows!("merge", planned.shown());
    let json = place
        .run_here(&["plan", "--from", "HEAD~1", "--to", "HEAD", "--json"])
        .expect(0)
        .json();
    assert_eq!(json["from"]["subject"], "First");
    assert_eq!(json["changes"].as_array().unwrap().len(), 8, "{json}");
    let nothing = place
        .run_here(&[
            "plan",
            "--from",
            "HEAD",
            "--to",
            "HEAD",
            "--detailed-exitcode",
        ])
        .expect(0);
    assert!(
        nothing.stdout.ends_with("plan: nothing to do\n"),
        "{}",
        nothing.shown()
    );
    place
        .run_here(&["plan", "--from", "HEAD~1", "--detailed-exitcode"])
        .expect(2);
    assert_eq!(place.host(), before);
    let mut said = String::new();
    for wrong in [
        &["plan", "--to", "HEAD"][..],
        &["plan", "--from", "gone"],
        &["plan", "--from", "HEAD", "--rev", "HEAD"],
        &["plan", "--format", "markdown", "--json"],
    ] {
        let run = place.run_here(wrong);
        assert!(matches!(run.status, 1 | 64), "{}", run.shown());
        said.push_str(&run.shown());
    }
    shows!("merge_wrong", said);
}

#[test]
fn a_comment_for_a_pull_request() {
    let place = merge();
    let comment = place
        .run_here(&["plan", "--from", "HEAD~1", "--format", "markdown"])
        .expect(0);
    assert!(!comment.stdout.contains("hunter2"), "{}", comment.shown());
    shows!("comment", comment.shown());
}

#[test]
fn a_comment_is_never_longer_than_github_takes() {
    let place = Place::git(STATE);
    let site = |number: usize| {
        format!(
            "server {{\n    listen 80;\n    server_name s{number}.example.com;\n    # {}\n    return 404;\n}}\n",
            "long ".repeat(200)
        )
    };
    let files: Vec<(String, String)> = (0..400)
        .map(|number| (format!("sites-available/s{number}"), site(number)))
        .collect();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    place.write(&files);
    place.commit("Many");
    let comment = place
        .run_here(&["plan", "--from", "HEAD~1", "--format", "markdown"])
        .expect(0);
    let length = comment.stdout.chars().count();
    assert!((40_000..65_536).contains(&length), "{length}");
    assert!(
        comment.stdout.contains("diffs left out"),
        "{}",
        comment.shown()
    );
}

/// What a pull request begins from may hold nothing yet, be broken, or not be there.
#[test]
fn plans_begin_from_any_commit() {
    let place = Place::git(&[("README.md", "nothing yet\n")]);
    place.write(STATE);
    place.commit("First state");
    let mut said = place
        .run_here(&["plan", "--from", "HEAD~1"])
        .expect(0)
        .shown();
    // A merge that removes everything says so, if that is meant.
    let all = ["plan", "--from", "HEAD", "--to", "HEAD~1", "--allow-empty"];
    said.push_str(&place.run_here(&all).expect(1).shown());
    place.write(&[BROKEN_SITE]);
    place.commit("Broken");
    place.write(&[STATE[1]]);
    place.commit("Mended");
    said.push_str(
        &place
            .run_here(&["plan", "--from", "HEAD~1"])
            .expect(1)
            .shown(),
    );
    said.push_str(
        &place
            .run_here(&["plan", "--from", "nope"])
            .expect(1)
            .shown(),
    );
    // What actions/checkout brings without fetch-depth: 0.
    let git = place.checkout().join(".git");
    let branch = std::fs::read_to_string(git.join("HEAD")).unwrap();
    let branch = branch.trim().strip_prefix("ref: ").unwrap();
    let head = std::fs::read_to_string(git.join(branch)).unwrap();
    std::fs::write(git.join("shallow"), head).unwrap();
    let shallow = place.run_here(&["plan", "--from", "nope"]).expect(1);
    said.push_str(&shallow.shown());
    shows!("plan_from", said);
}
