//! Published ports in their short and long forms:
//! <https://docs.docker.com/reference/compose-file/services/#ports>

use std::net::IpAddr;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use serde_yaml::Value;

use super::types::{Service, text};

/// A port of the host that a container publishes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Publish {
    /// The port.
    pub port: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// The address of the host; `None` for all of them.
    pub address: Option<IpAddr>,
}

impl Publish {
    /// Whether the host cannot listen for both.
    pub fn collides(&self, other: &Self) -> bool {
        let any = |port: &Self| port.address.is_none_or(|address| address.is_unspecified());
        self.port == other.port
            && self.protocol == other.protocol
            && (any(self) || any(other) || self.address == other.address)
    }
}

/// An entry of `ports:` that publishes ports of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its position in `ports:`.
    pub index: usize,
    /// The host address; `None` for all of them.
    pub address: Option<IpAddr>,
    /// Ports of the host; `None` where Docker chooses.
    pub host: Option<RangeInclusive<u16>>,
    /// Ports of the container.
    pub container: RangeInclusive<u16>,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
}

impl Published {
    /// Reads the short form, `[[ADDRESS:]HOST:]CONTAINER[/PROTOCOL]`, which is that of `docker run --publish`, too.
    pub fn read(entry: &str) -> Option<Self> {
        let (ports, protocol) = entry.split_once('/').unwrap_or((entry, "tcp"));
        let (rest, container) = match ports.rsplit_once(':') {
            Some((rest, container)) => (Some(rest), container),
            None => (None, ports),
        };
        let (address, host) = match rest.and_then(|rest| rest.rsplit_once(':')) {
            // Compose 2 takes an empty address, which a variable may leave, for all of them.
            Some(("", host)) => (None, Some(host)),
            Some((address, host)) => (Some(self::address(address)?), Some(host)),
            None => (None, rest),
        };
        let host = host.filter(|host| !host.is_empty());
        Some(Self {
            index: 0,
            address,
            host: match host {
                Some(host) => Some(range(host)?).filter(|range| *range.end() > 0),
                None => None,
            },
            container: range(container)?,
            protocol: protocol.to_ascii_lowercase(),
        })
    }

    /// Its ports of the host, one by one.
    pub fn on_host(&self) -> Vec<Publish> {
        let port = |port| Publish {
            port,
            protocol: self.protocol.clone(),
            address: self.address,
        };
        self.host.clone().into_iter().flatten().map(port).collect()
    }

    /// Whether other machines reach it, as far as no firewall is in between.
    pub fn is_public(&self) -> bool {
        self.address.is_none_or(|address| address.is_unspecified())
    }

    /// Whether the host cannot listen for both.
    pub fn collides(&self, other: &Self) -> Option<u16> {
        let any = self.is_public() || other.is_public();
        if self.protocol != other.protocol || !(any || self.address == other.address) {
            return None;
        }
        let (one, two) = (self.host.as_ref()?, other.host.as_ref()?);
        let first = *one.start().max(two.start());
        (first <= *one.end().min(two.end())).then_some(first)
    }
}

impl Service {
    /// The entries of `ports:` that can be read.
    pub fn published(&self) -> Vec<Published> {
        let entries = self.ports.iter().enumerate();
        let read = |(index, entry)| {
            Some(Published {
                index,
                ..published(entry)?
            })
        };
        entries.filter_map(read).collect()
    }
}

fn published(entry: &Value) -> Option<Published> {
    match entry {
        Value::Mapping(_) => long(entry),
        other => Published::read(&text(other)?),
    }
}

fn long(entry: &Value) -> Option<Published> {
    let field = |name| entry.get(name).and_then(text);
    // A port that is "" after its variable was resolved is none.
    let host = field("published").filter(|port| !port.is_empty());
    Some(Published {
        index: 0,
        address: match field("host_ip").filter(|address| !address.is_empty()) {
            Some(address) => Some(self::address(&address)?),
            None => None,
        },
        host: match host {
            Some(host) => Some(range(&host)?).filter(|range| *range.end() > 0),
            None => None,
        },
        container: range(&field("target")?)?,
        protocol: field("protocol").unwrap_or_else(|| "tcp".into()),
    })
}

fn address(text: &str) -> Option<IpAddr> {
    text.trim_matches(['[', ']']).parse().ok()
}

fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
    (from <= to).then_some(from..=to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ports: &str) -> Vec<Published> {
        let service: Service = serde_yaml::from_str(&format!("ports: {ports}")).unwrap();
        service.published()
    }

    #[test]
    fn all_forms_are_read() {
        let shown: Vec<String> = of("[3000, '80:81', '127.0.0.1:82:83/udp', '[::1]:9:9', '::1:9:9', '127.0.0.1::5', '8000-8002:1-3', \
             {published: '70', target: 7, host_ip: 0.0.0.0}, {target: 8}, 'x:1', '9-8:1', {published: 1}]")
        .into_iter()
        .map(|port| {
            format!("{} {:?} {:?} {:?} {}", port.index, port.address, port.host, port.container, port.protocol)
        })
        .collect();
        assert_eq!(
            shown,
            [
                "0 None None 3000..=3000 tcp",
                "1 None Some(80..=80) 81..=81 tcp",
                "2 Some(127.0.0.1) Some(82..=82) 83..=83 udp",
                "3 Some(::1) Some(9..=9) 9..=9 tcp",
                "4 Some(::1) Some(9..=9) 9..=9 tcp",
                "5 Some(127.0.0.1) None 5..=5 tcp",
                "6 None Some(8000..=8002) 1..=3 tcp",
                "7 Some(0.0.0.0) Some(70..=70) 7..=7 tcp",
                "8 None None 8..=8 tcp",
            ]
        );
    }

    #[test]
    fn addresses_and_protocols_decide_what_collides() {
        for (one, two, expected) in [
            ("127.0.0.1:80:1", "80:1", Some(80)),
            ("127.0.0.1:80:1", "0.0.0.0:80:1", Some(80)),
            ("127.0.0.1:80:1", "127.0.0.1:79-81:1-3", Some(80)),
            ("127.0.0.1:80:1", "127.0.0.2:80:1", None),
            ("80:1", "80:1/udp", None),
            ("80:1", "81:1", None),
            ("80", "80", None),
        ] {
            let ports = of(&format!("['{one}', '{two}']"));
            assert_eq!(ports[0].collides(&ports[1]), expected, "{one} {two}");
        }
    }

    #[test]
    fn ports_collide_by_address_and_protocol() {
        let port = |address: Option<&str>, protocol: &str| Publish {
            port: 80,
            protocol: protocol.into(),
            address: address.map(|address| address.parse().unwrap()),
        };
        for (one, two, collide) in [
            (port(None, "tcp"), port(Some("127.0.0.1"), "tcp"), true),
            (
                port(Some("0.0.0.0"), "tcp"),
                port(Some("10.0.0.1"), "tcp"),
                true,
            ),
            (
                port(Some("127.0.0.1"), "tcp"),
                port(Some("10.0.0.1"), "tcp"),
                false,
            ),
            (port(None, "tcp"), port(None, "udp"), false),
        ] {
            assert_eq!(one.collides(&two), collide, "{one:?} {two:?}");
        }
    }
}
