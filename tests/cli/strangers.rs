//! Compose files in the style of what strangers publish: samples of products, a folder for each service of a home server, applications
//! with overrides, stacks with labels, monitoring, development. Whoever runs `check` there sees what is wrong, and not a list of habits.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::Place;

/// What is an error in them, and is one.
const ERRORS: [(&str, &str, &str); 4] = [
    // Docker opens databases to the whole network, past the host's firewall.
    ("django-saas", "port-public", "docker-compose.override.yml"),
    ("php-shop", "port-public", "docker-compose.yml"),
    (
        "samples",
        "port-public",
        "elasticsearch-logstash-kibana/compose.yaml",
    ),
    // No words that everybody tries first.
    (
        "samples",
        "compose-password-in-plain-text",
        "wordpress-mysql/compose.yaml",
    ),
];

/// The files of a repository, by their path in it.
fn files(repository: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![repository.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    let name = path.strip_prefix(repository).unwrap().to_str().unwrap();
                    found.push((name.to_owned(), fs::read_to_string(&path).unwrap()));
                }
            }
        }
    }
    found.sort();
    found
}

fn repositories() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/strangers");
    let entries = fs::read_dir(folder).unwrap();
    let mut all: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    all.sort();
    all
}

fn is_compose(path: &str) -> bool {
    path.contains("compose") && (path.ends_with(".yml") || path.ends_with(".yaml"))
}

#[test]
fn there_is_at_most_one_finding_for_a_file() {
    let (mut count, mut in_text, mut in_json) = (0, 0, 0);
    let mut errors = BTreeSet::new();
    let mut said = String::new();
    for repository in repositories() {
        let name = repository.file_name().unwrap().to_str().unwrap();
        let files = files(&repository);
        let given: Vec<(&str, &str)> = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        let place = Place::git(&given);
        count += files.iter().filter(|(path, _)| is_compose(path)).count();
        let text = place.run_here(&["check", "--deny", "nothing"]).expect(0);
        let lines = text.stdout.lines();
        let headlines =
            lines.filter(|line| line.starts_with("warning[") || line.starts_with("error["));
        in_text += headlines.clone().count();
        for line in headlines {
            said.push_str(&format!("{name}: {line}\n"));
        }
        let json = ["check", "--format", "json", "--deny", "nothing"];
        let json = place.run_here(&json).expect(0).json();
        let findings = json["findings"].as_array().unwrap();
        in_json += findings.len();
        for finding in findings {
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            if finding["severity"] == "error" {
                let path = text(&finding["place"]["path"]);
                errors.insert((name.to_owned(), text(&finding["rule"]), path));
            }
        }
        // Without habits nothing but the errors counts.
        let has_errors = ERRORS.iter().any(|(of, ..)| *of == name);
        place
            .run_here(&["check"])
            .expect(if has_errors { 2 } else { 0 });
        place.run_here(&["routes"]).expect(0);
        place.run_here(&["ports"]).expect(0);
    }
    assert!(count >= 40, "only {count} compose files");
    let expected = ERRORS.map(|(of, rule, path)| (of.to_owned(), rule.to_owned(), path.to_owned()));
    assert_eq!(errors, BTreeSet::from(expected), "{said}");
    assert!(
        in_text <= count,
        "{in_text} in {count} files as text:\n{said}"
    );
    assert!(
        in_json <= count,
        "{in_json} in {count} files as JSON:\n{said}"
    );
}
