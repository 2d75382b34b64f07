//! Addresses, ranges of them, and URLs.

use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Deref;

use ipnet::IpNet;
use serde::de::{Deserialize, Deserializer};

use super::{Reader, Text};
use crate::model::{self, Url};

text! {
    /// `"172.27.0.2"`
    #[derive(Copy)]
    Address(IpAddr), "IP address", "string",
    "an IP address",
    |text| text.parse().ok()
}

text! {
    /// `"100.64.0.0/10"`, `"fd7a:115c:a1e0::/48"`, or one address
    #[derive(Copy)]
    Cidr(IpNet), "address range", "string",
    "a range of addresses such as \"100.64.0.0/10\", or one address",
    model::address_range
}

text! {
    /// a name of `[firewall.sources]`, `"world"`, or a range of addresses
    Source(String), "source", "string",
    "a name of [firewall.sources], \"world\", or a range of addresses",
    |text| (!text.is_empty()).then(|| text.to_owned())
}

text! {
    /// `"docker0"`, `"br-*"`
    #[cfg_attr(test, derive(serde::Serialize))]
    Interface(String), "interface", "string",
    "the name of an interface such as \"docker0\", or its beginning such as \"br-*\"",
    // Names have 15 bytes at most, netdevice(7).
    |text| {
        let begin = text.strip_suffix('*').unwrap_or(text);
        let is_usable = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let fits = !begin.is_empty() && begin.len() <= 15 && begin.chars().all(is_usable);
        let is_address = begin.parse::<IpAddr>().is_ok();
        (fits && begin != "lo" && !is_address).then(|| text.to_owned())
    }
}

text! {
    /// begins with `http://` or `https://`
    RouteUrl(String), "URL", "string",
    "a URL that begins with http:// or https://",
    |text| {
        let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"))?;
        let is_usable = !rest.is_empty()
            && !rest.starts_with('/')
            && !text.contains(|c: char| c.is_control() || c.is_whitespace());
        is_usable.then(|| text.to_owned())
    }
}

text! {
    /// begins with `http://` or `https://`
    GateUrl(Url), "URL", "string",
    "a URL that begins with http:// or https://, and with a host",
    |text| text.parse().ok()
}

text! {
    /// `"127.0.0.1:5432"`, `"localhost:5432"`
    #[derive(Copy)]
    Socket(SocketAddr), "address and port", "string",
    "ADDRESS:PORT or localhost:PORT, such as \"127.0.0.1:5432\"",
    // Other names would have to be resolved, and a gate asks nobody who is not part of what it is about.
    |text| {
        let address = match text.strip_prefix("localhost:") {
            Some(port) => SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse().ok()?)),
            None => text.parse().ok()?,
        };
        (address.port() > 0).then_some(address)
    }
}

impl Interface {
    /// A name that is right: a default.
    pub(in crate::source::policy) fn new(name: &str) -> Self {
        Self(name.to_owned())
    }
}
