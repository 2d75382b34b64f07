//! What the host's version of compose takes: docker-compose 1.29 on Debian 12, compose 2.26 on Debian 13. `check` says the same
//! with that version stated.

use super::inside::{REFUSED_BY_2, REFUSED_INSIDE, TAKEN_INSIDE};
use super::{Case, Host, REFUSED, TAKEN, ours_of};

/// What came with version 2, in a service.
const SERVICE: [(&str, &str); 22] = [
    ("annotations", "annotations: {a: b}"),
    ("attach", "attach: false"),
    ("cgroup", "cgroup: host"),
    ("develop", "develop: {watch: []}"),
    ("uts", "uts: host"),
    (
        "an interval at the start",
        "healthcheck: {test: a, start_period: 5s, interval: 5s}",
    ),
    (
        "a Dockerfile",
        "build: {context: ., dockerfile_inline: 'RUN echo $(id)'}",
    ),
    (
        "contexts",
        "build: {context: ., additional_contexts: {a: .}}",
    ),
    ("platforms", "build: {context: ., platforms: [linux/amd64]}"),
    ("tags", "build: {context: ., tags: ['a:1']}"),
    (
        "a build without cache",
        "build: {context: ., no_cache: true}",
    ),
    (
        "limits of a build",
        "build: {context: ., ulimits: {nofile: 1024}}",
    ),
    ("a boolean", "environment: {A: true}"),
    ("an old boolean", "environment: {A: yes}"),
    ("a text", "environment: {A: 'true'}"),
    ("a command of a shell", "command: echo $(id)"),
    ("a dollar of its own", "command: echo $$(id)"),
    ("an address that may be empty", "ports: ['${B:-}:8080:80']"),
    (
        "a dependency that may lack",
        "depends_on: {b: {condition: service_started, required: false}}",
    ),
    (
        "a dependency that restarts",
        "depends_on: {b: {condition: service_started, restart: true}}",
    ),
    (
        "a network's address",
        "networks: {default: {mac_address: '02:42:ac:11:00:03'}}",
    ),
    ("a reset", "ports: !reset []"),
];
/// What came with version 2, at the top.
const TOP: [(&str, &str); 3] = [
    ("a name", "name: shop\n"),
    ("an include", "include: [more.yml]\n"),
    ("a version", "version: '3.8'\n"),
];
/// Files of several YAML documents.
const DOCUMENTS: [(&str, &str); 8] = [
    (
        "a document over another",
        "services: {a: {image: x}}\n---\nservices: {a: {ports: ['80:80']}, b: {image: y}}",
    ),
    (
        "documents that are whole together",
        "services: {a: {command: x}}\n---\nservices: {a: {image: x}}",
    ),
    (
        "a document that resets",
        "services: {a: {image: x, ports: ['80:80']}}\n---\nservices:\n  a:\n    ports: !reset []",
    ),
    (
        "an end of a document",
        "---\nservices: {a: {image: x}}\n...\n",
    ),
    (
        "an empty second document",
        "services: {a: {image: x}}\n---\n",
    ),
    (
        "an empty first document",
        "---\n# nothing\n---\nservices: {a: {image: x}}",
    ),
    (
        "a wrong second document",
        "services: {a: {image: x}}\n---\nservices: {a: {immage: y}}",
    ),
    ("a list behind it", "services: {a: {image: x}}\n---\n- a"),
];
/// Where the two knowingly say something else about version 2, and why.
const EXCEPTIONS: [(&str, &str); 1] = [("an undeclared volume", "config takes it, and up fails")];

fn cases() -> Vec<Case> {
    let single = |(name, text): &(&str, &str)| Case::new(*name, &[("a.yml", text)]);
    let mut cases: Vec<Case> = REFUSED.iter().map(single).collect();
    cases.extend(TAKEN.iter().map(|(name, files)| Case::new(*name, files)));
    cases.extend(DOCUMENTS.iter().map(single));
    let inside = [&REFUSED_INSIDE[..], &REFUSED_BY_2, &TAKEN_INSIDE].concat();
    let inside = inside.into_iter();
    cases.extend(inside.map(|text| Case::new(text, &[("a.yml", text)])));
    cases.extend(SERVICE.iter().map(|(name, line)| {
        let text = format!("services:\n  a:\n    image: x\n    {line}\n  b: {{image: y}}\n");
        Case::new(*name, &[("a.yml", &text)])
    }));
    cases.extend(TOP.iter().map(|(name, line)| {
        let text = format!("{line}services:\n  a: {{image: x}}\n");
        let other = ("more.yml", "services: {b: {image: y}}");
        let files = [("a.yml", text.as_str()), other];
        let count = if line.contains("include") { 2 } else { 1 };
        Case::new(*name, &files[..count])
    }));
    cases
}

#[test]
#[ignore = "long: tests/run --all"]
fn a_version_takes_what_check_says() {
    let host = Host::boot();
    let said = host.sh("docker-compose version --short");
    let number = said.trim().trim_start_matches('v').split('.').next();
    let number: u32 = number
        .and_then(|number| number.parse().ok())
        .expect("a version");
    let mut wrong = Vec::new();
    let (mut taken, mut refused) = (0, 0);
    for case in cases() {
        host.sh("rm -rf /root/c; mkdir -p /root/c");
        for (name, text) in &case.files {
            host.write(&format!("/root/c/{name}"), text);
        }
        let command = format!(
            "docker-compose {}config -q 2>&1",
            case.arguments("/root/c/")
        );
        let theirs = host.try_sh(&command);
        let is_refused = theirs.status != 0;
        let ours = ours_of(&case, &format!("[host]\ncompose = {number}\n"));
        match is_refused {
            true => refused += 1,
            false => taken += 1,
        }
        let is_exception = number == 2 && EXCEPTIONS.iter().any(|(name, _)| *name == case.name);
        if (is_refused != ours.is_err()) != is_exception {
            let ours = ours.err().unwrap_or_default();
            wrong.push(format!(
                "{}: {:?}\ncompose {number}: {}we: {ours}\n",
                case.name,
                case.files,
                theirs.text()
            ));
        }
    }
    println!("compose {said}: {taken} taken, {refused} refused");
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(taken > 35 && refused > 30, "{taken} {refused}");
}
