//! What each rule finds, and what it leaves alone.

mod directives;
mod headers;
mod refused;
mod servers;
mod stacks;
mod variables;

use crate::check::tests::checked;
use crate::model::Severity;

const HEADERS: &str = "proxy_set_header Host $host; proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;";

/// What a rule says about some files: `E` or `W`, place and message.
fn said(rule: &str, files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<(String, String)> = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    let findings = checked(&files);
    let own = findings.iter().filter(|finding| finding.rule.name == rule);
    let text = own.map(|finding| {
        let letter = if finding.severity == Severity::Error {
            'E'
        } else {
            'W'
        };
        format!("{letter} {finding}")
    });
    text.collect()
}

/// The same about what stands in a server.
fn in_server(rule: &str, inside: &str) -> Vec<String> {
    let text = format!("server {{ listen 80; server_name a.example.com;\n{inside}\n}}");
    said(rule, &[("sites-available/a", &text)])
}

/// Cases of what stands in a server: a rule finds what is named, or nothing.
fn table(rule: &str, cases: &[(&str, &str)]) {
    for (inside, expected) in cases {
        let found = in_server(rule, inside);
        let fits = match *expected {
            "" => found.is_empty(),
            expected => found.len() == 1 && found[0].contains(expected),
        };
        assert!(fits, "{inside}\n{expected}\n{found:?}");
    }
}

#[test]
fn paths_that_do_not_fit() {
    table(
        "nginx-prefix-mismatch",
        &[
            (
                "location /a/ { proxy_pass http://h:1/b; }",
                "E sites-available/a:2:27: location /a/ ends with a slash and the path /b of its proxy_pass does not: /a/status comes out at /bstatus",
            ),
            (
                "location / { proxy_pass http://h:1/b; }",
                "/status comes out at /bstatus",
            ),
            (
                "location /a { proxy_pass http://h:1/; }",
                "/a/status comes out at //status",
            ),
            (
                "location ^~ /a { proxy_pass http://h:1/b/; }",
                "/a/status comes out at /b//status",
            ),
            ("location /a/ { proxy_pass http://h:1/b/; }", ""),
            ("location /a { proxy_pass http://h:1/b; }", ""),
            ("location /a { proxy_pass http://h:1; }", ""),
            ("location / { proxy_pass http://h:1/; }", ""),
            ("location = /a { proxy_pass http://h:1/; }", ""),
            ("location =/a { proxy_pass http://h:1/; }", ""),
            ("location ~ ^/a/ { proxy_pass http://h:1; }", ""),
            ("location @a { proxy_pass http://h:1; }", ""),
            ("location /a/ { proxy_pass http://h:1$request_uri; }", ""),
            ("location /find/ { proxy_pass http://h:1/search?q=; }", ""),
            ("location /v/ { proxy_pass http://h:1/bucket/v-; }", ""),
            (
                "location /robots/ { proxy_pass http://h:1/robots.txt; }",
                "",
            ),
            (
                "location /v/ { proxy_pass http://h:1/v1.0; }",
                "/v1.0status",
            ),
            (
                "location /a { rewrite ^/a/(.*)$ /$1 break; proxy_pass http://h:1/; }",
                "",
            ),
            (
                "location /a { if ($x) { rewrite ^/a(.*)$ /$1 break; } proxy_pass http://h:1/; }",
                "",
            ),
            (
                "location /ws { proxy_set_header Upgrade $http_upgrade; proxy_pass http://h:1/; }",
                "",
            ),
            (
                "location /a/ { proxy_pass http://unix:/run/x.sock:/b; }",
                "",
            ),
            (
                "location /a/ { location /a/b/ { proxy_pass http://h:1/c; } proxy_pass http://h:1/; }",
                "/a/b/status comes out at /cstatus",
            ),
        ],
    );
}

#[test]
fn locations_that_stand_twice() {
    table(
        "nginx-duplicate-location",
        &[
            (
                "location /a { } location /a { }",
                "E sites-available/a:2:17: location /a is already defined at sites-available/a:2: nginx refuses it",
            ),
            (
                "location /a { } location ^~ /a { }",
                "location ^~ /a is already",
            ),
            ("location = /a { } location =/a { }", "nginx refuses it"),
            (
                "location / { location /a { } location /a { } }",
                "nginx refuses it",
            ),
            ("location ~ \\.php$ { } location ~ \\.php$ { }", "W sites"),
            (
                "location /a { } location = /a { } location /a/ { } location ~ /a { } location ~* /a { }",
                "",
            ),
            (
                "location /a { location /a/b { } } location /b { location /b/c { } }",
                "",
            ),
        ],
    );
}

#[test]
fn a_snippet_counts_where_it_is_included() {
    let snippet = "location /health { return 200; }\n";
    let site = |more: &str| format!("server {{ include snippets/health.conf; {more} }}");
    let found = |more: &str| {
        let files = [
            ("etc/nginx/snippets/health.conf", snippet),
            ("sites-available/a", &site(more)),
        ];
        said("nginx-duplicate-location", &files)
    };
    assert_eq!(found("location /other { }"), [""; 0]);
    let twice = found("location /health { }");
    assert_eq!(twice.len(), 1, "{twice:?}");
    assert!(
        twice[0].contains("already defined at etc/nginx/snippets/health.conf:1"),
        "{twice:?}"
    );
}

#[test]
fn aliases_without_a_slash() {
    table(
        "nginx-alias-traversal",
        &[
            (
                "location /x { alias /y/; }",
                "E sites-available/a:2:10: location /x has no slash",
            ),
            ("location ^~ /x { alias /y/; }", "/x../x is /y/../x"),
            (
                "location /x { internal; alias /y/; }",
                "W sites-available/a:2:10: location /x has no slash",
            ),
            ("location /x/ { alias /y/; }", ""),
            ("location /favicon.ico { alias /y/favicon.ico; }", ""),
            ("location = /x { alias /y/; }", ""),
            ("location ~ ^/x(.*)$ { alias /y/$1; }", ""),
            ("location /x { root /y/; }", ""),
        ],
    );
}
