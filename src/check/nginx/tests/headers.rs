//! Headers of answers and of requests.

use super::{HEADERS, said, table};

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
