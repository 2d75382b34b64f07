//! What answers at a health gate, as far as the sites tell.
//!
//! Which changes touch a gate follows from it. Everything that is not known counts as anything, because a gate that is
//! asked once too often costs nothing.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use super::router::{Outcome, Request, Router, Server};
use crate::model::{Backend, Url};

/// What answers `url`, asked of this host at 127.0.0.1.
pub fn behind_url(router: &Router, url: &Url) -> Backend {
    let listening = router.listening(url.port());
    if listening.is_empty() {
        return directly(url.port());
    }
    let request = Request::of(url, Some(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    let answer = router.answer(&request);
    match answer.server {
        // Where no name fits, another file of the host may have the default server.
        Some(server) if answer.certain => Backend {
            sites: names(router, &[server]),
            ports: ports(&answer.outcome),
            target: match &answer.outcome {
                Outcome::Proxy(upstream) if !upstream.https => Some(upstream.uri.clone()),
                _ => None,
            },
            ..Backend::default()
        },
        _ => Backend {
            sites: names(router, &listening),
            ..Backend::default()
        },
    }
}

/// What answers at a port of this host.
pub fn behind_port(router: &Router, port: u16) -> Backend {
    let listening = router.listening(port);
    match listening.is_empty() {
        true => directly(port),
        false => Backend {
            sites: names(router, &listening),
            ports: Some(BTreeSet::new()),
            ..Backend::default()
        },
    }
}

fn directly(port: u16) -> Backend {
    Backend {
        ports: Some(BTreeSet::from([port])),
        ..Backend::default()
    }
}

fn names(router: &Router, servers: &[&Server]) -> BTreeSet<String> {
    let names = servers
        .iter()
        .filter_map(|server| router.site_of(server.place));
    names.map(str::to_owned).collect()
}

/// The ports of this host to which a request may lead. `None`: not known, or another host.
fn ports(outcome: &Outcome) -> Option<BTreeSet<u16>> {
    match outcome {
        Outcome::Proxy(upstream) => upstream
            .targets
            .iter()
            .map(|target| target.local_port())
            .collect(),
        Outcome::Other { directive, .. } if directive.ends_with("_pass") => None,
        Outcome::NotKnown {
            possible,
            all: true,
            ..
        } => {
            let all: Option<Vec<_>> = possible.iter().map(ports).collect();
            Some(all?.into_iter().flatten().collect())
        }
        Outcome::NotKnown { .. } | Outcome::NotListening => None,
        Outcome::Other { .. }
        | Outcome::Redirect { .. }
        | Outcome::Status { .. }
        | Outcome::Files
        | Outcome::Closed => Some(BTreeSet::new()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::source::nginx::{parse, router};

    fn said(behind: &Backend) -> String {
        let sites: Vec<&str> = behind.sites.iter().map(String::as_str).collect();
        let ports = match &behind.ports {
            None => "?".to_owned(),
            Some(ports) => format!("{ports:?}"),
        };
        format!("{} {ports}", sites.join(","))
    }

    fn found(sources: &[(&str, &str)], url: &str) -> String {
        let parsed: Vec<_> = sources
            .iter()
            .map(|(name, source)| (*name, parse(Path::new(name), source).unwrap()))
            .collect();
        let router = Router::new(router::Files::new(
            parsed
                .iter()
                .map(|(name, directives)| {
                    (
                        *name,
                        router::Text {
                            path: Path::new(name),
                            directives,
                        },
                    )
                })
                .collect(),
            [].into(),
        ));
        match url.strip_prefix("tcp:") {
            Some(port) => said(&behind_port(&router, port.parse().unwrap())),
            None => said(&behind_url(&router, &url.parse().unwrap())),
        }
    }

    const API: &str = "
        upstream blue { server 127.0.0.1:8001; server localhost:8002 backup; }
        server { listen 80; server_name api.example.org; location / { return 301 https://x; } }
        server {
            listen 443 ssl; listen [::]:443 ssl; server_name api.example.org;
            include /etc/letsencrypt/options-ssl-nginx.conf;
            location / { return 404; }
            location /vault/ { proxy_pass http://localhost:8000/; if ($request_method = OPTIONS) { return 204; } }
            location /vault/deep/ { proxy_pass http://127.0.0.1:8004; }
            location = /vault/exact { proxy_pass https://localhost/; }
            location /blue/ { proxy_pass http://blue; }
            location /far/ { proxy_pass http://192.0.2.1:80; }
            location /variable/ { proxy_pass http://localhost:$port; }
            location /files/ { try_files $uri @app; }
            location @app { proxy_pass http://localhost:8005; }
            location /php/ { fastcgi_pass 127.0.0.1:9000; }
            location /moved/ { rewrite ^ /vault/; }
            location /static/ { root /srv; }
        }";

    #[test]
    fn the_longest_prefix_wins() {
        for (url, expected) in [
            ("https://api.example.org/vault/health", "api {8000}"),
            (
                "https://API.example.org/vault/deep/health?a=b",
                "api {8004}",
            ),
            ("https://api.example.org/vault/exact", "api {443}"),
            ("https://api.example.org/vault/exact/not", "api {8000}"),
            ("https://api.example.org/blue/health", "api {8001, 8002}"),
            ("https://api.example.org/", "api {}"),
            ("https://api.example.org/static/x", "api {}"),
            ("https://api.example.org/far/", "api ?"),
            ("https://api.example.org/variable/", "api ?"),
            ("https://api.example.org/files/x", "api {8005}"),
            ("https://api.example.org/php/x", "api ?"),
            ("https://api.example.org/moved/x", "api {8000}"),
            ("https://api.example.org/vault/%2e%2e/x", "api {}"),
            ("http://api.example.org/vault/", "api {}"),
            ("http://localhost:8015/health", " {8015}"),
            ("https://other.example.org/", "api ?"),
            ("tcp:443", "api {}"),
            ("tcp:8000", " {8000}"),
        ] {
            assert_eq!(found(&[("api", API)], url), expected, "{url}");
        }
    }

    #[test]
    fn the_best_name_wins() {
        let sites = [
            ("exact", "server { server_name a.example.org; return 200; }"),
            ("below", "server { server_name *.example.org; return 200; }"),
            (
                "dot",
                "server { server_name .deep.example.org; return 200; }",
            ),
            ("ending", "server { server_name www.*; return 200; }"),
            ("twice", "server { server_name b.test; return 200; }"),
            ("again", "server { server_name b.test; return 200; }"),
        ];
        for (url, expected) in [
            ("http://a.example.org/", "exact {}"),
            ("http://b.example.org/", "below {}"),
            ("http://deep.example.org/", "dot {}"),
            ("http://x.deep.example.org/", "dot {}"),
            ("http://notdeep.example.org/", "below {}"),
            ("http://www.test/", "ending {}"),
            ("http://b.test/", "again {}"),
            ("http://none.test/", "again,below,dot,ending,exact,twice ?"),
        ] {
            assert_eq!(found(&sites, url), expected, "{url}");
        }
    }

    #[test]
    fn what_could_lead_elsewhere_is_not_known() {
        for (inside, expected) in [
            ("include snippets/more.conf;", "a ?"),
            ("if ($http_x) { rewrite ^ /y; }", "a {8001, 8002}"),
            ("if ($http_x) { return 403; }", "a {8001}"),
            ("rewrite ^/a /b;", "a {8002}"),
            ("location ~ a { return 200; }", "a {}"),
            ("location ~ ( { return 200; }", "a ?"),
        ] {
            let site = format!(
                "server {{ server_name a.test; {inside}
                    location /a {{ proxy_pass http://localhost:8001; }}
                    location / {{ proxy_pass http://localhost:8002; }} }}"
            );
            assert_eq!(
                found(&[("a", &site)], "http://a.test/a"),
                expected,
                "{inside}"
            );
        }
        let bound = "server { listen 192.0.2.1:80; server_name a.test; return 200; }";
        assert_eq!(found(&[("a", bound)], "http://a.test/"), "a ?");
    }

    proptest::proptest! {
        #[test]
        fn never_panics(
            source in "(server|upstream a) \\{ ((listen|server_name|proxy_pass|location)( [a~=*.$:/\\[\\]0-9]{0,6}){0,3}(;| \\{ proxy_pass [a:/0-9]{0,5}; \\})){0,4} \\}",
            path in "/[a/%.]{0,5}",
        ) {
            if let Ok(parsed) = parse(Path::new("s"), &source) {
                let url = format!("http://a{path}").parse().unwrap();
                let text = router::Text { path: Path::new("s"), directives: &parsed };
                let sites = [("s", text)].into();
                let _ = behind_url(&Router::new(router::Files::new(sites, [].into())), &url);
            }
        }
    }
}
