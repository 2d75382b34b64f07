//! What a socket unit listens on, systemd.socket(5).

use std::net::{IpAddr, Ipv6Addr};

use super::settings::Value;
use super::{Name, Settings};

/// A port that a setting of a unit names.
#[derive(Clone, Debug)]
pub struct Socket {
    /// Where it is written.
    pub value: Value,
    /// The port.
    pub port: u16,
    /// The address of the host; `None` for all of them, or where nothing says it.
    pub address: Option<IpAddr>,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: &'static str,
}

/// The ports that systemd binds for a socket unit. Sockets in the file system, and those whose specifiers have no value here, are
/// left out; other units have none.
pub fn sockets(name: &Name, settings: &Settings) -> Vec<Socket> {
    if name.suffix() != "socket" {
        return Vec::new();
    }
    let protocol = settings.last("Socket", "SocketProtocol");
    // One for all addresses of IPv6 takes those of IPv4, too, unless the unit says otherwise.
    let is_dual = settings
        .last("Socket", "BindIPv6Only")
        .is_none_or(|value| value.text != "ipv6-only");
    let is_sctp = protocol.is_some_and(|protocol| protocol.text == "sctp");
    let kinds = [
        ("ListenStream", if is_sctp { "sctp" } else { "tcp" }),
        ("ListenDatagram", "udp"),
        ("ListenSequentialPacket", "sctp"),
    ];
    let mut found = Vec::new();
    for (key, protocol) in kinds {
        let values = settings.list("Socket", key).into_iter();
        found.extend(values.filter_map(|value| {
            let (address, port) = bound(&name.expand(&value.text)?)?;
            Some(Socket {
                value,
                port,
                address: address.filter(|ip| !(is_dual && *ip == Ipv6Addr::UNSPECIFIED)),
                protocol,
            })
        }));
    }
    found
}

/// `8080`, `127.0.0.1:8080` or `[::1]:8080`, the last also with an interface behind a `%`.
pub fn bound(text: &str) -> Option<(Option<IpAddr>, u16)> {
    let Some((address, port)) = text.rsplit_once(':') else {
        return Some((None, text.parse().ok()?));
    };
    let address = match address.strip_prefix('[') {
        Some(rest) => IpAddr::V6(rest.split(['%', ']']).next()?.parse().ok()?),
        None => IpAddr::V4(address.parse().ok()?),
    };
    Some((Some(address), port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::super::settings::of;
    use super::*;

    #[test]
    fn ports_of_all_forms() {
        let text = "[Socket]\nListenStream=8061\nListenStream=127.0.0.1:8062\nListenStream=[::1]:%i\n\
                    ListenStream=[fe80::1%%eth0]:9\nListenDatagram=53\nListenStream=/run/a.sock\nListenStream=@a\n\
                    ListenStream=vsock:2:1234\nListenStream=%H\nListenStream=70000\n";
        let shown = |name: &str, text: &str| -> Vec<String> {
            sockets(&Name::parse(name).unwrap(), &of(&[text]))
                .iter()
                .map(|one| format!("{:?} {}/{}", one.address, one.port, one.protocol))
                .collect()
        };
        assert_eq!(
            shown("a@8063.socket", text),
            [
                "None 8061/tcp",
                "Some(127.0.0.1) 8062/tcp",
                "Some(::1) 8063/tcp",
                "Some(fe80::1) 9/tcp",
                "None 53/udp"
            ]
        );
        assert_eq!(shown("a.service", text), [""; 0]);
        let both = "[Socket]\nListenStream=[::]:1\n";
        assert_eq!(shown("a.socket", both), ["None 1/tcp"]);
        let one = format!("{both}BindIPv6Only=ipv6-only\n");
        assert_eq!(shown("a.socket", &one), ["Some(::) 1/tcp"]);
        let sctp = "[Socket]\nListenStream=1\nListenStream=\nListenStream=2\nSocketProtocol=sctp\n";
        assert_eq!(shown("a.socket", sctp), ["None 2/sctp"]);
    }
}
