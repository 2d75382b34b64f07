//! Configurations in the style of the cases that gixy and gixy-ng publish for their rules: what they find, and above all
//! what they do not.

use crate::check::tests::checked;

/// The rules that gixy has, too.
const RULES: [&str; 12] = [
    "nginx-add-header-dropped",
    "nginx-alias-traversal",
    "nginx-allow-without-deny",
    "nginx-header-injection",
    "nginx-header-multiline",
    "nginx-host-spoofable",
    "nginx-if-in-location",
    "nginx-origin-regex",
    "nginx-proxied-host",
    "nginx-resolver-external",
    "nginx-valid-referers-none",
    "nginx-version-shown",
];

/// Which of those rules find something in a server, each once.
fn found(inside: &str) -> Vec<&'static str> {
    let text = format!("server {{ listen 80; server_name a.example.com;\n{inside}\n}}");
    let findings = checked(&[("sites-available/a".to_owned(), text)]);
    let mut names: Vec<&str> = findings.iter().map(|finding| finding.rule.name).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| RULES.contains(name));
    names
}

#[test]
fn what_the_linters_do_not_report_is_silent() {
    for inside in [
        // A header of one line, and lists that are no headers.
        "add_header X-Team web;",
        "more_set_headers -t 'text/html text/css' 'X-Team: web one';",
        "more_set_headers -r 'X-Team: web';",
        "more_set_headers -s 403 -s '500 502' 'X-Team: web';",
        "more_set_headers -t 'text/html\n    text/css' 'X-Team: web';",
        // Headers that are repeated where others are added.
        "add_header X-Frame-Options DENY always; location /n { add_header X-Frame-Options DENY always; add_header X-Team web; }",
        // Aliases with a slash at the location.
        "location /media/ { location /media/img { } alias /srv/media/; }",
        "location /media/ { alias /srv/media; }",
        "location /media/ { alias /srv/media/; }",
        // A list with an end.
        "location = /metrics/ { allow 203.0.113.7; deny all; }",
        // The host by which nginx chose the server.
        "proxy_set_header Host $host;",
        // Groups that hold no line end, and variables that are encoded or not known.
        "location ~ /img/(x|y)/(\\W*)$ { proxy_pass http://media/$other; }",
        "location ~ /img/(x|y)/(\\W*)$ { set $to $1; proxy_pass http://media/$to; }",
        "location ~* ^/img/(.*) { proxy_pass http://203.0.113.10/$1; }",
        "return 403;",
        "return 301 https://www.example.com$request_uri;",
        "rewrite ^/img/(x|y)/(?<rest>\\W*)$ http://media/$rest redirect;",
        // An if that answers.
        "location /beta { set $closed 1; if ($closed) { return 403; } }",
        // Expressions that only the sites they name match.
        "if ($http_origin !~ '^https?:\\/\\/example\\.com\\/') { }",
        "if ($http_origin !~ '^https:\\/\\/example\\.com\\/') { }",
        "if ($http_origin !~ '^https?:\\/\\/example\\.com/$') { }",
        "if ($http_origin !~ '^https?:\\/\\/example\\.com/') { }",
        "if ($http_referer !~ '^https?:\\/\\/example\\.com\\/') { }",
        "if ($http_referer !~ '^https?:\\/\\/shop\\.example\\.com\\/') { }",
        "if ($http_referer !~ \"^https://example\\.org/\") { add_header X-Frame-Options SAMEORIGIN; }",
        // Name servers of the host and its network.
        "resolver 127.0.0.1;",
        "resolver 10.1.0.2;",
        "resolver 127.0.0.1 [::1];",
        "resolver [::1]:53;",
        // Hosts that no client chooses.
        "location /fetch/ { internal; proxy_pass $arg_to; }",
        "location ~ /fetch/(.*)$ { proxy_pass http://media.example.com/$1; }",
        "location /app/ { proxy_pass http://app$request_uri; }",
        "location / { set $to http://app$request_uri; proxy_pass $to; }",
        // Names that only look like the word.
        "valid_referers server_names example.com example.org *.none.com none.net;",
        "server_tokens off;",
    ] {
        assert_eq!(found(inside), [""; 0], "{inside}");
    }
}

#[test]
fn what_the_linters_report_is_found() {
    for (inside, rule) in [
        (
            "add_header Content-Security-Policy \"\n  default-src 'self';\n  img-src data:;\";",
            "nginx-header-multiline",
        ),
        (
            "more_set_headers -t 'text/html text/css'\n  'X-Team: web\n    one';",
            "nginx-header-multiline",
        ),
        (
            "add_header X-Frame-Options DENY always; location /n { add_header X-Team web; }",
            "nginx-add-header-dropped",
        ),
        (
            "location /media { alias /srv/media; }",
            "nginx-alias-traversal",
        ),
        (
            "location /media { alias /srv/media/; }",
            "nginx-alias-traversal",
        ),
        (
            "location /m/ { location /m/img { alias /srv/m/; } }",
            "nginx-alias-traversal",
        ),
        (
            "location = /metrics/ { allow 203.0.113.7; }",
            "nginx-allow-without-deny",
        ),
        ("proxy_set_header HoSt $http_host;", "nginx-host-spoofable"),
        ("proxy_set_header host $arg_host;", "nginx-host-spoofable"),
        ("add_header X-Path $uri;", "nginx-header-injection"),
        (
            "location ~ /img/(x|y)/(\\W*)$ { proxy_pass http://media/$2; }",
            "nginx-header-injection",
        ),
        (
            "location ~* ^/img/([^/]+)/ { proxy_pass http://203.0.113.10/$1; }",
            "nginx-header-injection",
        ),
        (
            "location / { proxy_pass http://media$document_uri; }",
            "nginx-header-injection",
        ),
        ("rewrite ^ http://media$uri;", "nginx-header-injection"),
        (
            "location /b { set $on 1; if ($on) { add_header X-A 1; }\nif ($on) { add_header X-B 2; } return 204; }",
            "nginx-if-in-location",
        ),
        (
            "if ($http_origin !~ '^https?:\\/\\/example.com\\/') { }",
            "nginx-origin-regex",
        ),
        (
            "if ($http_origin !~ '^https?:\\/\\/example\\.com') { }",
            "nginx-origin-regex",
        ),
        (
            "if ($http_referer !~ '^https?:\\/\\/shop.example\\.com\\/') { }",
            "nginx-origin-regex",
        ),
        (
            "if ($http_referer !~ \"https://example\\.org/\") { add_header X-Frame-Options SAMEORIGIN; }",
            "nginx-origin-regex",
        ),
        (
            "if ($http_referer !~ \"^https?://([^/]+\\.)?example\\.com/|([^/]+\\.)?example\\.org/\") { }",
            "nginx-origin-regex",
        ),
        (
            "if ($http_referer !~ \"^https?://([^/]+stats.*example\\.(com|net|org)|([^/]+\\.)?example\\.org)/\") { }",
            "nginx-origin-regex",
        ),
        ("resolver 203.0.113.53;", "nginx-resolver-external"),
        (
            "location ~* ^/back/(?<path>.*) { proxy_pass http://app$path; }",
            "nginx-proxied-host",
        ),
        (
            "location /back/ { proxy_pass http://app${arg_to}.example; }",
            "nginx-proxied-host",
        ),
        (
            "location ~ /p/$ { proxy_pass $http_x_scheme://app/file.conf; }",
            "nginx-proxied-host",
        ),
        (
            "location ~ /p/(?P<to>.*)$ { proxy_pass $to; }",
            "nginx-proxied-host",
        ),
        (
            "location ~ /p/(.*)/(.*)/(.*)$ { set $scheme1 $1; set $host1 $2; proxy_pass $scheme1://$host1/x; }",
            "nginx-proxied-host",
        ),
        (
            "valid_referers server_names\n  example.com\n  none;",
            "nginx-valid-referers-none",
        ),
        ("server_tokens on;", "nginx-version-shown"),
    ] {
        assert!(
            found(inside).contains(&rule),
            "{inside}: {:?}",
            found(inside)
        );
    }
}
