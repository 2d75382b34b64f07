//! Servers that speak TLS, and have nothing to show: nginx refuses the whole configuration.
//! <https://nginx.org/en/docs/http/configuring_https_servers.html>

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::check::nginx::servers::addresses;
use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_no_certificate, Error, run);

/// Sockets of all servers that are distinguished; real configurations have fewer.
const MAX_SOCKETS: usize = 20_000;

/// What a server has to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shows {
    /// Certificates with their keys, or a file may say so that is not here.
    Certificates,
    /// A certificate without a key, which nginx refuses whoever listens.
    NoKey,
    /// Nothing: it rejects all handshakes.
    Rejects,
    /// Nothing.
    Nothing,
}

/// A socket with the servers that listen there.
#[derive(Default)]
struct Socket<'v, 'a> {
    /// Each with its `listen`.
    servers: Vec<(usize, &'v Node<'a>)>,
    /// The one that says `default_server`, by its place in `servers`.
    default: usize,
    /// Whether one of them says `ssl`, which counts for all.
    speaks_tls: bool,
}

/// Looks at each address as nginx does, `ngx_http_ssl_init` and `ngx_http_ssl_merge_srv_conf` in
/// src/http/modules/ngx_http_ssl_module.c: the default server has a certificate, or it rejects handshakes and all
/// others have one.
fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    let mut sockets: HashMap<String, Socket<'_, '_>> = HashMap::new();
    let around = Said::by(&view.http);
    let mut shown = Vec::new();
    // By server: where it says that it speaks TLS.
    let mut wrong: BTreeMap<usize, &Node<'_>> = BTreeMap::new();
    for (number, server) in view.servers().enumerate() {
        let shows = Said::by(server.inside()).within(&around);
        shown.push(shows);
        let mut seen = HashSet::new();
        for node in server.inside() {
            match node.name() {
                // A second one is another finding.
                "listen" if seen.insert(node.first()) => listen(number, node, &mut sockets),
                // The old way, which counts for this server alone.
                "ssl" if node.first() == "on" && shows == Shows::Nothing => {
                    wrong.entry(number).or_insert(node);
                }
                "ssl_certificate" if shows == Shows::NoKey => {
                    wrong.entry(number).or_insert(node);
                }
                _ => {}
            }
        }
    }
    for socket in sockets.values().filter(|socket| socket.speaks_tls) {
        let of = |number: usize| shown.get(number).copied().unwrap_or(Shows::Certificates);
        let Some(&(default, listen)) = socket.servers.get(socket.default) else {
            continue;
        };
        let mut add = |number, listen| note(&mut wrong, number, listen);
        match of(default) {
            Shows::Certificates => {}
            Shows::Nothing | Shows::NoKey => add(default, listen),
            Shows::Rejects => {
                let others = socket.servers.iter();
                for (number, listen) in others.filter(|(number, _)| of(*number) == Shows::Nothing) {
                    add(*number, listen);
                }
            }
        }
    }
    for (number, node) in wrong {
        let missing = match shown.get(number) {
            Some(Shows::NoKey) => "ssl_certificate_key",
            _ => "ssl_certificate",
        };
        let message = match node.name() {
            "ssl_certificate" => format!("this certificate has no {missing}: nginx refuses it"),
            _ => format!("this server speaks TLS and has no {missing}: nginx refuses it"),
        };
        let help = "write ssl_certificate and ssl_certificate_key, such as those of certbot in /etc/letsencrypt/live/NAME";
        findings.push(view.find(&RULE, node, message, help));
    }
}

/// Its first `listen` in the text stands for a server.
fn note<'v, 'a>(wrong: &mut BTreeMap<usize, &'v Node<'a>>, number: usize, listen: &'v Node<'a>) {
    let first = wrong.entry(number).or_insert(listen);
    let place = |node: &Node<'_>| node.directive.span.start;
    if first.name() != "listen" || place(listen) < place(first) {
        *first = listen;
    }
}

fn listen<'v, 'a>(
    number: usize,
    node: &'v Node<'a>,
    sockets: &mut HashMap<String, Socket<'v, 'a>>,
) {
    let options = || node.words().skip(1);
    let is_quic = options().any(|word| word == "quic");
    let is_default = options().any(|word| matches!(word, "default_server" | "default"));
    let speaks_tls = is_quic || options().any(|word| word == "ssl");
    // TCP and QUIC do not meet.
    let protocol = if is_quic { "/udp" } else { "" };
    let are_told_apart = sockets.len() < MAX_SOCKETS;
    for address in addresses(node.first(), are_told_apart) {
        let socket = sockets.entry(format!("{address}{protocol}")).or_default();
        if is_default {
            socket.default = socket.servers.len();
        }
        socket.servers.push((number, node));
        socket.speaks_tls |= speaks_tls;
    }
}

/// What a block says about certificates.
#[derive(Default)]
struct Said {
    certificates: usize,
    keys: usize,
    rejects: Option<bool>,
    includes: bool,
}

impl Said {
    fn by(level: &[Node<'_>]) -> Self {
        let mut said = Self::default();
        for node in level {
            match node.name() {
                "ssl_certificate" => said.certificates += 1,
                "ssl_certificate_key" => said.keys += 1,
                "include" => said.includes = true,
                "ssl_reject_handshake" => {
                    said.rejects = Some(node.first().eq_ignore_ascii_case("on"));
                }
                _ => {}
            }
        }
        said
    }

    /// With what the block around it says.
    fn within(&self, outer: &Self) -> Shows {
        let of = |own: usize, outer: usize| if own > 0 { own } else { outer };
        let certificates = of(self.certificates, outer.certificates);
        // A file that is not known may say it.
        if self.includes || outer.includes {
            Shows::Certificates
        } else if certificates > of(self.keys, outer.keys) {
            Shows::NoKey
        } else if certificates > 0 {
            Shows::Certificates
        } else if self.rejects.or(outer.rejects) == Some(true) {
            Shows::Rejects
        } else {
            Shows::Nothing
        }
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
    /// What one server says of an address counts for all there, and its default server answers.
    #[test]
    fn certificates_are_asked_per_address() {
        const PAIR: &str = "ssl_certificate /c.pem; ssl_certificate_key /k.pem;";
        let found = |servers: &[&str]| {
            let text = servers.iter().map(|inside| {
                let inside = inside.replace("PAIR", PAIR);
                format!("server {{ {inside} return 204; }}\n")
            });
            let text: String = text.collect();
            let found = said("nginx-no-certificate", &[("sites-available/a", &text)]);
            let lines = found.iter().filter_map(|said| said.split(':').nth(1));
            lines.map(str::to_owned).collect::<Vec<_>>().join(" ")
        };
        for (servers, lines) in [
            (
                &["listen 443 ssl; PAIR", "listen 443 ssl; server_name b;"][..],
                "",
            ),
            (
                &["listen 443 ssl; server_name b;", "listen 443 ssl; PAIR"],
                "1",
            ),
            (
                &[
                    "listen 443 ssl; server_name b;",
                    "listen 443 ssl default_server; PAIR",
                ],
                "",
            ),
            (
                &[
                    "listen 443 ssl; PAIR",
                    "listen 192.0.2.1:443 ssl; server_name b;",
                ],
                "2",
            ),
            (
                &[
                    "listen 443 ssl; PAIR",
                    "listen [::]:443 ssl; listen 443 ssl; server_name b;",
                ],
                "2",
            ),
            // Without ssl, but at the same address.
            (&["listen 443; server_name b;", "listen 443 ssl; PAIR"], "1"),
            (
                &[
                    "listen 443 ssl; ssl_reject_handshake on;",
                    "listen 443 ssl; server_name b;",
                ],
                "2",
            ),
            (
                &[
                    "listen 443 ssl; ssl_reject_handshake on;",
                    "listen 443 ssl; server_name b; PAIR",
                ],
                "",
            ),
            (&["listen 443 ssl; ssl_reject_handshake off;"], "1"),
            (&["listen 443; ssl on;"], "1"),
            (&["listen 443; ssl on; PAIR"], ""),
            (
                &["listen 443 ssl; PAIR", "listen 80; ssl_certificate /c.pem;"],
                "2",
            ),
            (&["listen 443 ssl; PAIR ssl_certificate /d.pem;"], "1"),
        ] {
            assert_eq!(found(servers), lines, "{servers:?}");
        }
    }
}
