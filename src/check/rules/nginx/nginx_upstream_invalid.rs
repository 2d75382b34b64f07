//! Groups of servers that nginx refuses.

use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_upstream_invalid, Error, picks declared);

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::said;

    #[test]
    fn groups_need_servers() {
        let found = |text: &str| {
            said(
                "nginx-upstream-invalid",
                &[("etc/nginx/conf.d/a.conf", text)],
            )
        };
        for (text, expected) in [
            ("upstream a { }", "upstream a has no server"),
            (
                "upstream a { server b:1 backup; }",
                "all servers of upstream a are backups",
            ),
            (
                "upstream a { ip_hash; server b:1; server c:1 backup; }",
                "ip_hash takes no backup servers",
            ),
        ] {
            let found = found(text);
            assert!(found.len() == 1 && found[0].contains(expected), "{found:?}");
        }
        for text in [
            "upstream a { server b:1; server c:1 backup; least_conn; }",
            "upstream a { include servers.conf; }",
            "upstream a { server b:1; server c:1 backup; ip_hash; }",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
