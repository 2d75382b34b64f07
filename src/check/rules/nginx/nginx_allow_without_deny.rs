//! Addresses that are allowed where all others are, too.

use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_allow_without_deny, Warning, run).grouped(
    "blocks allow addresses without a deny, which allows everybody",
    None,
);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    // `ngx_http_access_handler` in src/http/modules/ngx_http_access_module.c: a request that no rule of the level matches is
    // declined by none, and a level with rules inherits none.
    findings.extend(context.blocks().iter().filter_map(|block| {
        let allowed = block.own("allow");
        let first = allowed.first()?;
        let allows_all = allowed.iter().any(|node| node.first() == "all");
        // With `satisfy any`, those who are not allowed have to log in.
        let any = block.setting("satisfy");
        let any = any.is_some_and(|node| node.first() == "any");
        if allows_all || any || block.includes_unknown || !block.own("deny").is_empty() {
            return None;
        }
        let message = format!(
            "allow {} without a deny allows everybody: nginx refuses only what a deny names",
            first.first()
        );
        Some(view.find(&RULE, first, message, "write deny all; after it"))
    }));
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::table;

    #[test]
    fn allowances_that_allow_everybody() {
        table(
            "nginx-allow-without-deny",
            &[
                (
                    "location = /a { allow 203.0.113.1; }",
                    "W sites-available/a:2:17: allow 203.0.113.1 without a deny",
                ),
                ("deny all; location /a { allow 10.0.0.0/8; }", "10.0.0.0/8"),
                ("allow 10.0.0.0/8; allow 203.0.113.1;", "10.0.0.0/8"),
                ("location = /a { allow 203.0.113.1; deny all; }", ""),
                (
                    "location = /a { deny 203.0.113.9; allow 203.0.113.0/24; }",
                    "",
                ),
                ("deny all; location /a { allow all; }", ""),
                (
                    "satisfy any; auth_basic x; auth_basic_user_file /x; allow 10.0.0.0/8;",
                    "",
                ),
                ("allow 10.0.0.0/8; include snippets/deny.conf;", ""),
                ("allow 10.0.0.0/8; deny all; location /a { root /x; }", ""),
            ],
        );
    }
}
