//! What `listen` binds, <https://nginx.org/en/docs/http/ngx_http_core_module.html#listen>.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use source_text::word_list;

/// Words of `listen` that have a value, `ngx_http_core_listen` in src/http/ngx_http_core_module.c.
const VALUES: [&str; 8] =
    word_list("setfib= fastopen= backlog= rcvbuf= sndbuf= accept_filter= ipv6only= so_keepalive=");

/// Whether a word of `listen` is one that has a value.
pub fn has_value(word: &str) -> bool {
    VALUES.iter().any(|start| word.starts_with(start))
}

/// Whether a word of `listen` is an option of the socket, which only one of its servers may set: `lsopt.set` there.
pub fn is_of_socket(word: &str) -> bool {
    has_value(word) || matches!(word, "bind" | "deferred" | "reuseport" | "multipath")
}

/// Where a `listen` binds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// An address of the host, or the unspecified one for all of its kind.
    Ip(IpAddr),
    /// A name, which only the host can resolve.
    Name(String),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V4(address)) => address.fmt(f),
            Self::Ip(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// An address with one port, or with a range of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    /// The address.
    pub address: Address,
    /// Its ports.
    pub ports: RangeInclusive<u16>,
}

impl Socket {
    /// That of a server that says nothing: port 80, or 8000 where nginx is no superuser.
    pub fn usual() -> Self {
        Self {
            address: Address::Ip(Ipv4Addr::UNSPECIFIED.into()),
            ports: 80..=80,
        }
    }

    /// Reads the first word of a `listen`: `80`, `*:80` and `0.0.0.0:80` are one. `None` for a socket in the file
    /// system, and for what nginx refuses.
    pub fn read(text: &str) -> Option<Self> {
        if text.starts_with("unix:") {
            return None;
        }
        if let Some(ports) = ports(text) {
            return Some(Self {
                ports,
                ..Self::usual()
            });
        }
        let (host, ports) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, ports(port)?),
            _ => (text, 80..=80),
        };
        let is_bare_v6 = host.contains(':') && !host.starts_with('[');
        (!is_bare_v6).then(|| Self {
            address: address(host),
            ports,
        })
    }
}

fn address(host: &str) -> Address {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let ip = match (host, bare) {
        ("*", _) => Some(Ipv4Addr::UNSPECIFIED.into()),
        ("localhost", _) => Some(Ipv4Addr::LOCALHOST.into()),
        (_, Some(bare)) => bare.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        _ => host.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    };
    match ip {
        Some(ip) => Address::Ip(ip),
        None => Address::Name(host.to_lowercase()),
    }
}

fn ports(text: &str) -> Option<RangeInclusive<u16>> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to) = (from.parse().ok()?, to.parse().ok()?);
    (from <= to).then_some(from..=to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_are_read() {
        for (text, expected) in [
            ("80", "0.0.0.0 80..=80"),
            ("*:81", "0.0.0.0 81..=81"),
            ("127.0.0.1", "127.0.0.1 80..=80"),
            ("localhost:8080", "127.0.0.1 8080..=8080"),
            ("[::]:443", "[::] 443..=443"),
            ("[0::1]", "[::1] 80..=80"),
            ("8000-8003", "0.0.0.0 8000..=8003"),
            ("127.0.0.1:9-10", "127.0.0.1 9..=10"),
            ("Example.test:80", "example.test 80..=80"),
            ("::1", "none"),
            ("9-8", "9-8 80..=80"),
            ("unix:/run/x", "none"),
            ("a:b", "none"),
        ] {
            let shown = match Socket::read(text) {
                Some(socket) => format!("{} {:?}", socket.address, socket.ports),
                None => "none".to_owned(),
            };
            assert_eq!(shown, expected, "{text}");
        }
    }
}
