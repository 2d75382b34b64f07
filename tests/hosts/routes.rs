//! What `routes` says a URL does is what nginx does: generated configurations on a real nginx, asked thousands of URLs.

mod generator;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use watchme_apply::source::nginx::router::{Files, Outcome, Request, Router, Text};
use watchme_apply::source::nginx::{Directive, parse};

use crate::support::{Debian, Host};
use generator::Generator;

/// Configurations, each with ports of its own, and URLs asked of each.
const CONFIGURATIONS: u64 = 100;
const URLS: usize = 100;
/// The ports of the upstreams, each of which answers with its port and what it was asked for.
const UPSTREAMS: std::ops::RangeInclusive<u16> = 9101..=9106;

/// Answers `port uri`, whatever is asked.
fn echo() -> String {
    let listen: String = UPSTREAMS
        .map(|port| format!("    listen 127.0.0.1:{port};\n"))
        .collect();
    format!(
        "server {{\n{listen}    location / {{ return 200 \"up $server_port $request_uri\"; }}\n}}\n"
    )
}

/// What a URL does, in the words in which nginx and the router are compared.
fn foretold(outcome: &Outcome) -> Vec<String> {
    match outcome {
        Outcome::Proxy(upstream) => {
            let ports = upstream.targets.iter().filter_map(|target| target.port);
            let mut may: Vec<String> = ports
                .map(|port| format!("up {port} {}", upstream.uri))
                .collect();
            if is_refused(&upstream.uri) {
                may.push("400 ".to_owned());
            }
            may
        }
        Outcome::Redirect { status, to } => vec![format!("{status} {to}")],
        Outcome::Status {
            status,
            text: Some(text),
        } => vec![format!("{status} {text}")],
        Outcome::Status { status, text: None } => vec![format!("{status} ")],
        // The folder is empty.
        Outcome::Files => vec!["404 ".to_owned(), "403 ".to_owned()],
        Outcome::Closed | Outcome::NotListening => vec!["0 ".to_owned()],
        Outcome::NotKnown { possible, all, .. } => {
            assert!(*all || possible.is_empty(), "{outcome:?}");
            possible.iter().flat_map(foretold).collect()
        }
        Outcome::Other { .. } => panic!("{outcome:?}"),
    }
}

/// Variables are nginx's own for all files: what one configuration declares is empty, not unknown, in the others.
const DECLARES: &str =
    "server { listen 127.0.0.3:1; server_name \"~^(?<who>)(?<rest>)$\"; set $flag 0; }\n";

/// Whether nginx, as an upstream, refuses what another nginx passes on to it.
fn is_refused(uri: &str) -> bool {
    let path = uri.split('?').next().unwrap_or_default();
    let mut bytes = path.bytes();
    let mut escaped = true;
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next(), bytes.next()].map(|byte| byte.unwrap_or_default());
            escaped &= digits.iter().all(u8::is_ascii_hexdigit) && digits != *b"00";
        }
    }
    !uri.starts_with('/')
        || !escaped
        || path.contains("..")
        || path.contains("%2e")
        || uri.bytes().any(|byte| byte <= b' ' || byte == 0x7f)
}

/// What came, from what curl wrote for a URL: a body, and its status and Location.
fn seen(body: &str, said: &str) -> String {
    let (status, location) = said.split_once(' ').unwrap_or((said, ""));
    match location.is_empty() {
        _ if body.starts_with("up ") => body.to_owned(),
        false => format!("{status} {location}"),
        // nginx's own pages.
        true if body.starts_with("<html>") => format!("{status} "),
        true => format!("{} {body}", if status == "000" { "0" } else { status }),
    }
}

struct Configuration {
    seed: u64,
    text: String,
    parsed: Vec<Directive>,
    urls: Vec<String>,
}

fn configurations() -> Vec<Configuration> {
    let generated = (0..CONFIGURATIONS).map(|seed| {
        let mut generator = Generator::new(seed);
        let text = generator.configuration();
        let parsed = parse(Path::new("generated"), &text).unwrap();
        let urls = (0..URLS).map(|_| generator.url()).collect();
        Configuration {
            seed,
            text,
            parsed,
            urls,
        }
    });
    generated.collect()
}

#[test]
fn routes_are_those_of_nginx() {
    let host = Host::boot();
    let configurations = configurations();
    let began = Instant::now();
    let answers = ask(&host, &configurations);
    println!("asked in {:.1} s", began.elapsed().as_secs_f32());
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut answers = answers.iter();
    let shared = parse(Path::new("shared"), DECLARES).unwrap();
    for configuration in &configurations {
        let text = Text {
            path: Path::new("generated"),
            directives: &configuration.parsed,
        };
        let shared = Text {
            path: Path::new("shared"),
            directives: &shared,
        };
        let router = Router::new(Files::new(
            [("generated", text), ("shared", shared)].into(),
            [].into(),
        ));
        for url in &configuration.urls {
            let answer = answers.next().unwrap();
            // curl 8 leaves a question mark out that nothing follows.
            let bare = url.strip_suffix('?').filter(|bare| !bare.contains('?'));
            let url = match (host.debian(), bare) {
                (Debian::Thirteen, Some(bare)) => bare,
                _ => url,
            };
            let request = Request::of(&url.parse().unwrap(), Some([127, 0, 0, 1].into()));
            let told = router.answer(&request);
            *counts.entry(kind(&told.outcome)).or_default() += 1;
            let expected = foretold(&told.outcome);
            let same = |one: &String| one.trim_end() == answer.trim_end();
            if !expected.iter().any(same) {
                let steps: Vec<String> = told
                    .steps
                    .iter()
                    .map(|step| {
                        let place = step.place.map(|place| place.text()).unwrap_or_default();
                        format!("    {place}: {}", step.text)
                    })
                    .collect();
                wrong.push(format!(
                    "{} {url}: {answer:?}, and not {expected:?}\n{}",
                    configuration.seed,
                    steps.join("\n")
                ));
            }
        }
    }
    assert!(answers.next().is_none());
    let total: usize = counts.values().sum();
    println!("{total} URLs: {counts:?}");
    let some: Vec<String> = wrong.iter().take(15).cloned().collect();
    assert!(
        wrong.is_empty(),
        "{} of {total} differ:\n{}",
        wrong.len(),
        some.join("\n")
    );
    let unknown = counts.get("not known").copied().unwrap_or(0);
    assert!(unknown * 5 < total, "{unknown} of {total} are not known");
    assert!(
        counts.get("proxy").is_some_and(|count| count * 4 > total),
        "{counts:?}"
    );
}

fn kind(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Proxy(_) => "proxy",
        Outcome::Other { .. } => "other",
        Outcome::Redirect { .. } => "redirect",
        Outcome::Status { .. } => "status",
        Outcome::Files => "files",
        Outcome::Closed => "closed",
        Outcome::NotListening => "not listening",
        Outcome::NotKnown { .. } => "not known",
    }
}

/// Has nginx load all configurations at once, and asks it for all URLs with one curl.
fn ask(host: &Host, configurations: &[Configuration]) -> Vec<String> {
    host.sh("rm -f /etc/nginx/sites-enabled/default; mkdir -p /srv/empty");
    host.write("/etc/nginx/conf.d/echo.conf", &echo());
    let mut sites = DECLARES.to_owned();
    let mut curl = "connect-to = \"::127.0.0.1:\"\npath-as-is\ngloboff\nsilent\n\
         write-out = \"^^^%{http_code} %header{location}^^^\"\n"
        .to_owned();
    for configuration in configurations {
        sites.push_str(&configuration.text);
        for url in &configuration.urls {
            curl.push_str(&format!("url = \"{url}\"\n"));
        }
    }
    host.write("/etc/nginx/sites-enabled/generated", &sites);
    host.write("/root/urls", &curl);
    let tested = host.try_sh("nginx -t && systemctl restart nginx");
    assert_eq!(tested.status, 0, "{}", tested.text());
    let output = host.try_sh("curl -K /root/urls || true");
    let fields: Vec<&str> = output.stdout.split("^^^").collect();
    fields
        .chunks_exact(2)
        .map(|pair| seen(pair[0], pair[1]))
        .collect()
}
