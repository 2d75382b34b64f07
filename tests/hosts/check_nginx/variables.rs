//! Variables: `check` knows those of nginx, and which words of a directive nginx looks for them in.

use super::{Host, findings, tested, wrapped};

const DIRECTIVES: &str = include_str!("../../../crates/nginx-conf/src/tables/directives.txt");
const VARIABLES: &str = include_str!("../../../crates/nginx-conf/src/tables/variables.txt");
const FIXED: &str = include_str!("../../../crates/nginx-conf/src/tables/fixed.txt");
/// Of later versions, of other modules, and of those that Debian does not build in.
const ELSEWHERE: [&str; 24] = [
    "geoip_x",
    "grpc_internal_trailers",
    "http3",
    "is_request_port",
    "jwt_x",
    "otel_x",
    "proxy_add_via",
    "proxy_internal_body_length",
    "proxy_internal_chunked",
    "request_port",
    "session_log_x",
    "ssl_alpn_protocol",
    "ssl_client_sigalg",
    "ssl_curve",
    "ssl_ech_x",
    "ssl_sigalg",
    "ssl_sigalgs",
    "upload_x",
    "upstream_cache_etag",
    "upstream_cache_last_modified",
    "upstream_last_server_name",
    "upstream_queue_time",
    "memcached_key",
    "proxy_protocol_tlv_x",
];

/// Lines of a table, comments left out.
fn lines(table: &str) -> impl Iterator<Item = &str> {
    table.lines().filter(|line| !line.starts_with('#'))
}

/// Whether `check` says that a variable is not known.
fn is_unknown(site: &str) -> bool {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("sites-available");
    std::fs::create_dir(&path).expect("a folder");
    std::fs::write(path.join("a"), site).expect("a site");
    let findings = findings(folder.path());
    findings
        .iter()
        .any(|finding| finding.rule.name == "nginx-unknown-variable")
}

#[test]
#[ignore = "long: tests/run --all"]
fn variables_are_those_of_nginx() {
    let host = Host::boot();
    let names: Vec<String> = lines(VARIABLES)
        .map(|name| name.replace('*', "x"))
        .collect();
    let used = |name: &String| format!("server {{ location / {{ return 200 ${name}; }} }}\n");
    let mut texts: Vec<String> = names.iter().map(used).collect();
    let known = texts.len();
    // One letter less is none.
    let shorter = names.iter().filter(|name| !name.ends_with("_x"));
    let shorter = shorter.map(|name| name.get(..name.len() - 1).expect("ASCII").to_owned());
    texts.extend(
        shorter
            .filter(|name| !name.is_empty())
            .map(|name| used(&name)),
    );
    let whole: Vec<String> = texts.iter().map(|text| wrapped(text)).collect();
    let (mut refused, mut wrong) = (0, Vec::new());
    for (text, said) in texts.iter().zip(tested(&host, &whole)) {
        let is_later = ELSEWHERE
            .iter()
            .any(|name| text.contains(&format!("${name};")));
        let theirs = said.contains("\" variable");
        refused += usize::from(theirs);
        if theirs != is_unknown(text) && !is_later {
            wrong.push(format!("{text}{said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(refused > 80 && known > 120, "{refused} of {known}");
}

#[test]
#[ignore = "long: tests/run --all"]
fn variables_are_looked_for_where_nginx_does() {
    let host = Host::boot();
    let mut cases = Vec::new();
    for line in lines(DIRECTIVES) {
        let words: Vec<&str> = line.split(' ').collect();
        let [name, contexts, counts, end, ..] = words.as_slice() else {
            panic!("{line}");
        };
        let context = [
            ('L', "server { location / {", "} }"),
            ('S', "server {", "}"),
            ('H', "", ""),
            ('U', "upstream u { server 127.0.0.1:1;", "}"),
            ('l', "server { location / { if ($arg_a) {", "} } }"),
        ];
        let Some((_, before, after)) = context
            .iter()
            .find(|(letter, ..)| contexts.contains([*letter, '*']))
        else {
            continue;
        };
        let end = if *end == "{" { "{ }" } else { ";" };
        for count in counts.split(',') {
            let least = count
                .trim_end_matches('+')
                .parse::<usize>()
                .unwrap_or(1)
                .max(1);
            for at in 0..least.min(3) {
                // The variable at each place, with plain words around it.
                let words: Vec<&str> = (0..least)
                    .map(|place| if place == at { "$nosuch_x" } else { "200" })
                    .collect();
                let text = format!("{before} {name} {}{end} {after}\n", words.join(" "));
                cases.push(text);
            }
        }
    }
    let texts: Vec<String> = cases.iter().map(|text| wrapped(text)).collect();
    let (mut refused, mut taken, mut wrong) = (0, 0, Vec::new());
    for (text, said) in cases.iter().zip(tested(&host, &texts)) {
        let ours = is_unknown(text);
        let theirs = said.contains("unknown \"nosuch_x\" variable");
        // A directive that later versions keep and do nothing for: http2_push.
        let is_ignored = said.contains("directive is obsolete, ignored");
        let fits = match theirs {
            true => ours,
            false => !ours || is_ignored || !said.contains("syntax is ok"),
        };
        refused += usize::from(theirs);
        taken += usize::from(said.contains("syntax is ok"));
        if !fits {
            wrong.push(format!("{text}nginx: {said}we: {ours}"));
        }
    }
    println!(
        "refused for a variable, taken, of all: {refused} {taken} {}",
        cases.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(refused > 50 && taken > 50, "{refused} {taken}");
}

#[test]
fn variables_that_nothing_else_may_set() {
    let host = Host::boot();
    let names: Vec<String> = lines(VARIABLES)
        .map(|name| name.replace('*', "x"))
        .collect();
    let set = |name: &String| wrapped(&format!("server {{ set ${name} a; }}"));
    let texts: Vec<String> = names.iter().map(set).collect();
    let fixed: Vec<&str> = lines(FIXED).collect();
    let mut wrong = Vec::new();
    for (name, said) in names.iter().zip(tested(&host, &texts)) {
        let is_refused = said.contains("the duplicate");
        // What only later versions or other modules have may be set here.
        let is_allowed = is_refused || ELSEWHERE.contains(&name.as_str());
        let is_fixed = fixed.contains(&name.as_str());
        if is_fixed && !is_allowed || is_refused && !is_fixed && name != "http3" {
            wrong.push(format!("{name} fixed: {is_fixed}, nginx: {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(fixed.len() > 70, "{}", fixed.len());
}
