//! What nginx refuses to load.

use super::{said, table};

#[test]
fn expressions_that_are_none() {
    table(
        "nginx-regex-invalid",
        &[
            (
                "location ~ [ { }",
                "E sites-available/a:2:12: [ is not a valid regular expression",
            ),
            ("location ~ ( { }", "( is not a valid"),
            ("location ~*^/(a { }", "^/(a is not a valid"),
            ("rewrite ^/(a /b;", "^/(a is not a valid"),
            ("server_name ~^(a$;", "^(a$ is not a valid"),
            (
                "location /a { if ($uri ~ ^/[a) { return 404; } }",
                "^/[a is not a valid",
            ),
            ("location ~ \"^/a{1,2}$\" { }", ""),
            ("location ~ ^/(?<name>[^/]+)/(?!x) { }", ""),
            ("location ~ (*UTF8)^/x { }", ""),
            ("location /[ { }", ""),
            ("location = /( { }", ""),
            ("if ($uri ~* \"^/(a|b)\") { return 404; }", ""),
            ("if ($uri = /[) { return 404; }", ""),
            ("rewrite ^/(.*)$ /[/$1;", ""),
        ],
    );
    let map = "map $uri $to { default 0; ~^/(a 1; ~*^/(b)$ 2; /[ 3; }";
    let found = said("nginx-regex-invalid", &[("sites-available/a", map)]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("^/(a is not a valid"), "{found:?}");
}

#[test]
fn paths_where_none_may_be() {
    let rule = "nginx-proxy-pass-uri";
    table(
        rule,
        &[
            (
                "location ~ ^/x(/|$) { proxy_pass http://127.0.0.1:1/y; }",
                "proxy_pass has the path /y in a location with a regular expression",
            ),
            ("location ~^/x { proxy_pass http://h:1/; }", "the path / in"),
            (
                "location @x { proxy_pass http://h:1/; }",
                "a named location",
            ),
            (
                "location /x { if ($arg_a) { proxy_pass http://h:1/; } }",
                "an if",
            ),
            (
                "location /x { limit_except GET { proxy_pass http://h:1/; } }",
                "a limit_except",
            ),
            (
                "location ~ x { proxy_pass http://unix:/run/x.sock:/y; }",
                "the path /y",
            ),
            ("location ~ x { proxy_pass http://unix:/run/x.sock; }", ""),
            ("location ~ x { proxy_pass http://h:1; }", ""),
            ("location ~ ^/x/(.*)$ { proxy_pass http://h:1/$1; }", ""),
            ("location ~ x { proxy_pass http://h:1$request_uri; }", ""),
            ("location @x { proxy_pass http://h:1; }", ""),
            ("location /x/ { proxy_pass http://h:1/y/; }", ""),
            ("location = /x { proxy_pass http://h:1/y; }", ""),
            ("location ~ x { fastcgi_pass unix:/run/php.sock; }", ""),
        ],
    );
}
