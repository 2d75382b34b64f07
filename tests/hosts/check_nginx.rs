//! nginx itself is asked whether the parser and the rules say the same as it does.

use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use watchme_apply::check::{Subject, check};
use watchme_apply::model::Finding;
use watchme_apply::source::{Checkout, Which, nginx};

use crate::support::Host;
use generator::{servers, written};
use texts::{hand_made, texts, wrapped};

mod arguments;
mod generator;
mod refused;
mod texts;
mod variables;
mod versions;

/// What `nginx -t` says about each text, as a configuration of its own. One call of nginx takes 20 ms.
fn tested(host: &Host, texts: &[String]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (number, text) in texts.iter().enumerate() {
        std::fs::write(folder.path().join(format!("{number:05}")), text).expect("a file");
    }
    host.copy_in(folder.path(), "/root/cases");
    let said = host.sh(
        "cd /root/cases; for case in *; do nginx -t -c /root/cases/$case 2>&1 || true; echo =====; done; rm -r /root/cases",
    );
    let said: Vec<String> = said
        .split("=====")
        .map(str::to_owned)
        .take(texts.len())
        .collect();
    assert_eq!(said.len(), texts.len());
    said
}

/// The same values in each run.
fn generated<S: Strategy>(count: usize, strategy: &S) -> Vec<S::Value> {
    let mut runner = TestRunner::deterministic();
    let mut one = || strategy.new_tree(&mut runner).expect("a value").current();
    (0..count).map(|_| one()).collect()
}

#[test]
fn the_parser_takes_what_nginx_takes() {
    let host = Host::boot();
    let mut cases = hand_made();
    let by_hand = cases.len();
    cases.extend(generated(450, &texts()));
    let (mut taken, mut refused, mut wrong) = (0, 0, Vec::new());
    for (number, (text, said)) in cases.iter().zip(tested(&host, &cases)).enumerate() {
        let syntax = ["unexpected \"", "unexpected end of", "too long parameter"];
        let ours = nginx::parse("case".as_ref(), text);
        let of_nginx = if said.contains("syntax is ok") {
            taken += 1;
            true
        } else if syntax.iter().any(|part| said.contains(part))
            || number < by_hand && text.starts_with('\u{feff}')
        {
            refused += 1;
            false
        } else {
            // A word too many or too few, an unknown directive: nothing about the syntax.
            continue;
        };
        if ours.is_ok() != of_nginx {
            let ours = ours.map(|_| ()).map_err(|error| error.to_string());
            wrong.push(format!("{text:?}\nnginx: {said}\nwe: {ours:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    println!("{taken} taken, {refused} refused, {} in all", cases.len());
    assert!(
        taken > 150 && refused > 100,
        "{taken} taken, {refused} refused"
    );
}

/// Rules whose findings nginx refuses, with its words.
const REFUSED: [(&str, &str); 3] = [
    ("nginx-duplicate-location", "duplicate location"),
    ("nginx-duplicate-listen", "a duplicate listen"),
    (
        "nginx-duplicate-default-server",
        "a duplicate default server",
    ),
];

/// All findings about a desired state.
fn findings(folder: &Path) -> Vec<Finding> {
    let owner = nix::unistd::Uid::effective().as_raw();
    let checkout = Checkout::open(folder, &[owner]).expect("a checkout");
    let (revision, wrong) = checkout.survey(&Which::Worktree).expect("a revision");
    check(&Subject {
        revision: &revision,
        wrong: &wrong,
    })
}

/// What the rules find: those of nginx's refusals, and `NAME on SOCKET` of conflicting names.
fn found(sites: &[String]) -> (BTreeSet<&'static str>, BTreeSet<String>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir(folder.path().join("sites-available")).expect("a folder");
    for (number, site) in sites.iter().enumerate() {
        std::fs::write(
            folder.path().join(format!("sites-available/{number}")),
            site,
        )
        .expect("a site");
    }
    let findings = findings(folder.path());
    let errors: Vec<_> = findings
        .iter()
        .filter(|finding| finding.is_error())
        .collect();
    let refused = REFUSED.iter().map(|(rule, _)| *rule);
    let refused = refused.filter(|rule| errors.iter().any(|finding| finding.rule.name == *rule));
    let mut names = BTreeSet::new();
    for finding in errors
        .iter()
        .filter(|finding| finding.rule.name == "nginx-duplicate-server")
    {
        let message = finding.message();
        let (name, rest) = message
            .split_once(" is already used on ")
            .or_else(|| message.split_once("there is already a server without a name on "))
            .expect("its words");
        let (sockets, _) = rest.split_once(" at ").expect("its words");
        let name = name.strip_prefix("server_name ").unwrap_or("");
        names.extend(
            sockets
                .split(" and ")
                .map(|socket| format!("{name} on {socket}")),
        );
    }
    (refused.collect(), names)
}

#[test]
fn the_rules_find_what_nginx_complains_about() {
    let host = Host::boot();
    let cases = generated(250, &servers());
    let sites: Vec<Vec<String>> = cases
        .iter()
        .map(|servers| servers.iter().map(written).collect())
        .collect();
    let texts: Vec<String> = sites.iter().map(|sites| wrapped(&sites.concat())).collect();
    let (mut counts, mut wrong) = ([0; 5], Vec::new());
    for (sites, said) in sites.iter().zip(tested(&host, &texts)) {
        let (refused, names) = found(sites);
        let first = REFUSED.iter().position(|(_, words)| said.contains(words));
        let conflicts: BTreeSet<String> = said
            .lines()
            .filter_map(|line| {
                line.split_once("conflicting server name \"")?
                    .1
                    .strip_suffix(", ignored")
            })
            .filter_map(|line| line.split_once("\" on "))
            .map(|(name, socket)| format!("{name} on {socket}"))
            .collect();
        let fits = match first {
            Some(kind) => refused.contains(REFUSED[kind].0),
            None => said.contains("syntax is ok") && refused.is_empty() && names == conflicts,
        };
        counts[first.unwrap_or(3 + usize::from(conflicts.is_empty()))] += 1;
        if !fits {
            wrong.push(format!(
                "{}\nnginx: {said}\nwe: {refused:?} {names:?}",
                sites.concat()
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        texts.len(),
        wrong.join("\n\n")
    );
    println!("locations, listens, defaults, names, nothing: {counts:?}");
    assert!(counts.iter().all(|count| *count > 3), "{counts:?}");
}

/// Every directive of our table somewhere, with some arguments: where nginx says that it may not stand there or has the
/// wrong number of them, we do, and we say it of none that nginx takes.
#[test]
#[ignore = "long: tests/run --all"]
fn directives_are_where_nginx_allows_them() {
    const TABLE: &str = include_str!("../../crates/nginx-conf/src/tables/directives.txt");
    const PLACES: [(&str, &str); 5] = [
        ("", ""),
        ("server {", "}"),
        ("server { location / {", "} }"),
        ("server { if ($arg_a) {", "} }"),
        ("server { location / { if ($arg_a) {", "} } }"),
    ];
    let names = TABLE.lines().filter(|line| !line.starts_with('#'));
    let mut cases: Vec<(&str, String)> = Vec::new();
    for (number, line) in names.enumerate() {
        let mut words = line.split(' ');
        let name = words.next().expect("a name");
        let end = match words.nth(2) {
            Some("{") => "{ }",
            _ => ";",
        };
        for (at, (before, after)) in PLACES.iter().enumerate() {
            // Numbers from 0 to 4, others at each place.
            let args = " on".repeat((number + 2 * at) % 5);
            cases.push((name, format!("{before} {name}{args}{end} {after}\n")));
        }
    }
    let host = Host::boot();
    let texts: Vec<String> = cases.iter().map(|(_, text)| wrapped(text)).collect();
    let (mut counts, mut wrong) = ([0; 4], Vec::new());
    for ((name, text), said) in cases.iter().zip(tested(&host, &texts)) {
        let ours = errors(text);
        let has = |rule: &str| ours.contains(rule);
        let kind = [
            "unknown directive",
            "directive is not allowed here",
            "invalid number of arguments in",
        ]
        .iter()
        .position(|words| said.contains(words) && said.contains(&format!("\"{name}\"")));
        counts[kind.unwrap_or(3)] += 1;
        let fits = match kind {
            Some(0) => true,
            Some(1) => has("nginx-directive-misplaced"),
            Some(_) => has("nginx-wrong-arguments"),
            None => ours.is_empty() || !said.contains("syntax is ok"),
        };
        if !fits {
            wrong.push(format!("{text}nginx: {said}\nwe: {ours:?}"));
        }
    }
    println!("unknown, misplaced, wrong number, else: {counts:?}");
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
    assert!(
        counts[1] > 500 && counts[2] > 300 && counts[3] > 300,
        "{counts:?}"
    );
}

/// Errors about the directives of a site.
fn errors(site: &str) -> BTreeSet<&'static str> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("sites-available");
    std::fs::create_dir(&path).expect("a folder");
    std::fs::write(path.join("a"), site).expect("a site");
    let findings = findings(folder.path());
    let rules = [
        "nginx-unknown-directive",
        "nginx-directive-misplaced",
        "nginx-wrong-arguments",
        "nginx-missing-semicolon",
        "nginx-directive-twice",
        "nginx-no-certificate",
    ];
    let errors = findings.iter().filter(|finding| finding.is_error());
    errors
        .map(|finding| finding.rule.name)
        .filter(|rule| rules.contains(rule))
        .collect()
}

/// What the messages of the rules promise happens: a request goes there, a header is gone.
#[test]
fn what_the_rules_warn_of_happens() {
    let host = Host::boot();
    let inside = "location /a/ { proxy_pass http://127.0.0.1:8100/b; }
    location /c { proxy_pass http://127.0.0.1:8100/; }
    location /e { proxy_pass http://127.0.0.1:8100/f/; }
    location /files { alias /srv/files/; }
    location /moved/ { return 301 http://$host$uri; }
    location /path/ { proxy_set_header X-Path $uri; proxy_pass http://127.0.0.1:8100; }
    location /kept/ { return 200 x; }
    location /lost/ { add_header X-Own 1; return 200 x; }
    location /name/ { proxy_set_header Host $http_host; proxy_pass http://127.0.0.1:8100; }";
    let site = format!("server {{ listen 8099; add_header X-Outer 1;\n{inside}\n}}");
    let echo = "server { listen 8100; return 200 \"$request_uri|$http_x_injected|$http_host\"; }";
    host.write("/etc/nginx/conf.d/a.conf", &site);
    host.write("/etc/nginx/conf.d/echo.conf", echo);
    host.sh("mkdir -p /srv/files; echo secret >/srv/beside; nginx -t; systemctl reload nginx");
    let answer = |url: &str, options: &str| {
        host.sh(&format!(
            "curl -s --path-as-is {options} 'http://127.0.0.1:8099{url}'"
        ))
    };
    host.wait_for("the sites", std::time::Duration::from_secs(10), || {
        host.get("http://localhost:8099/kept/").0 == 200
    });

    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir(folder.path().join("sites-available")).expect("a folder");
    std::fs::write(folder.path().join("sites-available/a"), &site).expect("a site");
    let findings = findings(folder.path());
    let of = |rule: &str| -> Vec<String> {
        let own = findings.iter().filter(|finding| finding.rule.name == rule);
        own.map(|finding| finding.message().to_owned()).collect()
    };

    let paths = of("nginx-prefix-mismatch");
    assert_eq!(paths.len(), 3, "{paths:?}");
    for message in &paths {
        let (from, to) = message
            .rsplit_once(": ")
            .expect("an example")
            .1
            .split_once(" goes to ")
            .expect("an example");
        assert_eq!(answer(from, "").split('|').next(), Some(to), "{message}");
    }
    assert_eq!(of("nginx-alias-traversal").len(), 1);
    assert_eq!(answer("/files../beside", ""), "secret");
    assert_eq!(of("nginx-header-injection").len(), 2);
    assert!(
        answer("/moved/%0d%0aX-Injected:%201", "-i")
            .lines()
            .any(|line| line.trim() == "X-Injected: 1")
    );
    assert!(answer("/path/%0d%0aX-Injected:%201", "").contains("|1|"));
    assert_eq!(of("nginx-add-header-dropped").len(), 1);
    assert!(answer("/kept/", "-i").contains("X-Outer"));
    assert!(!answer("/lost/", "-i").contains("X-Outer"));
    assert_eq!(of("nginx-host-spoofable").len(), 1);
    assert!(answer("/name/", "-H 'Host: evil.example.com:1'").ends_with("|evil.example.com:1"));
}
