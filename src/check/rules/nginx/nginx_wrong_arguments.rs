//! Arguments that a directive does not take: nginx refuses the configuration.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};
use crate::check::nginx::directives::Problem;
use crate::check::nginx::view::View;
use crate::source::nginx::listen::{Address, Socket};
use crate::source::nginx::router::{Place, condition};
use crate::source::nginx::{Node, Word};

/// The rule.
pub static RULE: Rule = rule!(nginx_wrong_arguments, Error, run);

/// Words of `listen` behind the address, `ngx_http_core_listen` in src/http/ngx_http_core_module.c: those of nginx 1.31, and
/// `spdy`, which 1.22 still takes.
const LISTEN: [&str; 11] = [
    "default_server",
    "default",
    "ssl",
    "http2",
    "multipath",
    "quic",
    "spdy",
    "proxy_protocol",
    "reuseport",
    "deferred",
    "bind",
];

/// Those that have a value.
const LISTEN_VALUES: [&str; 8] = [
    "setfib=",
    "fastopen=",
    "backlog=",
    "rcvbuf=",
    "sndbuf=",
    "accept_filter=",
    "ipv6only=",
    "so_keepalive=",
];

const FLAGS: [&str; 4] = ["last", "break", "redirect", "permanent"];

const OPERATORS: [&str; 6] = ["=", "!=", "~", "~*", "!~", "!~*"];

/// What is wrong, and what would be right.
struct Wrong<'w> {
    word: &'w Word,
    message: String,
    help: &'static str,
}

fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.directives(), Problem::Arguments);
    let view = context.nginx();
    look(view, &view.http, findings);
}

fn look(view: &View<'_>, level: &[Node<'_>], findings: &mut Findings) {
    for node in level {
        if let Some(wrong) = wrong(node) {
            let span = wrong.word.span.clone();
            let place = view.complain(node.path, span, wrong.message, "", wrong.help);
            findings.push(RULE.at(place));
        }
        if matches!(node.name(), "server" | "location" | "if" | "limit_except") {
            look(view, node.inside(), findings);
        }
    }
}

fn wrong<'n>(node: &'n Node<'_>) -> Option<Wrong<'n>> {
    let args = node.directive.args.as_slice();
    match (node.name(), args) {
        ("proxy_pass", [url]) => target(url),
        ("listen", [address, options @ ..]) => listen(address, options),
        ("if", [first, ..]) => operator(node, first),
        ("return", [code, ..]) => status(code, args.len() == 1),
        ("rewrite", [_, _, flag]) => (!FLAGS.contains(&flag.text.as_str())).then(|| Wrong {
            word: flag,
            message: format!("{} is not a flag of rewrite", flag.text),
            help: "write last, break, redirect or permanent",
        }),
        ("add_header" | "add_trailer", [_, _, always]) if always.text != "always" => Some(Wrong {
            word: always,
            message: format!("{} takes always here, or nothing", node.name()),
            help: "write always, or put a value with blanks into quotes",
        }),
        ("error_page", [codes @ .., _]) => codes.iter().find_map(error_code),
        _ => None,
    }
}

/// `invalid URL prefix`, `ngx_http_proxy_pass` in ngx_http_proxy_module.c.
fn target(url: &Word) -> Option<Wrong<'_>> {
    let lower = url.text.to_ascii_lowercase();
    let has_scheme = lower.starts_with("http://") || lower.starts_with("https://");
    (!has_scheme && !lower.contains('$')).then(|| Wrong {
        word: url,
        message: format!(
            "{} is not a URL: nginx refuses a proxy_pass without http:// or https://",
            url.text
        ),
        help: "write http:// in front of the address",
    })
}

fn listen<'n>(address: &'n Word, options: &'n [Word]) -> Option<Wrong<'n>> {
    let text = address.text.as_str();
    let is_bound = match Socket::read(text) {
        // A name begins with no digit, or it is an address or a port that is mistyped.
        Some(Socket {
            address: Address::Name(name),
            ..
        }) => !name.starts_with(|c: char| c.is_ascii_digit()),
        Some(socket) => *socket.ports.start() > 0,
        None => text.starts_with("unix:"),
    };
    if !is_bound {
        return Some(Wrong {
            word: address,
            message: format!("{text} is nothing that nginx can listen on"),
            help: "write PORT, ADDRESS:PORT, [IPv6]:PORT or unix:/PATH",
        });
    }
    let unknown = options.iter().find(|word| {
        let text = word.text.as_str();
        !LISTEN.contains(&text) && !LISTEN_VALUES.iter().any(|start| text.starts_with(start))
    });
    unknown.map(|word| Wrong {
        word,
        message: format!("listen has no parameter {}", word.text),
        help: "remove it, or correct its name: ssl, http2, default_server, reuseport and the like",
    })
}

fn operator<'n>(node: &Node<'_>, first: &'n Word) -> Option<Wrong<'n>> {
    let words = condition(Place {
        path: node.path,
        directive: node.directive,
    });
    let (message, help) = match words.as_slice() {
        [variable, operator, ..] if variable.starts_with('$') && !OPERATORS.contains(operator) => (
            format!("{operator} is not a comparison operator of nginx"),
            "write =, !=, ~, ~*, !~ or !~*",
        ),
        [variable, _, _, rest, ..] if variable.starts_with('$') => (
            format!("if takes one comparison, and {rest} follows it"),
            "write one if inside the other, or a map over both variables",
        ),
        _ => return None,
    };
    Some(Wrong {
        word: first,
        message,
        help,
    })
}

fn status(code: &Word, is_alone: bool) -> Option<Wrong<'_>> {
    let text = code.text.as_str();
    let is_url = ["http://", "https://", "$scheme"]
        .iter()
        .any(|start| text.to_ascii_lowercase().starts_with(start));
    let is_code = text.parse::<u16>().is_ok_and(|code| code <= 999);
    let is_taken = is_code || is_alone && is_url;
    (!is_taken).then(|| Wrong {
        word: code,
        message: format!("{text} is not a status that return can send"),
        help: "write a number such as 301 or 404 first",
    })
}

/// `value "x" must be between 300 and 599`
fn error_code(code: &Word) -> Option<Wrong<'_>> {
    let text = code.text.as_str();
    let is_code = text
        .parse::<u16>()
        .is_ok_and(|code| (300..=599).contains(&code));
    (!is_code && !text.starts_with('=')).then(|| Wrong {
        word: code,
        message: format!("{text} is not a status that error_page can handle"),
        help: "write numbers from 300 to 599",
    })
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::table;

    #[test]
    fn arguments_that_nginx_does_not_take() {
        table(
            "nginx-wrong-arguments",
            &[
                (
                    "client_max_body_size 50 m;",
                    "client_max_body_size has 2 arguments",
                ),
                (
                    "client_max_body_size 50X;",
                    "\"50X\" is not a valid value of client_max_body_size",
                ),
                (
                    "location / { proxy_read_timeout 300sec; }",
                    "\"300sec\" is not a valid value",
                ),
                ("gzip yes;", "\"yes\" is not a valid value of gzip"),
                (
                    "location / { proxy_pass 127.0.0.1:8050/; }",
                    "E sites-available/a:2:25: 127.0.0.1:8050/ is not a URL: nginx refuses a proxy_pass without http:// or https://",
                ),
                ("location / { proxy_pass HTTP://127.0.0.1:8050/; }", ""),
                ("location / { proxy_pass $arg_to; }", ""),
                ("listen 81 sssl;", "listen has no parameter sssl"),
                ("listen 80a;", "80a is nothing that nginx can listen on"),
                ("listen 70000;", "70000 is nothing that nginx can listen on"),
                ("listen [::]:82 ipv6only=off reuseport;", ""),
                ("listen unix:/run/a.sock;", ""),
                (
                    "if ($host == a) { return 204; }",
                    "== is not a comparison operator of nginx",
                ),
                (
                    "if ($host = a && $uri = b) { return 204; }",
                    "if takes one comparison, and && follows it",
                ),
                ("if (-f $uri) { return 204; }", ""),
                ("if ($uri ~ \"^/a b$\") { return 204; }", ""),
                ("return abc;", "abc is not a status"),
                ("return https://$host$uri;", ""),
                ("rewrite ^/a /b foo;", "foo is not a flag of rewrite"),
                ("add_header X b allways;", "add_header takes always here"),
                (
                    "error_page 4044 /x;",
                    "4044 is not a status that error_page can handle",
                ),
                ("error_page 500 502 =200 /x;", ""),
                ("location / { return; }", "return has 0 arguments"),
                ("location / ;", "location needs a block"),
                ("root /srv { }", "root has no block"),
                (
                    "proxy_set_header X-Real-IP;",
                    "proxy_set_header has one argument",
                ),
                (
                    "client_max_body_size 0; client_body_buffer_size 8K; proxy_read_timeout \"1h 30m\"; gzip ON;",
                    "",
                ),
                (
                    "server_name a b c d e; return 301 /x; location ~ \"a b\" { }",
                    "",
                ),
                (
                    "access_log off; error_page 500 502 /x; keepalive_timeout 65 60;",
                    "",
                ),
            ],
        );
    }
}
