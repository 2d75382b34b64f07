//! `listen`: its address, and the words behind it.

use source_text::word_list;

use super::Wrong;
use super::words::is_time;
use crate::source::nginx::listen::{Address, Socket, has_value};
use crate::source::nginx::{Word, size};

/// Words of `listen` behind the address, `ngx_http_core_listen` in src/http/ngx_http_core_module.c: those of nginx 1.31.
/// `spdy` is refused from 1.19 to 1.31; older versions only warn of it.
const LISTEN: [&str; 10] = word_list(
    "default_server default ssl http2 multipath quic proxy_protocol reuseport deferred bind",
);

/// Words of `listen` in a stream, `ngx_stream_core_listen` in src/stream/ngx_stream_core_module.c.
const OF_STREAMS: [&str; 8] =
    word_list("default_server ssl udp multipath proxy_protocol reuseport deferred bind");

/// What is wrong with a `listen`.
pub(super) fn listen<'n>(
    address: &'n Word,
    options: &'n [Word],
    is_stream: bool,
) -> Option<Wrong<'n>> {
    let text = address.text.as_str();
    let is_bound = match Socket::read(text) {
        // A name begins with no digit, or it is an address or a port that is mistyped.
        Some(Socket {
            address: Address::Name(name),
            ..
        }) => !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()),
        Some(socket) => *socket.ports.start() > 0 && !text.starts_with(':'),
        None => text.len() > "unix:".len() && text.starts_with("unix:"),
    };
    if !is_bound {
        return Some(Wrong {
            word: address,
            message: format!("nginx cannot listen on {text}"),
            help: "write PORT, ADDRESS:PORT, [IPv6]:PORT or unix:/PATH",
        });
    }
    let known: &[&str] = match is_stream {
        true => &OF_STREAMS,
        false => &LISTEN,
    };
    let unknown = options.iter().find(|word| {
        let text = word.text.as_str();
        !known.contains(&text) && !has_value(text)
    });
    if let Some(word) = unknown {
        return Some(Wrong {
            word,
            message: format!("listen has no parameter {}", word.text),
            help: "remove it, or correct its name: ssl, default_server, reuseport and the like",
        });
    }
    options.iter().find_map(|word| {
        let (name, value) = word.text.split_once('=')?;
        let is_number = |least: u32| value.parse::<u32>().is_ok_and(|number| number >= least);
        let (is_right, help) = match name {
            "backlog" => (is_number(1), "write a number from 1 on"),
            "ipv6only" => (
                ["on", "off"].contains(&value),
                "write ipv6only=on or ipv6only=off",
            ),
            // Of three times and a count, each may be left out.
            "so_keepalive" => (
                ["on", "off"].contains(&value) || is_keepalive(value),
                "write so_keepalive=on, off or IDLE:INTERVAL:COUNT",
            ),
            "fastopen" => (is_number(0), "write a number"),
            "rcvbuf" | "sndbuf" => (size(value).is_some(), "write a size such as 64k"),
            _ => return None,
        };
        (!is_right).then(|| Wrong {
            word,
            message: format!("{value:?} is not a valid value of {name}"),
            help,
        })
    })
}

/// Up to two times and a count, of which each may be left out, but not all.
fn is_keepalive(value: &str) -> bool {
    let mut parts = value.splitn(3, ':');
    let [idle, interval, count] = [(); 3].map(|()| parts.next().unwrap_or_default());
    let may_be_time = |text: &str| text.is_empty() || is_time(text);
    let is_count = count.is_empty() || count.parse::<u32>().is_ok_and(|count| count > 0);
    let says = !(idle.is_empty() && interval.is_empty() && count.is_empty());
    says && may_be_time(idle) && may_be_time(interval) && is_count
}
