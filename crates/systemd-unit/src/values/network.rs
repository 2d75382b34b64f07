//! Addresses, ports, network interfaces and socket families.

use std::net::IpAddr;

use super::extract::Syntax;
use super::numbers::{integer, unsigned};
use super::reader::Reader;
use crate::table;

/// Addresses and networks, `config_parse_in_addr_prefixes` in `src/shared/in-addr-prefix-util.c` of systemd.
pub(super) static ADDRESSES: Reader = Reader::list(Syntax::Plain, |word| {
    NETWORKS.contains(&word) || is_localhost(word) || is_network(word)
})
.expects("expected addresses such as 203.0.113.0/24, any, localhost, link-local or multicast")
.literal()
.of(|| NETWORKS.to_vec());
/// Ports that a unit may bind, `src/shared/parse-helpers.c` of systemd.
pub(super) static BINDS: Reader = Reader::whole(is_bind)
    .expects("expected any, or [ipv4: or ipv6:][tcp: or udp:]PORT or FROM-TO")
    .literal();
/// Network interfaces, behind a `~` all others.
pub(super) static INTERFACES: Reader =
    Reader::list(Syntax::Quoted, |word| is_interface(word, FURTHER_MAX))
        .expects("expected names of network interfaces")
        .inverts();
/// One of them, or `*`.
pub(super) static INTERFACE: Reader =
    Reader::whole(|text| text == "*" || is_interface(text, INTERFACE_MAX))
        .expects("expected the name of a network interface")
        .literal();
/// Address families, behind a `~` all others.
pub(super) static FAMILIES: Reader = Reader::list(Syntax::Quoted, |word| {
    table::has("families", word) || table::has("families", &upper(word))
})
.expects("expected names such as AF_INET, or none")
.inverts()
.or(|text| text == "none")
.of(|| table::names("families").collect());

/// Names of networks.
const NETWORKS: &[&str] = &["any", "localhost", "link-local", "multicast"];
/// One more than the longest name of an interface, `IFNAMSIZ`, and than the longest further name, which a list may have
/// since systemd 256.
const INTERFACE_MAX: usize = 16;
const FURTHER_MAX: usize = 128;

/// `is_localhost` in `src/basic/hostname-util.c` of systemd.
fn is_localhost(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let word = word.strip_suffix('.').unwrap_or(&word);
    let word = word.strip_suffix(".localdomain").unwrap_or(word);
    word == "localhost" || word.ends_with(".localhost")
}

fn is_network(word: &str) -> bool {
    let (address, bits) = match word.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (word, None),
    };
    let most = match address.parse() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    bits.is_none_or(|bits| unsigned(bits).is_some_and(|bits| bits <= most))
}

fn is_bind(text: &str) -> bool {
    let mut rest = text;
    for kinds in [["ipv4", "ipv6"], ["tcp", "udp"]] {
        let (first, behind) = match rest.split_once(':') {
            Some((first, behind)) => (first, Some(behind)),
            None => (rest, None),
        };
        if kinds.contains(&first) {
            match behind {
                Some(behind) if !behind.is_empty() => rest = behind,
                Some(_) => return false,
                None => return true,
            }
        }
    }
    rest == "any" || is_range(rest)
}

fn is_range(text: &str) -> bool {
    // 0, any port, is one since systemd 257.
    let port = |text| unsigned(text).filter(|port| *port <= 65535);
    match text.split_once('-') {
        Some((from, to)) => match (port(from), port(to)) {
            (Some(from), Some(to)) => from <= to,
            _ => false,
        },
        None => port(text).is_some(),
    }
}

/// `ifname_valid_full` in `src/basic/socket-util.c` of systemd.
fn is_interface(name: &str, most: usize) -> bool {
    let is_plain = |c: char| c.is_ascii_graphic() && ![':', '/', '%'].contains(&c);
    !name.is_empty()
        && name.len() < most
        && ![".", "..", "all", "default"].contains(&name)
        && name.chars().all(is_plain)
        && !name.chars().all(|c| c.is_ascii_digit())
        && integer(name).is_none_or(|number| number < 1)
}

/// systemd compares the names of families in any case; one of them has small letters.
fn upper(word: &str) -> String {
    match word.eq_ignore_ascii_case("AF_DECnet") {
        true => "AF_DECnet".to_owned(),
        false => word.to_ascii_uppercase(),
    }
}
