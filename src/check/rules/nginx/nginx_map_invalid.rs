//! Maps that nginx refuses.

use crate::check::nginx::maps;
use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_map_invalid, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    maps::walk(view, &mut |entry, message, help| {
        findings.push(view.find(&RULE, entry, message, help));
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
            (
                "hostnames; a.*.c 1;",
                "a.*.c is not a valid name with a wildcard",
            ),
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
            "hostnames; *.a.example 1; www.* 2; ~*x*$ 3;",
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
            ("lan 1;", "lan is not a network"),
            (
                "proxy_recursive on;",
                "proxy_recursive of a geo has a value",
            ),
            ("default 0; ranges;", "default is before ranges"),
            ("ranges; 192.0.2.0/24 1;", "192.0.2.0/24 is not a range"),
            (
                "ranges; 192.0.2.9-192.0.2.1 1;",
                "192.0.2.9-192.0.2.1 is not a range",
            ),
            (
                "ranges; 192.0.2.1-192.0.2.9;",
                "the entry 192.0.2.1-192.0.2.9 of a geo has 0 values",
            ),
            ("192.0.2.0/99 1;", "192.0.2.0/99 is not a network"),
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
            "proxy 192.0.2.1; ranges; default 0; 192.0.2.1-192.0.2.9 1; delete 192.0.2.1-192.0.2.2;",
        ] {
            assert_eq!(found(inside), [""; 0], "{inside}");
        }
    }

    #[test]
    fn shares_are_one_hundred_percent_at_most() {
        let found = |inside: &str| {
            let text = format!("split_clients $uri $x {{ {inside} }}");
            said("nginx-map-invalid", &[("etc/nginx/conf.d/a.conf", &text)])
        };
        for (inside, expected) in [
            ("60% a; 50% b;", "the shares add up to more than 100%"),
            ("* a; 0.01% b;", "the shares add up to more than 100%"),
            ("99.99% a; 0.02% b;", "the shares add up to more than 100%"),
            ("50 a; * b;", "50 is not a percentage"),
            ("0% a; * b;", "0% is not a percentage"),
            ("33.333% a; * b;", "33.333% is not a percentage"),
            ("-5% a; * b;", "-5% is not a percentage"),
        ] {
            let found = found(inside);
            assert!(
                found.len() == 1 && found[0].contains(expected),
                "{inside} {found:?}"
            );
        }
        for inside in [
            "33.33% a; 33.33% b; 33.34% c;",
            ".5% a; 5.% b; * \"\";",
            "50% a; 50% b; * c;",
            "100% a;",
        ] {
            assert_eq!(found(inside), [""; 0], "{inside}");
        }
    }
}
