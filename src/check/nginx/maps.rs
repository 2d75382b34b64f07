//! Entries of `map` and `geo` blocks. `ngx_http_map` in src/http/modules/ngx_http_map_module.c, `ngx_http_geo` in
//! ngx_http_geo_module.c there.

use std::collections::HashMap;

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
    for map in nodes.filter(|node| matches!(node.name(), "map" | "geo")) {
        if map.name() == "geo" {
            networks(map, each);
            continue;
        }
        let mut known: HashMap<String, &Node<'_>> = HashMap::new();
        for entry in map.inside() {
            let name = entry.name();
            let count = entry.directive.args.len();
            if count == 0 && matches!(name, "hostnames" | "volatile") || name == "include" {
                continue;
            }
            if count != 1 || entry.block.is_some() {
                let message = format!("the entry {name} of a map has {count} values");
                each(
                    entry,
                    message,
                    "write one value; one with blanks needs quotes",
                );
                continue;
            }
            // nginx compiles an expression that stands twice twice.
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
                each(
                    entry,
                    message,
                    "remove one of the two; case makes no difference",
                );
            } else {
                known.insert(key, entry);
            }
        }
    }
}

/// The entries of a `geo` are networks, where it does not say `ranges`.
fn networks<'v, 'a>(geo: &'v Node<'a>, each: &mut impl FnMut(&'v Node<'a>, String, &'static str)) {
    if geo.inside().iter().any(|entry| entry.name() == "ranges") {
        return;
    }
    for entry in geo.inside() {
        let network = match entry.name() {
            "default" | "include" | "proxy_recursive" | "volatile" => continue,
            "proxy" | "delete" => entry.first(),
            name => name,
        };
        let is_network = is_address(network) && !matches!(network, "all" | "unix:");
        if !is_network && network != "255.255.255.255" {
            let message = format!("{network} is no network: nginx refuses the geo block");
            each(
                entry,
                message,
                "write an address, or a network such as 192.0.2.0/24",
            );
        } else if entry.directive.args.len() != 1 {
            let count = entry.directive.args.len();
            let message = format!("the entry {} of a geo has {count} values", entry.name());
            each(
                entry,
                message,
                "write one value; one with blanks needs quotes",
            );
        }
    }
}
