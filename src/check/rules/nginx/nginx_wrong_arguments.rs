//! Arguments that a directive does not take: nginx refuses the configuration.

use crate::check::nginx::arguments;
use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_wrong_arguments, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.directives());
    let view = context.nginx();
    arguments::walk(view, &mut |node, wrong| {
        let span = wrong.word.span.clone();
        let place = view.complain(node.path, span, wrong.message, "", wrong.help);
        findings.push(RULE.at(place));
    });
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::{said, table};

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
                ("listen 80a;", "nginx cannot listen on 80a"),
                ("listen 70000;", "nginx cannot listen on 70000"),
                ("listen [::]:82 ipv6only=off reuseport;", ""),
                ("listen unix:/run/a.sock;", ""),
                (
                    "if ($host == a) { return 204; }",
                    "== is not a comparison operator of nginx",
                ),
                (
                    "if ($host = a && $uri = b) { return 204; }",
                    "if takes one comparison, but && follows it",
                ),
                ("if (-f $uri) { return 204; }", ""),
                ("if ($uri ~ \"^/a b$\") { return 204; }", ""),
                ("return abc;", "abc is not a status"),
                ("return https://$host$uri;", ""),
                ("rewrite ^/a /b foo;", "foo is not a flag of rewrite"),
                (
                    "add_header X b allways;",
                    "add_header allows only always here",
                ),
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
    fn values_that_nginx_reads_with_code_of_its_own() {
        let (accepted, refused): (Vec<&str>, Vec<&str>) = (
            "allow 192.0.2.0/24; allow ::1; deny unix:; deny all
             expires 30d; expires -1; expires max; expires modified +1h; expires @15h30m; expires $x
             gzip_comp_level 9; listen 80 default_server reuseport
             ssl_session_cache shared:TLS:10m; ssl_session_cache builtin:1000 shared:a:32k; ssl_session_cache off
             access_log /x combined buffer=32k flush=1m if=$a; error_log /x debug_http
             limit_req zone=a burst=5 nodelay; limit_conn a 10
             error_page 404 = @a; error_page 500 502 =200 /x; set $a b; set_real_ip_from 192.0.2.0/24; set_real_ip_from proxy.example.com
             keepalive_timeout 65s 60s; fastcgi_param A b if_not_empty; if ($host) { return 204; }
             location /a { proxy_pass http://[::1]:80/x; } location /b { proxy_pass http://unix:/x:/; }
             location /a { fastcgi_pass unix:/x; } location /b { grpc_pass grpc://a:1; }
             resolver 127.0.0.1 [::1]:53 dns.example.com valid=30s ipv6=off; try_files $uri /a =404; root /srv/$host
             log_format a escape=json $uri; open_file_cache max=10 inactive=20s; open_log_file_cache max=10 valid=1m min_uses=2
             proxy_buffers 8 16k; proxy_cache_valid 200 any 10m; proxy_bind $remote_addr transparent; proxy_redirect off
             gzip_window 16k; server_name *.example.com .example.org www.* ~^a$ _; listen 81 so_keepalive=30m::10 rcvbuf=8k
             if (-f $document_root/x) { return 204; } if (!-e $uri) { return 204; } if ($http_x-y = a) { return 204; }
             location /a { limit_except GET post { deny all; } valid_referers none *.example.com www.*; }"
                .split(['\n'])
                .collect(),
            vec![
                "allow 192.0.2.0/99;",
                "allow lan;",
                "deny 192.0.2;",
                "listen 80 spdy;",
                "ssl_protocols TLSv1.2 TLSv1.4;",
                "expires 1x;",
                "expires modified @1h;",
                "expires since 1h;",
                "gzip_comp_level 12;",
                "location /a { proxy_pass http://127.0.0.1:99999; }",
                "location /a { proxy_pass http://:80; }",
                "location /a { fastcgi_pass 127.0.0.1:9000/x; }",
                "location /a { proxy_next_upstream http_501; }",
                "location == /a { }",
                "ssl_session_cache shared:TLS;",
                "ssl_session_cache shared:TLS:1k;",
                "limit_req zone=a brust=5;",
                "limit_req burst=5;",
                "limit_conn a 0;",
                "access_log /x combined bufer=1k;",
                "error_log /x warning;",
                "listen :81;",
                "set a b;",
                "if $host { return 204; }",
                "error_page 499 /x;",
                "error_page 404 =abc /x;",
                "set_real_ip_from 192.0.2.0/99;",
                "keepalive_timeout x;",
                "location /a { fastcgi_param A b foo; }",
                "resolver 127.0.0.1 valid=x;",
                "resolver 127.0.0.1/8;",
                "resolver 127.0.0.1:99999;",
                "resolver valid=30s;",
                "try_files $uri =abc;",
                "try_files $uri =1000;",
                "return HTTP://x;",
                "rewrite ^/a \"\";",
                "set $host a;",
                "set $ a;",
                "root $document_root/x;",
                "log_format a escape=foo $uri;",
                "log_format combined $uri;",
                "sub_filter \"\" b;",
                "directio x;",
                "error_log /x warn error;",
                "open_file_cache inactive=10s;",
                "open_file_cache max=x;",
                "open_log_file_cache max=10 foo;",
                "proxy_buffers x 4k;",
                "gzip_buffers 0 4k;",
                "proxy_cache_valid 600 1m;",
                "proxy_cache_valid 200 x;",
                "proxy_bind example.com;",
                "proxy_bind 127.0.0.1 foo;",
                "proxy_redirect foo;",
                "gzip_window 3k;",
                "server_name *a.b;",
                "server_name *;",
                "server_name .;",
                "listen 81 so_keepalive=::;",
                "listen 81 so_keepalive=x:y:z;",
                "listen 81 rcvbuf=x;",
                "listen unix:;",
                "access_log /x combined buffer=x;",
                "access_log /x combined gzip=10;",
                "if (host) { return 204; }",
                "if (!$host) { return 204; }",
                "if () { return 204; }",
                "if ($host=a) { return 204; }",
                "if ($host ~) { return 204; }",
                "if (\"$host\" = a) { return 204; }",
                "if (-z $uri) { return 204; }",
                "if (-f) { return 204; }",
                "if (-f a b) { return 204; }",
                "location /a { limit_except FOO { deny all; } }",
                "location /a { valid_referers a.*.b; }",
            ],
        );
        let found = |inside: &str| {
            let text = format!("server {{ listen 80; {inside} }}");
            said("nginx-wrong-arguments", &[("sites-available/a", &text)])
        };
        for inside in accepted {
            let end = if inside.ends_with('}') { "" } else { ";" };
            assert_eq!(found(&format!("{inside}{end}")), [""; 0], "{inside}");
        }
        for inside in refused {
            assert_eq!(found(inside).len(), 1, "{inside}");
        }
    }

    #[test]
    fn upstreams_and_zones() {
        let found = |text: &str| {
            said(
                "nginx-wrong-arguments",
                &[("etc/nginx/conf.d/a.conf", text)],
            )
        };
        for text in [
            "upstream a { server 127.0.0.1:80 weight=3 max_fails=0 fail_timeout=10s backup; server b; server unix:/x down; keepalive 8; zone a 64k; }",
            "limit_req_zone $binary_remote_addr zone=a:10m rate=30r/m;",
            "limit_conn_zone $server_name zone=a:32k;",
            "proxy_cache_path /x levels=1:2 keys_zone=a:12k inactive=1h max_size=1g use_temp_path=off;",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
        for (text, expected) in [
            (
                "upstream a { server 127.0.0.1:80 wieght=3; }",
                "has no parameter wieght=3",
            ),
            (
                "upstream a { server 127.0.0.1:80 weight=x; }",
                "weight=x has no value",
            ),
            (
                "upstream a { server http://127.0.0.1:80; }",
                "is not a host with a port",
            ),
            (
                "upstream a { server 127.0.0.1:99999; }",
                "\"99999\" in 127.0.0.1:99999 is not a port",
            ),
            (
                "upstream a { server 127.0.0.1:80; keepalive x; }",
                "not a number of connections",
            ),
            (
                "upstream a { server 127.0.0.1:80; zone a 1k; }",
                "1k is too small: nginx needs 32k",
            ),
            (
                "limit_req_zone $uri zone=a:1k rate=1r/s;",
                "zone=a:1k is too small",
            ),
            (
                "limit_req_zone $uri zone=a rate=1r/s;",
                "zone=a has no size",
            ),
            (
                "limit_req_zone $uri zone=a:1m rate=1/s;",
                "1/s is not a rate",
            ),
            (
                "proxy_cache_path /x keys_zone=a:4k;",
                "is too small: nginx needs 12k",
            ),
            (
                "proxy_cache_path /x level=1 keys_zone=a:1m;",
                "has no parameter level=1",
            ),
            (
                "proxy_cache_path /x levels=1;",
                "proxy_cache_path needs keys_zone=NAME",
            ),
        ] {
            let found = found(text);
            assert!(
                found.len() == 1 && found[0].contains(expected),
                "{text}: {found:?}"
            );
        }
    }
}
