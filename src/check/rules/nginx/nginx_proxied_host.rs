//! Hosts of an upstream that the client chooses.

use crate::check::nginx::captures::{can_hold, group_of, is_raw, resolved};
use crate::check::rules::nginx::prelude::*;
use crate::source::nginx::router::Piece;

pub(crate) static RULE: Rule = rule!(nginx_proxied_host, Error, run);

/// Variables that begin with a slash, and so end the host.
const PATHS: [&str; 3] = ["uri", "document_uri", "request_uri"];
/// Characters that end the host of a URL or put another one before it.
const ENDS: [char; 5] = ['/', '?', '#', '@', ':'];

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    for block in context.blocks() {
        let passes = block
            .passes
            .iter()
            .filter(|(_, node)| node.first().contains('$'));
        // No client gets to an internal location by itself.
        let passes = passes.filter(|_| block.setting("internal").is_none());
        findings.extend(passes.filter_map(|(_, node)| chosen(view, block, node)));
    }
}

fn chosen(view: &View<'_>, block: &Block<'_>, node: &Node<'_>) -> Option<Finding> {
    let word = node.args().first()?;
    let pieces = resolved(block, &word.text);
    let (name, severity) = from_the_client(block, &pieces)?;
    let message = format!(
        "the client chooses the host: {name} comes from the request, and nginx sends the request wherever it says"
    );
    let help = "write the host, or choose it by a map that lists the allowed ones; location { internal; } if only nginx itself comes here";
    Some(
        view.find_at(&RULE, node, &word.span, message, help)
            .weighing(severity),
    )
}

/// The first part of the scheme or host that the client chooses.
fn from_the_client(block: &Block<'_>, pieces: &[Piece<'_>]) -> Option<(String, Severity)> {
    for (at, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Literal(text) => {
                let host = text.split_once("://").map_or(*text, |(_, host)| host);
                if host.contains(['/', '?']) || host.starts_with("unix:") {
                    return None;
                }
            }
            Piece::Variable(name) if PATHS.contains(name) => return None,
            Piece::Variable(name) if is_raw(name) => {
                return Some((format!("${name}"), Severity::Error));
            }
            piece => {
                let Some(source) = group_of(block, piece) else {
                    continue;
                };
                if source.starts_with('/') {
                    return None;
                }
                let next = pieces.get(at + 1);
                let has_domain =
                    matches!(next, Some(Piece::Literal(text)) if text.starts_with('.'));
                let leaves = match has_domain {
                    true => ENDS.iter().any(|end| can_hold(source, *end)),
                    false => can_hold(source, '.'),
                };
                if leaves {
                    return Some((piece.to_string(), Severity::Warning));
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::table;

    #[test]
    fn hosts_that_the_client_chooses() {
        table(
            "nginx-proxied-host",
            &[
                (
                    "location /a { proxy_pass http://$arg_u; }",
                    "E sites-available/a:2:26: the client chooses the host: $arg_u",
                ),
                ("location /a { proxy_pass $arg_u; }", "$arg_u"),
                (
                    "location /a { proxy_pass http://app$arg_u.example.com; }",
                    "$arg_u",
                ),
                (
                    "location /a { proxy_pass $http_x_scheme://app/x; }",
                    "$http_x_scheme",
                ),
                (
                    "location /a { fastcgi_pass $cookie_backend; }",
                    "$cookie_backend",
                ),
                (
                    "location ~ ^/p/(.*)/(.*)$ { proxy_pass http://$1/$2; }",
                    "W sites",
                ),
                (
                    "location ~ ^/p/(?<host>[^/]+)/ { proxy_pass http://$host; }",
                    "$host",
                ),
                (
                    "location ~ ^/p/(.*)/(.*)$ { set $h $1; set $u http://$h; proxy_pass $u/$2; }",
                    "$1",
                ),
                (
                    "location ~ ^/p/([^/]+)/ { proxy_pass http://$1.example.com; }",
                    "$1",
                ),
                (
                    "location ~ ^/b/(?<path>.*) { proxy_pass http://app$path; }",
                    "$path",
                ),
            ],
        );
    }

    #[test]
    fn hosts_that_the_server_chooses() {
        for inside in [
            "location /p { internal; proxy_pass http://$arg_u; }",
            "location ~ ^/p/(.*)$ { proxy_pass http://app.example.com/$1; }",
            "location /p { proxy_pass http://app$request_uri; }",
            "location /p { set $u http://app$request_uri; proxy_pass $u; }",
            "location ~ ^/p(?<path>/.*)$ { proxy_pass http://app$path; }",
            "location ~ ^/(one|two)/ { proxy_pass http://$1; }",
            "location ~ ^/([a-z0-9-]+)/ { proxy_pass http://$1.internal.example.com; }",
            "location / { set $app grafana; set $port 3000; proxy_pass http://$app:$port; }",
            "location / { proxy_pass http://$backend; }",
            "location / { proxy_pass http://unix:/run/app.sock:/$1; }",
            "location / { proxy_pass http://app?x=$arg_x; }",
        ] {
            table("nginx-proxied-host", &[(inside, "")]);
        }
    }
}
