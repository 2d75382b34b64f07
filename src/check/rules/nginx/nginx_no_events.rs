//! An nginx.conf without its `events` block: nginx refuses it, `ngx_event_init_conf` in src/event/ngx_event.c.

use std::path::Path;

use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_no_events, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    let main = context
        .revision()
        .desired
        .etc
        .get(Path::new("nginx/nginx.conf"));
    // One that stays at the top names a file that is not here; what is in http may not have the block.
    let includes = |node: &Node<'_>| node.name() == "include" && !node.first().contains('*');
    let is_known = view.subject.is_whole() && !view.main.iter().any(includes);
    let is_read = view.subject.revision.parsed.broken.is_empty();
    let Some(main) = main.filter(|_| is_known && is_read) else {
        return;
    };
    if !view.main.iter().any(|node| node.name() == "events") {
        let message = "there is no events block: nginx refuses the configuration";
        let help = "write events { } at the top of nginx.conf, which may be empty";
        let place = view.complain(&main.file.source, 0..0, message, "", help);
        findings.push(RULE.at(place));
    }
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::said;

    #[test]
    fn events_stand_at_the_top() {
        let found = |main: &str, more: &[(&str, &str)]| {
            let mut files = vec![("etc/nginx/nginx.conf", main)];
            files.extend(more);
            said("nginx-no-events", &files)
        };
        assert_eq!(
            found("user www-data;\nhttp { }", &[]),
            [
                "E etc/nginx/nginx.conf:1:1: there is no events block: nginx refuses the configuration"
            ]
        );
        assert_eq!(found("http { include missing.conf; }", &[]).len(), 1);
        for main in [
            "events { }",
            "include modules-enabled/*.conf; events { worker_connections 9; }",
            // It is on the host, and may have it.
            "include events.conf; http { }",
        ] {
            assert_eq!(found(main, &[]), [""; 0], "{main}");
        }
        let included = ("etc/nginx/events.conf", "events { }");
        assert_eq!(found("include events.conf;", &[included]), [""; 0]);
    }
}
