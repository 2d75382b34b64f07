//! What a site asks of nginx while it runs: shared memory zones, sockets, and time for its
//! upstreams.

use std::collections::{BTreeSet, HashSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use source_text::word_list;

use super::Directive;
use super::listen::{Address, Socket};

/// A socket that nginx listens on. It keeps its sockets over a reload, and cannot have one for all
/// addresses of a port beside one for a single address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Listen {
    /// The port.
    pub port: u16,
    /// `*`, an IPv4 address, `[::]` or another IPv6 address in brackets.
    pub address: String,
    /// `ipv6only=`, where it is said.
    pub ipv6only: Option<bool>,
}

/// A shared memory zone of nginx. One of a known kind, name and size whose key or path is another
/// one is loaded by no reload: nginx keeps the zone and refuses the configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Zone {
    /// The directive, e.g. `limit_req_zone`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// What a reload does not change: the key, or path and levels of a cache, as written.
    pub fixed: String,
}

/// Directives that wait for an upstream's answer.
const READ_TIMEOUTS: [&str; 5] = word_list(
    "proxy_read_timeout fastcgi_read_timeout uwsgi_read_timeout scgi_read_timeout grpc_read_timeout",
);

/// Directives that declare a zone with a key or a path.
const ZONES: [&str; 6] = word_list(
    "limit_req_zone limit_conn_zone proxy_cache_path fastcgi_cache_path uwsgi_cache_path \
    scgi_cache_path",
);

/// Shared memory zones with what a reload does not change of them: nginx keeps a zone of the same
/// kind, name and size (`ngx_init_cycle` in src/core/ngx_cycle.c), and refuses the whole
/// configuration when its key or path is another one (`ngx_http_limit_req_init_zone`,
/// `ngx_http_limit_conn_init_zone`, `ngx_http_file_cache_init`).
pub fn zones(directives: &[Directive]) -> Vec<Zone> {
    let mut found = Vec::new();
    visit(directives, &mut |directive| found.extend(zone(directive)));
    found.sort();
    found.dedup();
    found
}

/// The longest time that nginx waits for an upstream of these directives, if they say.
pub fn read_timeout(directives: &[Directive]) -> Option<Duration> {
    let mut longest = None;
    visit(directives, &mut |directive| {
        if READ_TIMEOUTS.contains(&directive.name.as_str()) {
            let said = directive.args.first().and_then(|word| time(&word.text));
            longest = longest.max(said);
        }
    });
    longest
}

pub(super) fn visit(level: &[Directive], look: &mut impl FnMut(&Directive)) {
    for directive in level {
        look(directive);
        if let Some(block) = &directive.block {
            visit(block, look);
        }
    }
}

fn zone(directive: &Directive) -> Option<Zone> {
    // Of all directives few are about zones.
    if !ZONES.contains(&directive.name.as_str()) {
        return None;
    }
    let words: Vec<&str> = directive
        .args
        .iter()
        .map(|word| word.text.as_str())
        .collect();
    let (key, rest) = words.split_first()?;
    let option = |name: &str| rest.iter().find_map(|word| word.strip_prefix(name));
    let (named, fixed) = match directive.name.as_str() {
        "limit_req_zone" | "limit_conn_zone" => (option("zone=")?, (*key).to_owned()),
        "proxy_cache_path" | "fastcgi_cache_path" | "uwsgi_cache_path" | "scgi_cache_path" => {
            let levels = option("levels=").unwrap_or_default();
            (option("keys_zone=")?, format!("{key} {levels}"))
        }
        _ => return None,
    };
    Some(Zone {
        kind: directive.name.to_string(),
        name: named.split(':').next()?.to_owned(),
        size: named.split(':').nth(1).and_then(size)?,
        fixed: fixed.trim_end().to_owned(),
    })
}

/// A size of nginx's, <https://nginx.org/en/docs/syntax.html>: bytes, or `k` and `m`.
pub fn size(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text.get(digits.len()..)? {
        "" => 1,
        "k" | "K" => 1 << 10,
        "m" | "M" => 1 << 20,
        _ => return None,
    };
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse::<u64>().ok().filter(|_| is_number)?;
    number.checked_mul(factor)
}

/// No nginx opens more sockets than a process may have files, getrlimit(2): bounds ranges of ports.
const MAX_SOCKETS: usize = 1 << 16;

/// The sockets of all servers. Names, and sockets in the file system, are left out.
pub fn listens(directives: &[Directive]) -> BTreeSet<Listen> {
    let mut found = BTreeSet::new();
    let mut seen = HashSet::new();
    visit(directives, &mut |directive| {
        let is_new = directive.name == "listen" && seen.insert(text(directive));
        if is_new && found.len() < MAX_SOCKETS {
            listen(directive, &mut found);
        }
    });
    found
}

/// The arguments of a directive in one text.
fn text(directive: &Directive) -> String {
    let words = directive.args.iter().map(|word| word.text.as_str());
    words.collect::<Vec<_>>().join(" ")
}

fn listen(directive: &Directive, found: &mut BTreeSet<Listen>) {
    let Some((first, options)) = directive.args.split_first() else {
        return;
    };
    let Some(Socket { address, ports }) = Socket::read(&first.text) else {
        return;
    };
    let address = match address {
        Address::Ip(ip) if ip == Ipv4Addr::UNSPECIFIED => "*".to_owned(),
        Address::Ip(_) => address.to_string(),
        Address::Name(_) => return,
    };
    let ipv6only = options
        .iter()
        .find_map(|word| word.text.strip_prefix("ipv6only="));
    found.extend(ports.map(|port| Listen {
        port,
        address: address.clone(),
        ipv6only: ipv6only.map(|value| value == "on"),
    }));
}

/// A time of nginx's, <https://nginx.org/en/docs/syntax.html>: `60`, `90s`, `1h 30m`, `250ms`.
pub fn time(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        let tail = rest.get(digits..)?;
        let letters = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let seconds = match tail.get(..letters)? {
            "ms" => {
                total = total.checked_add(Duration::from_millis(number))?;
                0
            }
            "" | "s" => 1,
            "m" => 60,
            "h" => 60 * 60,
            "d" => 24 * 60 * 60,
            "w" => 7 * 24 * 60 * 60,
            "M" => 30 * 24 * 60 * 60,
            "y" => 365 * 24 * 60 * 60,
            _ => return None,
        };
        total = total.checked_add(Duration::from_secs(number.checked_mul(seconds)?))?;
        rest = tail.get(letters..)?.trim_start();
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::parse;

    fn directives(source: &str) -> Vec<Directive> {
        parse(Path::new("s"), source).unwrap()
    }

    #[test]
    fn zones_with_what_a_reload_cannot_change() {
        let source = "limit_req_zone $binary_remote_addr zone=api:10m rate=1r/s;
            limit_conn_zone $server_name zone=conn:1m;
            proxy_cache_path /var/cache/a levels=1:2 keys_zone=a:10m max_size=1g;
            server { location / { limit_req zone=api; } }";
        let found: Vec<String> = zones(&directives(source))
            .into_iter()
            .map(|zone| format!("{} {} {} {}", zone.kind, zone.name, zone.size, zone.fixed))
            .collect();
        assert_eq!(
            found,
            [
                "limit_conn_zone conn 1048576 $server_name",
                "limit_req_zone api 10485760 $binary_remote_addr",
                "proxy_cache_path a 10485760 /var/cache/a 1:2",
            ]
        );
    }

    #[test]
    fn sockets_of_servers() {
        let source = "server { listen 80; listen [::]:80 ipv6only=off; listen 127.0.0.1:8080 ssl; }
            server { listen 0.0.0.0:80 default_server; listen [::1]; listen localhost:9; listen unix:/run/x; }";
        let found: Vec<String> = listens(&directives(source))
            .into_iter()
            .map(|one| format!("{} {} {:?}", one.port, one.address, one.ipv6only))
            .collect();
        assert_eq!(
            found,
            [
                "9 127.0.0.1 None",
                "80 * None",
                "80 [::1] None",
                "80 [::] Some(false)",
                "8080 127.0.0.1 None"
            ]
        );
    }

    #[test]
    fn the_longest_wait_for_an_upstream() {
        let of = |source| read_timeout(&directives(source));
        assert_eq!(of("server { listen 80; }"), None);
        let nested = "proxy_read_timeout 30; server { location / { proxy_read_timeout 3m; } }";
        assert_eq!(of(nested), Some(Duration::from_secs(180)));
        assert_eq!(
            of("grpc_read_timeout '1h 30m';"),
            Some(Duration::from_secs(5400))
        );
        assert_eq!(of("proxy_read_timeout $x;"), None);
    }

    proptest::proptest! {
        #[test]
        fn values_never_panic(text in ".*") {
            let _ = (time(&text), size(&text), listens(&parse(Path::new("s"), &format!("listen {text};")).unwrap_or_default()));
        }
    }
}
