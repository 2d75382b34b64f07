//! Two declarations of one name.

use crate::check::nginx::shared::conflicts;
use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_duplicate_name, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.declared());
    let conflicts = conflicts(context.nginx()).into_iter();
    findings.extend(conflicts.map(|place| RULE.at(place)));
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::said;

    #[test]
    fn names_that_are_declared_twice() {
        let found = |text: &str| said("nginx-duplicate-name", &[("etc/nginx/conf.d/a.conf", text)]);
        for (text, expected) in [
            (
                "upstream a { server b:1; } upstream A { server c:1; }",
                "upstream A is declared at etc/nginx/conf.d/a.conf:1 already",
            ),
            (
                "log_format a $uri; log_format a $host;",
                "log format a is declared",
            ),
            (
                "limit_req_zone $uri zone=a:1m rate=1r/s; limit_req_zone $host zone=a:1m rate=1r/s;",
                "zone a is declared",
            ),
        ] {
            let found = found(text);
            assert!(found.len() == 1 && found[0].contains(expected), "{found:?}");
        }
        for text in [
            "upstream a { server b:1; } upstream b { server c:1; }",
            "log_format a $uri; upstream a { server b:1; }",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
