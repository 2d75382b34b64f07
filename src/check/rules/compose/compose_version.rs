//! What the server's version of compose does not know.

use serde_yaml::Value;
use source_text::word_list;

use crate::check::compose::COMPOSE_2;
use crate::check::compose::shapes::entries;
use crate::check::rules::compose::prelude::*;
use crate::model::{Lack, Program, Version, Versions};
use crate::source::compose::{Document, Positions, spans};

pub(crate) static RULE: Rule = rule!(compose_version, Error, run);

/// Keys that docker-compose 1.29.2 refuses, by the map in which they stand: it was asked about each. Compose 2.26 takes them but
/// for `models`, `provider`, `use_api_socket`, `pull_refresh_after`, `provenance` and `interface_name`, which came with later versions of
/// <https://github.com/compose-spec/compose-go/blob/main/schema/compose-spec.json>.
const TOP: [&str; 3] = ["name", "include", "models"];
const SERVICE: [&str; 13] = word_list(
    "annotations attach cgroup develop gpus label_file models post_start pre_stop provider \
    pull_refresh_after use_api_socket uts",
);
const HEALTH: [&str; 1] = [START_INTERVAL];
/// Compose 2.26 refuses it where the engine is older than 25: it was asked with Docker 20.10.
const START_INTERVAL: &str = "start_interval";
const ENGINE_25: Versions = Versions::since(Version::major(25));
const BUILD: [&str; 13] = word_list(
    "additional_contexts cache_to dockerfile_inline entitlements no_cache platforms privileged pull \
    provenance secrets ssh tags ulimits",
);
const ATTACHMENT: [&str; 4] = word_list("driver_opts gw_priority interface_name mac_address");
const DEPENDENCY: [&str; 2] = ["required", "restart"];

/// Something that version 1 refuses, and the way to it.
struct Unknown {
    what: String,
    way: Vec<String>,
}

fn run(context: &Context, findings: &mut Findings) {
    compose(context, findings);
    engine(context, findings);
}

/// Keys that the engine does not know. Where the version of compose is not known either, that is said of them already.
fn engine(context: &Context, findings: &mut Findings) {
    let target = context.target();
    let is_said = target.lack(Program::Compose, COMPOSE_2).is_some();
    let Some(lack) = target.lack(Program::Docker, ENGINE_25).filter(|_| !is_said) else {
        return;
    };
    let view = context.projects();
    for document in view.documents() {
        for (name, service) in entries(document.value.get("services")) {
            let health = service.get("healthcheck");
            if health.is_none_or(|health| health.get(START_INTERVAL).is_none()) {
                continue;
            }
            let way = ["services", &name, "healthcheck", START_INTERVAL];
            let span = view.positions(document.path(), |positions| positions.find(&way).key);
            let place = view.bytes(document.path(), span.unwrap_or(0..0));
            let message =
                format!("{lack} does not know {START_INTERVAL}, and compose refuses the container");
            let help = lack.help(START_INTERVAL, "");
            findings.push(
                RULE.at(say(place, message, "", help))
                    .weighing(lack.severity()),
            );
            if !lack.is_certain() {
                return;
            }
        }
    }
}

fn compose(context: &Context, findings: &mut Findings) {
    let Some(lack) = context.target().lack(Program::Compose, COMPOSE_2) else {
        return;
    };
    let view = context.projects();
    let mut all = Vec::new();
    for document in view.documents() {
        let path = document.path();
        for unknown in unknown(document) {
            let way: Vec<&str> = unknown.way.iter().map(String::as_str).collect();
            let span = view.positions(path, |positions| positions.find(&way).key);
            all.push((view.bytes(path, span.unwrap_or(0..0)), unknown.what));
        }
        if document.documents > 1 {
            let span = view.positions(path, Positions::second_document);
            let place = view.bytes(path, span.flatten().unwrap_or(0..0));
            all.push((place, "a second YAML document".to_owned()));
        }
        if let Some(said) = &document.bare_dollar {
            let place = view.bytes(path, spans(document.source(), &[], Some(said)));
            all.push((place, "a $ that does not begin a variable".to_owned()));
        }
    }
    if lack.is_certain() {
        let each = all.into_iter();
        findings.extend(each.map(|(place, what)| at(place, &lack, &what, &what)));
        return;
    }
    // Where the version is not known, the first place stands for all.
    let mut named: Vec<String> = Vec::new();
    for (_, what) in &all {
        if !named.contains(what) {
            named.push(what.clone());
        }
    }
    if let (Some((place, first)), Some((last, before))) =
        (all.into_iter().next(), named.split_last())
    {
        let what = match before.is_empty() {
            true => last.clone(),
            false => format!("{} and {last}", before.join(", ")),
        };
        findings.push(at(place, &lack, &what, &first));
    }
}

fn at(place: Diagnostic, lack: &Lack, what: &str, first: &str) -> Finding {
    let message = format!("{lack} does not know {what}, and refuses the file");
    RULE.at(say(place, message, "", lack.help(first, "")))
        .weighing(lack.severity())
}

fn unknown(document: &Document) -> Vec<Unknown> {
    let mut found = Vec::new();
    let file = &document.value;
    found.extend(document.tags.iter().map(|tag| Unknown {
        what: format!("the tag {}", tag.name),
        way: tag.way.clone(),
    }));
    keys(&mut found, file, &[], &TOP, "");
    for (name, service) in entries(file.get("services")) {
        let below =
            |key: &str| -> Vec<String> { ["services", &name, key].map(str::to_owned).to_vec() };
        let own = ["services".to_owned(), name.clone()];
        keys(&mut found, service, &own, &SERVICE, "");
        for (key, known, of) in [
            ("healthcheck", &HEALTH[..], " of healthcheck"),
            ("build", &BUILD[..], " of build"),
        ] {
            if let Some(part) = service.get(key) {
                keys(&mut found, part, &below(key), known, of);
            }
        }
        for (key, known, of) in [
            ("networks", &ATTACHMENT[..], " of a service's network"),
            ("depends_on", &DEPENDENCY[..], " of depends_on"),
        ] {
            for (other, part) in entries(service.get(key)) {
                let mut way = below(key);
                way.push(other);
                keys(&mut found, part, &way, known, of);
            }
        }
        // `${ADDRESS:-}:8080:80`, as far as the variables are known.
        let ports = service.get("ports").and_then(Value::as_sequence);
        let mut ports = ports.into_iter().flatten().filter_map(Value::as_str);
        if ports.any(|port| port.starts_with(':')) {
            found.push(Unknown {
                what: "an empty address in ports".to_owned(),
                way: below("ports"),
            });
        }
        for (variable, value) in entries(service.get("environment")) {
            if value.is_bool() {
                let mut way = below("environment");
                way.push(variable);
                let what = "a boolean in environment".to_owned();
                found.push(Unknown { what, way });
            }
        }
    }
    found
}

/// Those of a map that are in a list.
fn keys(found: &mut Vec<Unknown>, map: &Value, way: &[String], listed: &[&str], of: &str) {
    for (key, _) in entries(Some(map)) {
        if listed.contains(&key.as_str()) {
            let what = format!("the key {key}{of}");
            let mut way = way.to_vec();
            way.push(key);
            found.push(Unknown { what, way });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::tests::found;

    const FILE: &str = "name: shop\nservices:\n  app:\n    image: app:1\n    develop: {watch: []}\n    command: echo $(id)\n    environment: {A: true, B: 'true'}\n    healthcheck: {test: a, start_interval: 1s}\n    depends_on: {db: {condition: service_started, required: false}}\n  db: {image: 'db:1', pull_policy: always, platform: linux/amd64}\n";

    fn with(host: &str) -> Vec<String> {
        found(&RULE, &[("watchme.toml", host), ("compose.yml", FILE)])
    }

    /// docker-compose 1.29.2 refuses each, and compose 2.26 none.
    #[test]
    fn version_1_refuses_what_version_2_brought() {
        let refused = with("[host]\ncompose = 1\n");
        assert_eq!(refused.len(), 6, "{refused:#?}");
        assert_eq!(
            refused[0],
            "compose.yml:1:1: compose 1.29 does not know the key name, and refuses the file"
        );
        assert_eq!(with("[host]\ncompose = 2\ndocker = \"26.1\"\n"), [""; 0]);
    }

    #[test]
    fn an_engine_before_25_knows_no_interval_at_the_start() {
        let file = "services: {a: {image: 'a:1', healthcheck: {test: a, start_interval: 1s}}}\n";
        let of = |host| found(&RULE, &[("watchme.toml", host), ("compose.yml", file)]);
        assert_eq!(
            of("[host]\ncompose = 2\ndocker = \"20.10\"\n"),
            [
                "compose.yml:1:53: Docker 20.10 does not know start_interval, and compose refuses the container"
            ]
        );
        assert_eq!(of("[host]\ncompose = 2\ndocker = \"26.1\"\n"), [""; 0]);
        let unknown = of("[host]\ncompose = 2\n");
        assert!(
            unknown[0].contains("Docker before 25 does not know"),
            "{unknown:?}"
        );
        assert_eq!(of("[host]\ncompose = 1\n").len(), 1);
    }

    #[test]
    fn tags_that_reset_and_override_are_of_version_2() {
        let file = "services:\n  app:\n    image: app:1\n    ports: !reset []\n    environment: !override\n      A: b\n";
        let of = |host| found(&RULE, &[("watchme.toml", host), ("compose.yml", file)]);
        assert_eq!(
            of("[host]\ncompose = 1\n"),
            [
                "compose.yml:4:5: compose 1.29 does not know the tag !reset, and refuses the file",
                "compose.yml:5:5: compose 1.29 does not know the tag !override, and refuses the file",
            ]
        );
        assert_eq!(of("[host]\ncompose = 2\n"), [""; 0]);
    }

    #[test]
    fn without_a_version_it_is_a_warning_that_names_those_that_refuse_it() {
        let warned = with("");
        let expected = "compose.yml:1:1: compose before 2 does not know the key name, the key develop, the key start_interval of healthcheck, the key required of depends_on, a boolean in environment and a $ that does not begin a variable, and refuses the file";
        assert_eq!(warned, [expected]);
        let two = found(&RULE, &[("a/compose.yml", FILE), ("b/compose.yml", FILE)]);
        assert_eq!(two, [format!("a/{expected}")]);
    }

    #[test]
    fn documents_are_laid_over_each_other_by_version_2() {
        let file = "services:\n  app:\n    image: app:1\n    ports: ['8080:80']\n---\nservices:\n  app:\n    ports: !reset []\n";
        let of = |host: &str| found(&RULE, &[("watchme.toml", host), ("compose.yml", file)]);
        assert_eq!(
            of("[host]\ncompose = 1\n"),
            [
                "compose.yml:6:1: compose 1.29 does not know a second YAML document, and refuses the file",
                "compose.yml:8:5: compose 1.29 does not know the tag !reset, and refuses the file",
            ]
        );
        let unknown = of("");
        assert!(
            unknown[0].contains(
                "compose before 2 does not know the tag !reset and a second YAML document"
            ),
            "{unknown:?}"
        );
        assert_eq!(of("[host]\ncompose = 2\n"), [""; 0]);
        let host = ("watchme.toml", "[host]\ncompose = 2\n");
        let all = crate::check::compose::tests::rules(&[host, ("compose.yml", file)]);
        assert_eq!(all, [""; 0], "the port is reset");
    }

    #[test]
    fn an_address_may_be_empty_in_version_2() {
        let file = "services: {a: {image: 'a:1', ports: ['${ADDRESS:-}:8080:80']}}\n";
        let of = |host: &str| found(&RULE, &[("watchme.toml", host), ("compose.yml", file)]);
        assert_eq!(
            of("[host]\ncompose = 1\n"),
            [
                "compose.yml:1:30: compose 1.29 does not know an empty address in ports, and refuses the file"
            ]
        );
        assert_eq!(of("[host]\ncompose = 2\n"), [""; 0]);
        // It is no error of any version, and the port is known.
        let host = ("watchme.toml", "[host]\ncompose = 2\n");
        let all = crate::check::compose::tests::rules(&[host, ("compose.yml", file)]);
        assert_eq!(all, ["port-public"]);
    }

    #[test]
    fn what_both_take_is_left_alone() {
        let file = "services: {a: {image: 'x:1', profiles: [p], runtime: r, scale: 2, command: 'a $$(b) ${C:-d}', build: {context: ., target: t}}}\n";
        let host = "[host]\ncompose = 1\n";
        assert_eq!(
            found(&RULE, &[("watchme.toml", host), ("compose.yml", file)]),
            [""; 0]
        );
    }
}
