//! Names, places, numbers of arguments and values of directives.

use super::table;

#[test]
fn words_that_are_no_directives() {
    table(
        "nginx-unknown-directive",
        &[
            (
                "client_max_body_sise 5m;",
                "E sites-available/a:2:1: nginx knows no directive client_max_body_sise",
            ),
            (
                "location / { proxy_pas http://localhost:1; }",
                "knows no directive proxy_pas",
            ),
            ("\u{3000}root /srv;", "\\u{3000}root is not a directive"),
            ("<<<<<<< HEAD;", "<<<<<<< is not a directive"),
            (
                "location / { if($request_method = GET) { return 204; } }",
                "if($request_method is not a directive",
            ),
            // Of modules that nginx does not bring along.
            ("more_set_headers x;", ""),
            ("brotli on;", ""),
            ("location / { content_by_lua_block { ngx.say(1) } }", ""),
            ("vhost_traffic_status_display;", ""),
            ("geoip2 /x { $y z; }", ""),
        ],
    );
}

#[test]
fn places_where_they_may_not_stand() {
    table(
        "nginx-directive-misplaced",
        &[
            (
                "location / { listen 81; }",
                "E sites-available/a:2:14: listen is not allowed in location",
            ),
            (
                "proxy_pass http://localhost:1;",
                "proxy_pass is not allowed in server",
            ),
            (
                "if ($arg_a) { proxy_pass http://localhost:1; }",
                "proxy_pass is not allowed in if in server",
            ),
            (
                "location / { if ($arg_a) { proxy_set_header A b; } }",
                "is not allowed in if in location",
            ),
            ("server { }", "server is not allowed in server"),
            ("upstream a { }", "upstream is not allowed in server"),
            (
                "location / { if ($arg_a) { proxy_pass http://localhost:1; } }",
                "",
            ),
            ("location / { limit_except GET { deny all; } }", ""),
            ("types { text/x listen; }", ""),
            ("include snippets/x.conf;", ""),
        ],
    );
}

#[test]
fn arguments_that_nginx_does_not_take() {
    table(
        "nginx-wrong-arguments",
        &[
            (
                "client_max_body_size 50 m;",
                "client_max_body_size has 2 arguments",
            ),
            (
                "client_max_body_size 50X;",
                "\"50X\" is not a valid value of client_max_body_size",
            ),
            (
                "location / { proxy_read_timeout 300sec; }",
                "\"300sec\" is not a valid value",
            ),
            ("gzip yes;", "\"yes\" is not a valid value of gzip"),
            (
                "location / { proxy_pass 127.0.0.1:8050/; }",
                "E sites-available/a:2:25: 127.0.0.1:8050/ is not a URL: nginx refuses a proxy_pass without http:// or https://",
            ),
            ("location / { proxy_pass HTTP://127.0.0.1:8050/; }", ""),
            ("location / { proxy_pass $arg_to; }", ""),
            ("listen 81 sssl;", "listen has no parameter sssl"),
            ("listen 80a;", "80a is nothing that nginx can listen on"),
            ("listen 70000;", "70000 is nothing that nginx can listen on"),
            ("listen [::]:82 ipv6only=off reuseport;", ""),
            ("listen unix:/run/a.sock;", ""),
            (
                "if ($host == a) { return 204; }",
                "== is not a comparison operator of nginx",
            ),
            (
                "if ($host = a && $uri = b) { return 204; }",
                "if takes one comparison, and && follows it",
            ),
            ("if (-f $uri) { return 204; }", ""),
            ("if ($uri ~ \"^/a b$\") { return 204; }", ""),
            ("return abc;", "abc is not a status"),
            ("return https://$host$uri;", ""),
            ("rewrite ^/a /b foo;", "foo is not a flag of rewrite"),
            ("add_header X b allways;", "add_header takes always here"),
            (
                "error_page 4044 /x;",
                "4044 is not a status that error_page can handle",
            ),
            ("error_page 500 502 =200 /x;", ""),
            ("location / { return; }", "return has 0 arguments"),
            ("location / ;", "location needs a block"),
            ("root /srv { }", "root has no block"),
            (
                "proxy_set_header X-Real-IP;",
                "proxy_set_header has one argument",
            ),
            (
                "client_max_body_size 0; client_body_buffer_size 8K; proxy_read_timeout \"1h 30m\"; gzip ON;",
                "",
            ),
            (
                "server_name a b c d e; return 301 /x; location ~ \"a b\" { }",
                "",
            ),
            (
                "access_log off; error_page 500 502 /x; keepalive_timeout 65 60;",
                "",
            ),
        ],
    );
}

#[test]
fn semicolons_that_are_missing() {
    table(
        "nginx-missing-semicolon",
        &[
            (
                "proxy_set_header X-Real-IP $remote_addr\n    proxy_read_timeout 5s;",
                "E sites-available/a:2:28: the ; is missing here: nginx takes proxy_read_timeout of the next line for an argument of proxy_set_header",
            ),
            (
                "server_name b.example.com\n    client_max_body_size 5m;",
                "W sites-available/a:2:13: the ; is missing here",
            ),
            (
                "location / {\n root\n return 404;\n}",
                "the ; is missing here: nginx takes return",
            ),
            ("listen 443\n    ssl http2;", ""),
            ("rewrite ^/a$ /b\n    break;", ""),
            ("server_name root\n   b.example.com;", ""),
            ("gzip_types text/plain\n  text/css application/json;", ""),
            (
                "proxy_next_upstream error timeout\n   http_500 http_502;",
                "",
            ),
        ],
    );
}

#[test]
fn settings_with_two_values() {
    table(
        "nginx-directive-twice",
        &[
            (
                "gzip on; gzip off;",
                "E sites-available/a:2:10: gzip appears here for the second time",
            ),
            (
                "client_max_body_size 1m; location / { client_max_body_size 2m; }",
                "",
            ),
            (
                "add_header A b; add_header C d; error_page 404 /a; error_page 500 /b;",
                "",
            ),
        ],
    );
}
