//! Servers that speak TLS, and have nothing to show: nginx refuses the whole configuration.
//! <https://nginx.org/en/docs/http/configuring_https_servers.html>

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};
use crate::check::nginx::view::View;
use crate::source::nginx::Node;

/// The rule.
pub static RULE: Rule = rule!(nginx_no_certificate, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    check(context.nginx(), findings);
}

/// Servers with `listen … ssl` and without a certificate or its key.
fn check(view: &View<'_>, findings: &mut Findings) {
    for server in view.servers() {
        let levels = [server.inside(), &view.http];
        let said = |name: &str| {
            let mut nodes = levels.iter().flat_map(|level| level.iter());
            nodes.any(|node| node.name() == name)
        };
        let refuses =
            |node: &Node<'_>| node.name() == "ssl_reject_handshake" && node.first() == "on";
        // A file that is not known may say it.
        if said("include") || server.inside().iter().any(refuses) {
            continue;
        }
        let mut listens = server
            .inside()
            .iter()
            .filter(|node| node.name() == "listen");
        let speaks_tls = |node: &&Node<'_>| {
            let mut words = node.directive.args.iter().skip(1);
            words.any(|word| matches!(word.text.as_str(), "ssl" | "quic"))
        };
        let Some(listen) = listens.find(speaks_tls) else {
            continue;
        };
        let names = ["ssl_certificate", "ssl_certificate_key"];
        let Some(missing) = names.into_iter().find(|name| !said(name)) else {
            continue;
        };
        let message = format!("this server speaks TLS and has no {missing}: nginx refuses it");
        let help = "write ssl_certificate and ssl_certificate_key, such as those of certbot in /etc/letsencrypt/live/NAME";
        findings.push(view.find(&RULE, listen, message, "", help));
    }
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::said;

    #[test]
    fn servers_that_speak_tls_have_a_certificate() {
        const RULE: &str = "nginx-no-certificate";
        const PAIR: &str = "ssl_certificate /c.pem; ssl_certificate_key /k.pem;";
        let found = |inside: &str, more: &[(&str, &str)]| {
            let text = format!("server {{ server_name a.test; {inside} return 204; }}");
            let mut files = vec![("sites-available/a", text.as_str())];
            files.extend(more);
            said(RULE, &files)
        };
        assert_eq!(
            found("listen 443 ssl;", &[]),
            [
                "E sites-available/a:1:30: this server speaks TLS and has no ssl_certificate: nginx refuses it"
            ]
        );
        assert_eq!(
            found("listen 443 ssl; ssl_certificate /c.pem;", &[]),
            [
                "E sites-available/a:1:30: this server speaks TLS and has no ssl_certificate_key: nginx refuses it"
            ]
        );
        for inside in [
            format!("listen 443 ssl; {PAIR}"),
            "listen 443 ssl; ssl_reject_handshake on;".to_owned(),
            "listen 443 ssl; include snippets/tls.conf;".to_owned(),
            "listen 443;".to_owned(),
        ] {
            assert_eq!(found(&inside, &[]), [""; 0], "{inside}");
        }
        let around = ("etc/nginx/conf.d/tls.conf", PAIR);
        assert_eq!(found("listen 443 ssl;", &[around]), [""; 0]);
    }
}
