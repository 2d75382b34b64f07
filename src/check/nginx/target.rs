//! Where a location passes requests on to.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use super::view::View;
use crate::source::nginx::Node;

/// The address of an upstream without variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    /// `http`, `https`, `grpc`, `grpcs`, or nothing.
    pub scheme: &'a str,
    /// Host and port as they are written.
    pub authority: &'a str,
    /// The host, IPv6 in brackets.
    pub host: &'a str,
    /// The port, where it is said.
    pub port: Option<u16>,
    /// The path and what follows, if there is any.
    pub uri: Option<&'a str>,
}

/// Groups of upstream servers by name.
pub(crate) type Groups<'v> = BTreeMap<&'v str, &'v Node<'v>>;

/// The groups of a configuration.
pub(crate) fn groups<'v>(view: &'v View<'_>) -> Groups<'v> {
    let upstreams = view.http.iter().filter(|node| node.name() == "upstream");
    upstreams.map(|node| (node.first(), node)).collect()
}

/// Reads an address; `None` for one with variables, and for a socket in the file system.
pub(crate) fn target(text: &str) -> Option<Target<'_>> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    if text.contains('$') || rest.starts_with("unix:") {
        return None;
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, uri) = rest.split_at_checked(end)?;
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().ok()?)),
        _ => (authority, None),
    };
    let uri = (!uri.is_empty()).then_some(uri);
    (!host.is_empty()).then_some(Target {
        scheme,
        authority,
        host,
        port,
        uri,
    })
}

/// The group that an address names.
pub(crate) fn group_of<'v>(groups: &Groups<'v>, pass: &'v Node<'v>) -> Option<&'v Node<'v>> {
    groups.get(target(pass.first())?.host).copied()
}

/// The addresses behind one, each with the directive that says it: itself, or the servers of its group.
pub(crate) fn behind<'v>(
    groups: &Groups<'v>,
    pass: &'v Node<'v>,
) -> Vec<(Target<'v>, &'v Node<'v>)> {
    let Some(direct) = target(pass.first()) else {
        return Vec::new();
    };
    let Some(group) = groups.get(direct.host) else {
        return vec![(direct, pass)];
    };
    let servers = group.inside().iter().filter(|node| node.name() == "server");
    servers
        .filter_map(|node| Some((target(node.first())?, node)))
        .collect()
}

impl Target<'_> {
    /// Whether it is this host itself.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.host.trim_matches(['[', ']']);
        let address = host.parse::<IpAddr>();
        matches!(self.host, "localhost" | "ip6-localhost" | "ip6-loopback")
            || address.is_ok_and(|address| address.is_loopback() || address.is_unspecified())
    }

    /// Whether it is one of our own: this host, an address of a private network, or a bare name.
    pub(crate) fn is_own(&self) -> bool {
        let private = |address: Ipv4Addr| address.is_private();
        let address = self.host.parse::<Ipv4Addr>();
        self.is_loopback() || address.is_ok_and(private) || self.is_bare_name()
    }

    /// Whether it is a name without a dot that is not this host's.
    pub(crate) fn is_bare_name(&self) -> bool {
        !self.host.contains(['.', '[', ':']) && !self.is_loopback()
    }

    /// The port that is meant, with the scheme's where none is said.
    pub(crate) fn real_port(&self) -> u16 {
        let usual = match self.scheme {
            "https" | "grpcs" => 443,
            _ => 80,
        };
        self.port.unwrap_or(usual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_nginx_does() {
        for (text, expected) in [
            ("http://localhost:8015/", "http localhost 8015 / loopback"),
            ("http://127.0.0.1:8015", "http 127.0.0.1 8015 - loopback"),
            ("https://[::1]", "https [::1] 443 - loopback"),
            ("http://[::1]:81/x?y", "http [::1] 81 /x?y loopback"),
            ("localhost:9000", " localhost 9000 - loopback"),
            ("http://api:8001", "http api 8001 - bare own"),
            ("http://172.27.0.3:8001", "http 172.27.0.3 8001 - own"),
            (
                "https://files.example.com/x",
                "https files.example.com 443 /x",
            ),
        ] {
            let found = target(text).unwrap();
            let kind = match (found.is_loopback(), found.is_bare_name(), found.is_own()) {
                (true, ..) => " loopback",
                (_, true, _) => " bare own",
                (_, _, true) => " own",
                _ => "",
            };
            let said = format!(
                "{} {} {} {}{kind}",
                found.scheme,
                found.host,
                found.real_port(),
                found.uri.unwrap_or("-")
            );
            assert_eq!(said, expected, "{text}");
        }
        for text in [
            "http://$up/x",
            "http://unix:/run/x.sock:/",
            "",
            "http://:80",
            "http://a:b",
        ] {
            assert_eq!(target(text), None, "{text}");
        }
    }
}
