//! Headers of answers and of requests.

use super::{HEADERS, said, table};

#[test]
fn what_an_upstream_learns() {
    let tls = "listen 443 ssl;";
    let all = HEADERS;
    for (inside, expected) in [
        ("location / { proxy_pass http://localhost:1; }".to_owned(), "does not get Host, X-Forwarded-For"),
        (format!("{tls} location / {{ proxy_pass http://localhost:1; }}"), "Host, X-Forwarded-For, X-Forwarded-Proto"),
        (format!("{tls} {all} location / {{ proxy_set_header A b; proxy_pass http://10.0.0.7; }}"), "this proxy_set_header drops all"),
        (format!("{tls} {all} location / {{ proxy_pass http://localhost:1; }}"), ""),
        (format!("{tls} location / {{ {all} proxy_pass http://localhost:1; }}"), ""),
        (format!("{tls} {all} location / {{ if ($x) {{ proxy_pass http://localhost:1; }} }}"), ""),
        ("location / { include proxy_params; proxy_pass http://localhost:1; }".to_owned(), ""),
        ("location / { proxy_pass https://files.example.com; }".to_owned(), ""),
        ("location / { proxy_pass http://$up; }".to_owned(), ""),
        ("location = /auth { internal; proxy_pass http://localhost:1/verify; proxy_set_header Content-Length \"\"; }".to_owned(), ""),
        (format!("{tls} location / {{ proxy_set_header Host a; proxy_set_header Forwarded \"for=$remote_addr;proto=$scheme\"; proxy_pass http://localhost:1; }}"), ""),
        ("location / { fastcgi_pass localhost:9000; }".to_owned(), ""),
    ] {
        table("nginx-forwarded-headers", &[(&inside, expected)]);
    }
    let snippet = [
        ("etc/nginx/snippets/proxy.conf", HEADERS),
        (
            "sites-available/a",
            "server { location / { include snippets/proxy.conf; proxy_pass http://localhost:1; } }",
        ),
    ];
    assert_eq!(said("nginx-forwarded-headers", &snippet), [""; 0]);
    table(
        "nginx-host-spoofable",
        &[
            (
                "proxy_set_header Host $http_host;",
                "W sites-available/a:2:1: Host $http_host",
            ),
            ("proxy_set_header Host $host;", ""),
            ("proxy_set_header Host $host:$server_port;", ""),
            ("proxy_set_header X-Original-Host $http_host;", ""),
        ],
    );
}
