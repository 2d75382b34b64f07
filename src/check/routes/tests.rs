//! What is found, and what is not.

use crate::check::tests::checked;

const SITE: &str = "server {
    listen 443 ssl;
    server_name api.example.com;
    location / { return 404; }
    location /scheduler/ { proxy_pass http://localhost:8015/; }
    location /vault/ {
        proxy_pass http://localhost:8000/;
        if ($request_method = OPTIONS) { return 204; }
    }
    location /blue { proxy_pass http://blue; }
    location ~ ^/(\\w+)/v1/ { proxy_pass http://127.0.0.1:8001/$1; }
    location /dynamic/ { proxy_pass http://$cookie_backend/; }
    location /files/ { try_files $uri @app; }
    location @app { proxy_pass http://127.0.0.1:8002; }
}
upstream blue { server 127.0.0.1:8003; server 127.0.0.1:8004; }
server { listen 80; server_name api.example.com; return 301 https://$host$request_uri; }
server { listen 127.0.0.1:8080; location / { proxy_pass http://localhost:8000; } }
";

pub(in crate::check) fn found(routes: &[(&str, &str)]) -> Vec<String> {
    let toml: String = routes
        .iter()
        .map(|(url, upstream)| format!("[[route]]\nurl = \"{url}\"\nupstream = \"{upstream}\"\n"))
        .collect();
    let files = [
        ("watchme.toml", toml.as_str()),
        ("sites-available/api", SITE),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
    let findings = checked(&files);
    let ours = findings
        .iter()
        .filter(|finding| finding.rule.name.starts_with("route-"));
    ours.map(|finding| {
        let help = finding.help().filter(|_| finding.is_error());
        let help = help.map(|help| format!(" -> {help}")).unwrap_or_default();
        format!("{} {}{help}", finding.rule.name, finding.message())
    })
    .collect()
}

pub(in crate::check) fn one(url: &str, upstream: &str) -> String {
    let found = found(&[(url, upstream)]);
    let told = found
        .into_iter()
        .filter(|line| !line.starts_with("route-untested"));
    told.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_comes_out_as_expected_is_left_alone() {
    for (url, upstream) in [
        (
            "https://api.example.com/scheduler/x?a=b",
            "http://127.0.0.1:8015/x?a=b",
        ),
        ("https://API.example.com/vault/", "http://localhost:8000/"),
        (
            "https://api.example.com/blue/x",
            "http://localhost:8004/blue/x",
        ),
        ("https://api.example.com/blue/x", "http://blue/blue/x"),
        ("https://api.example.com/a/v1/b", "http://localhost:8001/a"),
        (
            "https://api.example.com/files/x",
            "http://localhost:8002/files/x",
        ),
    ] {
        assert_eq!(one(url, upstream), "", "{url}");
    }
    assert!(found(&[]).is_empty(), "nobody expects anything");
}

#[test]
fn what_does_not_come_out_there() {
    for (url, upstream, expected) in [
        (
            "https://api.example.com/vault/x",
            "http://localhost:8001/x",
            "write proxy_pass http://localhost:8001/; in location /vault/",
        ),
        (
            "https://api.example.com/vault/x",
            "https://localhost:8000/x",
            "write proxy_pass https://localhost:8000/;",
        ),
        (
            "https://api.example.com/nothing",
            "http://localhost:8000/",
            "route-nowhere https://api.example.com/nothing reaches no upstream: nginx answers 404, by location / in sites-available/api:4 -> add a location for /nothing with proxy_pass http://localhost:8000/, or correct the URL",
        ),
        (
            "https://api.example.com/vault",
            "http://localhost:8000/",
            "-> request https://api.example.com/vault/ instead, or correct the URL",
        ),
        (
            "http://api.example.com/vault/",
            "http://localhost:8000/",
            "nginx redirects it to https://api.example.com/vault/ (301)",
        ),
        (
            "https://api.example.com:8443/",
            "http://localhost:8000/",
            "no enabled site listens on port 8443 -> add listen 8443; to a site, or correct the URL",
        ),
        (
            "https://other.example.com/x",
            "http://localhost:8000/",
            "no enabled site has the name other.example.com -> add server_name other.example.com to a site",
        ),
        (
            "https://api.example.com:0/x",
            "http://localhost:8000/",
            "it is not a URL that a client can request",
        ),
        (
            "https://api.example.com/dynamic/x",
            "http://localhost:8000/",
            "route-unknown whether https://api.example.com/dynamic/x goes there depends on what $cookie_backend will be",
        ),
    ] {
        let said = one(url, upstream);
        assert!(said.contains(expected), "{url}: {said}");
    }
}
