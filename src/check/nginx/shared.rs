//! Shared memory zones that have one name and cannot be one: `ngx_shared_memory_add` in src/core/ngx_cycle.c. All of nginx
//! shares their names, `http` with `stream` and each server with the others.

use std::collections::HashMap;

use super::view::View;
use crate::model::Diagnostic;
use crate::source::nginx::{Node, size};

/// A zone, as a directive declares it.
struct Zone<'v> {
    name: &'v str,
    /// What it is for: the directive, and whether it is one of `stream` or `mail`.
    purpose: (&'v str, &'v str),
    /// Its size in bytes. The second `upstream` of a zone may leave it out.
    size: Option<u64>,
}

/// What nginx refuses of zones that are declared twice. Two of one purpose and size are one zone.
pub(crate) fn conflicts(view: &View<'_>) -> Vec<Diagnostic> {
    let mut walk = Walk {
        view,
        declared: HashMap::new(),
        found: Vec::new(),
    };
    walk.level(&view.http, "");
    for node in &view.main {
        if matches!(node.name(), "stream" | "mail") {
            walk.level(node.inside(), node.name());
        }
    }
    walk.found
}

struct Walk<'v, 'a> {
    view: &'v View<'a>,
    declared: HashMap<&'v str, (Zone<'v>, &'v Node<'a>)>,
    found: Vec<Diagnostic>,
}

impl<'v, 'a> Walk<'v, 'a> {
    fn level(&mut self, level: &'v [Node<'a>], area: &'v str) {
        for node in level.iter().filter(|node| !node.again) {
            if let Some(zone) = zone(node, area) {
                self.declare(zone, node);
            }
            if matches!(node.name(), "server" | "upstream") {
                self.level(node.inside(), area);
            }
        }
    }

    fn declare(&mut self, zone: Zone<'v>, node: &'v Node<'a>) {
        let Some((first, place)) = self.declared.get_mut(zone.name) else {
            self.declared.insert(zone.name, (zone, node));
            return;
        };
        first.size = first.size.or(zone.size);
        let is_of_another_size = zone.size.is_some() && zone.size != first.size;
        let first_place = self.view.place(place);
        let (message, help) = if first.purpose != zone.purpose {
            (
                format!(
                    "zone {} is declared at {first_place} for another purpose: nginx refuses it",
                    zone.name
                ),
                "give one of them another name",
            )
        } else if is_of_another_size {
            (
                format!(
                    "zone {} has another size at {first_place}: nginx refuses it",
                    zone.name
                ),
                "write one size in both, or give one of them another name",
            )
        } else {
            return;
        };
        let span = node.directive.span.clone();
        let place = self.view.complain(node.path, span, message, "", help);
        self.found.push(place);
    }
}

/// The zone that a directive declares. Two zones of limits or caches with one name are refused whatever else they say, which
/// is said elsewhere.
fn zone<'v>(node: &'v Node<'_>, area: &'v str) -> Option<Zone<'v>> {
    let args = node.args();
    let mut words = args.iter().map(|word| word.text.as_str());
    let start = match node.name() {
        "limit_req_zone" | "limit_conn_zone" => "zone=",
        "proxy_cache_path" | "fastcgi_cache_path" | "uwsgi_cache_path" | "scgi_cache_path" => {
            "keys_zone="
        }
        "ssl_session_cache" | "ssl_ocsp_cache" => "shared:",
        "zone" => "",
        _ => return None,
    };
    let (name, bytes) = match start {
        "" => (words.next()?, words.next().unwrap_or_default()),
        start => words
            .find_map(|word| word.strip_prefix(start))?
            .split_once(':')?,
    };
    Some(Zone {
        name,
        purpose: (node.name(), area),
        size: size(bytes),
    })
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::said;

    fn found(text: &str) -> Vec<String> {
        said("nginx-duplicate-name", &[("etc/nginx/conf.d/a.conf", text)])
    }

    #[test]
    fn zones_of_one_name_have_one_size_and_one_purpose() {
        let session = |size: &str| format!("server {{ ssl_session_cache shared:A:{size}; }} ");
        let upstream = |name: &str, zone: &str| {
            format!("upstream {name} {{ zone {zone}; server 127.0.0.1:1; }} ")
        };
        let another = "for another purpose: nginx refuses it";
        for (text, expected) in [
            (
                session("1m") + &session("2m"),
                "zone A has another size at etc/nginx/conf.d/a.conf:1: nginx refuses it",
            ),
            (
                "limit_req_zone $uri zone=A:1m rate=1r/s; limit_conn_zone $uri zone=A:1m;".into(),
                another,
            ),
            (
                "limit_conn_zone $uri zone=A:1m; ".to_owned() + &session("1m"),
                another,
            ),
            (
                "proxy_cache_path /a keys_zone=A:1m; fastcgi_cache_path /b keys_zone=A:1m;".into(),
                another,
            ),
            (
                upstream("u", "A 64k") + &upstream("v", "A 128k"),
                "has another size",
            ),
            (
                upstream("u", "A 64k") + "limit_conn_zone $uri zone=A:64k;",
                another,
            ),
            (
                "server { ssl_session_cache shared:A:1m; ssl_ocsp_cache shared:A:1m; }".into(),
                another,
            ),
        ] {
            let found = found(&text);
            assert!(
                found.len() == 1 && found[0].contains(expected),
                "{text}: {found:?}"
            );
        }
        for text in [
            session("1m") + &session("1024k"),
            upstream("u", "A 64k") + &upstream("v", "A"),
            upstream("u", "A") + &upstream("v", "A 64k"),
            "limit_req_zone $uri zone=A:1m rate=1r/s; limit_conn_zone $uri zone=a:1m;".to_owned(),
        ] {
            assert_eq!(found(&text), [""; 0], "{text}");
        }
    }
}
