//! .github/workflows/ci.yml: actions are pinned, jobs end, and what they call is there.

use serde_yaml::Value;

use crate::repository;

#[test]
fn the_workflow_pins_its_actions_and_calls_scripts_that_are_there() {
    let path = repository().join(".github/workflows/ci.yml");
    let workflow: Value = serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let permissions = workflow["permissions"].as_mapping().unwrap();
    assert_eq!(permissions.len(), 1, "{permissions:?}");
    assert_eq!(workflow["permissions"]["contents"], "read");
    let jobs = workflow["jobs"].as_mapping().unwrap();
    let mut called = Vec::new();
    for (name, job) in jobs {
        assert!(job["timeout-minutes"].is_number(), "{name:?}");
        assert_eq!(job.get("permissions"), None, "{name:?}");
        for step in job["steps"].as_sequence().unwrap() {
            if let Some(action) = step["uses"].as_str() {
                let (_, commit) = action.split_once('@').unwrap();
                let is_commit = commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit());
                assert!(is_commit, "{action} is not pinned by a commit");
            }
            let words = step["run"].as_str().unwrap_or_default().split_whitespace();
            called.extend(words.filter(|word| word.ends_with("/run")));
        }
    }
    assert_eq!(called, [".ci/run", "tests/run", "tests/run"]);
    for script in called {
        assert!(repository().join(script).is_file(), "{script}");
    }
}
