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

mod arguments;
mod refused;
mod variables;
mod versions;
mod words;

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

/// `gzip_types` takes any number of any words, wherever it stands: only the syntax matters.
const WORDS: [&str; 34] = [
    "gzip_types a;",
    "gzip_types a b\tc\r\n d ;",
    "gzip_types \"a b;{}#\" 'c \\' \"';",
    "gzip_types \"a\\\"\\\\\\t\\n\\x\" 'é 日本語';",
    "gzip_types \"\" '';",
    "gzip_types a\"b c'd;",
    "gzip_types a#b; # a comment; { \" '\n",
    "gzip_types \"a\"'b';",
    "gzip_types \"a\"b;",
    "gzip_types \"a\"#b\n;",
    "gzip_types \"a\");",
    "gzip_types ($a = \"b\");",
    "gzip_types \"a\"}",
    "gzip_types ${a} ${{b $c{d};",
    "gzip_types $a{b};",
    "gzip_types a\\ b \\; \\{ \\\"c;",
    "gzip_types a\\\nb;",
    "gzip_types a};",
    "gzip_types }a;",
    "gzip_types a }",
    "gzip_types a",
    "gzip_types a;;",
    ";",
    "{",
    "}",
    "{ gzip_types a; }",
    "server { gzip_types a; }",
    "server{gzip_types a;}server{location /{gzip_types a;}}",
    "server { gzip_types a; } }",
    "server { gzip_types a;",
    "\"server\" { 'gzip_types' a; }",
    "gzip_types \"a;",
    "gzip_types 'a;\n",
    "# no end",
];

fn hand_made() -> Vec<String> {
    let mut texts: Vec<String> = WORDS.iter().map(|text| wrapped(text)).collect();
    texts.extend(WORDS.iter().map(|text| wrapped(text).replace('\n', "\r\n")));
    texts.extend(
        [
            "",
            "\n",
            "events {}",
            "events {} #",
            "events {} \"",
            "events {} http { } \\",
        ]
        .map(str::to_owned),
    );
    texts.push(format!("\u{feff}{}", wrapped("")));
    for length in [4000, 4093, 4094, 4095, 4096, 4097, 9000] {
        let long = "x".repeat(length);
        texts.push(wrapped(&format!("gzip_types {long};")));
        texts.push(wrapped(&format!("gzip_types \"{long}\";")));
        texts.push(wrapped(&format!("#{long}\n")));
        texts.push(wrapped(&format!("gzip_types a;{};", " ".repeat(length))));
    }
    texts
}

fn wrapped(inside: &str) -> String {
    format!("events {{}}\nhttp {{\n{inside}\n}}\n")
}

/// Words as people write them and as they do not, in blocks that mostly match.
fn texts() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        3 => "[a-z/*.]{1,6}",
        3 => "[a-z$é日\\\\#}=]{0,3}[a-z]",
        2 => "\"[a-z ;{}'\\n#$é]{0,6}\"",
        2 => "'[a-z ;{}\"\\r\\n#$]{0,6}'",
        1 => "\\$\\{[a-z]{1,3}\\}",
        1 => "[\"']?[a-z\\\\\"' (){};$]{1,4}[\"']?",
    ];
    let blank =
        prop_oneof![4 => Just(" "), 1 => Just("\n"), 1 => Just("\r\n\t"), 1 => Just(" # x;{\n")];
    let end = prop_oneof![12 => Just(";"), 1 => Just(" ;"), 1 => Just(""), 1 => Just("}"), 1 => Just(";;")];
    let words = prop::collection::vec((blank, word), 1..4);
    let directive = (words, end).prop_map(|(words, end)| {
        let words: String = words
            .iter()
            .map(|(blank, word)| format!("{blank}{word}"))
            .collect();
        format!("gzip_types {words}{end}\n")
    });
    let server = (
        prop::collection::vec(directive.clone(), 0..3),
        prop_oneof![12 => Just("}"), 1 => Just(""), 1 => Just("}}")],
    )
        .prop_map(|(inside, end)| format!("server {{\n{}{end}\n", inside.concat()));
    let pieces =
        prop_oneof![3 => directive, 1 => server, 1 => Just("# 日本語 { ; \"\n".to_owned())];
    prop::collection::vec(pieces, 1..4).prop_map(|pieces| wrapped(&pieces.concat()))
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

/// A server, as words from which its directives are made.
type Server = (Vec<(usize, bool)>, Option<usize>, Vec<usize>, Vec<usize>);

/// No names: what they resolve to is the host's affair.
const LISTENS: [&str; 8] = [
    "80",
    "*:80",
    "0.0.0.0:80",
    "[::]:80",
    "127.0.0.1:80",
    "8080",
    "8079-8081",
    "[::1]:80",
];
/// Of these only one in a server: nginx says that it has a name twice, which harms nobody.
const SIMILAR: [&str; 6] = ["a.org", "A.Org", ".a.org", "*.a.org", "www.a.org", "\"\""];
const NAMES: [&str; 5] = ["b.org", "www.b.*", "~^a\\.org$", "_", "*.b.org"];
const LOCATIONS: [&str; 10] = [
    "/a", "^~ /a", "^~/a", "= /a", "=/a", "/a/", "\"/a\"", "/", "~ ^/a", "~* ^/a",
];

fn servers() -> impl Strategy<Value = Vec<Server>> {
    let some = |length: usize, most: usize| {
        let all: Vec<usize> = (0..length).collect();
        prop::sample::subsequence(all, 0..=most)
    };
    let listens = (
        some(LISTENS.len(), 2),
        prop::collection::vec(prop::bool::weighted(0.35), 2),
    );
    let listens =
        listens.prop_map(|(listens, defaults)| listens.into_iter().zip(defaults).collect());
    let similar = prop::option::of(0..SIMILAR.len());
    let server = (
        listens,
        similar,
        some(NAMES.len(), 2),
        some(LOCATIONS.len(), 2),
    );
    prop::collection::vec(server, 1..4)
}

fn written((listens, similar, names, locations): &Server) -> String {
    let mut text = String::from("server {\n");
    for (listen, is_default) in listens {
        let option = if *is_default { " default_server" } else { "" };
        text.push_str(&format!("listen {}{option};\n", LISTENS[*listen]));
    }
    let names = names.iter().map(|name| NAMES[*name]);
    for name in similar.iter().map(|name| SIMILAR[*name]).chain(names) {
        text.push_str(&format!("server_name {name};\n"));
    }
    for location in locations {
        text.push_str(&format!(
            "location {} {{ return 204; }}\n",
            LOCATIONS[*location]
        ));
    }
    text + "}\n"
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
