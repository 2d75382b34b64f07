//! Variables that somebody sets, and that nobody does.

use super::{said, table};

const RULE: &str = "nginx-unknown-variable";

#[test]
fn variables_that_nobody_sets() {
    table(
        RULE,
        &[
            (
                "location / { proxy_pass http://localhost:1$request_urI; }",
                "",
            ),
            (
                "location / { proxy_set_header X-Real-IP $remote_adr; }",
                "E sites-available/a:2:41: nothing sets $remote_adr: nginx refuses the whole configuration",
            ),
            (
                "location / { proxy_set_header Connection $connection_upgrade; }",
                "W sites-available/a:2:42: nothing here sets $connection_upgrade: nginx refuses a variable that nobody sets",
            ),
            (
                "return 200 \"5 $\";",
                "E sites-available/a:2:12: a $ begins a variable",
            ),
            (
                "if ($argx = a) { return 204; }",
                "W sites-available/a:2:4: nothing sets $argx",
            ),
            ("if ($uri ~ ^/(?<who>.+)$) { return 200 $who; }", ""),
            ("if (-f $request_filename.gz) { return 204; }", ""),
            ("location ~ ^/u/(?<user>\\w+)$ { return 200 $user$1; }", ""),
            ("set $Mode a; location / { return 200 $mode; }", ""),
            (
                "return 200 $http_x_anything$arg_x$cookie_y$sent_http_z;",
                "",
            ),
            (
                "auth_request_set $who $upstream_http_x_user; add_header X-User $who;",
                "",
            ),
            ("location / { proxy_redirect ~^http://a$ /; }", ""),
            (
                "access_log /a combined if=$nope;",
                "nothing here sets $nope",
            ),
            // Modules that nginx does not bring along set what they like.
            ("set_by_lua_block $x { return 1 } return 200 $x;", ""),
            ("location = /x { return 200 $geoip_country_code; }", ""),
        ],
    );
}

#[test]
fn one_that_is_set_anywhere_is_known_everywhere() {
    let a = (
        "sites-available/a",
        "server { listen 80; return 200 $mode$kind$zone; }",
    );
    let sets = "map $uri $mode { default a; } geo $kind { default b; } split_clients $remote_addr $zone { * c; }";
    assert_eq!(said(RULE, &[a]).len(), 3);
    assert_eq!(said(RULE, &[a, ("sites-available/b", sets)]), [""; 0]);
    assert_eq!(said(RULE, &[a, ("etc/nginx/conf.d/b.conf", sets)]), [""; 0]);
    let captures = "map $http_origin $kind { default $none_x; ~^https://(?<mode>[a-z]+)\\.test$ 1; \"~*(?<zone>bot)\" 1; }";
    assert_eq!(
        said(RULE, &[a, ("sites-available/b", captures)]),
        [
            "W sites-available/b:1:34: nothing here sets $none_x: nginx refuses a variable that nobody sets"
        ]
    );
    // All that nginx reads is here.
    let main = (
        "etc/nginx/nginx.conf",
        "events { } http { log_format x '$remote_addr $nothing_like_it'; }",
    );
    assert_eq!(
        said(RULE, &[main]),
        [
            "E etc/nginx/nginx.conf:1:32: nothing here sets $nothing_like_it: nginx refuses a variable that nobody sets"
        ]
    );
}
