//! Includes, what is not known, and input that means no good. That a known answer is right is proved with nginx itself,
//! in tests/hosts/routes.rs.

use std::path::Path;

use super::*;
use crate::{Directive, parse};

fn told(sources: &[(&str, &str)], url: &str) -> String {
    let parsed: Vec<(&str, Vec<Directive>)> = sources
        .iter()
        .map(|(name, source)| (*name, parse(Path::new(name), source).unwrap()))
        .collect();
    let texts = || {
        parsed.iter().map(|(name, directives)| {
            (
                *name,
                Text {
                    path: Path::new(*name),
                    directives,
                },
            )
        })
    };
    let is_etc = |name: &str| name.starts_with("nginx/");
    let sites = texts().filter(|(name, _)| !is_etc(name)).collect();
    let etc = texts()
        .filter(|(name, _)| is_etc(name))
        .map(|(name, text)| (Path::new(name), text));
    let router = Router::new(Files::new(sites, etc.collect()));
    let answer = router.explain(&Request::of(&url.parse().unwrap(), None));
    said(&answer.outcome)
}

fn said(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Proxy(upstream) => upstream.to_string(),
        Outcome::Status { status, .. } => status.to_string(),
        Outcome::Redirect { status, to } => format!("{status} {to}"),
        Outcome::NotKnown { why, possible, all } => {
            let possible: Vec<String> = possible.iter().map(said).collect();
            format!(
                "? {}: {}{}",
                why.join(", "),
                possible.join(" or "),
                if *all { "" } else { " or else" }
            )
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn includes_that_are_inputs_stand_where_they_are_included() {
    let site = "server { listen 80; server_name a.test; include snippets/api*.conf; include /etc/nginx/proxy_params; }";
    let snippet = "location /api/ { proxy_pass http://blue/; }";
    let group = "upstream blue { server 127.0.0.1:8001; }";
    let files = [
        ("a", site),
        ("nginx/snippets/api.conf", snippet),
        ("nginx/conf.d/blue.conf", group),
    ];
    assert_eq!(told(&files, "http://a.test/api/x"), "http://blue/x");
    assert_eq!(
        told(&files[..1], "http://a.test/api/x"),
        "? what include snippets/api*.conf brings, which is not in the desired state: Files or else"
    );
    let main = "http { include /etc/nginx/sites-enabled/*; } events {}";
    let files = [
        ("a", site),
        ("nginx/snippets/api.conf", snippet),
        ("nginx/nginx.conf", main),
    ];
    assert_eq!(told(&files, "http://a.test/api/x"), "http://blue/x");
}

#[test]
fn what_only_a_request_or_the_host_tells_goes_both_ways() {
    let site = "server {
        listen 80; server_name a.test;
        location /if { if ($http_x) { return 403; } return 404; }
        location /same { if ($http_x) { return 404; } return 404; }
        location /try { try_files $uri /if; }
        location /set { set $to $cookie_to; proxy_pass http://localhost:8001; }
        location /to { set $to $cookie_to; proxy_pass http://$to; }
        location /ifs/ {
            proxy_pass http://localhost:8001/;
            if ($scheme = http) { proxy_pass http://localhost:8002; }
            if ($host = a.test) { add_header X 1; }
        }
        location ~ ^/(a+)+$ { return 200; }
        location / { proxy_pass http://localhost:8000; }
    }";
    for (path, expected) in [
        ("/if", "? whether if ($http_x) is true: 404 or 403"),
        ("/same", "404"),
        (
            "/try",
            "? whether /try is there, whether if ($http_x) is true: 404 or 403 or Files",
        ),
        ("/set", "http://localhost:8001/set"),
        ("/to", "? what $cookie_to will be:  or else"),
        ("/ifs/x", "http://localhost:8001/x"),
        ("/x", "http://localhost:8000/x"),
    ] {
        assert_eq!(
            told(&[("a", site)], &format!("http://a.test{path}")),
            expected
        );
    }
    let long = format!("http://a.test/{}!", "a".repeat(4000));
    assert!(told(&[("a", site)], &long).contains("takes too many steps"));
}

#[test]
fn values_that_grow_without_end_are_not_followed() {
    let many = "rewrite ^(.*)$ $1$1$1$1$1$1$1$1$1$1;".repeat(8);
    let sets = "set $x $x$x$x$x$x$x$x$x$x$x$uri;".repeat(8);
    let args = "rewrite ^ /b?$args$args;".repeat(40);
    for (inside, expected) in [
        (
            many,
            "? what comes of a value of more than 64 KiB:  or else",
        ),
        (
            format!("{sets} return 301 /$x;"),
            "? what comes of a value of more than 64 KiB:  or else",
        ),
        (format!("{sets} return 204;"), "204"),
        (
            args,
            "? what comes of a value of more than 64 KiB:  or else",
        ),
    ] {
        let site = format!("server {{ server_name a.test; location /a {{ {inside} }} }}");
        let url = format!("http://a.test/{}?q", "a".repeat(25));
        assert_eq!(told(&[("a", &site)], &url), expected);
    }
}

#[test]
fn who_denies_all_answers_403() {
    let site = "server {
        server_name a.test;
        location /none { deny all; proxy_pass http://localhost:8001; }
        location /first { deny all; allow 192.0.2.1; proxy_pass http://localhost:8001; }
        location /some { allow 192.0.2.1; deny all; proxy_pass http://localhost:8001; }
        location /any { satisfy any; auth_basic x; deny all; proxy_pass http://localhost:8001; }
        location /return { deny all; return 204; }
        location /outer { deny all; location /outer/all { allow all; proxy_pass http://localhost:8001; } }
        location /page { deny all; error_page 403 =204 /return; }
    }";
    for (path, expected) in [
        ("/none", "403"),
        ("/first", "403"),
        ("/some", "http://localhost:8001/some"),
        ("/any", "http://localhost:8001/any"),
        ("/return", "204"),
        ("/outer/x", "403"),
        ("/outer/all", "http://localhost:8001/outer/all"),
        ("/page", "204"),
    ] {
        let url = format!("http://a.test{path}");
        assert_eq!(told(&[("a", site)], &url), expected, "{path}");
    }
}

#[test]
fn addresses_decide_before_names() {
    let sites = [
        (
            "all",
            "server { listen 80; listen 443 ssl; server_name a.test; return 201; }",
        ),
        (
            "one",
            "server { listen 192.0.2.1:80; server_name a.test; return 202; }",
        ),
        (
            "own",
            "server { listen 127.0.0.1:80; listen 127.0.0.1:81; return 203; }",
        ),
    ];
    for (url, expected) in [
        ("http://192.0.2.1/", "202"),
        ("http://192.0.2.2/", "201"),
        ("http://localhost/", "203"),
        ("https://a.test/", "201"),
        (
            "https://a.test:80/",
            "? the address of the host by which the request comes: other servers listen at others:  or else",
        ),
        ("http://a.test:443/", "400"),
        ("http://a.test:81/", "NotListening"),
    ] {
        assert_eq!(told(&sites, url), expected, "{url}");
    }
}

#[test]
fn what_includes_itself_ends() {
    let twice = "location /a { include /etc/nginx/s; } location /b { include /etc/nginx/s; } include /etc/nginx/s;";
    let files = [
        ("a", "server { server_name a.test; include /etc/nginx/s; }"),
        ("nginx/s", twice),
    ];
    assert!(told(&files, "http://a.test/a").starts_with('?'));
    let cycle = "map $a $b { default $a; } map $b $a { default $b; }
        server { server_name a.test; location / { rewrite ^ /$a/ last; } }";
    assert!(told(&[("a", cycle)], "http://a.test/").starts_with('?'));
}

proptest::proptest! {
    #[test]
    fn never_panics(
        inside in "((location( (=|~|~\\*|\\^~))? [/a@~(.$]{0,4} \\{ (proxy_pass http://[a:$/1?]{0,6};|try_files \\$uri [@/=a]{1,3};|return [0-9a/]{1,4};)? \\}|(rewrite|set|return|if|error_page|listen|server_name) [$a/=~()^.*@?0-9 ]{0,8};) ){0,5}",
        path in "/[a/%.?$2e]{0,8}",
    ) {
        if let Ok(parsed) = parse(Path::new("s"), &format!("server {{ {inside} }}")) {
            let text = Text { path: Path::new("s"), directives: &parsed };
            let router = Router::new(Files::new([("s", text)].into(), [].into()));
            if let Ok(url) = format!("http://a{path}").parse() {
                let _ = router.explain(&Request::of(&url, None));
            }
        }
    }
}

#[test]
fn what_a_pass_may_ask() {
    let pool =
        "upstream Pool { server 127.0.0.1:8001; server 192.0.2.1:8002 down; server localhost; }";
    let directives = parse(Path::new("pool"), pool).unwrap();
    let path = Path::new("pool");
    let text = Text {
        path,
        directives: &directives,
    };
    let router = Router::new(Files::new([("pool", text)].into(), [].into()));
    for (pass, expected) in [
        ("http://127.0.0.1:8010/", "127.0.0.1:8010"),
        ("https://localhost", "localhost:443"),
        ("http://pool/x", "127.0.0.1:8001 localhost:80"),
        ("grpcs://app", "app:443"),
        ("127.0.0.1:9000", "127.0.0.1:9000"),
        ("unix:/run/app.sock", "unix:/run/app.sock"),
        ("http://app:port", ""),
    ] {
        let targets = router.targets(pass);
        let targets: Vec<String> = targets.iter().map(ToString::to_string).collect();
        assert_eq!(targets.join(" "), expected, "{pass}");
    }
}
