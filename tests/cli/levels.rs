//! Findings that are joined, and levels that watchme.toml sets: what of a check is said, and how loud.

use crate::check::as_an_editor_reads_it;
use crate::support::{CLEAN, Place, shows};

/// A project of two services without anything, below a folder of its own and at the top.
const BARE: &str =
    "services:\n  one:\n    image: one:1\n  two:\n    image: two:1\n  three:\n    image: three\n";

#[test]
fn findings_that_are_alike_are_one() {
    let place = Place::git(CLEAN);
    place.write(&[("compose/app/docker-compose.yml", BARE)]);
    let found = place.run_here(&["check"]).expect(0);
    shows!("alike", found.shown());
    let json = place
        .run_here(&["check", "--format", "json"])
        .expect(0)
        .json();
    let findings = json["findings"].as_array().unwrap();
    let of = |rule: &str| findings.iter().find(|one| one["rule"] == rule).unwrap();
    let memory = of("compose-no-memory-limit");
    assert_eq!(memory["place"]["line"], 2);
    assert_eq!(memory["others"][0]["line"], 4);
    assert_eq!(memory["others"][1]["line"], 6);
    assert!(
        memory["message"]
            .as_str()
            .unwrap()
            .starts_with("3 services ")
    );
    let latest = of("compose-image-latest");
    assert_eq!(latest["others"].as_array().unwrap().len(), 0);
    assert_eq!(
        latest["message"],
        "the image of service three has no tag, which means latest"
    );
    let sarif = place
        .run_here(&["check", "--format", "sarif"])
        .expect(0)
        .json();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let memory = results
        .iter()
        .find(|one| one["ruleId"] == "compose-no-memory-limit");
    let related = &memory.unwrap()["relatedLocations"];
    assert_eq!(related[1]["physicalLocation"]["region"]["startLine"], 6);
    let github = place.run_here(&["check", "--format", "github"]).expect(0);
    assert!(
        github.stdout.contains("also in lines 4 and 6"),
        "{}",
        github.shown()
    );
}

#[test]
fn watchme_toml_sets_the_level_of_a_rule_or_a_family() {
    let place = Place::git(CLEAN);
    let legacy = ("compose/legacy/docker-compose.yml", BARE);
    let app = ("compose/app/docker-compose.yml", BARE);
    place.write(&[legacy, app]);
    let rules = |settings: &str, status: i32| {
        let text = format!("[check]\n{settings}");
        place.write(&[("watchme.toml", text.as_str())]);
        let json = place
            .run_here(&["check", "--format", "json"])
            .expect(status)
            .json();
        let findings = json["findings"].as_array().unwrap().clone();
        let found = findings.iter().map(|one| {
            let word = |key: &str| one[key].as_str().unwrap().to_owned();
            let path = one["place"]["path"].as_str().unwrap().to_owned();
            (word("rule"), word("severity"), path)
        });
        (found.collect::<Vec<_>>(), json["off"].as_u64().unwrap())
    };
    let (all, off) = rules("", 0);
    assert_eq!(off, 0);
    let count = |found: &[(String, String, String)], rule: &str| {
        found.iter().filter(|(name, ..)| name == rule).count()
    };
    assert_eq!(count(&all, "compose-no-memory-limit"), 2);
    let setting = "compose-no-memory-limit = { level = \"off\", reason = \"they are tiny\", paths = [\"compose/legacy/**\"] }\n";
    let (found, off) = rules(setting, 0);
    assert_eq!(off, 3, "three services");
    assert_eq!(found.len(), all.len() - 1);
    let kept: Vec<_> = found
        .iter()
        .filter(|(rule, ..)| rule == "compose-no-memory-limit")
        .collect();
    assert_eq!(kept[0].2, app.0);
    // A rule counts more than its family, and an error is one for the exit status.
    let both = "compose = { level = \"off\", reason = \"later\" }\ncompose-image-latest = { level = \"error\", reason = \"we roll back\" }\n";
    let (found, _) = rules(both, 2);
    assert_eq!(count(&found, "compose-no-health-check"), 0);
    let latest = found
        .iter()
        .filter(|(rule, ..)| rule == "compose-image-latest");
    assert!(latest.clone().all(|(_, severity, _)| severity == "error"));
    assert_eq!(latest.count(), 2);
    let text = place.run_here(&["check"]).expect(2);
    assert!(
        text.stdout.contains("; [check] in watchme.toml switches "),
        "{}",
        text.shown()
    );
    let explained = place
        .run_here(&["check", "--explain", "compose-image-latest"])
        .expect(0);
    for line in [
        "Level: warning.",
        "paths = [\"compose/legacy/**\"]",
        "## In this checkout",
        "compose-image-latest is error (watchme.toml:3): we roll back",
        "compose is off (watchme.toml:2): later",
    ] {
        assert!(explained.stdout.contains(line), "{}", explained.shown());
    }
    let family = place
        .run_here(&["check", "--explain", "compose"])
        .expect(0)
        .stdout;
    assert!(
        family.starts_with("# Rules of the family compose\n"),
        "{family}"
    );
    assert!(family.contains("compose-image-latest"), "{family}");
    for (rule, level, paths) in [
        ("nginx-buffers", "Level: error.", Some("sites-available/")),
        ("systemd-version", "Level: warning.", Some("systemd/")),
        ("backup-not-rehearsed", "Level: warning.", None),
        (
            "allowance-invalid",
            "Level: error; it cannot be changed.",
            None,
        ),
    ] {
        let explained = place.run_here(&["check", "--explain", rule]).expect(0);
        let start = format!("# {rule}\n\n{level}\n\n");
        assert!(
            explained.stdout.starts_with(&start),
            "{}",
            explained.shown()
        );
        let shown = explained.stdout.split_once("paths = [\"").map(|(_, it)| it);
        assert_eq!(shown.is_some(), paths.is_some(), "{}", explained.shown());
        let wanted = paths.unwrap_or_default();
        assert!(
            shown.is_none_or(|it| it.starts_with(wanted)),
            "{}",
            explained.shown()
        );
    }
}

/// A site with the same mistake in two locations.
const TWICE: (&str, &str) = (
    "sites-available/api.example.com",
    "server {\n    listen 80;\n    location /a { return 200 $nothing; }\n    location /b { return 200 $nothing; }\n}\n",
);

#[test]
fn the_same_finding_twice_in_a_file_is_one_with_both_places() {
    let place = Place::git(&[TWICE]);
    let run = |format| {
        let arguments = ["check", "--deny", "warnings", "--format", format];
        place.run_here(&arguments).expect(2)
    };
    let text = run("text");
    assert!(text.stdout.contains("also in line 4"), "{}", text.shown());
    assert!(text.stdout.contains("1 warning found"), "{}", text.shown());
    let json = run("json").json();
    assert_eq!(json["findings"].as_array().unwrap().len(), 1, "{json}");
    assert_eq!(json["findings"][0]["others"][0]["line"], 4, "{json}");
    let sarif = run("sarif").json();
    let related = &sarif["runs"][0]["results"][0]["relatedLocations"][0];
    let line = &related["physicalLocation"]["region"]["startLine"];
    assert_eq!(line, 4, "{sarif}");
    let github = run("github");
    assert!(
        github.stdout.contains("also in line 4"),
        "{}",
        github.shown()
    );
    let gcc = run("gcc").stdout;
    let read: Vec<[&str; 4]> = gcc.lines().map(as_an_editor_reads_it).collect();
    let at = |line| [TWICE.0, line, "warning", "nginx-unknown-variable"];
    assert_eq!(read, [at("3"), at("4")], "{gcc}");
}

#[test]
fn settings_that_set_nothing_are_findings() {
    let place = Place::git(CLEAN);
    let finding = |settings: &str| {
        let text = format!("[check]\n{settings}\n");
        place.write(&[("watchme.toml", text.as_str())]);
        let found = place
            .run_here(&["check", "--deny", "warnings", "--format", "json"])
            .expect(2)
            .json();
        assert_eq!(found["findings"].as_array().unwrap().len(), 1, "{found}");
        let of = |key: &str| {
            found["findings"][0][key]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        format!("{}: {} ({})", of("rule"), of("message"), of("help"))
    };
    for (settings, expected) in [
        (
            "compose-no-memory-limt = { level = \"off\", reason = \"x\" }",
            "name-misspelt: there is no rule and no family of rules compose-no-memory-limt (did you mean compose-no-memory-limit?)",
        ),
        (
            "syntax = { level = \"off\", reason = \"x\" }",
            "allowance-invalid: the level of syntax cannot be set (remove it, and fix the findings)",
        ),
        (
            "nginx = { level = \"off\", reason = \"x\", paths = [\"sites/*\"] }",
            "allowance-unused: no file matches sites/* (remove the pattern, or correct it: paths begin at the folder of watchme.toml)",
        ),
    ] {
        assert_eq!(finding(settings), expected);
    }
    for wrong in [
        "nginx = { level = \"off\" }",
        "nginx = { level = \"off\", reason = \" \" }",
        "nginx = { level = \"none\", reason = \"x\" }",
        "nginx = { level = \"off\", reason = \"x\", paths = [\"[\"] }",
    ] {
        assert!(finding(wrong).starts_with("syntax: "), "{wrong}");
    }
}

/// A set-up in the style of a home server: a folder for each service, and none of the best practice.
#[test]
fn advice_that_a_set_up_does_not_follow_is_one_line_for_each_rule() {
    let place = Place::git(&[]);
    let names = ["wiki", "photos", "music", "feeds", "notes"];
    for (at, name) in names.iter().enumerate() {
        let file = format!(
            "services:\n  {name}:\n    image: registry.example.com/{name}:1.2\n    restart: unless-stopped\n    environment:\n      DEBUG: true\n    ports: ['{}:80']\n",
            8100 + at
        );
        place.write(&[(&format!("compose/{name}/docker-compose.yml"), &file)]);
    }
    place.commit("Five services");
    let found = place.run_here(&["check"]).expect(0);
    assert!(
        found
            .stdout
            .contains("in 5 files, 5 services have no health check"),
        "{}",
        found.shown()
    );
    assert!(
        found
            .stdout
            .contains("[check] compose-no-health-check = { level = \"off\""),
        "{}",
        found.shown()
    );
    let headlines = found
        .stdout
        .lines()
        .filter(|line| line.starts_with("warning["));
    assert!(headlines.count() <= names.len(), "{}", found.shown());
    // Machines have every place.
    let json = place
        .run_here(&["check", "--format", "json"])
        .expect(0)
        .json();
    let findings = json["findings"].as_array().unwrap();
    let health = findings
        .iter()
        .filter(|found| found["rule"] == "compose-no-health-check");
    assert_eq!(health.count(), names.len());
    // Who names a file sees its lines.
    let one = place
        .run_here(&["check", "compose/wiki/docker-compose.yml"])
        .expect(0);
    assert!(
        one.stdout.contains("service wiki has no health check"),
        "{}",
        one.shown()
    );
    // What is silenced is said to be off.
    let off =
        "[check]\ncompose-no-health-check = { level = \"off\", reason = \"a home server\" }\n";
    place.write(&[("watchme.toml", off)]);
    let found = place.run_here(&["check"]).expect(0);
    assert!(!found.stdout.contains("health check"), "{}", found.shown());
    assert!(
        found.stdout.contains("switches 5 more off"),
        "{}",
        found.shown()
    );
}
