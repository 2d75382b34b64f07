//! What machines read: JSON that keeps to its schema, logs, exit statuses.

use std::fs;

use serde_json::Value;

use crate::schema::{schema, violations};
use crate::support::{Place, STATE, keeps_to, shows};

/// What is wrong with a watchme.toml, as an editor sees it.
fn as_an_editor_sees(text: &str) -> Vec<String> {
    let schema = schema("watchme.schema");
    let value: Value = toml::from_str(text).unwrap();
    violations("watchme.toml", &schema, &value)
}

#[test]
fn the_shipped_watchme_toml_keeps_to_the_schema_that_it_names() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("desired-state/watchme.toml");
    let text = fs::read_to_string(&path).unwrap();
    let named = text.lines().next().unwrap().strip_prefix("#:schema ");
    let named = path.with_file_name(named.expect("a schema in the first line"));
    assert!(named.ends_with("schema/watchme.schema.json") && named.exists());
    assert_eq!(as_an_editor_sees(&text), [""; 0]);
    for (wrong, found) in [
        (
            "chekout = '/srv/c'",
            "watchme.toml: chekout is not in the schema",
        ),
        ("soak = 5", "watchme.toml.soak: 5 is no string"),
        (
            "[unit.'a.service']\non_change = 'stop'",
            "watchme.toml.unit.a.service.on_change: \"stop\" is not allowed",
        ),
        (
            "[[route]]\nurl = 'http://a/'",
            "watchme.toml.route[0]: no upstream",
        ),
    ] {
        assert!(
            as_an_editor_sees(wrong).iter().any(|one| one == found),
            "{wrong}: {:?}",
            as_an_editor_sees(wrong)
        );
    }
}

/// A check that never fails would prove nothing.
#[test]
fn the_schema_check_finds_what_is_wrong() {
    let schema = schema("error");
    let check = |text: &str| {
        let value = serde_json::from_str(text).unwrap();
        violations("error", &schema, &value).len()
    };
    let good = r#"{"format_version": 1, "error": "x", "caused_by": ["y"], "hint": null, "findings": [], "exit_status": 1}"#;
    assert_eq!(check(good), 0);
    assert_eq!(check(&good.replace("\"hint\": null, ", "")), 0);
    assert_eq!(check(&good.replace("\"x\"", "7")), 1);
    assert_eq!(check(&good.replace("[\"y\"]", "[7]")), 1);
    assert_eq!(
        check(&good.replace("\"error\"", "\"eror\"")),
        2,
        "one is missing, one is too much"
    );
}

const NETWORK: (&str, &str) = (
    "docker-compose.infra.yml",
    "networks:\n  shop:\n    name: shop\n    ipam:\n      config:\n        - subnet: 172.30.0.0/24\nvolumes:\n  data:\n    name: data\n",
);

/// Goes back and forth, and looks at what is told of it.
fn runs_keep_to_their_schemas(place: &Place) {
    place.write(&[(STATE[4].0, "daily\n")]);
    place.commit("Daily");
    place.run(&["apply"]).expect(0);
    let plan = place.run(&["plan", "--to-generation", "1", "--json"]);
    assert_eq!(keeps_to("plan", plan.expect(0))["generation"], 1);
    let back = keeps_to("apply", place.run(&["rollback", "--json"]).expect(0));
    assert_eq!(
        (&back["outcome"], &back["run"]["back_to"]),
        (&"applied".into(), &1.into())
    );
    let skipped = place.run(&["apply", "--unattended", "--json"]).expect(2);
    let skipped = keeps_to("apply", skipped);
    assert_eq!(
        (&skipped["outcome"], &skipped["skip"]["hold"]["back_to"]),
        (&"skipped".into(), &1.into())
    );
    let status = keeps_to("status", place.run(&["status", "--json"]).expect(0));
    assert_eq!(status["skip"], skipped["skip"]);
    let history = keeps_to("history", place.run(&["history", "--json"]).expect(0));
    assert_eq!(history["runs"][1]["git"]["commits"][0]["subject"], "Daily");
    assert_eq!(history["runs"][0]["current"], true);
    let between = place.run(&["history", "1..2", "--json"]).expect(0);
    let between = keeps_to("history", between);
    assert_eq!(between["between"]["git"]["commits"][0]["subject"], "Daily");
    place.run(&["apply"]).expect(0);
}

#[test]
fn every_json_keeps_to_its_schema() {
    let mut files = STATE.to_vec();
    files.push(NETWORK);
    files[0].1 = "absent = [\"sites-enabled/default\"]\n[[network.shop.member]]\ncontainer = \"till\"\naddress = \"172.30.0.9\"\n";
    let place = Place::git(&files);
    keeps_to("status", place.run(&["status", "--json"]).expect(0));
    let drift = keeps_to("drift", place.run(&["drift", "--json"]).expect(2));
    assert_eq!(drift["generation"], Value::Null);
    let plan = keeps_to("plan", place.run(&["plan", "--json"]).expect(0));
    assert_eq!(plan["in_sync"], false);
    let apply = keeps_to("apply", place.run(&["apply", "--json"]).expect(0));
    assert_eq!(
        (&apply["outcome"], &apply["run"]["number"]),
        (&"applied".into(), &1.into())
    );
    assert_eq!(
        apply["plan"]["changes"], plan["changes"],
        "done is what was planned"
    );
    let again = keeps_to("apply", place.run(&["apply", "--json"]).expect(0));
    assert_eq!(
        (&again["outcome"], &again["run"]),
        (&"in-sync".into(), &Value::Null)
    );
    assert_eq!(
        keeps_to("plan", place.run(&["plan", "--json"]).expect(0))["in_sync"],
        true
    );
    place
        .run(&["pause", "hello", "--reason", "memory"])
        .expect(0);
    keeps_to("doctor", place.run(&["doctor", "--json"]).expect(0));
    let status = keeps_to("status", place.run(&["status", "--json"]).expect(0));
    assert_eq!(status["pauses"]["hello.service"]["reason"], "memory");
    place.run(&["resume", "hello"]).expect(0);
    runs_keep_to_their_schemas(&place);

    place.write_host("etc/logrotate.d/hello", "# mine\n");
    place.write(&[(
        "sites-available/api.example.com",
        &STATE[1].1.replace("8001", "8002"),
    )]);
    let dirty = keeps_to("plan", place.run(&["plan", "--json"]).expect(0));
    assert_eq!(
        dirty["origin"]["dirty"][0],
        "sites-available/api.example.com"
    );
    place.commit("Move the API to 8002");
    let drift = keeps_to("drift", place.run(&["drift", "--json"]).expect(2));
    let kinds: Vec<_> = drift["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["kind"].as_str(), item["resource"].clone()))
        .collect();
    assert!(
        kinds.iter().any(|(kind, _)| *kind == Some("pending"))
            && kinds.iter().any(|(kind, _)| *kind == Some("drifted")),
        "{kinds:?}"
    );
    keeps_to("status", place.run(&["status", "--json"]).expect(0));
    let fixed = keeps_to("drift", place.run(&["drift", "--fix", "--json"]).expect(2));
    assert_eq!(fixed["fixed"].as_array().unwrap().len(), 1, "{fixed}");
}

#[test]
fn errors_are_json_too() {
    let place = Place::git(STATE);
    place.write(&[("sites-available/a", "server {\n    listen 80\n}\n")]);
    place.commit("A mistake");
    for arguments in [
        &["plan", "--json"][..],
        &["apply", "--json"],
        &["drift", "--fix", "--json"],
        &["plan", "--json", "--desired-state", "nowhere"],
        &["plan", "--json", "--rev", "nowhere"],
    ] {
        let error = keeps_to("error", place.run(arguments).expect(1));
        assert_eq!(error["exit_status"], 1);
    }
    let error = keeps_to("error", place.run(&["plan", "--json"]).expect(1));
    let text = error["error"].as_str().unwrap();
    assert!(
        text.contains("sites-available/a") && text.contains(":2:"),
        "a machine is told where: {text}"
    );
}

#[test]
fn refusals_are_json_too() {
    let place = Place::git(STATE);
    fs::create_dir_all(place.on_host("etc/nginx/sites-enabled/api.example.com/keep")).unwrap();
    let plan = keeps_to("plan", place.run(&["plan", "--json"]).expect(1));
    assert_eq!(plan["refusals"].as_array().unwrap().len(), 1, "{plan}");
    let run = place.run(&["apply", "--json"]).expect(1);
    keeps_to("error", run);
}

#[test]
fn exit_statuses_tell_differences() {
    let place = Place::git(STATE);
    place.run(&["plan"]).expect(0);
    place.run(&["plan", "--detailed-exitcode"]).expect(2);
    place.run(&["apply"]).expect(0);
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    place.run(&["drift"]).expect(0);
    place.run(&["drift", "--json"]).expect(0);
    fs::remove_file(place.on_host("etc/logrotate.d/hello")).unwrap();
    place.run(&["plan", "--detailed-exitcode"]).expect(2);
    place.run(&["drift"]).expect(2);
    place.run(&["drift", "--only", "site"]).expect(0);
    place
        .run(&["drift", "--only", "etc/logrotate.d/hello"])
        .expect(2);
    place.run(&["drift", "--fix", "--only", "site"]).expect(0);
    place.run(&["drift"]).expect(2);
    place.run(&["drift", "--fix"]).expect(0);
    place.run(&["drift"]).expect(0);
}

#[test]
fn logs_are_lines_of_json() {
    let place = Place::git(STATE);
    let log = place.beside("watchme.log");
    let name = log.to_str().unwrap();
    let apply = place
        .run(&["apply", "--log-format", "json", "--log-file", name])
        .expect(0);
    place.write_host("etc/logrotate.d/hello", "# mine\n");
    let drift = place
        .run(&["drift", "--log-format", "json", "--log-file", name])
        .expect(2);
    let failed = place
        .run(&[
            "plan",
            "--rev",
            "nowhere",
            "--log-format",
            "json",
            "--log-file",
            name,
        ])
        .expect(1);
    let text = fs::read_to_string(&log).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    for line in &lines {
        for key in ["timestamp", "level", "fields"] {
            assert!(line.get(key).is_some(), "no {key} in {line}");
        }
    }
    let has = |level: &str, words: &str| {
        lines
            .iter()
            .any(|line| line["level"] == level && line.to_string().contains(words))
    };
    assert!(
        has("INFO", "\"generation\":1")
            && has("WARN", "etc/logrotate.d/hello")
            && has("ERROR", "nowhere"),
        "{text}"
    );
    assert!(
        apply.stdout.contains("applied") && drift.stdout.contains("drift: "),
        "people still get text"
    );
    for run in [&apply, &drift] {
        for line in run.stderr.lines() {
            assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
        }
    }
    assert!(
        serde_json::from_str::<Value>(failed.stderr.lines().next().unwrap()).is_ok(),
        "{}",
        failed.shown()
    );
}

#[test]
fn the_log_file_is_appended_to_and_quiet_terminals_stay_quiet() {
    let place = Place::git(STATE);
    let log = place.beside("watchme.log");
    fs::write(&log, "before\n").unwrap();
    let name = log.to_str().unwrap();
    assert_eq!(
        place.run(&["apply", "--log-file", name]).expect(0).stderr,
        ""
    );
    assert_eq!(
        place.run(&["drift", "--log-file", name]).expect(0).stderr,
        ""
    );
    let text = fs::read_to_string(&log).unwrap();
    assert!(
        text.starts_with("before\n") && text.contains("applied") && text.contains("in sync"),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'));
    let missing = place
        .run(&["apply", "--log-file", "/nonexistent/folder/log"])
        .expect(1);
    shows!("a_log_file_that_cannot_be", missing.shown());
}
