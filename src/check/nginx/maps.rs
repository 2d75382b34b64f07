//! Entries of `map`, `geo` and `split_clients` blocks. `ngx_http_map` in src/http/modules/ngx_http_map_module.c, `ngx_http_geo` in
//! ngx_http_geo_module.c, `ngx_http_split_clients` in ngx_http_split_clients_module.c there.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use super::arguments::is_address;
use super::view::View;
use crate::source::nginx::Node;

/// Shows every entry that nginx refuses to a function: the entry, what is wrong, and what helps.
pub(crate) fn walk<'v, 'a>(
    view: &'v View<'a>,
    each: &mut impl FnMut(&'v Node<'a>, String, &'static str),
) {
    let streams = view.main.iter().filter(|node| node.name() == "stream");
    let nodes = view.http.iter().chain(streams.flat_map(Node::inside));
    for map in nodes {
        match map.name() {
            "map" => {}
            "geo" => {
                networks(map, each);
                continue;
            }
            "split_clients" => {
                shares(map, each);
                continue;
            }
            _ => continue,
        }
        let has_hostnames = map.inside().iter().any(|entry| entry.name() == "hostnames");
        let mut known: HashMap<String, &Node<'_>> = HashMap::new();
        for entry in map.inside() {
            let name = entry.name();
            let count = entry.args().len();
            if count == 0 && matches!(name, "hostnames" | "volatile") || name == "include" {
                continue;
            }
            if count != 1 || entry.block.is_some() {
                let message = format!("the entry {name} of a map has {count} values");
                let help = "write one value; one with spaces needs quotes";
                each(entry, message, help);
                continue;
            }
            let is_name = has_hostnames && !name.starts_with(['~', '\\']);
            if is_name && name.contains('*') && !is_wildcard(name) {
                let message =
                    format!("{name} is not a valid name with a wildcard: nginx refuses the map");
                let help = "write *.example.com, .example.com or www.example.*";
                each(entry, message, help);
                continue;
            }
            // nginx compiles an expression twice that is there twice.
            if name.starts_with('~') {
                continue;
            }
            let key = match (name, name.strip_prefix('\\')) {
                // It is no key.
                ("default", _) => "\\default".to_owned(),
                (_, Some(key)) => key.to_lowercase(),
                (key, None) => key.to_lowercase(),
            };
            if let Some(first) = known.get(&key) {
                let place = view.place(first);
                let message = format!("the map has {name} at {place} already: nginx refuses it");
                let help = "remove one of the two; case makes no difference";
                each(entry, message, help);
            } else {
                known.insert(key, entry);
            }
        }
    }
}

/// Whether a name with `*` is one: `*.domain` or `start.*`, `ngx_hash_add_key` in src/core/ngx_hash.c.
pub(super) fn is_wildcard(name: &str) -> bool {
    let plain = |rest: &str| !rest.is_empty() && !rest.contains('*') && !rest.contains("..");
    match (name.strip_prefix("*."), name.strip_suffix(".*")) {
        (Some(domain), None) => plain(domain),
        (None, Some(start)) => plain(start),
        _ => false,
    }
}

/// The entries of a `split_clients`: shares of one hundred percent with up to two decimals, and `*` for the rest.
fn shares<'v, 'a>(split: &'v Node<'a>, each: &mut impl FnMut(&'v Node<'a>, String, &'static str)) {
    let mut total: u32 = 0;
    for entry in split.inside() {
        let name = entry.name();
        let share = match name {
            "*" => Some(10_000_u32.saturating_sub(total)),
            _ => share(name).filter(|share| *share > 0),
        };
        let (message, help) = match share {
            None => (
                format!("{name} is not a percentage: nginx refuses the split_clients block"),
                "write a percentage with up to two decimals such as 12.5%, or * for the rest",
            ),
            Some(share) => {
                total = total.saturating_add(share);
                if total <= 10_000 {
                    continue;
                }
                (
                    "the shares add up to more than 100%: nginx refuses the split_clients block"
                        .to_owned(),
                    "write shares of 100% in all, and * for the rest as the last",
                )
            }
        };
        each(entry, message, help);
        return;
    }
}

/// Hundredths of a percent, `ngx_atofp` in src/core/ngx_string.c.
fn share(text: &str) -> Option<u32> {
    let number = text.strip_suffix('%')?;
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = !number.is_empty() && digits(whole) && digits(decimals) && decimals.len() <= 2;
    is_number.then(|| format!("{whole}{decimals:0<2}").parse().unwrap_or(u32::MAX))
}

/// The entries of a `geo` that says `ranges`.
fn ranges<'v, 'a>(
    geo: &'v Node<'a>,
    at: usize,
    each: &mut impl FnMut(&'v Node<'a>, String, &'static str),
) {
    let (before, from) = geo.inside().split_at_checked(at).unwrap_or_default();
    let is_ahead = |entry: &&Node<'_>| {
        !matches!(
            entry.name(),
            "proxy" | "proxy_recursive" | "ranges" | "include"
        )
    };
    if let Some(entry) = before.iter().find(is_ahead) {
        let message = format!(
            "{} is before ranges: nginx refuses the geo block",
            entry.name()
        );
        let help = "write ranges; as the first line of the block";
        each(entry, message, help);
        return;
    }
    for entry in from {
        let range = match entry.name() {
            "ranges" | "default" | "include" | "proxy" | "proxy_recursive" | "volatile" => continue,
            "delete" => entry.first(),
            name => name,
        };
        let is_range = range.split_once('-').is_some_and(|(first, last)| {
            let address = |text: &str| text.parse::<Ipv4Addr>().ok();
            matches!((address(first), address(last)), (Some(first), Some(last)) if first <= last)
        });
        let count = entry.args().len();
        if !is_range || count != 1 {
            let message = match is_range {
                true => format!("the entry {} of a geo has {count} values", entry.name()),
                false => format!("{range} is not a range: nginx refuses the geo block"),
            };
            let help = "write FIRST-LAST VALUE, such as 192.0.2.1-192.0.2.9 1";
            each(entry, message, help);
        }
    }
}

/// The entries of a `geo` are networks, where it does not say `ranges`.
fn networks<'v, 'a>(geo: &'v Node<'a>, each: &mut impl FnMut(&'v Node<'a>, String, &'static str)) {
    let mut inside = geo.inside().iter();
    if let Some(at) = inside.position(|entry| entry.name() == "ranges") {
        ranges(geo, at, each);
        return;
    }
    for entry in geo.inside() {
        let network = match entry.name() {
            "proxy_recursive" if !entry.args().is_empty() => {
                let message = "proxy_recursive of a geo has a value: nginx refuses it".to_owned();
                each(entry, message, "write proxy_recursive; alone");
                continue;
            }
            "default" | "include" | "proxy_recursive" | "volatile" => continue,
            "proxy" | "delete" => entry.first(),
            name => name,
        };
        let is_network = is_address(network) && !matches!(network, "all" | "unix:");
        if !is_network && network != "255.255.255.255" {
            let message = format!("{network} is not a network: nginx refuses the geo block");
            let help = "write an address, or a network such as 192.0.2.0/24";
            each(entry, message, help);
        } else if entry.args().len() != 1 {
            let count = entry.args().len();
            let message = format!("the entry {} of a geo has {count} values", entry.name());
            let help = "write one value; one with spaces needs quotes";
            each(entry, message, help);
        }
    }
}
