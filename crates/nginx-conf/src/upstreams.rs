//! Where requests are passed on to.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::Directive;
use super::router::PASSES;
use super::runtime::visit;

/// Addresses that directives pass requests on to, and those of the servers of `upstream` blocks. Names of hosts and
/// groups, variables, and sockets in the file system are left out; `localhost` is 127.0.0.1.
pub fn upstreams(directives: &[Directive]) -> BTreeSet<SocketAddr> {
    let mut found = BTreeSet::new();
    visit(directives, &mut |directive| {
        let first = directive.args.first().map(|word| word.text.as_str());
        if PASSES.contains(&directive.name.as_str()) {
            found.extend(first.and_then(address));
        }
        if directive.name == "upstream" {
            let servers = directive
                .block
                .iter()
                .flatten()
                .filter(|inner| inner.name == "server");
            let down = |server: &&Directive| server.args.iter().any(|word| word.text == "down");
            for server in servers.filter(|server| !down(server)) {
                found.extend(server.args.first().and_then(|word| address(&word.text)));
            }
        }
    });
    found
}

/// `[SCHEME://]ADDRESS[:PORT][/URI]`.
fn address(text: &str) -> Option<SocketAddr> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = rest.get(..end)?;
    let authority = authority
        .rsplit_once('@')
        .map_or(authority, |(_, behind)| behind);
    let usual = match scheme {
        "https" | "grpcs" => 443,
        _ => 80,
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (authority, usual),
    };
    let ip: IpAddr = match host {
        "localhost" => Ipv4Addr::LOCALHOST.into(),
        other => other.trim_matches(['[', ']']).parse().ok()?,
    };
    (port > 0).then(|| SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::parse;

    #[test]
    fn addresses_of_passes_and_groups() {
        let text = "upstream app { server 127.0.0.1:8001 weight=2; server [::1]:8002; server 10.0.0.1:8003 down; server unix:/x; }
            server { location /a/ { proxy_pass http://localhost:8004/x; } location /b { proxy_pass http://app; }
            location /c { proxy_pass https://127.0.0.1; } location /d { proxy_pass http://$up:1; }
            location /e { fastcgi_pass 127.0.0.1:9000; } location /f { proxy_pass https://api.example.com/; } }";
        let found = upstreams(&parse(Path::new("a"), text).unwrap());
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "127.0.0.1:443",
                "127.0.0.1:8001",
                "127.0.0.1:8004",
                "127.0.0.1:9000",
                "[::1]:8002"
            ]
        );
    }
}
