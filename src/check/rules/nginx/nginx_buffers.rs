//! Sizes of buffers that do not fit each other. `ngx_http_proxy_merge_loc_conf` in src/http/modules/ngx_http_proxy_module.c,
//! and the same for FastCGI, uwsgi and SCGI.

use source_text::word_list;

use crate::check::rules::nginx::prelude::*;
use crate::source::nginx::size;

pub(crate) static RULE: Rule = rule!(nginx_buffers, Error, run);

/// A page of memory, of which the default sizes are made.
const PAGE: u64 = 4096;

/// The directives about buffers of a protocol: their number and size, the size of the first one, and how much may be busy.
const PROTOCOLS: [[&str; 3]; 4] = [
    word_list("proxy_buffers proxy_buffer_size proxy_busy_buffers_size"),
    word_list("fastcgi_buffers fastcgi_buffer_size fastcgi_busy_buffers_size"),
    word_list("uwsgi_buffers uwsgi_buffer_size uwsgi_busy_buffers_size"),
    word_list("scgi_buffers scgi_buffer_size scgi_busy_buffers_size"),
];

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    let has = |block: &Block<'_>, names: &[&str; 3]| {
        let mut names = names.iter();
        names.any(|name| !block.own(name).is_empty())
    };
    // All servers share it, and it is long.
    let outer = context.blocks().first();
    let in_http = PROTOCOLS.map(|names| outer.is_some_and(|http| has(http, &names)));
    for block in context.blocks() {
        for (names, is_in_http) in PROTOCOLS.iter().zip(in_http) {
            // nginx compares them in every server and location; what is in http is one of theirs.
            let is_compared = match block.kind() {
                "http" => false,
                "server" => is_in_http || has(block, names),
                _ => has(block, names),
            };
            if let Some((node, message)) = is_compared.then(|| wrong(block, names)).flatten() {
                let help = format!(
                    "write {} 8 SIZE; and {} SIZE; with one size",
                    names[0], names[1]
                );
                findings.push(view.find(&RULE, node, message, help));
            }
        }
    }
}

fn wrong<'v>(block: &Block<'v>, names: &[&str; 3]) -> Option<(&'v Node<'v>, String)> {
    let [buffers, first, busy] = names;
    let of = |name| Some(block.in_force(name)?.last().copied());
    let (all, head, limit) = (of(buffers)?, of(first)?, of(busy)?);
    let (count, each) = match all {
        Some(node) => (number(node, 0)?, number(node, 1)?),
        None => (8, PAGE),
    };
    let size = each.max(match head {
        Some(node) => number(node, 0)?,
        None => PAGE,
    });
    let may_be_busy = match limit {
        Some(node) => number(node, 0)?,
        None => size.saturating_mul(2),
    };
    let node = limit.or(head).or(all)?;
    let rest = count.saturating_sub(1).saturating_mul(each);
    let k = |bytes: u64| match bytes % 1024 {
        0 => format!("{}k", bytes / 1024),
        _ => bytes.to_string(),
    };
    let message = if count < 2 {
        format!("there are fewer than two {buffers}: nginx refuses it")
    } else if may_be_busy < size {
        format!(
            "{busy} is {}, but one buffer has {}: nginx refuses it",
            k(may_be_busy),
            k(size)
        )
    } else if may_be_busy > rest {
        let twice = match limit {
            Some(_) => "",
            None => ", twice the largest buffer",
        };
        format!(
            "{busy} is {}{twice}, but all {buffers} except one have {} together: nginx refuses it",
            k(may_be_busy),
            k(rest)
        )
    } else {
        return None;
    };
    Some((node, message))
}

/// An argument that is a number or a size; `None` for what is neither.
fn number(node: &Node<'_>, at: usize) -> Option<u64> {
    size(&node.args().get(at)?.text)
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::{said, table};

    #[test]
    fn sizes_fit_each_other() {
        table(
            "nginx-buffers",
            &[
                (
                    "proxy_buffer_size 64k;",
                    "E sites-available/a:2:1: proxy_busy_buffers_size is 128k, twice the largest buffer, but all proxy_buffers except one have 28k together",
                ),
                (
                    "proxy_buffers 4 4k; proxy_busy_buffers_size 64k;",
                    "proxy_busy_buffers_size is 64k, but all proxy_buffers except one have 12k",
                ),
                (
                    "location / { fastcgi_buffers 8 16k; fastcgi_buffer_size 128k; }",
                    "fastcgi_busy_buffers_size is 256k",
                ),
                (
                    "proxy_buffers 8 16k; proxy_busy_buffers_size 8k;",
                    "is 8k, but one buffer has 16k",
                ),
                ("proxy_buffers 1 8k;", "fewer than two proxy_buffers"),
                (
                    "proxy_buffers 4 256k; proxy_buffer_size 128k; proxy_busy_buffers_size 256k;",
                    "",
                ),
                ("proxy_buffers 8 16k; proxy_buffer_size 32k;", ""),
                (
                    "fastcgi_buffers 16 16k; location / { fastcgi_buffer_size 32k; }",
                    "",
                ),
                ("include snippets/proxy.conf; proxy_buffer_size 64k;", ""),
            ],
        );
        let http = ("etc/nginx/conf.d/a.conf", "proxy_buffer_size 64k;");
        assert_eq!(said("nginx-buffers", &[http]), [""; 0]);
        let site = ("sites-available/a", "server { listen 80; }");
        assert_eq!(said("nginx-buffers", &[http, site]).len(), 1);
    }
}
