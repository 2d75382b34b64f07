//! What nginx refuses of whole configurations: `check` finds an error in these, and in no other one.

use super::{Host, findings, tested, wrapped};

/// Rules whose errors nginx refuses.
const RULES: [&str; 18] = [
    "nginx-buffers",
    "nginx-directive-misplaced",
    "nginx-directive-twice",
    "nginx-duplicate-default-server",
    "nginx-duplicate-listen",
    "nginx-duplicate-location",
    "nginx-duplicate-name",
    "nginx-location-nested",
    "nginx-map-invalid",
    "nginx-missing-semicolon",
    "nginx-no-certificate",
    "nginx-no-events",
    "nginx-regex-invalid",
    "nginx-undeclared-name",
    "nginx-unknown-directive",
    "nginx-upstream-invalid",
    "nginx-wrong-arguments",
    "syntax",
];

/// What is in `http`, a text for each line.
const TABLES: [&str; 2] = [include_str!("http.txt"), include_str!("words.txt")];

/// Certificates and maps.
const MORE: [&str; 19] = [
    "server { listen 443 ssl; PAIR } server { listen 443 ssl; server_name b; }",
    "server { listen 443 ssl; server_name b; } server { listen 443 ssl; PAIR }",
    "server { listen 443 ssl; server_name b; } server { listen 443 ssl default_server; PAIR }",
    "server { listen 443 ssl; PAIR } server { listen 127.0.0.1:443 ssl; server_name b; }",
    "server { listen 443; server_name b; } server { listen 443 ssl; PAIR }",
    "server { listen 443 ssl; ssl_reject_handshake on; } server { listen 443 ssl; server_name b; }",
    "server { listen 443 ssl; ssl_reject_handshake on; } server { listen 443 ssl; server_name b; PAIR }",
    "server { listen 80; ssl_certificate /root/c.pem; }",
    "server { listen 443 ssl; PAIR ssl_certificate /root/c.pem; }",
    "map $uri $x { a 1; a 2; }",
    "map $uri $x { a 1; A 2; }",
    "map $uri $x { a 1; \\a 2; }",
    "map $uri $x { default 1; default 2; }",
    "map $uri $x { \\default 1; default 2; }",
    "map $uri $x { ~a 1; ~a 2; volatile; hostnames; }",
    "map $uri $x { a; }",
    "map $uri $x { a 1 2; }",
    "map $uri $x { hostnames; *.a 1; *.a 2; }",
    "map $uri $x { a 1; b 1; default 1; }",
];

/// Whole files. The nginx of the test host has streams as a module.
const WHOLE: [&str; 22] = [
    "events { } http { }",
    "http { }",
    "worker_processe 2; events { } http { }",
    "worker_processes x; events { }",
    "worker_processes auto; events { }",
    "worker_processes 2; worker_processes 3; events { }",
    "events { worker_connections 0; }",
    "events { worker_connections 9; worker_connections 8; }",
    "events { } events { }",
    "events { } http { } http { }",
    "events { use epoll; multi_accept maybe; }",
    "events { } server { }",
    "events { } http { events { } }",
    "events { } http { stream { } }",
    "events { } gzip on;",
    "user a b c; events { }",
    "STREAM events { } stream { server { listen 1025; proxy_pass 127.0.0.1:1; } }",
    "STREAM events { } stream { server { listen 1025; proxy_pass app; } }",
    "STREAM events { } stream { upstream app { server 127.0.0.1:1; } server { listen 1025; proxy_pass app; } }",
    "STREAM events { } stream { upstream app { server 127.0.0.1; } server { listen 1025; proxy_pass app; } }",
    "STREAM events { } stream { server { listen 1025; location / { } } }",
    "STREAM events { } stream { server { listen 1025; proxy_timeout x; return a; } }",
];

/// The rules that find an error in an nginx.conf.
fn errors(main: &str) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("etc/nginx");
    std::fs::create_dir_all(&path).expect("a folder");
    std::fs::write(path.join("nginx.conf"), main).expect("a file");
    let findings = findings(folder.path());
    let errors = findings.iter().filter(|finding| finding.is_error());
    let refused = errors.filter(|finding| RULES.contains(&finding.rule.name));
    refused.map(ToString::to_string).collect()
}

#[test]
fn what_nginx_refuses_is_an_error() {
    let host = Host::boot();
    host.sh("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=a.test -keyout /root/k.pem -out /root/c.pem 2>/dev/null");
    host.sh("apt-get install -y libnginx-mod-stream >/dev/null 2>&1 || true");
    let has_streams = host
        .sh("ls /usr/lib/nginx/modules")
        .contains("ngx_stream_module.so");
    let pair = "ssl_certificate /root/c.pem; ssl_certificate_key /root/k.pem;";
    let lines = TABLES.iter().flat_map(|table| table.lines());
    let lines = lines.filter(|line| !line.starts_with("# "));
    let inside = lines.chain(MORE);
    let mut texts: Vec<String> = inside
        .map(|inside| wrapped(&inside.replace("PAIR", pair)))
        .collect();
    let load = "load_module /usr/lib/nginx/modules/ngx_stream_module.so;";
    let whole = WHOLE
        .iter()
        .filter(|text| has_streams || !text.contains("STREAM"));
    texts.extend(whole.map(|text| text.replace("STREAM", load)));
    let (mut refused, mut wrong) = (0, Vec::new());
    for (text, said) in texts.iter().zip(tested(&host, &texts)) {
        let theirs = !said.contains("test is successful");
        refused += usize::from(theirs);
        let ours = errors(text);
        if theirs == ours.is_empty() {
            wrong.push(format!("{text}nginx: {said}we: {ours:?}"));
        }
    }
    println!("{refused} of {} refused", texts.len());
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
    assert!(
        refused > 90 && texts.len() - refused > 50,
        "{refused} of {}",
        texts.len()
    );
}

/// Arguments of which most directives take some.
const CANDIDATES: [&str; 14] = [
    "on",
    "1",
    "8k",
    "4 8k",
    "/tmp/x",
    "http://127.0.0.1:1",
    "127.0.0.1:1",
    "$arg_a",
    "utf-8",
    "/a /b",
    "max=10",
    "off",
    "30s",
    "5 6",
];

/// Every directive of the table twice in a block: nginx says that it is a duplicate where the table says so.
#[test]
#[ignore = "long: tests/run --all"]
fn the_table_says_what_nginx_takes_once() {
    const TABLE: &str = include_str!("../../../crates/nginx-conf/src/tables/directives.txt");
    const PLACES: [(char, &str, &str); 5] = [
        ('H', "", ""),
        ('S', "server {", "}"),
        ('L', "server { location /x {", "} }"),
        ('U', "upstream u { server 127.0.0.1:1;", "}"),
        ('l', "server { location /x { if ($arg_a) {", "} } }"),
    ];
    let (mut cases, mut texts) = (Vec::new(), Vec::new());
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        let [name, contexts, _, ";", value] = words.as_slice() else {
            continue;
        };
        let place = PLACES
            .iter()
            .find(|(letter, ..)| contexts.contains(*letter));
        let Some((_, before, after)) = place else {
            continue;
        };
        let is_single = *value != "-" && !value.starts_with('~');
        // Messages of these say something else, or compare more than the name.
        if [
            "listen",
            "log_format",
            "error_page",
            "http2_max_concurrent_pushes",
            "http2_push_preload",
        ]
        .contains(name)
        {
            continue;
        }
        let word = value.trim_start_matches(['=', '~']).split('|').next();
        let lowest = value
            .strip_prefix("number:")
            .and_then(|bounds| bounds.split('-').next());
        let own = match value.chars().next() {
            Some('=' | '~') => word,
            _ => lowest,
        };
        let candidates: Vec<&str> = match (*value, own) {
            (_, Some(own)) => vec![own],
            ("flag", _) => vec!["on"],
            ("size" | "offset", _) => vec!["8k"],
            ("number" | "time" | "sec", _) => vec!["1", "64"],
            _ => CANDIDATES.to_vec(),
        };
        for args in candidates {
            let once = format!("{name} {args};");
            texts.push(wrapped(&format!("{before} {once} {after}")));
            texts.push(wrapped(&format!("{before} {once} {once} {after}")));
            cases.push((*name, is_single));
        }
    }
    let host = Host::boot();
    let said = tested(&host, &texts);
    let mut tried = std::collections::BTreeMap::new();
    let mut wrong = Vec::new();
    for ((name, is_single), pair) in cases.iter().zip(said.chunks(2)) {
        let [once, twice] = pair else {
            unreachable!("pairs")
        };
        if !once.contains("test is successful") || tried.contains_key(name) {
            continue;
        }
        let is_duplicate = twice.contains("is duplicate");
        tried.insert(*name, is_duplicate);
        if is_duplicate != *is_single {
            wrong.push(format!("{name} single: {is_single}\nnginx: {twice}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let single = tried.values().filter(|is| **is).count();
    println!("{single} of {} once", tried.len());
    assert!(
        single > 300 && tried.len() - single > 50,
        "{single} of {}",
        tried.len()
    );
}
