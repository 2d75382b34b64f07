//! The addresses that a container has on a network: one of each family.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// An IPv4 and an IPv6 address; either can be missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Vec<IpAddr>")]
pub struct Addresses {
    v4: Option<Ipv4Addr>,
    v6: Option<Ipv6Addr>,
}

/// How records have them. Those of earlier versions have one address or none.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    One(Option<IpAddr>),
    Several(Vec<IpAddr>),
}

impl Addresses {
    /// These with one more, which replaces that of its family.
    pub fn with(mut self, address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => self.v4 = Some(address),
            IpAddr::V6(address) => self.v6 = Some(address),
        }
        self
    }

    /// All of them, IPv4 first.
    pub fn iter(self) -> impl Iterator<Item = IpAddr> {
        let v4 = self.v4.map(IpAddr::V4);
        v4.into_iter().chain(self.v6.map(IpAddr::V6))
    }

    /// Whether `address` is one of them.
    pub fn has(self, address: IpAddr) -> bool {
        self.like(address) == Some(address)
    }

    /// The one of the family of `address`.
    pub fn like(self, address: IpAddr) -> Option<IpAddr> {
        match address {
            IpAddr::V4(_) => self.v4.map(IpAddr::V4),
            IpAddr::V6(_) => self.v6.map(IpAddr::V6),
        }
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// These; where a family is missing, that of `other`.
    pub fn or(self, other: Self) -> Self {
        Self {
            v4: self.v4.or(other.v4),
            v6: self.v6.or(other.v6),
        }
    }
}

impl FromIterator<IpAddr> for Addresses {
    fn from_iter<I: IntoIterator<Item = IpAddr>>(addresses: I) -> Self {
        let none = Self::default();
        addresses.into_iter().fold(none, Self::with)
    }
}

impl From<Option<IpAddr>> for Addresses {
    fn from(address: Option<IpAddr>) -> Self {
        address.into_iter().collect()
    }
}

impl From<Written> for Addresses {
    fn from(written: Written) -> Self {
        match written {
            Written::One(address) => address.into(),
            Written::Several(addresses) => addresses.into_iter().collect(),
        }
    }
}

impl From<Addresses> for Vec<IpAddr> {
    fn from(addresses: Addresses) -> Self {
        addresses.iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_each_family_and_records_of_earlier_versions() {
        let read = |text: &str| serde_json::from_str::<Addresses>(text).expect("addresses");
        let both = read(r#"["10.0.0.1", "fd::1"]"#);
        let (v4, v6): (IpAddr, IpAddr) = ("10.0.0.1".parse().unwrap(), "fd::1".parse().unwrap());
        assert!(both.has(v4) && both.has(v6));
        assert_eq!(both.iter().collect::<Vec<_>>(), [v4, v6]);
        assert_eq!(both, read(&serde_json::to_string(&both).unwrap()));
        assert_eq!(read(r#""fd::1""#).or(read(r#""10.0.0.1""#)), both);
        assert!(read("null").is_empty() && read("[]").is_empty());
        assert_eq!(
            both.with("10.0.0.9".parse().unwrap()).like(v4),
            "10.0.0.9".parse().ok()
        );
    }
}
