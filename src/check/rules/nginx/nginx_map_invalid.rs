//! Maps that nginx refuses.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};
use crate::check::nginx::maps;

/// The rule.
pub(crate) static RULE: Rule = rule!(nginx_map_invalid, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    maps::walk(view, &mut |entry, message, help| {
        findings.push(view.find(&RULE, entry, message, "", help));
    });
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::said;

    #[test]
    fn keys_stand_once() {
        let found = |inside: &str| {
            let text = format!("map $uri $x {{ {inside} }}");
            said("nginx-map-invalid", &[("etc/nginx/conf.d/a.conf", &text)])
        };
        for (inside, expected) in [
            (
                "a 1; a 2;",
                "E etc/nginx/conf.d/a.conf:1:20: the map has a at etc/nginx/conf.d/a.conf:1 already",
            ),
            ("a 1; \\A 2;", "the map has \\A at"),
            ("default 1; default 2;", "the map has default at"),
            ("a;", "the entry a of a map has 0 values"),
            ("a 1 2;", "the entry a of a map has 2 values"),
        ] {
            let found = found(inside);
            assert!(
                found.len() == 1 && found[0].contains(expected),
                "{inside} {found:?}"
            );
        }
        for inside in [
            "hostnames; volatile; default 1; a 1; b 1; *.a 2;",
            "~a 1; ~a 2; \\default 1; default 2;",
            "include maps/*.map;",
        ] {
            assert_eq!(found(inside), [""; 0], "{inside}");
        }
    }

    #[test]
    fn entries_of_geo_are_networks() {
        let found = |inside: &str| {
            let text = format!("geo $x {{ {inside} }}");
            said("nginx-map-invalid", &[("etc/nginx/conf.d/a.conf", &text)])
        };
        for (inside, expected) in [
            ("lan 1;", "lan is no network"),
            ("192.0.2.0/99 1;", "192.0.2.0/99 is no network"),
            (
                "192.0.2.0/24;",
                "the entry 192.0.2.0/24 of a geo has 0 values",
            ),
        ] {
            let found = found(inside);
            assert!(
                found.len() == 1 && found[0].contains(expected),
                "{inside} {found:?}"
            );
        }
        for inside in [
            "default 0; 192.0.2.0/24 1; ::1 2; proxy 192.0.2.1; delete 192.0.2.7; 255.255.255.255 1; include geo.conf;",
            "ranges; 192.0.2.1-192.0.2.9 1;",
        ] {
            assert_eq!(found(inside), [""; 0], "{inside}");
        }
    }
}
