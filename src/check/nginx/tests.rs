//! What each rule finds, and what it leaves alone.

mod headers;
mod security;
mod servers;
pub(in crate::check) mod stacks;

use crate::check::tests::checked;
use crate::model::Severity;

const HEADERS: &str = "proxy_set_header Host $host; proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;";

/// What a rule says about some files: `E` or `W`, place and message.
pub(in crate::check) fn said(rule: &str, files: &[(&str, &str)]) -> Vec<String> {
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

/// The same about what is in a server.
fn in_server(rule: &str, inside: &str) -> Vec<String> {
    let text = format!("server {{ listen 80; server_name a.example.com;\n{inside}\n}}");
    said(rule, &[("sites-available/a", &text)])
}

/// Cases of what is in a server: a rule finds what is named, or nothing.
pub(in crate::check) fn table(rule: &str, cases: &[(&str, &str)]) {
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
fn what_nginx_includes_is_checked() {
    let broken = "server { location / { proxy_pass http://127.0.0.1:3000 } }";
    assert_eq!(
        said("syntax", &[("etc/nginx/conf.d/a.conf", broken)]),
        ["E etc/nginx/conf.d/a.conf:1:34: directive \"proxy_pass\" is not terminated by \";\""]
    );
    let main = "events { }\nhttp { include maps/*.map; include conf.d/*.conf; }";
    let with = |files: &[(&str, &str)]| {
        let mut all = vec![("etc/nginx/nginx.conf", main)];
        all.extend(files);
        said("syntax", &all)
    };
    assert_eq!(with(&[("etc/nginx/maps/a.map", broken)]).len(), 1);
    let site = ("sites-available/a", "server { include snippets/a.conf; }");
    let snippet = ("etc/nginx/snippets/a.conf", "root /srv");
    assert_eq!(
        said("syntax", &[site, snippet])[0].chars().next(),
        Some('E')
    );
    assert_eq!(said("syntax", &[snippet])[0].chars().next(), Some('W'));
    assert_eq!(said("syntax", &[("etc/nginx/nginx.conf", "user")]).len(), 1);
    for other in [
        "html/50x.html",
        "htpasswd",
        "modsec/crs.conf",
        "conf.d/a.conf.off",
    ] {
        let path = format!("etc/nginx/{other}");
        assert_eq!(with(&[(path.as_str(), "a { b")]), [""; 0], "{other}");
    }
}

#[test]
fn all_contexts_have_their_directives() {
    let found = |rule: &str, main: &str| said(rule, &[("etc/nginx/nginx.conf", main)]);
    for (rule, main, expected) in [
        (
            "nginx-unknown-directive",
            "worker_processe 2; events { }",
            "knows no directive worker_processe",
        ),
        (
            "nginx-unknown-directive",
            "events { worker_connection 2; }",
            "knows no directive worker_connection",
        ),
        (
            "nginx-directive-misplaced",
            "events { } server { }",
            "server is not allowed in the top of nginx.conf",
        ),
        (
            "nginx-directive-misplaced",
            "events { } stream { server { location / { } } }",
            "location is not allowed in server in stream",
        ),
        (
            "nginx-directive-misplaced",
            "events { } http { events { } }",
            "events is not allowed in http",
        ),
        (
            "nginx-directive-twice",
            "events { } http { } http { }",
            "http appears here for the second time",
        ),
        (
            "nginx-wrong-arguments",
            "events { worker_connections; }",
            "worker_connections has 0 arguments",
        ),
        (
            "nginx-wrong-arguments",
            "events { } stream { server { listen 1; proxy_timeout x; } }",
            "is not a valid value",
        ),
        (
            "nginx-wrong-arguments",
            "events { } mail { server { listen 25; ssl_protocols TLSv1.4; } }",
            "\"TLSv1.4\" is not a valid value",
        ),
    ] {
        let said = found(rule, main);
        assert!(
            said.len() == 1 && said[0].contains(expected),
            "{main}: {said:?}"
        );
    }
    let stream = "stream { upstream db { server 192.0.2.1:5432 max_fails=2; } server { listen 5432; proxy_pass db; } }";
    let whole = format!("user www-data; worker_processes auto; pid /run/nginx.pid; error_log /x warn;
        load_module modules/a.so; include modules-enabled/*.conf; worker_rlimit_nofile 9000;
        events {{ worker_connections 768; multi_accept on; use epoll; }}
        {stream} mail {{ server_name a; auth_http 127.0.0.1/x; server {{ listen 143; protocol imap; }} }}
        http {{ sendfile on; types_hash_max_size 2048; include mime.types; gzip on; }}");
    for rule in [
        "nginx-unknown-directive",
        "nginx-directive-misplaced",
        "nginx-directive-twice",
        "nginx-wrong-arguments",
        "nginx-missing-semicolon",
    ] {
        assert_eq!(found(rule, &whole), [""; 0], "{rule}");
        let site = ("sites-available/a", "server { listen 80; } stream { }");
        let expected = usize::from(rule == "nginx-directive-misplaced");
        assert_eq!(said(rule, &[site]).len(), expected, "{rule}");
    }
}
