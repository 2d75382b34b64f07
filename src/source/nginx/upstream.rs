//! What answers at a URL or a port, as far as the sites tell.
//!
//! Only good enough to say which changes touch a health gate. Everything that could lead
//! elsewhere (regular expressions, variables, rewrites, included files) counts as not known,
//! because a gate that is asked once too often costs nothing.

use std::collections::BTreeSet;

use super::Directive;
use crate::model::{Behind, Url};

/// A `server` of a site.
struct Server<'a> {
    site: &'a str,
    block: &'a [Directive],
}

/// What answers `url`, with these enabled sites by name.
pub fn behind_url(sites: &[(&str, &[Directive])], url: &Url) -> Behind {
    let listening: Vec<Server<'_>> = servers(sites)
        .filter(|server| listens(server.block, url.port()))
        .collect();
    if listening.is_empty() {
        return directly(url.port());
    }
    match select(&listening, &url.host()) {
        Some(server) => Behind {
            sites: BTreeSet::from([server.site.to_owned()]),
            ports: route(server.block, url.path()).and_then(|target| ports(sites, target)),
            ..Behind::default()
        },
        None => Behind {
            sites: names(&listening),
            ..Behind::default()
        },
    }
}

/// What answers at a port of this host, with these enabled sites by name.
pub fn behind_port(sites: &[(&str, &[Directive])], port: u16) -> Behind {
    let listening: Vec<Server<'_>> = servers(sites)
        .filter(|server| listens(server.block, port))
        .collect();
    match listening.is_empty() {
        true => directly(port),
        false => Behind {
            sites: names(&listening),
            ports: Some(BTreeSet::new()),
            ..Behind::default()
        },
    }
}

fn directly(port: u16) -> Behind {
    Behind {
        ports: Some(BTreeSet::from([port])),
        ..Behind::default()
    }
}

fn names(servers: &[Server<'_>]) -> BTreeSet<String> {
    servers
        .iter()
        .map(|server| server.site.to_owned())
        .collect()
}

fn servers<'a>(sites: &'a [(&'a str, &'a [Directive])]) -> impl Iterator<Item = Server<'a>> {
    sites.iter().flat_map(|(site, directives)| {
        all(directives, "server").filter_map(|server| {
            Some(Server {
                site,
                block: server.block.as_deref()?,
            })
        })
    })
}

fn all<'a>(level: &'a [Directive], name: &'a str) -> impl Iterator<Item = &'a Directive> {
    level.iter().filter(move |directive| directive.name == name)
}

fn first(directive: &Directive) -> &str {
    directive.args.first().map_or("", |word| word.text.as_str())
}

/// Whether a server listens on `port`; on 80 when it does not say,
/// <https://nginx.org/en/docs/http/ngx_http_core_module.html#listen>.
fn listens(server: &[Directive], port: u16) -> bool {
    let mut listens = all(server, "listen").map(first).peekable();
    if listens.peek().is_none() {
        return port == 80;
    }
    listens.any(|address| {
        let last = address.rsplit_once(':').map_or(address, |(_, last)| last);
        match last.parse::<u16>() {
            Ok(listened) => listened == port,
            // An address alone.
            Err(_) => port == 80 && !address.starts_with("unix:"),
        }
    })
}

/// How well a name of `server_name` fits; better ones are greater,
/// <https://nginx.org/en/docs/http/server_names.html>.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// `example.*`, by the length of what is written.
    Ending(usize),
    /// `*.example.org`, by the length of what is written.
    Beginning(usize),
    /// The name itself.
    Exact,
}

fn fit(pattern: &str, host: &str) -> Option<Fit> {
    let pattern = pattern.to_lowercase();
    if pattern == host {
        return Some(Fit::Exact);
    }
    if let Some(domain) = pattern.strip_prefix('.') {
        let below = host.strip_suffix(domain);
        let fits = below.is_some_and(|below| below.is_empty() || below.ends_with('.'));
        return fits.then_some(Fit::Beginning(domain.len()));
    }
    if let Some(domain) = pattern.strip_prefix('*') {
        let below = host.strip_suffix(domain);
        let fits = domain.starts_with('.') && below.is_some_and(|below| !below.is_empty());
        return fits.then_some(Fit::Beginning(domain.len()));
    }
    let beginning = pattern.strip_suffix('*')?;
    let fits = beginning.ends_with('.') && host.starts_with(beginning);
    fits.then_some(Fit::Ending(beginning.len()))
}

/// The one server whose name fits best; none where several do, where no name does (then it is
/// the default server of the port, which another file may define), and where addresses decide.
fn select<'a, 's>(listening: &'a [Server<'s>], host: &str) -> Option<&'a Server<'s>> {
    let everywhere = |server: &Server<'_>| {
        all(server.block, "listen").map(first).all(|address| {
            address.parse::<u16>().is_ok()
                || ["*:", "0.0.0.0:", "[::]:"]
                    .iter()
                    .any(|any| address.starts_with(any))
        })
    };
    if !listening.iter().all(everywhere) {
        return None;
    }
    let best = |server: &Server<'_>| {
        let names = all(server.block, "server_name").flat_map(|directive| &directive.args);
        names.filter_map(|name| fit(&name.text, host)).max()
    };
    let fits: Vec<(Fit, &Server<'_>)> = listening
        .iter()
        .filter_map(|server| Some((best(server)?, server)))
        .collect();
    let highest = fits.iter().map(|(fit, _)| *fit).max()?;
    let mut winners = fits.iter().filter(|(fit, _)| *fit == highest);
    match (winners.next(), winners.next()) {
        (Some((_, server)), None) => Some(server),
        _ => None,
    }
}

/// Where a request is passed on to.
enum Target<'a> {
    /// Nowhere: nginx answers.
    Here,
    /// The value of `proxy_pass`.
    Proxy(&'a str),
}

/// Where a server sends a path. `None`: not known.
fn route<'a>(server: &'a [Directive], path: &str) -> Option<Target<'a>> {
    // What nginx makes of these is not what is written, ngx_http_parse_complex_uri.
    if path.contains('%') || path.contains("//") || path.contains("/.") {
        return None;
    }
    if !server.iter().all(leaves_the_path) {
        return None;
    }
    if all(server, "return").next().is_some() {
        return Some(Target::Here);
    }
    let mut prefix: Option<(&str, bool, &Directive)> = None;
    let mut regular = false;
    for location in all(server, "location") {
        let words: Vec<&str> = location
            .args
            .iter()
            .map(|word| word.text.as_str())
            .collect();
        let (wanted, stops) = match words.as_slice() {
            ["=", exact] if *exact == path => return pass(location),
            ["=", _] => continue,
            ["^~", wanted] => (*wanted, true),
            [wanted] if wanted.starts_with('/') => (*wanted, false),
            [named] if named.starts_with('@') => continue,
            _ => {
                regular = true;
                continue;
            }
        };
        let longer = prefix.is_none_or(|(known, ..)| wanted.len() > known.len());
        if path.starts_with(wanted) && longer {
            prefix = Some((wanted, stops, location));
        }
    }
    match prefix {
        Some((_, true, location)) => pass(location),
        _ if regular => None,
        Some((_, false, location)) => pass(location),
        None => Some(Target::Here),
    }
}

/// What a location does with a request. `None`: not known.
fn pass(location: &Directive) -> Option<Target<'_>> {
    let block = location.block.as_deref()?;
    let unclear = |directive: &Directive| {
        matches!(directive.name.as_str(), "try_files" | "location")
            || (directive.name.ends_with("_pass") && directive.name != "proxy_pass")
    };
    if block.iter().any(unclear) || !block.iter().all(leaves_the_path) {
        return None;
    }
    if all(block, "return").next().is_some() {
        return Some(Target::Here);
    }
    Some(
        all(block, "proxy_pass")
            .next()
            .map_or(Target::Here, |pass| Target::Proxy(first(pass))),
    )
}

/// Whether a directive sends no request elsewhere.
fn leaves_the_path(directive: &Directive) -> bool {
    match directive.name.as_str() {
        "rewrite" => false,
        // Settings that packages and certbot bring along, and that hold no location.
        "include" => {
            let file = first(directive);
            let name = file.rsplit('/').next().unwrap_or(file);
            ["proxy_params", "mime.types", "options-ssl-nginx.conf"].contains(&name)
        }
        "if" => {
            directive.block.iter().flatten().all(|inside| {
                ["return", "set", "add_header", "break"].contains(&inside.name.as_str())
            })
        }
        _ => true,
    }
}

/// The ports of this host to which a target leads. `None`: not known, or another host.
fn ports(sites: &[(&str, &[Directive])], target: Target<'_>) -> Option<BTreeSet<u16>> {
    let url = match target {
        Target::Here => return Some(BTreeSet::new()),
        Target::Proxy(url) if url.contains('$') => return None,
        Target::Proxy(url) => url,
    };
    let (scheme, rest) = url.split_once("://")?;
    let usual = if scheme == "https" { 443 } else { 80 };
    let authority = rest.split('/').next().unwrap_or(rest);
    let mut groups = sites
        .iter()
        .flat_map(|(_, directives)| all(directives, "upstream"))
        .filter(|group| first(group) == authority);
    match groups.next() {
        None => local_port(authority, usual).map(|port| BTreeSet::from([port])),
        Some(group) => all(group.block.as_deref()?, "server")
            .map(|server| local_port(first(server), 80))
            .collect(),
    }
}

/// The port of an address of this host.
fn local_port(authority: &str, usual: u16) -> Option<u16> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && !port.ends_with(']') => {
            (host, port.parse().ok()?)
        }
        _ => (authority, usual),
    };
    let local = host == "localhost" || host == "[::1]" || host.starts_with("127.");
    local.then_some(port)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::source::nginx::parse;

    fn said(behind: &Behind) -> String {
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
        let sites: Vec<_> = parsed
            .iter()
            .map(|(name, directives)| (*name, directives.as_slice()))
            .collect();
        match url.strip_prefix("tcp:") {
            Some(port) => said(&behind_port(&sites, port.parse().unwrap())),
            None => said(&behind_url(&sites, &url.parse().unwrap())),
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
            ("https://api.example.org/files/x", "api ?"),
            ("https://api.example.org/php/x", "api ?"),
            ("https://api.example.org/moved/x", "api ?"),
            ("https://api.example.org/vault/%2e%2e/x", "api ?"),
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
            ("http://b.test/", "again,below,dot,ending,exact,twice ?"),
            ("http://none.test/", "again,below,dot,ending,exact,twice ?"),
        ] {
            assert_eq!(found(&sites, url), expected, "{url}");
        }
    }

    #[test]
    fn what_could_lead_elsewhere_is_not_known() {
        for inside in [
            "location ~ \\.php$ { return 200; }",
            "rewrite ^/a /b;",
            "include snippets/more.conf;",
            "if ($host = x) { rewrite ^ /y; }",
        ] {
            let site = format!(
                "server {{ server_name a.test; {inside} location /a {{ proxy_pass http://localhost:8001; }} }}"
            );
            assert_eq!(found(&[("a", &site)], "http://a.test/a"), "a ?", "{inside}");
        }
        let stops = "server { server_name a.test; location ~ x { return 200; } location ^~ /a { proxy_pass http://localhost:8001; } }";
        assert_eq!(found(&[("a", stops)], "http://a.test/a"), "a {8001}");
        let bound = "server { listen 127.0.0.1:80; server_name a.test; return 200; }";
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
                let _ = behind_url(&[("s", &parsed)], &url);
            }
        }
    }
}
