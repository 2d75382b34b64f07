//! What each rule finds, and what it leaves alone.

mod stacks;

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
                "E sites-available/a:2:17: location /a stands at sites-available/a:2 already: nginx refuses it",
            ),
            (
                "location /a { } location ^~ /a { }",
                "location ^~ /a stands",
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
        twice[0].contains("at etc/nginx/snippets/health.conf:1 already"),
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
            ("location /x/ { alias /y/; }", ""),
            ("location /favicon.ico { alias /y/favicon.ico; }", ""),
            ("location = /x { alias /y/; }", ""),
            ("location ~ ^/x(.*)$ { alias /y/$1; }", ""),
            ("location /x { root /y/; }", ""),
        ],
    );
}

#[test]
fn the_decoded_path_in_headers() {
    table(
        "nginx-header-injection",
        &[
            (
                "return 301 https://$host$uri;",
                "E sites-available/a:2:12: $uri is the decoded path",
            ),
            ("return 302 https://$host${document_uri};", "$document_uri"),
            ("return https://$host$uri;", "Location"),
            ("rewrite ^ https://$host$uri permanent;", "Location"),
            ("rewrite ^/a /b$uri redirect;", "Location"),
            (
                "location / { add_header X-Path $uri; }",
                "header of the answer",
            ),
            (
                "location / { proxy_set_header X-Original $uri; }",
                "header for the upstream",
            ),
            (
                "location / { proxy_pass http://localhost:1$uri$is_args$args; }",
                "W sites",
            ),
            ("return 301 https://$host$request_uri;", ""),
            ("return 200 $uri;", ""),
            ("return 404;", ""),
            ("rewrite ^/a/(.*)$ /index.php?path=$uri last;", ""),
            ("location / { try_files $uri $uri/ /index.html; }", ""),
            ("location / { add_header X-Path $uri_of_mine; }", ""),
            ("location = /a { return 301 https://example.com$uri; }", ""),
            (
                "set $path $uri; access_log /x uri; error_page 404 $uri;",
                "",
            ),
        ],
    );
}

#[test]
fn headers_that_a_block_drops() {
    table(
        "nginx-add-header-dropped",
        &[
            ("add_header A 1; add_header B 2;\nlocation / { add_header b 3; }", "W sites-available/a:3:14: this add_header drops A of the server around it (sites-available/a:2)"),
            ("add_header A 1; location / { location /x { add_header C 1; } }", "drops A"),
            ("add_header A 1; location / { add_header A 2; add_header B 1; }", ""),
            ("add_header A 1; location / { add_header A \"\"; }", ""),
            ("add_header A 1; location / { root /x; }", ""),
            ("location / { add_header A 1; }", ""),
            ("add_header A 1; add_header_inherit merge; location / { add_header C 1; }", ""),
            ("add_header A 1; location / { if ($request_method = OPTIONS) { add_header X 1; return 204; } }", ""),
            (
                "location / { add_header Access-Control-Allow-Origin *; if ($request_method = OPTIONS) {
                    add_header Access-Control-Allow-Methods GET; return 204; } }",
                "drops Access-Control-Allow-Origin of the location",
            ),
        ],
    );
    let http = [
        (
            "etc/nginx/conf.d/security.conf",
            "add_header X-Frame-Options DENY always;",
        ),
        ("sites-available/a", "server { add_header A 1; }"),
    ];
    assert_eq!(
        said("nginx-add-header-dropped", &http),
        [
            "W sites-available/a:1:10: this add_header drops X-Frame-Options of the http around it (etc/nginx/conf.d/security.conf:1)"
        ]
    );
}

#[test]
fn headers_that_come_twice() {
    table(
        "nginx-cors-twice",
        &[
            ("add_header Access-Control-Allow-Origin *;\nadd_header access-control-allow-origin *;", "E sites-available/a:3:1: access-control-allow-origin is added at sites-available/a:2 already"),
            ("add_header Access-Control-Allow-Methods GET; add_header Access-Control-Allow-Methods POST;", "W sites"),
            ("add_header Access-Control-Allow-Origin $one; add_header Access-Control-Allow-Origin $two;", ""),
            ("add_header Set-Cookie a; add_header Set-Cookie b;", ""),
            (
                "location / { add_header Access-Control-Allow-Origin *;
                    if ($request_method = OPTIONS) { add_header Access-Control-Allow-Origin *; return 204; } }",
                "",
            ),
        ],
    );
}

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

#[test]
fn websockets_that_are_half_set_up() {
    let (up, con, version) = (
        "proxy_set_header Upgrade $http_upgrade;",
        "proxy_set_header Connection \"upgrade\";",
        "proxy_http_version 1.1;",
    );
    let keep = "proxy_set_header Connection \"\";";
    for (settings, expected) in [
        (format!("{up} {version}"), "proxy_set_header Connection"),
        (format!("{con} {version}"), "proxy_set_header Upgrade"),
        (format!("{up} {con}"), "proxy_http_version 1.1"),
        (format!("{up} {con} {version}"), ""),
        (
            format!("{up} {version} proxy_set_header Connection $connection_upgrade;"),
            "",
        ),
        (format!("{keep} {version}"), ""),
        (String::new(), ""),
    ] {
        let inside = format!("location / {{ {settings} proxy_pass http://localhost:1; }}");
        table("nginx-websocket-headers", &[(&inside, expected)]);
        // The version is inherited, the headers are not.
        if expected.is_empty() {
            let inside =
                format!("{version} location / {{ {settings} proxy_pass http://localhost:1; }}");
            table("nginx-websocket-headers", &[(&inside, "")]);
        }
    }
}

#[test]
fn servers_in_each_others_way() {
    let two = |rule: &str, one: &str, other: &str| {
        let (one, other) = (
            format!("server {{ {one} }}"),
            format!("server {{ {other} }}"),
        );
        said(
            rule,
            &[("sites-available/a", &one), ("sites-available/b", &other)],
        )
    };
    for (one, other, expected) in [
        (
            "listen 80; server_name x;",
            "listen *:80; server_name y X;",
            "E sites-available/b:1:37: server_name x stands on 0.0.0.0:80 at sites-available/a:1 already: nginx ignores this one",
        ),
        (
            "server_name x;",
            "listen 80; server_name x;",
            "server_name x stands",
        ),
        ("listen 80;", "listen 80;", "a server without a name"),
        (
            "listen 80; server_name .x.org;",
            "listen 80; server_name x.org;",
            "server_name x.org stands",
        ),
        (
            "listen 80; server_name *.x.org;",
            "listen 80; server_name .x.org;",
            "server_name .x.org stands",
        ),
        (
            "listen 80; listen [::]:80; server_name x;",
            "listen 80; listen [::]:80; server_name x;",
            "on 0.0.0.0:80 and [::]:80",
        ),
        (
            "listen 8000-8003; server_name x;",
            "listen 8002; server_name x;",
            "0.0.0.0:8002",
        ),
        (
            "listen 80; server_name x;",
            "listen 443 ssl; server_name x;",
            "",
        ),
        (
            "listen 80; server_name x;",
            "listen 127.0.0.1:80; server_name x;",
            "",
        ),
        ("listen 80; server_name x;", "listen 80; server_name y;", ""),
        (
            "listen 80; server_name x;",
            "listen 80; server_name *.x;",
            "",
        ),
        (
            "listen 80; server_name ~^x$;",
            "listen 80; server_name ~^x$;",
            "",
        ),
        (
            "listen 80; server_name x x;",
            "listen 80; server_name $hostname;",
            "",
        ),
        (
            "listen unix:/run/a; server_name x;",
            "listen unix:/run/b; server_name x;",
            "",
        ),
    ] {
        let found = two("nginx-duplicate-server", one, other);
        let fits = match expected {
            "" => found.is_empty(),
            expected => found.len() == 1 && found[0].contains(expected),
        };
        assert!(fits, "{one} {other}: {found:?}");
    }
    let disabled = [
        ("sites-available/a", "server { server_name x; }"),
        ("sites-available/b", "server { server_name x; }"),
        ("watchme.toml", "[site.b]\nenabled = false\n"),
    ];
    assert_eq!(said("nginx-duplicate-server", &disabled), [""; 0]);
    let defaults = two(
        "nginx-duplicate-default-server",
        "listen 80 default_server;",
        "listen *:80 default;",
    );
    assert_eq!(
        defaults,
        [
            "E sites-available/b:1:10: 0.0.0.0:80 has its default server at sites-available/a:1 already: nginx refuses it"
        ]
    );
    let other = two(
        "nginx-duplicate-default-server",
        "listen 80 default_server;",
        "listen [::]:80 default_server;",
    );
    assert_eq!(other, [""; 0]);
    table(
        "nginx-duplicate-listen",
        &[
            ("listen 0.0.0.0:80;", "0.0.0.0:80 twice"),
            ("listen [::]:80; listen 443; listen 127.0.0.1:80;", ""),
        ],
    );
}

#[test]
fn names_that_match_too_much() {
    table(
        "nginx-server-name-regex",
        &[
            (
                "server_name ~api\\.x\\.org;",
                "W sites-available/a:2:13: the server name ~api\\.x\\.org has no ^ and $ around it",
            ),
            ("server_name ~^api\\.x\\.org;", "has no $ at its end"),
            (
                "server_name ~^api.x.org$;",
                "a dot in the server name ~^api.x.org$ is not escaped",
            ),
            ("server_name ~^(?<sub>.+)\\.x\\.org$;", ""),
            ("server_name ~^[a.b]+\\.x\\.org$;", ""),
            ("server_name ~^(www\\.)?(?<domain>.*)$ ~.;", ""),
            ("server_name api.x.org *.x.org .y.org www.*;", ""),
        ],
    );
}

#[test]
fn copies_that_are_loaded() {
    let server = |name: &str| format!("server {{ server_name {name}; }}");
    let found = |files: &[(&str, &str)]| said("nginx-backup-included", files);
    let (a, b) = (server("a"), server("b"));
    for name in [
        "a.orig",
        "a.old",
        "a.20250828_101500",
        "a.dpkg-old",
        "a.save",
    ] {
        let path = format!("sites-available/{name}");
        let said = found(&[("sites-available/a", &a), (&path, &b)]);
        assert!(
            said.len() == 1 && said[0].starts_with("E "),
            "{name}: {said:?}"
        );
    }
    for name in ["a.bak", "a~", "a.backup.20250828_101500"] {
        let path = format!("sites-available/{name}");
        let said = found(&[("sites-available/a", &a), (&path, "server {")]);
        assert!(
            said.len() == 1 && said[0].starts_with("W "),
            "{name}: {said:?}"
        );
    }
    for name in [
        "a.example.org",
        "api.v2",
        "README.md",
        "2025.example.org",
        "old.example.org",
    ] {
        let path = format!("sites-available/{name}");
        assert_eq!(found(&[(&path, &b)]), [""; 0], "{name}");
    }
    let main = "http { include conf.d/*; include sites-enabled/*; }";
    let copy = ("etc/nginx/conf.d/x.conf.old", "gzip on;");
    assert_eq!(found(&[copy]), [""; 0], "Debian's nginx.conf takes *.conf");
    assert_eq!(found(&[copy, ("etc/nginx/nginx.conf", main)]).len(), 1);
}
