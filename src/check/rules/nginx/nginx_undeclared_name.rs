//! Names of zones, log formats and upstreams that nothing declares.

use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_undeclared_name, Error, picks declared);

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::said;

    #[test]
    fn names_are_declared_somewhere() {
        const DECLARED: &str = "limit_req_zone $uri zone=req:1m rate=1r/s; limit_conn_zone $uri zone=conn:1m;
            proxy_cache_path /x keys_zone=web:1m; log_format long $uri; upstream php { server unix:/run/php; }";
        let found = |inside: &str, main: Option<&str>| {
            let site = format!("{DECLARED} server {{ listen 80; {inside} }}");
            let mut files = vec![("sites-available/a", site.as_str())];
            files.extend(main.map(|main| ("etc/nginx/nginx.conf", main)));
            said("nginx-undeclared-name", &files)
        };
        let all = "events { } http { include sites-enabled/*; }";
        for (inside, expected) in [
            (
                "access_log /x nosuch;",
                "nothing declares log format nosuch",
            ),
            ("limit_req zone=nosuch;", "nothing declares zone nosuch"),
            // Zones of another kind do not count.
            ("limit_req zone=conn;", "nothing declares zone conn"),
            ("limit_conn req 1;", "nothing declares zone req"),
            (
                "location / { proxy_cache nosuch; }",
                "nothing declares cache nosuch",
            ),
            (
                "location / { fastcgi_pass phpp; }",
                "nothing declares upstream phpp",
            ),
            (
                "location / { grpc_pass grpc://api; }",
                "nothing declares upstream api",
            ),
        ] {
            let without = found(inside, None);
            assert!(
                without.len() == 1 && without[0].starts_with('W'),
                "{inside} {without:?}"
            );
            assert!(without[0].contains(expected), "{inside} {without:?}");
            let within = found(inside, Some(all));
            assert!(
                within.len() == 1 && within[0].starts_with('E'),
                "{inside} {within:?}"
            );
            // A file of the host may declare it.
            let more = "events { } http { include more.conf; include sites-enabled/*; }";
            assert!(found(inside, Some(more))[0].starts_with('W'), "{inside}");
        }
        let port = found("location / { fastcgi_pass php:9000; }", None);
        assert!(
            port.len() == 1 && port[0].contains("takes no port"),
            "{port:?}"
        );
        for inside in [
            "access_log /x long; access_log /y; access_log off; access_log /z combined;",
            "access_log /x Long; access_log /$host main;",
            "limit_req zone=req; limit_conn conn 1;",
            "location / { proxy_cache web; proxy_cache_key $uri; } location /b { proxy_cache off; } location /c { proxy_cache $x; }",
            "location / { fastcgi_pass php; } location /b { fastcgi_pass app:9000; } location /c { fastcgi_pass $x; } location /d { fastcgi_pass unix:/x; }",
            // The host may resolve it.
            "location / { proxy_pass http://nosuch; } location /b { proxy_pass http://PHP/x; }",
        ] {
            assert_eq!(found(inside, None), [""; 0], "{inside}");
        }
        let behind = "server { access_log /x long; } log_format long $uri;";
        let found = said("nginx-undeclared-name", &[("sites-available/a", behind)]);
        assert!(found[0].contains("declared after it"), "{found:?}");
    }

    #[test]
    fn streams_have_names_of_their_own() {
        let found = |stream: &str| {
            let main = format!(
                "events {{ }} http {{ upstream web {{ server a:1; }} }} stream {{ {stream} }}"
            );
            said("nginx-undeclared-name", &[("etc/nginx/nginx.conf", &main)])
        };
        assert_eq!(found("server { listen 1; proxy_pass web; }").len(), 1);
        assert_eq!(
            found("upstream db { server a:1; } server { listen 1; proxy_pass db; }"),
            [""; 0]
        );
        assert_eq!(found("server { listen 1; proxy_pass web:2; }"), [""; 0]);
    }
}
